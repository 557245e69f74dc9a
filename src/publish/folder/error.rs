//! Why a registry folder cannot be used.

use std::path::PathBuf;

use crate::disk::Failure;
use crate::formats::policy::PolicyError;
use crate::formats::publisher::PublisherError;
use crate::formats::record::RecordFormatError;
use crate::formats::unsigned::UnsignedError;
use crate::publish::drafts::{DraftError, RotationError};
use crate::publish::journal::JournalError;
use crate::publish::role_keys::SealError;
use crate::trust::tuf::TufError;

/// Why a registry folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no registry.
    #[error("`{}` holds no registry", .0.display())]
    NoRegistry(PathBuf),
    /// A file that the metadata names is not there.
    #[error("the registry is damaged: `{0}` is missing")]
    Missing(String),
    /// A file is not what the metadata says.
    #[error("the registry is damaged: `{path}` is not what the signed metadata says")]
    Mismatch {
        /// The file.
        path: String,
    },
    /// There is a later state than the one that is announced.
    #[error("an older state of the registry was put back: `{0}` was published already")]
    PutBack(String),
    /// A metadata file is not in order.
    #[error("the registry is damaged: `{path}` is refused")]
    Metadata {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: TufError,
    },
    /// Metadata lacks what this program writes.
    #[error("the role `{role}` lacks `{field}`")]
    Shape {
        /// The role.
        role: String,
        /// What is missing.
        field: &'static str,
    },
    /// A role may not list a file: clients would not look for it there.
    #[error("the registry's role `targets` does not let `{role}` list `{path}`")]
    NotDelegated {
        /// The role.
        role: &'static str,
        /// The file.
        path: &'static str,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// A record is refused.
    #[error("the record `{path}` is refused")]
    Record {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: RecordFormatError,
    },
    /// The policy is refused.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The list of unsigned releases is refused.
    #[error(transparent)]
    Unsigned(#[from] UnsignedError),
    /// A publisher's file is refused.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// The journal could not be opened or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Drafts cannot be used.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Other keys or bins are refused.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// A role could not be signed.
    #[error(transparent)]
    Seal(#[from] SealError),
}
