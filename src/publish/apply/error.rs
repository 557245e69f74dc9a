//! Why a change to a registry is refused.

use semver::Version;

use crate::formats::catalog_index::CatalogIndexError;
use crate::formats::record::RecordFormatError;
use crate::formats::statement::StatementError;
use crate::model::{PackageName, PublisherId};
use crate::publish::collision::CollisionError;
use crate::publish::folder::FolderError;
use crate::publish::packs::PackError;
use crate::trust::{KeyChangeRefusal, KeyError, RecordError};

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The registry folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The name is too close to another one.
    #[error(transparent)]
    Collision(#[from] CollisionError),
    /// A statement is not readable.
    #[error("a statement about `{package}` is refused")]
    Statement {
        /// The package.
        package: PackageName,
        /// Why.
        #[source]
        source: StatementError,
    },
    /// The record would not be in order.
    #[error("the submission is refused")]
    Record(#[from] RecordError),
    /// The record cannot be written.
    #[error("the record of `{package}` cannot be written")]
    Encode {
        /// The package.
        package: PackageName,
        /// Why.
        #[source]
        source: RecordFormatError,
    },
    /// A release without its archive.
    #[error("the archive of `{name}` {version} is missing")]
    NoArchive {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// The registry has this version.
    #[error("`{name}` {version} is published already")]
    Published {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// The registry had this version, and it was taken out for good.
    #[error("`{name}` {version} was withdrawn")]
    Withdrawn {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// The registry has this version with other bytes.
    #[error("`{name}` {version} exists with another archive")]
    Exists {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
    },
    /// A publisher is registered with other keys.
    #[error("publisher `{0}` is registered with other keys")]
    OtherKeys(PublisherId),
    /// A new publisher comes with a key that did not sign what makes them an owner.
    #[error("`{0}` would be registered with a key that did not sign for them")]
    NotTheirKeys(PublisherId),
    /// The policy's time for unsigned releases is over.
    #[error("the registry takes no unsigned release from serial {0} on")]
    SigningRequired(u64),
    /// A change of a publisher's keys is refused.
    #[error("the change of the keys of `{id}` is refused")]
    Keys {
        /// The publisher.
        id: PublisherId,
        /// Why.
        #[source]
        source: KeyChangeRefusal,
    },
    /// With other keys, a record would be refused.
    #[error("with the changed keys of `{id}`, the record of `{package}` would be refused")]
    Breaks {
        /// The publisher.
        id: PublisherId,
        /// The package.
        package: PackageName,
        /// Why.
        #[source]
        source: RecordError,
    },
    /// A publisher's key is none that may sign.
    #[error("the publisher's key is refused")]
    Key(#[from] KeyError),
    /// The catalog cannot be brought up to date.
    #[error("the catalog cannot be brought up to date")]
    Pack(#[from] PackError),
    /// The catalog's index is damaged.
    #[error(transparent)]
    CatalogIndex(#[from] CatalogIndexError),
}
