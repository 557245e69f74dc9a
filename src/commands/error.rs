//! What a command fails with, and the one place that knows exit codes.

use std::error::Error;

use serde_json::{Value, json};

use super::explain::next_step;
use crate::disk::Failure;
use crate::publish::keystore::{KeyName, KeystoreError};
use crate::ranking::nearest;
use crate::registry::cargo_config::CargoConfigError;
use crate::registry::config::ConfigError;
use crate::registry::serve::ServeError;
use crate::registry::transport::BaseUrlError;
use crate::trust::KeyFileError;

/// What kind of failure it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line makes no sense.
    Usage,
    /// The work could not be done: network, a missing key, bad input.
    Failure,
    /// The work was done, and there is something to report (`registry check`).
    Findings,
    /// Something is not what its signature or digest says. Never a fault of the network.
    Trust,
    /// Cargo, or the program that it ran, ended with this code and has said why.
    Passed(u8),
}

impl Kind {
    /// The code that the process ends with: cargo's own 1 and 101, and two of ours.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 1,
            Self::Failure => 101,
            Self::Findings => 3,
            Self::Trust => 4,
            Self::Passed(code) => code,
        }
    }
}

/// Why a command failed, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// Decides the exit code.
    pub kind: Kind,
    /// A stable code, as `MP0402`; `explain` knows more of it.
    pub code: Option<&'static str>,
    /// Lower case, no full stop.
    pub message: String,
    /// What lies below, the nearest first.
    pub causes: Vec<String>,
    /// What else there is to know, as that nothing was written.
    pub note: Option<String>,
    /// What the user can do.
    pub help: Option<String>,
}

impl CommandError {
    /// An error of a kind with no more than a message.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            causes: Vec::new(),
            note: None,
            help: None,
        }
    }

    /// The command line makes no sense.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The work could not be done.
    #[must_use]
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// The work was done and found something.
    #[must_use]
    pub fn findings(message: impl Into<String>) -> Self {
        Self::new(Kind::Findings, message)
    }

    /// Something is not what it claims to be.
    #[must_use]
    pub fn trust(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Trust, message).with_code(code)
    }

    /// An error with its chain of sources.
    #[must_use]
    pub fn from_error(kind: Kind, error: &dyn Error) -> Self {
        Self::new(kind, error.to_string()).caused_by(error.source())
    }

    /// Adds an error and its chain of sources below the message.
    #[must_use]
    pub fn caused_by(mut self, cause: Option<&dyn Error>) -> Self {
        let mut next = cause;
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Sets the code.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets what the user can do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets what the user can do to what the code says, unless this failure knows better.
    #[must_use]
    pub fn with_next_step(mut self) -> Self {
        let of_code = || self.code.and_then(next_step).map(str::to_owned);
        self.help = self.help.or_else(of_code);
        self
    }

    /// Sets what else there is to know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The error as the fields of a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "causes": self.causes,
            "note": self.note,
            "help": self.help,
            "exit_code": self.kind.exit_code(),
        })
    }
}

impl From<Failure> for CommandError {
    fn from(error: Failure) -> Self {
        Self::from_error(Kind::Failure, &error)
    }
}

impl From<BaseUrlError> for CommandError {
    fn from(error: BaseUrlError) -> Self {
        Self::from_error(Kind::Usage, &error)
    }
}

impl From<ServeError> for CommandError {
    fn from(error: ServeError) -> Self {
        Self::from_error(Kind::Failure, &error)
    }
}

impl From<CargoConfigError> for CommandError {
    fn from(error: CargoConfigError) -> Self {
        let shown = Self::from_error(Kind::Failure, &error);
        match error {
            CargoConfigError::Taken { .. } => {
                shown.with_help("choose another name, or remove that entry first")
            }
            CargoConfigError::File(_) => shown,
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let shown = Self::from_error(Kind::Failure, &error);
        match &error {
            ConfigError::Unknown { name, known } => {
                let known = known.iter().map(crate::model::RegistryName::as_str);
                match nearest(name.as_str(), known) {
                    Some(near) => shown.with_help(format!("did you mean `{near}`?")),
                    None => shown.with_help("see `cargo marketplace registry list`"),
                }
            }
            ConfigError::None => shown.with_help("`cargo marketplace registry add NAME URL`"),
            ConfigError::Ambiguous { known } => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                shown.with_help(format!(
                    "pass `--registry` with one of {}",
                    known.join(", ")
                ))
            }
            _ => shown,
        }
    }
}

impl From<KeystoreError> for CommandError {
    fn from(error: KeystoreError) -> Self {
        let shown = Self::from_error(Kind::Failure, &error);
        match &error {
            KeystoreError::Unknown { name, known } => {
                let near = nearest(name.as_str(), known.iter().map(KeyName::as_str));
                shown.with_code("MP0601").with_help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("`cargo marketplace key new {name}` makes it"),
                })
            }
            KeystoreError::NoPublicFile { name, .. } => shown.with_help(format!(
                "`openssl pkey -in {name}.pem -pubout -out {name}.pub.pem` makes it there"
            )),
            KeystoreError::Exists(_) => shown.with_note("a key is never overwritten"),
            KeystoreError::Key {
                source: KeyFileError::WrongPassphrase,
                ..
            } => shown
                .with_code("MP0605")
                .with_help("type it again; a lost passphrase cannot be found again"),
            _ => shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::transport::TransportError;

    #[test]
    fn shows_the_chain_of_sources() {
        let source = std::io::Error::other("deep");
        let failure = crate::disk::failed("read", std::path::Path::new("x"))(source);
        let shown = CommandError::from(TransportError::from(failure));
        assert_eq!(
            (shown.message.as_str(), shown.causes),
            ("could not read `x`", vec!["deep".into()])
        );
        assert_eq!(shown.kind.exit_code(), 101);
    }
}
