//! A registry on a server, over https, or over http on this machine. Sends nothing but the path,
//! and the user's token to the registry's own origin, if that asks for it; follows a redirect only
//! within the scheme, and stops reading at the caller's limit.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, RANGE, WWW_AUTHENTICATE};

use super::fetch::{Fetch, reason};
use super::flight::Flight;
use super::setup::configured;
use super::{BaseUrl, Network, Refusal, Transport, TransportError, checked};
use crate::disk::Part;
use crate::formats::layout;
use crate::model::EventSink;
use crate::registry::credentials::{Credentials, Token};

/// Reads a registry's files over HTTP.
pub(super) struct HttpTransport<'a> {
    base: BaseUrl,
    network: Network,
    /// Made for the first request: to read certificates takes longer than many a command.
    ///
    /// Never dropped: dropping waits for name look-ups that are under way, which can take far
    /// longer than the five seconds after which a dead server is reported.
    client: OnceLock<ManuallyDrop<Client>>,
    /// Whether the server has answered at all; one that has is given more time.
    answered: AtomicBool,
    /// What to show to this origin, if it asks.
    credentials: Option<Arc<Credentials<'a>>>,
    flight: Flight<'a>,
}

impl<'a> HttpTransport<'a> {
    pub(super) fn new(
        base: BaseUrl,
        network: Network,
        credentials: Option<Arc<Credentials<'a>>>,
        events: &'a dyn EventSink,
    ) -> Self {
        Self {
            base,
            network,
            client: OnceLock::new(),
            answered: AtomicBool::new(false),
            credentials,
            flight: Flight::new(events),
        }
    }

    fn client(&self) -> Result<&Client, TransportError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // An error means that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = configured(&self.base, &self.network)
            .and_then(ClientBuilder::build)
            .map_err(|error| TransportError::Setup(reason(&error)))?;
        Ok(self.client.get_or_init(|| ManuallyDrop::new(client)))
    }

    /// One try; a server that asks who it is that asks is told, and has two answers.
    fn try_once(&self, fetch: &Fetch<'_>, part: &mut Part) -> Result<bool, TransportError> {
        let shown = match &self.credentials {
            Some(known) => known.known().map_err(|error| fetch.no_token(error))?,
            None => None,
        };
        let response = self.send(fetch, shown.as_ref(), part)?;
        let asks = match response.status().as_u16() {
            401 => self.is_own(&response),
            // Some say so to strangers, too.
            403 => self.is_own(&response) && fetch.is_everywhere,
            _ => false,
        };
        let credentials = self.credentials.as_ref();
        let Some(credentials) = credentials.filter(|_| asks && shown.is_none()) else {
            return self.take(fetch, response, shown.is_some(), part);
        };
        let token = credentials.ask(&challenges(&response));
        match token.map_err(|error| fetch.no_token(error))? {
            Some(token) => {
                let response = self.send(fetch, Some(&token), part)?;
                self.take(fetch, response, true, part)
            }
            None => self.take(fetch, response, false, part),
        }
    }

    /// Whether the registry's own server answered, and not one that it redirected to.
    fn is_own(&self, response: &Response) -> bool {
        response.url().origin() == self.base.origin()
    }

    /// Asks for what is missing. Where the server cannot give just that, the part is of no use.
    fn send(
        &self,
        fetch: &Fetch<'_>,
        token: Option<&Token>,
        part: &mut Part,
    ) -> Result<Response, TransportError> {
        let from = part.bytes().len();
        let response = self.send_once(fetch, token, from)?;
        let status = response.status().as_u16();
        if from == 0 || !matches!(status, 200 | 206 | 416) || begins_at(&response, from) {
            return Ok(response);
        }
        part.clear();
        match status {
            200 => Ok(response),
            _ => self.send_once(fetch, token, 0),
        }
    }

    fn send_once(
        &self,
        fetch: &Fetch<'_>,
        token: Option<&Token>,
        from: usize,
    ) -> Result<Response, TransportError> {
        let mut request = self.client()?.get(fetch.url);
        if let Some(token) = token {
            let header = token.header().map_err(|error| fetch.no_token(error))?;
            // Taken away by reqwest when a redirect leads to another origin.
            request = request.header(AUTHORIZATION, header);
        }
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let end = match self.answered.load(Ordering::Relaxed) {
            true => self.network.account.until(),
            false => Some(fetch.first_answer),
        };
        if let Some(end) = end {
            let left = end.saturating_duration_since(Instant::now());
            request = request.timeout(left);
        }
        self.network.account.asked();
        let response = request.send().map_err(|error| fetch.failed(&error))?;
        self.answered.store(true, Ordering::Relaxed);
        Ok(response)
    }

    fn take(
        &self,
        fetch: &Fetch<'_>,
        response: Response,
        token_was_shown: bool,
        part: &mut Part,
    ) -> Result<bool, TransportError> {
        match response.status().as_u16() {
            200 => fetch.read(response, &self.flight, part),
            206 if begins_at(&response, part.bytes().len()) => {
                fetch.read(response, &self.flight, part)
            }
            401 if self.is_own(&response) && token_was_shown => {
                Err(fetch.unauthorized(Refusal::Rejected))
            }
            401 if self.is_own(&response) => Err(fetch.unauthorized(Refusal::NoToken)),
            403 if fetch.is_everywhere => Err(fetch.unauthorized(Refusal::Forbidden)),
            // Buckets that may not be listed answer so for what is not there.
            403 | 404 | 410 => Ok(false),
            status => Err(TransportError::Status {
                url: fetch.url.to_owned(),
                status,
            }),
        }
    }

    /// Tries until there is an answer, or none is to be expected.
    fn try_often(
        &self,
        path: &str,
        max_bytes: u64,
        mut try_once: impl FnMut(&Fetch<'_>) -> Result<bool, TransportError>,
    ) -> Result<bool, TransportError> {
        let (limits, account) = (&self.network.limits, &*self.network.account);
        let url = format!("{}{}", self.base, checked(path)?);
        let whole = limits.whole + Duration::from_secs(max_bytes >> 16);
        let start = Instant::now();
        let fetch = Fetch {
            url: &url,
            is_everywhere: path == layout::TIMESTAMP || path == layout::metadata("root", 1),
            max_bytes,
            limits,
            registry: self.credentials.as_ref().map(|known| known.registry()),
            account,
            first_answer: account.at_most(start + limits.first_answer),
            deadline: account.at_most(start + whole),
        };
        let mut pause = limits.first_pause;
        let mut tries_left = limits.tries;
        loop {
            let error = match try_once(&fetch) {
                Ok(is_there) => return Ok(is_there),
                Err(error) => error,
            };
            tries_left = tries_left.saturating_sub(1);
            let end = if self.answered.load(Ordering::Relaxed) {
                fetch.deadline
            } else {
                fetch.first_answer
            };
            let late = Instant::now() + pause >= end;
            if tries_left == 0 || late || !self.may_pass(&error) {
                return Err(error);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(limits.longest_pause);
        }
    }

    /// Says whether a fault may pass, so that another try makes sense.
    fn may_pass(&self, error: &TransportError) -> bool {
        match error {
            TransportError::Unreachable { .. } | TransportError::Interrupted { .. } => true,
            TransportError::TimedOut { .. } => {
                self.answered.load(Ordering::Relaxed) && !self.network.account.is_hasty()
            }
            TransportError::Status { status, .. } => *status >= 500 || *status == 429,
            TransportError::TooLarge { .. }
            | TransportError::RedirectRefused { .. }
            | TransportError::WebPage { .. }
            | TransportError::Path(_)
            | TransportError::Unauthorized { .. }
            | TransportError::Credentials { .. }
            | TransportError::Disk(_)
            | TransportError::Setup(_) => false,
        }
    }
}

impl Transport for HttpTransport<'_> {
    fn base(&self) -> &BaseUrl {
        &self.base
    }

    fn get(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let mut part = Part::default();
        // What changes is never put together of two answers.
        let whole = |fetch: &Fetch<'_>| {
            part.clear();
            self.try_once(fetch, &mut part)
        };
        let is_there = self.try_often(path, max_bytes, whole)?;
        Ok(is_there.then(|| part.into_whole()))
    }

    fn get_rest(
        &self,
        path: &str,
        max_bytes: u64,
        part: &mut Part,
    ) -> Result<bool, TransportError> {
        self.try_often(path, max_bytes, |fetch| self.try_once(fetch, part))
    }
}

/// Whether an answer is the rest of a file from that byte on.
fn begins_at(response: &Response, from: usize) -> bool {
    let range = response.headers().get(CONTENT_RANGE);
    let range = range.and_then(|range| range.to_str().ok());
    let begin = format!("bytes {from}-");
    response.status() == 206 && range.is_some_and(|range| range.starts_with(&begin))
}

/// What a server says of how it wants to be asked, for providers of tokens.
fn challenges(response: &Response) -> Vec<String> {
    let all = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let all = all.filter_map(|value| value.to_str().ok());
    all.take(8)
        .map(|value| format!("WWW-Authenticate: {value}"))
        .collect()
}
