//! What happens while the program works. Library code emits events; terminal, JSON output,
//! telemetry and tests are sinks.

use semver::Version;

use super::{PackageName, RegistryName};

/// Something that a user, a log or a metric may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A registry's metadata is being brought up to date.
    Updating {
        /// Which.
        registry: RegistryName,
    },
    /// A registry could not be reached; the copy of `age_seconds` ago is used.
    UsingCopy {
        /// Which.
        registry: RegistryName,
        /// Why it could not be reached.
        reason: String,
        /// The copy's age.
        age_seconds: i64,
    },
    /// v2 was not usable, and v1 is read in its place.
    FellBack {
        /// In which registry.
        registry: RegistryName,
        /// The cause, a word for metrics and a text for people.
        reason: String,
    },
    /// An archive is being fetched.
    Downloading {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
        /// The archive's length in bytes, if known.
        size: Option<u64>,
    },
    /// Any other status line: a verb of at most 12 letters, and its object.
    Status {
        /// As `Verifying`.
        verb: &'static str,
        /// As `tide-table v0.3.1`.
        object: String,
    },
    /// Something is not right, but the work goes on.
    Warning(String),
    /// A remark.
    Note(String),
}

/// A running count of long work: `done` of `total` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The verb of the status line, as `Importing`.
    pub verb: &'static str,
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
}

/// What a [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Packages, archives, files.
    Items,
    /// Bytes.
    Bytes,
}

/// Where events go. Sinks are shared between threads.
pub trait EventSink: Sync {
    /// Takes one event.
    fn event(&self, event: Event);

    /// Takes the present count of long work; `done == total` ends it.
    fn progress(&self, _progress: Progress) {}
}

/// Nobody listens.
pub struct Silent;

impl EventSink for Silent {
    fn event(&self, _event: Event) {}
}
