//! Why a registry cannot be read, and which of the causes are faults of the network.

use std::io;

use super::files::FileError;
use super::transport::{BaseUrl, Refusal, TransportError};
use crate::formats::catalog_index::CatalogIndexError;
use crate::formats::layout::Format;
use crate::formats::popularity::PopularityError;
use crate::model::{PackageName, RegistryName, Sha256Digest, UtcTime};
use crate::rollout::Cause;
use crate::trust::tuf::{TufError, Withheld};
use crate::trust::{ArchiveMismatch, RecordError, RegisteredError};

/// Why a registry, or something in it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The registry was never trusted on this machine.
    #[error("the root of `{0}` is not trusted yet")]
    NotTrusted(RegistryName),
    /// It does not answer, and nothing of it was kept.
    #[error("no copy of the `{registry}` index, and the registry cannot be reached")]
    NoCopy {
        /// Which.
        registry: RegistryName,
        /// Why it cannot be reached.
        #[source]
        source: Box<ClientError>,
    },
    /// Nothing of a package was kept, and the registry may not be asked or cannot be reached.
    #[error("`{package}` is not in the offline copy of `{registry}`")]
    NotInCopy {
        /// The package.
        package: PackageName,
        /// The registry.
        registry: RegistryName,
    },
    /// Its metadata is refused.
    #[error(transparent)]
    Tuf(#[from] TufError),
    /// A file is not to be had, or not the right one.
    #[error(transparent)]
    File(#[from] FileError),
    /// A package's record is refused.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A package that was there before is gone.
    #[error("`{0}` was in the registry before and is not any more")]
    Vanished(PackageName),
    /// A root that must be one of its roots is none of them.
    #[error("sha256:{root} is none of the roots of `{registry}`, and the project demands it")]
    RootNotReached {
        /// Which.
        registry: RegistryName,
        /// The digest of the root.
        root: Sha256Digest,
    },
    /// The offline role `claimed` says that somebody owns a package, and there is none.
    #[error("`{0}` has an owner, and the registry shows no such package")]
    ClaimedAbsent(PackageName),
    /// It does not answer, and what is known of it expired.
    #[error("`{registry}` does not answer, and its metadata expired at {expires}")]
    Stale {
        /// Which.
        registry: RegistryName,
        /// When.
        expires: UtcTime,
    },
    /// It announced something newer and does not give it, and what was known before that expired.
    #[error(
        "`{registry}` announced version {} of `{}`, which was not received, and the copy before it expired at {expires}",
        withheld.version,
        withheld.role
    )]
    Withheld {
        /// Which.
        registry: RegistryName,
        /// What it announced.
        withheld: Withheld,
        /// When.
        expires: UtcTime,
    },
    /// A file that every registry has is not listed.
    #[error("the registry does not list `{0}`")]
    NotListed(String),
    /// The policy or a publisher's file is refused.
    #[error(transparent)]
    Registered(#[from] RegisteredError),
    /// The catalog's index is refused.
    #[error(transparent)]
    CatalogIndex(#[from] CatalogIndexError),
    /// What is said of downloads is refused.
    #[error("`catalog/popularity.csv` is refused")]
    Popularity(#[from] PopularityError),
    /// A pack does not decompress to what the index says.
    #[error("a catalog pack cannot be decompressed")]
    Pack(#[source] io::Error),
    /// Packs that leave changes out.
    #[error("the {} packs of the catalog do not hold all of it", .0.as_str())]
    NoWay(Format),
    /// No mirror has a file as it should be.
    #[error("no address of the registry has it as it should be")]
    Everywhere {
        /// Each that was asked, and what came of it.
        tried: Vec<(BaseUrl, String)>,
        /// The gravest of their faults.
        #[source]
        source: Box<ClientError>,
    },
    /// An archive is not that of its release.
    #[error("`{url}` is not the archive that was published")]
    Archive {
        /// Where it was fetched.
        url: String,
        /// How it differs.
        #[source]
        source: ArchiveMismatch,
    },
}

impl ClientError {
    /// Says whether only the network is at fault: then a copy may serve.
    #[must_use]
    pub fn is_network_fault(&self) -> bool {
        match self {
            Self::Tuf(error) => error.is_network_fault(),
            // Here the user has something to do.
            Self::File(FileError::Transport(
                TransportError::Credentials { .. }
                | TransportError::Setup(_)
                | TransportError::Unauthorized {
                    refusal: Refusal::NoToken | Refusal::Rejected,
                    ..
                },
            )) => false,
            Self::File(FileError::Transport(_)) => true,
            Self::Everywhere { source, .. } => source.is_network_fault(),
            _ => false,
        }
    }

    /// Says whether no answer came, or not all of one.
    pub(super) fn is_silence(&self) -> bool {
        match self {
            Self::File(FileError::Transport(error)) => matches!(
                error,
                TransportError::TimedOut { .. }
                    | TransportError::Unreachable { .. }
                    | TransportError::Interrupted { .. }
            ),
            Self::Everywhere { source, .. } => source.is_silence(),
            _ => false,
        }
    }

    /// Says whether a package is in an older state than was seen before.
    #[must_use]
    pub const fn goes_back(&self) -> bool {
        matches!(
            self,
            Self::Record(RecordError::Regression(_)) | Self::Vanished(_)
        )
    }

    /// Says whether the registry wants to know who asks.
    #[must_use]
    pub fn asks_for_token(&self) -> bool {
        match self {
            Self::File(FileError::Transport(TransportError::Unauthorized { .. })) => true,
            Self::Everywhere { source, .. } => source.asks_for_token(),
            _ => false,
        }
    }

    /// Says whether a file is just not there.
    pub(super) const fn is_missing_file(&self) -> bool {
        matches!(
            self,
            Self::File(FileError::Missing { .. }) | Self::Tuf(TufError::Missing { .. })
        )
    }

    /// How bad it is, among the faults of several mirrors: a file that is refused is worse than one
    /// that the user might get in another way, and that than one that does not come.
    pub(super) fn gravity(&self) -> u8 {
        if self.is_network_fault() {
            return 0;
        }
        match self.cause() {
            Cause::Missing | Cause::NotListed | Cause::Offline => 0,
            Cause::Unavailable | Cause::Local => 1,
            Cause::Malformed | Cause::TooLarge | Cause::UnknownSchema => 2,
            Cause::Mismatch | Cause::Disagreement | Cause::Trust => 3,
        }
    }

    /// Says whether all that is wrong is that there is no network, and that nothing was kept.
    #[must_use]
    pub const fn is_missing_copy(&self) -> bool {
        matches!(
            self,
            Self::Tuf(TufError::NotStored { .. }) | Self::File(FileError::Offline { .. })
        )
    }

    /// The reason of a network fault, in a few words.
    #[must_use]
    pub fn network_reason(&self) -> String {
        match self {
            Self::File(FileError::Transport(TransportError::Unreachable { reason, .. })) => {
                reason.clone()
            }
            Self::File(FileError::Transport(TransportError::TimedOut { .. })) => {
                "no answer in time".into()
            }
            Self::Everywhere { source, .. } => source.network_reason(),
            error => error.to_string(),
        }
    }

    /// What the error means for fallback.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::File(error) => error.cause(),
            Self::Everywhere { source, .. } => source.cause(),
            Self::Pack(_) | Self::NoWay(_) => Cause::Malformed,
            Self::NoCopy { .. } => Cause::Unavailable,
            Self::NotInCopy { .. } => Cause::Offline,
            Self::NotTrusted(_)
            | Self::Tuf(_)
            | Self::Record(_)
            | Self::Vanished(_)
            | Self::ClaimedAbsent(_)
            | Self::NotListed(_)
            | Self::Registered(_)
            | Self::CatalogIndex(_)
            | Self::Popularity(_)
            | Self::Stale { .. }
            | Self::Withheld { .. }
            | Self::RootNotReached { .. }
            | Self::Archive { .. } => Cause::Trust,
        }
    }
}

impl FileError {
    /// What the error means for fallback.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Missing { .. } => Cause::Missing,
            Self::Offline { .. } => Cause::Offline,
            Self::Mismatch { .. } | Self::TooLong { .. } | Self::Target(_) => Cause::Mismatch,
            Self::Transport(_) => Cause::Unavailable,
            Self::Disk(_) | Self::Damaged { .. } => Cause::Local,
        }
    }
}
