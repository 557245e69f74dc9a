//! What things are: names, versions, releases, statements, digests, keys, events.
//!
//! No input or output, no clock, no environment: everything here is a value. Text enters through
//! `FromStr` and leaves through `Display`; past this folder no package name is a bare `String`.

mod digest;
mod document;
mod event;
mod key;
mod name;
mod release;
mod rust_version;
mod span;
mod spec;
mod statement;
mod time;
mod version;

pub use digest::{DigestError, Sha256Digest};
pub use document::{Document, Entry, TrustState, Yank};
pub use event::{Event, EventSink, Progress, Silent, Unit};
pub use key::{KEY_VARIABLES, KeyId, PublicKey, PublicKeyError, Signature};
pub use name::{NameError, PackageName, PublisherId, RegistryName, is_device_name};
pub use release::{
    CRATES_IO_INDEX, Dependency, DependencyKind, DependencySource, ForeignLine, Kinds, Release,
    Requirement, RequirementError,
};
pub use rust_version::{builds_with, rust_version};
pub use span::{Span, SpanError};
pub use spec::{PackageSpec, SpecError};
pub use statement::{Body, Owners, Statement};
pub use time::{TimeError, UtcTime};
pub use version::{same_release, sort_key, without_build};
