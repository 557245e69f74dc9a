//! What the errors of reading mean to a user: `trust`, `registry`.

use super::{ONCE_ONLINE, failed, refused};
use crate::commands::error::{CommandError, Kind};
use crate::model::RegistryName;
use crate::registry::backend::{self, BackendError};
use crate::registry::cargo_settings::SettingsError;
use crate::registry::credentials::CredentialError;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
use crate::registry::network::NetworkError;
use crate::registry::transport::{BaseUrl, TransportError};
use crate::rollout::Cause;
use crate::trust::tuf::{TargetMismatch, TufError};
use crate::trust::{ArchiveMismatch, Disagreement, RecordError, StatementRefusal};

impl From<TufError> for CommandError {
    fn from(error: TufError) -> Self {
        match &error {
            TufError::Missing { .. } | TufError::NotMetadata { .. } => failed(&error)
                .with_help("is this the address of a registry, and not behind a login page?"),
            TufError::NotStored { .. } => failed(&error).with_code("MP0202").with_help(ONCE_ONLINE),
            TufError::Expired { .. } => refused("MP0404", &error)
                .with_help("check this machine's clock, then tell the registry's operator"),
            TufError::Rollback { .. } | TufError::Vanished { .. } | TufError::Version { .. } => {
                refused("MP0405", &error)
            }
            TufError::BeforeLeast { .. } => refused("MP0405", &error).with_help(
                "the project's `marketplace.trust` demands it; is the mirror behind, or shown from the past?",
            ),
            TufError::Signatures { .. } => refused("MP0402", &error),
            TufError::Length { .. } | TufError::Digest { .. } | TufError::TooLong { .. } => {
                refused("MP0401", &error)
            }
            TufError::Malformed { .. }
            | TufError::OtherRole { .. }
            | TufError::NotInSnapshot { .. }
            | TufError::TooManyRoots(_)
            | TufError::TooManyDelegations { .. }
            | TufError::TooManyBins { .. }
            | TufError::OtherRegistry { .. }
            | TufError::OutOfOrder => refused("MP0406", &error),
        }
    }
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Transport(error) => error.into(),
            FileError::Target(error) => error.into(),
            FileError::Missing { .. } => failed(&error)
                .with_help("the mirror is incomplete; try again later, or tell its operator"),
            FileError::Offline { .. } => failed(&error)
                .with_code("MP0202")
                .with_help(ONCE_ONLINE),
            FileError::Mismatch {
                expected, actual, ..
            } => refused("MP0401", &error).with_help(format!(
                "expected sha256 {} ({} bytes), got {} ({} bytes)",
                expected.sha256, expected.length, actual.sha256, actual.length
            )),
            FileError::TooLong { .. } => refused("MP0401", &error),
            FileError::Damaged { .. } => failed(&error).with_help(
                "it guards against an older state; remove it only if you trust the registry's address",
            ),
            FileError::Disk(_) => failed(&error),
        }
    }
}

impl From<TargetMismatch> for CommandError {
    fn from(error: TargetMismatch) -> Self {
        refused("MP0401", &error)
    }
}

impl From<ArchiveMismatch> for CommandError {
    fn from(error: ArchiveMismatch) -> Self {
        refused("MP0401", &error)
    }
}

impl From<Disagreement> for CommandError {
    fn from(error: Disagreement) -> Self {
        refused("MP0502", &error)
    }
}

impl From<RecordError> for CommandError {
    fn from(error: RecordError) -> Self {
        if error.needs_update() {
            return failed(&error).with_help("update cargo-marketplace");
        }
        let code = match &error {
            RecordError::Regression(_) => "MP0405",
            RecordError::NotClaimed { .. } => "MP0409",
            RecordError::Statement {
                cause: StatementRefusal::UnknownKey(_) | StatementRefusal::UnknownOwner(_),
                ..
            } => "MP0403",
            RecordError::Statement {
                cause:
                    StatementRefusal::Signature(_)
                    | StatementRefusal::TooFewSignatures { .. }
                    | StatementRefusal::DidNotSign(_),
                ..
            } => "MP0402",
            RecordError::Empty(_)
            | RecordError::Format { .. }
            | RecordError::OtherPackage { .. }
            | RecordError::Statement { .. }
            | RecordError::AcceptedExtra { .. } => "MP0406",
        };
        refused(code, &error)
    }
}

impl From<TransportError> for CommandError {
    fn from(error: TransportError) -> Self {
        match &error {
            TransportError::Unauthorized { registry, .. } => {
                let shown = failed(&error).with_code("MP0208");
                shown.with_help(match registry {
                    Some(name) => stores_token(name),
                    None => "tokens are shown to a registry's own server only".to_owned(),
                })
            }
            TransportError::Credentials { source, .. } => {
                failed(&error).with_code("MP0208").with_help(match source {
                    CredentialError::InsideCargo(_) => {
                        "set `CARGO_REGISTRIES_NAME_TOKEN`, or choose `cargo:token` or a program for it"
                    }
                    CredentialError::TooLong { .. } | CredentialError::Empty(_) => {
                        "it must answer with one token and nothing else: run it by hand, or name another provider"
                    }
                    _ => "see `registries.NAME.credential-provider` in cargo's configuration",
                })
            }
            _ => failed(&error),
        }
    }
}

/// How a token is kept for a registry that cargo knows.
pub(in crate::commands) fn stores_token(name: &RegistryName) -> String {
    format!("`cargo login --registry {name}` stores a token")
}

impl From<NetworkError> for CommandError {
    fn from(error: NetworkError) -> Self {
        failed(&error)
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        failed(&error)
    }
}

/// All mirrors by name, below the gravest fault of one.
fn everywhere(tried: &[(BaseUrl, String)], source: ClientError) -> CommandError {
    let mut error = CommandError::from(source);
    let tried = tried.iter().map(|(url, reason)| format!("{url}: {reason}"));
    error.causes.extend(tried);
    error
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Tuf(error) => error.into(),
            ClientError::File(error) => error.into(),
            ClientError::Everywhere { tried, source } => everywhere(&tried, *source),
            ClientError::Record(error) => error.into(),
            ClientError::Archive { url, source } => Self::from(source).with_help(format!(
                "it came from `{url}`; tell the registry's operator"
            )),
            ClientError::NotTrusted(ref registry) => refused("MP0101", &error).with_help(format!(
                "`cargo marketplace registry add {registry} URL --root sha256:…`"
            )),
            ClientError::NoCopy { source, .. } if source.asks_for_token() => (*source).into(),
            ClientError::NoCopy { .. } => failed(&error)
                .with_code("MP0201")
                .with_help("check the network and the registry's address, and try again"),
            ClientError::NotInCopy { .. } => {
                failed(&error).with_code("MP0202").with_help(ONCE_ONLINE)
            }
            ClientError::Stale { .. } | ClientError::Withheld { .. } => refused("MP0404", &error)
                .with_help("pass `--offline` to choose from what was verified before"),
            ClientError::Vanished(_) => refused("MP0405", &error),
            ClientError::RootNotReached { .. } => refused("MP0104", &error).with_help(
                "does the mirror hold a new root back? Else the project's `marketplace.trust` is wrong",
            ),
            ClientError::ClaimedAbsent(_) => refused("MP0409", &error),
            ClientError::NotListed(_)
            | ClientError::Registered(_)
            | ClientError::CatalogIndex(_)
            | ClientError::Popularity(_)
            | ClientError::Pack(_)
            | ClientError::NoWay(_) => refused("MP0406", &error),
        }
    }
}

impl From<BackendError> for CommandError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Client(error) => error.into(),
            BackendError::Disagreement(error) => error.into(),
            BackendError::NotBuilt(_) => Self::from_error(Kind::Usage, &error),
            BackendError::BelowFloor(_) => {
                refused("MP0503", &error).with_help(match backend::READS_V2 {
                    true => "leave `--backend` away, and v2 is read",
                    false => "install a build that reads v2: `cargo install cargo-marketplace`",
                })
            }
            // To offer none breaks the policy; a server may be short of one for a while.
            BackendError::NoFallback(ref v2) => match v2.cause() {
                Cause::NotListed => {
                    refused("MP0503", &error).with_help("tell the registry's operator")
                }
                _ => failed(&error)
                    .with_code("MP0503")
                    .with_help("try again later, or tell the registry's operator"),
            },
            BackendError::Dataset(_) => failed(&error).with_code("MP0805"),
            BackendError::NoDocument { .. }
            | BackendError::NoCatalog(_)
            | BackendError::V1(_)
            | BackendError::V2(_) => failed(&error)
                .with_code("MP0501")
                .with_help("leave `--backend` away, and the other format is tried"),
        }
    }
}
