//! Everything that can be wrong with a registry's metadata, each with what a user must be told.

use crate::formats::canonical_json::JsonError;
use crate::model::{Sha256Digest, UtcTime};

/// Why a metadata file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Two readers could see two things in it, or it cannot be brought into signed form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A key is missing or holds something else than it should.
    #[error("it is malformed: {0}")]
    Shape(String),
    /// It is of another type.
    #[error("its type is {found:?} instead of {expected:?}")]
    Type {
        /// The type that was asked for.
        expected: &'static str,
        /// The type that it has.
        found: String,
    },
    /// Written for another major version of TUF.
    #[error("its TUF version is {0:?}, not 1.x")]
    SpecVersion(String),
    /// Versions start at 1.
    #[error("its version is 0")]
    VersionZero,
    /// `expires` is no time in the one form that TUF knows.
    #[error("its expiry `{0}` is not a time")]
    Expires(String),
    /// One key is said to have signed twice.
    #[error("the key `{0}` signed it twice")]
    DuplicateSignature(String),
    /// A role without keys to be fulfilled, or with one key listed twice.
    #[error("its role `{0}` has a threshold of 0 or lists a key twice")]
    Role(String),
    /// A root that does not say who signs one of the four top-level roles.
    #[error("it does not name the role `{0}`")]
    MissingRole(&'static str),
    /// A delegation to a name that the top-level roles have, or that is no name.
    #[error("it delegates to `{0}`, which cannot be a delegated role")]
    RoleName(String),
    /// Delegations that are of both kinds or of none, or hash bins that cannot be.
    #[error("its delegations are malformed: {0}")]
    Delegations(&'static str),
    /// No digest that we can check.
    #[error("it gives `{0}` no sha256 or sha512 digest")]
    Hashes(String),
}

/// Why an update or a search ends without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TufError {
    /// Nothing there, where there must be something.
    #[error("`{path}` is missing")]
    Missing {
        /// The path below the metadata's root.
        path: String,
    },
    /// Not metadata at all, as the page of a captive portal.
    #[error("what came for `{role}` is no metadata")]
    NotMetadata {
        /// The role that was asked for.
        role: String,
    },
    /// More bytes than allowed.
    #[error("`{path}` has {length} bytes, more than {limit}")]
    TooLong {
        /// The path below the metadata's root.
        path: String,
        /// Its length.
        length: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// Metadata that cannot be read.
    #[error("the metadata of `{role}` is refused")]
    Malformed {
        /// The role.
        role: String,
        /// Why.
        #[source]
        source: MetadataError,
    },
    /// Too few distinct keys signed.
    #[error("the metadata of `{role}` has {found} of {needed} required signatures")]
    Signatures {
        /// The role.
        role: String,
        /// Distinct keys with a good signature.
        found: usize,
        /// How many there must be.
        needed: u64,
    },
    /// Another version than the one that was announced.
    #[error("the metadata of `{role}` is version {found}, announced was {expected}")]
    Version {
        /// The role.
        role: String,
        /// The announced version.
        expected: u64,
        /// The version that came.
        found: u64,
    },
    /// An older version than one that was trusted before.
    #[error("`{role}` went back from version {trusted} to {offered}")]
    Rollback {
        /// The role whose version went down.
        role: String,
        /// The version trusted before.
        trusted: u64,
        /// The version that the registry announces now.
        offered: u64,
    },
    /// An older snapshot than the one that must have been reached.
    #[error("`snapshot` is version {offered}, and version {least} or a later one is demanded")]
    BeforeLeast {
        /// The version that is demanded.
        least: u64,
        /// The version that the registry announces.
        offered: u64,
    },
    /// A role that the trusted snapshot listed is listed no more.
    #[error("the role `{role}` vanished from the registry")]
    Vanished {
        /// The role.
        role: String,
    },
    /// Past its expiry: an attacker may be holding back what is new.
    #[error("the metadata of `{role}` (version {version}) expired at {expires}; it is {now} now")]
    Expired {
        /// The role.
        role: String,
        /// Its version.
        version: u64,
        /// When it expired.
        expires: UtcTime,
        /// The time that it was compared with.
        now: UtcTime,
    },
    /// Another length than announced.
    #[error("the metadata of `{role}` has {found} bytes, announced were {expected}")]
    Length {
        /// The role.
        role: String,
        /// The announced length.
        expected: u64,
        /// The length that came.
        found: u64,
    },
    /// Another digest than announced.
    #[error("the metadata of `{role}` is not the announced one: its sha256 is {found}")]
    Digest {
        /// The role.
        role: String,
        /// The sha256 of what came.
        found: Sha256Digest,
    },
    /// A delegated role that the snapshot does not list.
    #[error("the snapshot does not list the role `{role}`")]
    NotInSnapshot {
        /// The role.
        role: String,
    },
    /// Offline, and the role was never fetched.
    #[error("the metadata of `{role}` was not fetched before")]
    NotStored {
        /// The role.
        role: String,
    },
    /// More new roots than a client that is years behind would find.
    #[error("there are more than {0} new root files")]
    TooManyRoots(u64),
    /// A search that leads through too many roles.
    #[error("the search for `{path}` leads through more than {limit} roles")]
    TooManyDelegations {
        /// The target.
        path: String,
        /// The most that is allowed.
        limit: usize,
    },
    /// More hash bins than can be read one after another.
    #[error("the role `{prefix}` has 2^{bits} bins, too many to read them all")]
    TooManyBins {
        /// How the bins' names start.
        prefix: String,
        /// Their number, as a power of two.
        bits: u32,
    },
    /// A root says that it belongs to another registry than the one before it.
    #[error("the root belongs to the registry {found}, not to {expected}")]
    OtherRegistry {
        /// This registry.
        expected: Sha256Digest,
        /// The one that the new root names.
        found: Sha256Digest,
    },
    /// An answer without a question, or a search before the update was through.
    #[error("the updater was used out of order")]
    OutOfOrder,
}

impl TufError {
    /// Says whether this is the fault of a network or server that did not deliver, rather than
    /// of a registry that cannot be trusted.
    #[must_use]
    pub const fn is_network_fault(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NotMetadata { .. })
    }
}
