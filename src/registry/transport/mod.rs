//! Fetching a registry's files by path: over HTTP or from a folder.
//!
//! Bytes only. Nothing here says whether they are the right ones; that is `trust`'s work. No read
//! is without a limit on bytes and time, and nothing is ever sent to a registry but the path, and,
//! to one that asks for it, the user's token.

mod account;
mod base_url;
mod fetch;
mod flight;
mod folder;
mod http;
mod pace;
mod setup;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use account::Account;
pub use base_url::{BaseUrl, BaseUrlError};
use folder::FolderTransport;
use http::HttpTransport;

use super::credentials::{CredentialError, Credentials};
use crate::disk::{Failure, Part};
use crate::model::{EventSink, RegistryName};

/// A way to read a registry's files.
pub trait Transport: Send + Sync {
    /// The root below which paths lie.
    fn base(&self) -> &BaseUrl;

    /// Returns the file at `path` below the root, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// Any [`TransportError`]; a file of more than `max_bytes` is [`TransportError::TooLarge`].
    fn get(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError>;

    /// As [`Transport::get`], for a file that never changes, of which a part may be here: goes on from there
    /// if it can. What comes is in the part, also if it is cut off. Says whether there is such a file.
    fn get_rest(
        &self,
        path: &str,
        max_bytes: u64,
        part: &mut Part,
    ) -> Result<bool, TransportError> {
        part.clear();
        let Some(whole) = self.get(path, max_bytes)? else {
            return Ok(false);
        };
        part.push(&whole);
        Ok(true)
    }
}

/// Why a file could not be read. A file that is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke before an answer.
    #[error("`{url}` is unreachable ({reason})")]
    Unreachable {
        /// The file.
        url: String,
        /// The cause, as `connection refused`.
        reason: String,
    },
    /// No connection, no answer or no further bytes within the limits of [`Limits`].
    #[error("`{url}` did not answer in time")]
    TimedOut {
        /// The file.
        url: String,
    },
    /// The answer ended before its announced length, or broke HTTP's rules.
    #[error("the answer from `{url}` was cut off ({reason})")]
    Interrupted {
        /// The file.
        url: String,
        /// The cause.
        reason: String,
    },
    /// A status that is neither success nor absence.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// The file.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// More bytes than the caller accepts.
    #[error("`{url}` is larger than the {limit} bytes that are accepted")]
    TooLarge {
        /// The file.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// A redirect to another scheme, to plain http, or the fourth in a row.
    #[error("`{url}` redirects to `{to}`, which is refused")]
    RedirectRefused {
        /// The file.
        url: String,
        /// Where it would have led.
        to: String,
    },
    /// A web page in place of a registry's file: a captive portal, or a host that has a page for
    /// every address. A fault of the network, not of trust.
    #[error("`{url}` is a web page, not a file of a registry")]
    WebPage {
        /// The file.
        url: String,
    },
    /// A path that could lead out of the registry. Paths come from parsed names and digests, so
    /// this is a bug or an attack.
    #[error("`{0}` is not a path in a registry")]
    Path(String),
    /// The folder or file of a `file:` registry cannot be read.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// The server wants to know who asks, and nobody that it knows does.
    #[error("`{url}` {}", refusal.as_str())]
    Unauthorized {
        /// The file.
        url: String,
        /// What was shown to it.
        refusal: Refusal,
        /// The registry, if this is its own server.
        registry: Option<RegistryName>,
    },
    /// The server wants to know who asks, and the token could not be had.
    #[error("no token for `{url}`")]
    Credentials {
        /// The file.
        url: String,
        /// Why not.
        #[source]
        source: CredentialError,
    },
    /// The HTTP client cannot be set up: no trusted certificates on this machine, say. No fault of the network.
    #[error("cannot set up HTTPS on this machine ({0})")]
    Setup(String),
}

/// What a server that wants to know who asks was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token: there is none.
    NoToken,
    /// A token that it does not accept.
    Rejected,
    /// It forbids the file to everybody whom it does not know, and does not ask who it is.
    Forbidden,
}

impl Refusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "asks for a token, and there is none",
            Self::Rejected => "does not accept the token",
            Self::Forbidden => "is forbidden (status 403)",
        }
    }
}

/// How servers are reached; what cargo's settings change.
#[derive(Clone, Default)]
pub struct Network {
    /// How long to wait and how often to try.
    pub limits: Limits,
    /// The proxy for other machines; without it, that of the environment. It may hold a password.
    pub proxy: Option<String>,
    /// Certificates (PEM) to trust in place of the system's.
    pub certificates: Option<Vec<u8>>,
    /// What to say in place of our own name.
    pub user_agent: Option<String>,
    /// Whether only HTTP/1.1 is spoken.
    pub one_version: bool,
    /// What all of it may take, and took.
    pub account: Arc<Account>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the proxy, which may hold a password.
        f.debug_struct("Network")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How long to wait and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a first answer, connection included. Past it there is no second try, so that a server
    /// that is down is reported within five seconds.
    pub first_answer: Duration,
    /// For the next bytes of a server that has answered before.
    pub silence: Duration,
    /// The fewest bytes a second that are put up with, as a mean over [`Limits::silence`].
    pub least_speed: u64,
    /// For one file, all tries together; grows by a second for each 64 KiB that are accepted.
    pub whole: Duration,
    /// How often a fault that may pass is met before it is reported.
    pub tries: u32,
    /// The pause before the second try; doubled before each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Whether the user has said how long to wait; else less is waited where there are mirrors.
    pub is_patient: bool,
}

impl Limits {
    /// Where another mirror can be asked: not so long for any one.
    #[must_use]
    pub fn with_others(self) -> Self {
        if self.is_patient {
            return self;
        }
        Self {
            silence: self.silence.min(Duration::from_secs(5)),
            whole: self.whole.min(Duration::from_secs(10)),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_answer: Duration::from_secs(4),
            silence: Duration::from_secs(20),
            least_speed: 10,
            whole: Duration::from_secs(30),
            tries: 3,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            is_patient: false,
        }
    }
}

/// Opens the registry at `base`; nothing is sent yet. `credentials` are shown to their own origin, if
/// it asks; `events` hears how far downloads have come.
pub fn open<'a>(
    base: &BaseUrl,
    network: &Network,
    credentials: Option<Arc<Credentials<'a>>>,
    events: &'a dyn EventSink,
) -> Box<dyn Transport + 'a> {
    match base.folder() {
        Some(folder) => Box::new(FolderTransport::new(
            base.clone(),
            folder,
            Arc::clone(&network.account),
        )),
        None => {
            let credentials = credentials.filter(|known| known.are_for(base));
            Box::new(HttpTransport::new(
                base.clone(),
                network.clone(),
                credentials,
                events,
            ))
        }
    }
}

/// Lets through relative paths that mean the same to every server and file system: segments of
/// letters, digits and `-._+`, none of which starts with a dot.
fn checked(path: &str) -> Result<&str, TransportError> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-._+".contains(&c);
    let sound = path.len() <= 1024
        && path
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed));
    if sound {
        Ok(path)
    } else {
        Err(TransportError::Path(path.chars().take(200).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_paths_that_leave_the_registry() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a/.git",
            "a\\b",
            "a?b",
            "a#b",
            "a%2e",
            "c:/x",
            "a b",
            "é",
            "a\0",
            "http://x/y",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        for good in [
            "config.json",
            "se/rd/serde.json",
            "tuf/1.root.json",
            "a/b+1_2-3",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
    }
}
