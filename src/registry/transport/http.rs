//! A registry on a server, over https, or over http on this machine. Sends nothing but the path,
//! follows a redirect only within the scheme, and stops reading at the caller's limit.

use std::error::Error;
use std::io::{self, Read as _};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::{Action, Attempt, Policy};

use super::flight::Flight;
use super::{BaseUrl, Limits, Transport, TransportError, base_url, checked};
use crate::model::EventSink;

/// How this program names itself to servers.
const USER_AGENT: &str = concat!("cargo-marketplace/", env!("CARGO_PKG_VERSION"));

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// Reads a registry's files over HTTP.
pub(super) struct HttpTransport<'a> {
    base: BaseUrl,
    limits: Limits,
    /// Never dropped: dropping waits for name look-ups that are under way, which can take far
    /// longer than the five seconds after which a dead server is reported.
    client: ManuallyDrop<Client>,
    /// Whether the server has answered at all; one that has is given more time.
    answered: AtomicBool,
    flight: Flight<'a>,
}

/// A redirect that the policy refused; travels inside reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("redirect to `{0}` refused")]
struct Refused(String);

impl<'a> HttpTransport<'a> {
    pub(super) fn new(
        base: BaseUrl,
        limits: Limits,
        events: &'a dyn EventSink,
    ) -> Result<Self, TransportError> {
        // An error means that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(limits.first_answer)
            .timeout(limits.silence)
            .redirect(Policy::custom(follow_or_refuse))
            .referer(false);
        // What is for this machine goes to this machine: through a proxy, plain http would leave
        // it. And it needs no certificates, which a bare container does not have.
        let builder = if base.is_loopback_http() {
            builder.no_proxy().tls_certs_only([])
        } else {
            builder.https_only(true)
        };
        let client = builder
            .build()
            .map_err(|error| TransportError::Setup(reason(&error)))?;
        Ok(Self {
            base,
            limits,
            client: ManuallyDrop::new(client),
            answered: AtomicBool::new(false),
            flight: Flight::new(events),
        })
    }

    fn try_once(&self, fetch: &Fetch<'_>) -> Result<Option<Vec<u8>>, TransportError> {
        let mut request = self.client.get(fetch.url);
        if !self.answered.load(Ordering::Relaxed) {
            let left = fetch.first_answer.saturating_duration_since(Instant::now());
            request = request.timeout(left);
        }
        let response = request.send().map_err(|error| fetch.failed(&error))?;
        self.answered.store(true, Ordering::Relaxed);
        match response.status().as_u16() {
            200 => fetch.read(response, &self.flight).map(Some),
            403 | 404 | 410 => Ok(None),
            status => Err(TransportError::Status {
                url: fetch.url.to_owned(),
                status,
            }),
        }
    }

    /// Says whether a fault may pass, so that another try makes sense.
    fn may_pass(&self, error: &TransportError) -> bool {
        match error {
            TransportError::Unreachable { .. } | TransportError::Interrupted { .. } => true,
            TransportError::TimedOut { .. } => self.answered.load(Ordering::Relaxed),
            TransportError::Status { status, .. } => *status >= 500 || *status == 429,
            TransportError::TooLarge { .. }
            | TransportError::RedirectRefused { .. }
            | TransportError::WebPage { .. }
            | TransportError::Path(_)
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
        let url = format!("{}{}", self.base, checked(path)?);
        let whole = self.limits.whole + Duration::from_secs(max_bytes >> 16);
        let start = Instant::now();
        let fetch = Fetch {
            url: &url,
            max_bytes,
            first_answer: start + self.limits.first_answer,
            deadline: start + whole,
        };
        let mut pause = self.limits.first_pause;
        let mut tries_left = self.limits.tries;
        loop {
            let error = match self.try_once(&fetch) {
                Ok(answer) => return Ok(answer),
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
            pause = (pause * 2).min(self.limits.longest_pause);
        }
    }
}

/// One file being fetched.
struct Fetch<'a> {
    url: &'a str,
    max_bytes: u64,
    /// When a server that has never answered is given up.
    first_answer: Instant,
    /// When the file is given up.
    deadline: Instant,
}

impl Fetch<'_> {
    /// Reads the body, counting.
    fn read(&self, response: Response, flight: &Flight<'_>) -> Result<Vec<u8>, TransportError> {
        if is_web_page(&response) {
            return Err(TransportError::WebPage {
                url: self.url.to_owned(),
            });
        }
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_bytes {
            return Err(self.too_large());
        }
        // Not reserved in advance: the announced length is the server's word.
        let mut bytes = Vec::new();
        let mut download = flight.begin(announced);
        let mut body = response.take(self.max_bytes.saturating_add(1));
        let mut chunk = vec![0; 32 * 1024];
        loop {
            match body.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(count) => {
                    bytes.extend_from_slice(&chunk[..count]);
                    download.came(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broke_off(&error)),
            }
            if bytes.len() as u64 > self.max_bytes {
                return Err(self.too_large());
            }
            if Instant::now() >= self.deadline {
                return Err(self.timed_out());
            }
        }
    }

    fn too_large(&self) -> TransportError {
        TransportError::TooLarge {
            url: self.url.to_owned(),
            limit: self.max_bytes,
        }
    }

    fn timed_out(&self) -> TransportError {
        TransportError::TimedOut {
            url: self.url.to_owned(),
        }
    }

    /// What it means that no answer came.
    fn failed(&self, error: &reqwest::Error) -> TransportError {
        let url = self.url.to_owned();
        if error.is_redirect() {
            let to = causes(error)
                .find_map(|cause| cause.downcast_ref::<Refused>())
                .map_or_else(
                    || "an address that is none".to_owned(),
                    |refused| refused.0.clone(),
                );
            return TransportError::RedirectRefused { url, to };
        }
        if error.is_timeout() {
            return self.timed_out();
        }
        TransportError::Unreachable {
            url,
            reason: reason(error),
        }
    }

    /// What it means that the body ended early.
    fn broke_off(&self, error: &io::Error) -> TransportError {
        let timeout = causes(error)
            .filter_map(|cause| cause.downcast_ref::<reqwest::Error>())
            .any(reqwest::Error::is_timeout);
        if timeout || error.kind() == io::ErrorKind::TimedOut {
            return self.timed_out();
        }
        TransportError::Interrupted {
            url: self.url.to_owned(),
            reason: reason(error),
        }
    }
}

/// Follows up to three redirects within the scheme; https may not become http, and http may not
/// leave this machine.
fn follow_or_refuse(attempt: Attempt<'_>) -> Action {
    let previous = attempt.previous();
    let same_scheme = previous
        .last()
        .is_some_and(|url| url.scheme() == attempt.url().scheme());
    if same_scheme && previous.len() <= REDIRECTS && base_url::is_safe(attempt.url()) {
        attempt.follow()
    } else {
        let to = attempt.url().as_str().chars().take(200).collect();
        attempt.error(Refused(to))
    }
}

fn is_web_page(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("text/html")
        })
}

/// An error and what lies below it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // An `io::Error` hides the error that it wraps from `source`.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn Error + 'static));
    let first = wrapped.unwrap_or(error);
    std::iter::successors(Some(first), |cause| {
        let cause: &'a (dyn Error + 'static) = *cause;
        cause.source()
    })
}

/// The deepest cause in a few words, as `connection refused`.
fn reason(error: &(dyn Error + 'static)) -> String {
    let Some(deepest) = causes(error).last() else {
        return error.to_string();
    };
    match deepest.downcast_ref::<io::Error>() {
        Some(io) if io.raw_os_error().is_some() => io.kind().to_string(),
        _ => deepest.to_string(),
    }
}
