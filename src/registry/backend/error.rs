//! Why a backend cannot read, and what that means for fallback.

use crate::formats::layout::Format;
use crate::formats::v1::V1Error;
use crate::formats::v2::{V2Error, V2Fault};
use crate::model::PackageName;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
use crate::rollout::Cause;
use crate::trust::Disagreement;

/// Why a document or the catalog cannot be read in a format.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The program was built without it.
    #[error("this build of cargo-marketplace does not read {}", .0.as_str())]
    NotBuilt(Format),
    /// The registry offers none in this format.
    #[error("the registry has no {} document of `{package}`", format.as_str())]
    NoDocument {
        /// The package.
        package: PackageName,
        /// The format.
        format: Format,
    },
    /// The registry offers no pack in this format.
    #[error("the registry has no {} catalog", .0.as_str())]
    NoCatalog(Format),
    /// The registry's policy lets no documents in this format be read.
    #[error("the registry's policy lets no {} be read", .0.as_str())]
    BelowFloor(Format),
    /// v2 cannot be used for a reason that would let v1 be read, but for the registry's policy.
    #[error("v2 is not usable, and the registry's policy lets no v1 be read in its place")]
    NoFallback(#[source] Box<BackendError>),
    /// The bytes are not to be had, or not the right ones.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A v1 document cannot be read.
    #[error("the v1 index cannot be read")]
    V1(#[from] V1Error),
    /// A v2 document cannot be read.
    #[error("the v2 index cannot be read")]
    V2(#[from] V2Error),
    /// The dataset that is compiled of v2 cannot be used on this machine.
    #[error("the dataset of the registry cannot be used")]
    Dataset(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A document does not say what the statements say.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
}

impl From<FileError> for BackendError {
    fn from(error: FileError) -> Self {
        Self::Client(error.into())
    }
}

impl BackendError {
    /// What the error means for fallback.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::NotBuilt(_) | Self::NoDocument { .. } | Self::NoCatalog(_) => Cause::NotListed,
            Self::BelowFloor(_) => Cause::Trust,
            Self::NoFallback(error) => error.cause(),
            Self::Client(error) => error.cause(),
            Self::V1(_) => Cause::Malformed,
            Self::V2(error) => match error.fault() {
                V2Fault::Malformed => Cause::Malformed,
                V2Fault::SizeLimit => Cause::TooLarge,
                V2Fault::UnknownSchema => Cause::UnknownSchema,
            },
            Self::Dataset(_) => Cause::Local,
            Self::Disagreement(_) => Cause::Disagreement,
        }
    }
}
