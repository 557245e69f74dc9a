//! The addresses at which one registry is served. Any of them may deliver any file: what counts is
//! its digest or signature, never where it came from.
//!
//! One that is dead, slow or lying is left for the next for the same file, is said once, and is not
//! asked again while another will do.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::credentials::Credentials;
use super::error::ClientError;
use super::files::FileError;
use super::transport::{self, Account, BaseUrl, Network, Transport, TransportError};
use crate::disk::Part;
use crate::model::{Event, EventSink};

/// The registry's own address, then its mirrors.
pub struct Mirrors<'a> {
    network: Network,
    credentials: Option<Arc<Credentials<'a>>>,
    events: &'a dyn EventSink,
    places: Vec<Place<'a>>,
    /// The one to ask first: it had the newest metadata.
    first: AtomicUsize,
}

/// One address.
struct Place<'a> {
    transport: Box<dyn Transport + 'a>,
    left: Mutex<Option<Left>>,
    /// Whether it was said of it that a file is not there.
    lacks: AtomicBool,
}

impl<'a> Place<'a> {
    fn new(transport: Box<dyn Transport + 'a>) -> Self {
        Self {
            transport,
            left: Mutex::new(None),
            lacks: AtomicBool::new(false),
        }
    }
}

/// Why a place is asked only when no other will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It does not answer in time: asked again, it would cost that time again.
    TimedOut,
    /// Anything else.
    Otherwise,
}

/// What one place answered.
pub(super) type Answer = Result<Option<Vec<u8>>, FileError>;

/// Which places failed a file, and how.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(BaseUrl, ClientError)>);

impl<'a> Mirrors<'a> {
    /// Opens the registry's own address; nothing is sent yet. `credentials` are shown to their own
    /// origin only.
    pub fn open(
        url: &BaseUrl,
        network: Network,
        credentials: Option<Arc<Credentials<'a>>>,
        events: &'a dyn EventSink,
    ) -> Self {
        let mut mirrors = Self {
            network,
            credentials,
            events,
            places: Vec::new(),
            first: AtomicUsize::new(0),
        };
        mirrors.push(url);
        mirrors
    }

    /// The registry's own address, reached by a transport that is open already.
    #[must_use]
    pub fn over(transport: Box<dyn Transport + 'a>, events: &'a dyn EventSink) -> Self {
        Self {
            network: Network::default(),
            credentials: None,
            events,
            places: vec![Place::new(transport)],
            first: AtomicUsize::new(0),
        }
    }

    /// Opens the registry's own address and the mirrors that the user has named.
    pub fn open_all(
        url: &BaseUrl,
        mirrors: &[BaseUrl],
        mut network: Network,
        credentials: Option<Arc<Credentials<'a>>>,
        events: &'a dyn EventSink,
    ) -> Self {
        if !mirrors.is_empty() {
            network.limits = network.limits.with_others();
        }
        let mut all = Self::open(url, network, credentials, events);
        all.add(mirrors);
        all
    }

    /// Adds mirrors, each once.
    pub(super) fn add(&mut self, urls: &[BaseUrl]) {
        for url in urls {
            if self
                .places
                .iter()
                .all(|place| place.transport.base() != url)
            {
                self.network.limits = self.network.limits.with_others();
                self.push(url);
            }
        }
    }

    fn push(&mut self, url: &BaseUrl) {
        let credentials = self.credentials.clone();
        let transport = transport::open(url, &self.network, credentials, self.events);
        self.places.push(Place::new(transport));
    }

    /// The registry's own address.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        self.url(0)
    }

    /// From now on all answers must come soon, unless the user has said how long to wait.
    pub(super) fn hurry(&self) {
        if !self.network.limits.is_patient {
            self.account().hurry();
        }
    }

    /// What requests may take, and took.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.network.account
    }

    /// The address of a place.
    pub(super) fn url(&self, place: usize) -> &BaseUrl {
        self.places[place].transport.base()
    }

    /// The first answer that `judge` lets through, of one place after another.
    ///
    /// # Errors
    ///
    /// What each place failed by, the gravest first, if none will do.
    pub(super) fn first<T>(
        &self,
        path: &str,
        limit: u64,
        mut judge: impl FnMut(&BaseUrl, Option<Vec<u8>>) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.one_after_another(|place, is_there| {
            let bytes = self.ask(place, |transport| transport.get(path, limit), path)?;
            *is_there = bytes.is_some();
            judge(self.url(place), bytes)
        })
    }

    /// As [`Mirrors::first`], for a file that must be there and never changes: goes on with the part that is
    /// here, from whichever place. Where that gives another file, the part was wrong, and the same place is
    /// asked for the whole.
    pub(super) fn rest(
        &self,
        path: &str,
        limit: u64,
        part: &mut Part,
        judge: impl Fn(&[u8]) -> Result<(), FileError>,
    ) -> Result<(), ClientError> {
        self.one_after_another(|place, is_there| {
            let mut ask = |part: &mut Part| -> Result<(), FileError> {
                let get = |transport: &dyn Transport| transport.get_rest(path, limit, part);
                *is_there = self.ask(place, get, path)?;
                match *is_there {
                    true => judge(part.bytes()).inspect_err(|_| part.clear()),
                    false => Err(FileError::Missing { path: path.into() }),
                }
            };
            let is_begun = !part.bytes().is_empty();
            match ask(part) {
                Err(FileError::Mismatch { .. } | FileError::TooLong { .. }) if is_begun => {
                    part.clear();
                    Ok(ask(part)?)
                }
                answer => Ok(answer?),
            }
        })
    }

    /// The first that works of one place after another; `ask` says, too, whether the file is there.
    fn one_after_another<T>(
        &self,
        mut ask: impl FnMut(usize, &mut bool) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut failures = Failures::default();
        for place in self.order() {
            let mut is_there = false;
            match ask(place, &mut is_there) {
                Ok(found) => return Ok(found),
                Err(error) => self.failed(place, is_there, error, &mut failures),
            }
        }
        Err(failures.into_error())
    }

    /// What all places answer, asked at once: of what changes, the newest counts. Those that are left
    /// are not asked.
    pub(super) fn all(&self, path: &str, limit: u64) -> Vec<(usize, Answer)> {
        let order = self.order();
        let left = |place: &usize| self.left(*place).is_some();
        let asked: Vec<usize> = match order.iter().all(left) {
            true => order,
            false => order.into_iter().filter(|place| !left(place)).collect(),
        };
        let get = |place| self.ask(place, |transport| transport.get(path, limit), path);
        if let [only] = asked[..] {
            return vec![(only, get(only))];
        }
        std::thread::scope(|scope| {
            let ask = |place| (place, scope.spawn(move || get(place)));
            let threads: Vec<_> = asked.into_iter().map(ask).collect();
            let joined = threads.into_iter().map(|(place, thread)| {
                let panicked = |_| Err(self.timed_out(place, path));
                (place, thread.join().unwrap_or_else(panicked))
            });
            joined.collect()
        })
    }

    /// From now on this place is asked first.
    pub(super) fn prefer(&self, place: usize) {
        self.first.store(place, Ordering::Relaxed);
    }

    /// Notes that a place failed. Where there are others, it is left for them, and that is said.
    pub(super) fn failed(
        &self,
        place: usize,
        is_there: bool,
        error: ClientError,
        failures: &mut Failures,
    ) {
        if self.places.len() > 1 {
            match &error {
                error if !is_there && error.is_missing_file() => self.say_lacking(place, error),
                error => self.leave(place, error),
            }
        }
        failures.0.push((self.url(place).clone(), error));
    }

    /// Asks one place. One that did not answer in time before is taken not to do so again.
    fn ask<T>(
        &self,
        place: usize,
        get: impl FnOnce(&dyn Transport) -> Result<T, TransportError>,
        path: &str,
    ) -> Result<T, FileError> {
        if self.left(place) == Some(Left::TimedOut) {
            return Err(self.timed_out(place, path));
        }
        let answer = get(&*self.places[place].transport);
        answer.map_err(|error| match error {
            // A fault of the server's bytes, not of the network: no copy may stand in for them.
            TransportError::TooLarge { limit, .. } => FileError::TooLong {
                path: path.to_owned(),
                limit,
            },
            error => FileError::Transport(error),
        })
    }

    fn timed_out(&self, place: usize, path: &str) -> FileError {
        let url = format!("{}{path}", self.url(place));
        FileError::Transport(TransportError::TimedOut { url })
    }

    /// The places, the preferred one first and those that are left last.
    fn order(&self) -> Vec<usize> {
        let first = self.first.load(Ordering::Relaxed);
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_by_key(|place| (self.left(*place).is_some(), *place != first));
        order
    }

    fn left(&self, place: usize) -> Option<Left> {
        *self.places[place]
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, place: usize, error: &ClientError) {
        let left = match error {
            ClientError::File(FileError::Transport(TransportError::TimedOut { .. })) => {
                Left::TimedOut
            }
            _ => Left::Otherwise,
        };
        let mut state = self.places[place]
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if state.replace(left).is_none() {
            self.warn(place, "is left for another mirror", error);
        }
    }

    fn say_lacking(&self, place: usize, error: &ClientError) {
        if !self.places[place].lacks.swap(true, Ordering::Relaxed) {
            self.warn(place, "is behind or incomplete", error);
        }
    }

    fn warn(&self, place: usize, what: &str, error: &ClientError) {
        let text = format!("`{}` {what}: {}", self.url(place), error.network_reason());
        self.events.event(Event::Warning(text));
    }
}

impl Failures {
    /// One error for all: the gravest, and with it what each place did.
    pub(super) fn into_error(self) -> ClientError {
        let tried = self.0.iter();
        let tried: Vec<(BaseUrl, String)> = tried
            .map(|(url, error)| (url.clone(), error.network_reason()))
            .collect();
        let gravest = self
            .0
            .into_iter()
            .map(|(_, error)| error)
            .reduce(|gravest, next| match next.gravity() > gravest.gravity() {
                true => next,
                false => gravest,
            });
        match gravest {
            Some(error) if tried.len() == 1 => error,
            Some(error) => ClientError::Everywhere {
                tried,
                source: Box::new(error),
            },
            None => ClientError::File(FileError::Missing {
                path: String::new(),
            }),
        }
    }
}
