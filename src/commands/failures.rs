//! What the errors of the other folders mean to a user: their kind, code, and what to do.

use super::error::{CommandError, Kind};
use crate::install::archive::{ArchiveError, DeriveError, DisagreementError};
use crate::install::handover::HandoverError;
use crate::install::template::{DeclarationError, TemplateError};
use crate::install::{
    CargoError, ChooseError, GuardError, LocalRegistryError, ResolveError, SourceError,
};
use crate::publish::apply::ApplyError;
use crate::publish::bundle::BundleError;
use crate::publish::check::CheckError;
use crate::publish::collision::CollisionError;
use crate::publish::folder::FolderError;
use crate::publish::import::ImportError;
use crate::publish::init::InitError;
use crate::publish::journal::JournalError;
use crate::publish::package::PackageError;
use crate::publish::role_keys::SealError;
use crate::publish::sign::SignError;
use crate::registry::backend::BackendError;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
use crate::trust::tuf::{TargetMismatch, TufError};
use crate::trust::{ArchiveMismatch, Disagreement, RecordError, StatementRefusal};

const NOTHING_WRITTEN: &str = "nothing was written";

/// An error of the kind "trust refused".
fn refused(code: &'static str, error: &dyn std::error::Error) -> CommandError {
    CommandError::from_error(Kind::Trust, error)
        .with_code(code)
        .with_note(NOTHING_WRITTEN)
}

fn failed(error: &dyn std::error::Error) -> CommandError {
    CommandError::from_error(Kind::Failure, error)
}

impl From<TufError> for CommandError {
    fn from(error: TufError) -> Self {
        match &error {
            TufError::Missing { .. } | TufError::NotMetadata { .. } => failed(&error)
                .with_help("is this the address of a registry, and not behind a login page?"),
            TufError::NotStored { .. } => failed(&error)
                .with_code("MP0202")
                .with_help("run without `--offline` once"),
            TufError::Expired { .. } => refused("MP0404", &error)
                .with_help("check this machine's clock, then tell the registry's operator"),
            TufError::Rollback { .. } | TufError::Vanished { .. } | TufError::Version { .. } => {
                refused("MP0405", &error)
            }
            TufError::Signatures { .. } => refused("MP0402", &error),
            TufError::Length { .. } | TufError::Digest { .. } | TufError::TooLong { .. } => {
                refused("MP0401", &error)
            }
            TufError::Malformed { .. }
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
                .with_help("run without `--offline` once"),
            FileError::Mismatch {
                expected, actual, ..
            } => refused("MP0401", &error).with_help(format!(
                "expected sha256 {} ({} bytes), got {} ({} bytes)",
                expected.sha256, expected.length, actual.sha256, actual.length
            )),
            FileError::Io { .. } => failed(&error),
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
            RecordError::Statement {
                cause: StatementRefusal::UnknownKey(_) | StatementRefusal::UnknownOwner(_),
                ..
            } => "MP0403",
            RecordError::Statement {
                cause:
                    StatementRefusal::Signature(_)
                    | StatementRefusal::TooFewSignatures { .. }
                    | StatementRefusal::PublisherDidNotSign(_),
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

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Tuf(error) => error.into(),
            ClientError::File(error) => error.into(),
            ClientError::Record(error) => error.into(),
            ClientError::Archive(error) => error.into(),
            ClientError::NotTrusted(ref registry) => refused("MP0101", &error).with_help(format!(
                "`cargo marketplace registry add {registry} URL --root sha256:…`"
            )),
            ClientError::NoCopy { .. } => failed(&error)
                .with_code("MP0201")
                .with_help("check the network and the registry's address, and try again"),
            ClientError::Vanished(_) => refused("MP0405", &error),
            ClientError::NotListed(_)
            | ClientError::Registered(_)
            | ClientError::CatalogIndex(_)
            | ClientError::Pack(_) => refused("MP0406", &error),
        }
    }
}

impl From<BackendError> for CommandError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Client(error) => error.into(),
            BackendError::Disagreement(error) => error.into(),
            BackendError::NotBuilt(_) => Self::from_error(Kind::Usage, &error),
            BackendError::NoDocument { .. }
            | BackendError::NoCatalog(_)
            | BackendError::V1(_)
            | BackendError::V2(_) => failed(&error)
                .with_code("MP0501")
                .with_help("leave `--backend` away, and the other format is tried"),
        }
    }
}

impl From<ArchiveError> for CommandError {
    fn from(error: ArchiveError) -> Self {
        refused("MP0407", &error)
    }
}

impl From<DeriveError> for CommandError {
    fn from(error: DeriveError) -> Self {
        failed(&error).with_note(NOTHING_WRITTEN)
    }
}

impl From<DisagreementError> for CommandError {
    fn from(error: DisagreementError) -> Self {
        refused("MP0502", &error)
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        let shown = failed(&error);
        match error {
            JournalError::Io { .. } | JournalError::Link(_) => shown.with_note(NOTHING_WRITTEN),
            JournalError::Unfinished(_) => {
                shown.with_note("the next command that changes the registry finishes the change")
            }
            JournalError::Plan { .. } | JournalError::Outside { .. } => shown
                .with_note(NOTHING_WRITTEN)
                .with_help("if `cargo marketplace registry check DIR` finds nothing else, remove that file"),
        }
    }
}

impl From<SealError> for CommandError {
    fn from(error: SealError) -> Self {
        failed(&error)
            .with_code("MP0602")
            .with_note(NOTHING_WRITTEN)
            .with_help("put the registry's role keys into the key folder; see `cargo marketplace key list`")
    }
}

impl From<FolderError> for CommandError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Journal(error) => error.into(),
            FolderError::Seal(error) => error.into(),
            FolderError::NoRegistry(_) => failed(&error)
                .with_help("`cargo marketplace registry init DIR --solo --base-url URL` makes one"),
            FolderError::Missing(_) | FolderError::Mismatch { .. } => failed(&error)
                .with_code("MP0701")
                .with_help("`cargo marketplace registry check DIR` lists what is wrong"),
            FolderError::Metadata { .. }
            | FolderError::Shape { .. }
            | FolderError::Record { .. } => failed(&error).with_code("MP0701"),
            FolderError::Read { .. } | FolderError::Policy(_) | FolderError::Publisher(_) => {
                failed(&error)
            }
        }
    }
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Journal(_) | CheckError::List { .. } => failed(&error),
            CheckError::NoRegistry(_) => failed(&error)
                .with_help("`cargo marketplace registry init DIR --solo --base-url URL` makes one"),
        }
    }
}

impl From<InitError> for CommandError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Journal(error) => error.into(),
            InitError::Seal(error) => error.into(),
            InitError::NotEmpty(_) => failed(&error).with_help("name a new or empty folder"),
            InitError::Read { .. } | InitError::Policy(_) => failed(&error),
        }
    }
}

impl From<CollisionError> for CommandError {
    fn from(error: CollisionError) -> Self {
        match &error {
            CollisionError::Taken { .. } => failed(&error)
                .with_code("MP0603")
                .with_note(NOTHING_WRITTEN)
                .with_help("names that differ only in case or in `-` and `_` count as the same"),
            CollisionError::Read { .. } => failed(&error),
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Folder(error) => error.into(),
            ApplyError::Collision(error) => error.into(),
            ApplyError::Exists { .. } => failed(&error)
                .with_code("MP0604")
                .with_note(NOTHING_WRITTEN)
                .with_help("a version is published once; raise it in `Cargo.toml`"),
            ApplyError::Record(error) => error.into(),
            ApplyError::OtherKeys(_) | ApplyError::Key(_) => refused("MP0403", &error),
            ApplyError::Statement { .. }
            | ApplyError::Encode { .. }
            | ApplyError::NoArchive { .. }
            | ApplyError::Pack(_)
            | ApplyError::CatalogIndex(_) => failed(&error).with_note(NOTHING_WRITTEN),
        }
    }
}

impl From<SignError> for CommandError {
    fn from(error: SignError) -> Self {
        match &error {
            SignError::NotAnOwner { .. } => {
                failed(&error).with_help("sign with an owner's key: `--key NAME`")
            }
            SignError::Vouched(_) => {
                failed(&error).with_help("`registry import --as-mirror --vouch` adds to it")
            }
            SignError::Statement(_) => failed(&error),
        }
    }
}

impl From<ImportError> for CommandError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Apply(error) => error.into(),
            ImportError::Sign(error) => error.into(),
            ImportError::Derive { .. } => failed(&error)
                .with_code("MP0407")
                .with_note(NOTHING_WRITTEN),
            ImportError::Twice { .. } => failed(&error)
                .with_code("MP0604")
                .with_note(NOTHING_WRITTEN)
                .with_help("a version is published once, build metadata ignored"),
        }
    }
}

impl From<PackageError> for CommandError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Handover(error) => error.into(),
            PackageError::Cargo(error) => error.into(),
            PackageError::NoPackage => {
                failed(&error).with_help("pass `--workspace` or `-p PACKAGE`")
            }
            PackageError::Metadata(_)
            | PackageError::Unknown(_)
            | PackageError::Private(_)
            | PackageError::Io { .. }
            | PackageError::Failed(_) => failed(&error),
        }
    }
}

impl From<BundleError> for CommandError {
    fn from(error: BundleError) -> Self {
        failed(&error).with_note(NOTHING_WRITTEN)
    }
}

impl From<CargoError> for CommandError {
    fn from(error: CargoError) -> Self {
        failed(&error)
    }
}

impl From<ChooseError> for CommandError {
    fn from(error: ChooseError) -> Self {
        let shown = failed(&error);
        match &error {
            ChooseError::Yanked { nearest, .. } => {
                let shown = shown.with_code("MP0204");
                match nearest {
                    Some(version) => shown.with_help(format!("{version} is the closest")),
                    None => shown,
                }
            }
            ChooseError::NoMatch { newest, .. } => {
                let shown = shown.with_code("MP0203");
                match newest {
                    Some(version) => shown.with_help(format!("the newest version is {version}")),
                    None => shown,
                }
            }
            ChooseError::RustVersion {
                needs: (version, rust),
                compatible,
                ..
            } => {
                let shown = shown
                    .with_code("MP0205")
                    .with_note(format!("{version} needs rustc {rust}"));
                shown.with_help(match compatible {
                    Some(version) => {
                        format!("{version} builds here; or pass `--ignore-rust-version`")
                    }
                    None => "update Rust, or pass `--ignore-rust-version`".to_owned(),
                })
            }
        }
    }
}

impl From<GuardError> for CommandError {
    fn from(error: GuardError) -> Self {
        match &error {
            GuardError::Setting { .. } => refused("MP0408", &error)
                .with_help("remove the setting, or use plain cargo and trust it"),
            GuardError::Redirected { .. } | GuardError::NotVerified { .. } => {
                refused("MP0408", &error)
            }
            GuardError::Io { .. } | GuardError::Malformed { .. } | GuardError::NoResolution => {
                failed(&error)
            }
        }
    }
}

impl From<LocalRegistryError> for CommandError {
    fn from(error: LocalRegistryError) -> Self {
        match &error {
            LocalRegistryError::Conflict { .. } | LocalRegistryError::Changed { .. } => {
                refused("MP0401", &error)
            }
            LocalRegistryError::Io { .. } => failed(&error),
        }
    }
}

/// What came through a source is an error of the registry behind it.
fn from_source(package: &str, error: SourceError) -> CommandError {
    match error.downcast::<BackendError>() {
        Ok(error) => (*error).into(),
        Err(other) => {
            CommandError::failure(format!("could not get `{package}`")).caused_by(Some(&*other))
        }
    }
}

impl From<ResolveError> for CommandError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Source { package, source } => from_source(&package, source),
            ResolveError::Local(error) => error.into(),
            ResolveError::Disagreement(error) => error.into(),
            ResolveError::Unknown { .. } => failed(&error).with_code("MP0203"),
            ResolveError::NotInRegistry { .. } | ResolveError::Checksum { .. } => {
                refused("MP0401", &error)
            }
            ResolveError::TooManyNames | ResolveError::Unpacked(_) | ResolveError::Threads(_) => {
                failed(&error)
            }
        }
    }
}

impl From<HandoverError> for CommandError {
    fn from(error: HandoverError) -> Self {
        match error {
            HandoverError::Choose(error) => error.into(),
            HandoverError::Guard(error) => error.into(),
            HandoverError::Resolve(error) => error.into(),
            HandoverError::Local(error) => error.into(),
            HandoverError::Cargo(error) => error.into(),
            HandoverError::Archive(error) => error.into(),
            HandoverError::NoBinary {
                ref package,
                is_template,
            } => {
                let shown = failed(&error);
                shown.with_help(match is_template {
                    true => format!("`cargo marketplace new PATH --template {package}` uses it"),
                    false => format!("`cargo marketplace add {package}` uses a library"),
                })
            }
            HandoverError::LockFile(_)
            | HandoverError::Replacement(_)
            | HandoverError::Manifest { .. }
            | HandoverError::NoLockFile(_)
            | HandoverError::Io { .. } => failed(&error),
        }
    }
}

impl From<TemplateError> for CommandError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Archive(error) => error.into(),
            TemplateError::Path { .. } => refused("MP0407", &error),
            TemplateError::Declaration(DeclarationError::Missing(ref keys)) => {
                let given: Vec<String> = keys.iter().map(|key| format!("-d {key}=…")).collect();
                failed(&error).with_help(given.join(" "))
            }
            TemplateError::NoTemplate(_)
            | TemplateError::Declaration(_)
            | TemplateError::Fill { .. }
            | TemplateError::TooLarge
            | TemplateError::FolderName { .. }
            | TemplateError::Exists(_)
            | TemplateError::Io { .. } => failed(&error).with_note(NOTHING_WRITTEN),
        }
    }
}
