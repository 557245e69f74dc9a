//! One file being fetched: how its bytes are read, within which limits, and what it means when they do not come.

use std::error::Error;
use std::io::{self, Read as _};
use std::time::Instant;

use reqwest::blocking::Response;
use reqwest::header::CONTENT_TYPE;

use super::flight::Flight;
use super::pace::Pace;
use super::setup::Refused;
use super::{Account, Limits, Refusal, TransportError};
use crate::disk::Part;
use crate::model::RegistryName;
use crate::registry::credentials::CredentialError;

/// One file being fetched.
pub(super) struct Fetch<'a> {
    pub(super) url: &'a str,
    /// Whether every registry has such a file.
    pub(super) is_everywhere: bool,
    pub(super) max_bytes: u64,
    pub(super) limits: &'a Limits,
    pub(super) account: &'a Account,
    /// The registry, if this is its own server.
    pub(super) registry: Option<&'a RegistryName>,
    /// When a server that has never answered is given up.
    pub(super) first_answer: Instant,
    /// When the file is given up.
    pub(super) deadline: Instant,
}

impl Fetch<'_> {
    /// Reads the body into what is here of the file, counting.
    pub(super) fn read(
        &self,
        response: Response,
        flight: &Flight<'_>,
        part: &mut Part,
    ) -> Result<bool, TransportError> {
        if is_web_page(&response) {
            return Err(TransportError::WebPage {
                url: self.url.to_owned(),
            });
        }
        let announced = response.content_length().unwrap_or(0);
        let missing = self.max_bytes.saturating_sub(part.bytes().len() as u64);
        if announced > missing {
            return Err(self.too_large());
        }
        let mut download = flight.begin(announced);
        let mut body = response.take(missing.saturating_add(1));
        let mut came = 0;
        let mut chunk = vec![0; 32 * 1024];
        let mut pace = Pace::new(self.limits);
        loop {
            match body.read(&mut chunk) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    // Not reserved in advance: the announced length is the server's word.
                    part.push(&chunk[..count]);
                    came += count as u64;
                    download.came(count);
                    self.account.came(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broke_off(&error)),
            }
            if came > missing {
                return Err(self.too_large());
            }
            let now = Instant::now();
            if now >= self.deadline || pace.is_too_slow(came, now) {
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

    pub(super) fn unauthorized(&self, refusal: Refusal) -> TransportError {
        TransportError::Unauthorized {
            url: self.url.to_owned(),
            refusal,
            registry: self.registry.cloned(),
        }
    }

    pub(super) fn no_token(&self, source: CredentialError) -> TransportError {
        TransportError::Credentials {
            url: self.url.to_owned(),
            source,
        }
    }

    fn timed_out(&self) -> TransportError {
        TransportError::TimedOut {
            url: self.url.to_owned(),
        }
    }

    /// What it means that no answer came.
    pub(super) fn failed(&self, error: &reqwest::Error) -> TransportError {
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
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    let Some(deepest) = causes(error).last() else {
        return error.to_string();
    };
    match deepest.downcast_ref::<io::Error>() {
        Some(io) if io.raw_os_error().is_some() => io.kind().to_string(),
        _ => deepest.to_string(),
    }
}
