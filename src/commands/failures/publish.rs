//! What the errors of writing mean to a user: `publish`.

use super::{NOTHING_WRITTEN, failed, refused};
use crate::commands::error::{CommandError, Kind};
use crate::commands::owner;
use crate::publish::apply::ApplyError;
use crate::publish::bundle::BundleError;
use crate::publish::ceremony::{CeremonyError, RECOVERY, ROLES, VOUCHERS};
use crate::publish::check::CheckError;
use crate::publish::collision::CollisionError;
use crate::publish::drafts::{DraftError, RotationError};
use crate::publish::folder::FolderError;
use crate::publish::import::ImportError;
use crate::publish::init::InitError;
use crate::publish::journal::JournalError;
use crate::publish::package::PackageError;
use crate::publish::role_keys::SealError;
use crate::publish::sign::SignError;
use crate::trust::{FoldError, KeyChangeRefusal, RecordError, StatementRefusal};

const DISCARD: &str =
    "`cargo marketplace registry sign DIR --discard` throws the drafts away; then start again";

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        let shown = failed(&error);
        match error {
            JournalError::Disk(_) | JournalError::Link(_) => shown.with_note(NOTHING_WRITTEN),
            JournalError::Unfinished(_) => {
                shown.with_note("the next command that changes the registry finishes the change")
            }
            JournalError::Taken(_) => put_back(&error),
            JournalError::Damaged(_) => shown
                .with_code("MP0701")
                .with_note(NOTHING_WRITTEN)
                .with_help("remove that file, and run the command again: it writes it anew"),
            JournalError::Plan { .. } | JournalError::Outside { .. } => shown
                .with_note(NOTHING_WRITTEN)
                .with_help("if `cargo marketplace registry check DIR` finds nothing else, remove that file"),
        }
    }
}

/// What was published once is in the hands of clients, who refuse anything older.
fn put_back(error: &dyn std::error::Error) -> CommandError {
    failed(error)
        .with_code("MP0701")
        .with_note(NOTHING_WRITTEN)
        .with_help("bring the newest state of the folder back, from where it is served or from git")
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
            FolderError::Draft(error) => error.into(),
            FolderError::Rotation(error) => error.into(),
            FolderError::NoRegistry(_) => failed(&error)
                .with_help("`cargo marketplace registry init DIR --solo --base-url URL` makes one"),
            FolderError::Missing(_) | FolderError::Mismatch { .. } => failed(&error)
                .with_code("MP0701")
                .with_help("`cargo marketplace registry check DIR` lists what is wrong"),
            FolderError::PutBack(_) => put_back(&error),
            FolderError::NotDelegated { .. } => {
                failed(&error).with_note(NOTHING_WRITTEN).with_help(
                    "only a registry that was made with this version or a later one can have it",
                )
            }
            FolderError::Metadata { .. }
            | FolderError::Shape { .. }
            | FolderError::Record { .. } => failed(&error).with_code("MP0701"),
            FolderError::Disk(_)
            | FolderError::Policy(_)
            | FolderError::Unsigned(_)
            | FolderError::Publisher(_) => failed(&error),
        }
    }
}

impl From<DraftError> for CommandError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Seal(error) => error.into(),
            DraftError::Journal(error) => error.into(),
            DraftError::Disk(_) => failed(&error).with_note(NOTHING_WRITTEN),
            DraftError::Metadata { .. }
            | DraftError::Keys(_)
            | DraftError::KeyIds(_)
            | DraftError::Claims(_)
            | DraftError::Beyond(_) => refused("MP0607", &error).with_help(DISCARD),
            DraftError::Overtaken { .. } => failed(&error)
                .with_code("MP0607")
                .with_note(NOTHING_WRITTEN)
                .with_help(DISCARD),
            DraftError::NoRole(_) => {
                let error = CommandError::from_error(Kind::Usage, &error);
                error.with_help(format!("the roles are {}", role_names()))
            }
        }
    }
}

impl From<CeremonyError> for CommandError {
    fn from(error: CeremonyError) -> Self {
        let shown = CommandError::from_error(Kind::Usage, &error);
        match error {
            CeremonyError::Unknown(_) => shown.with_help(format!("the roles are {}", role_names())),
            CeremonyError::NoKeys(role) => {
                shown.with_help(format!("name one: `--role-key {role}=KEY`"))
            }
            CeremonyError::Mixed { .. } => {
                shown.with_help("the online key may be stolen; name two keys")
            }
            CeremonyError::Threshold { .. }
            | CeremonyError::ActsAlone(_)
            | CeremonyError::Twice { .. }
            | CeremonyError::Key(_) => shown.with_note(NOTHING_WRITTEN),
        }
    }
}

impl From<RotationError> for CommandError {
    fn from(error: RotationError) -> Self {
        let shown = CommandError::from_error(Kind::Usage, &error).with_note(NOTHING_WRITTEN);
        match error {
            RotationError::NoRole(_) => shown.with_help(format!("the roles are {}", role_names())),
            RotationError::Absent { role, .. } => shown.with_help(format!(
                "`cargo marketplace registry sign DIR --role {role} --dry-run` shows its keys"
            )),
            RotationError::Mixed { .. } => {
                shown.with_help("the online key may be stolen; name another one")
            }
            RotationError::Present { .. }
            | RotationError::Threshold { .. }
            | RotationError::Same(_)
            | RotationError::NoBins(_)
            | RotationError::Bins(_)
            | RotationError::Key(_) => shown,
        }
    }
}

/// What the operator calls the roles whose metadata has keys.
fn role_names() -> String {
    let names = ROLES.iter().map(|role| role.name);
    let names = names.filter(|name| ![VOUCHERS, RECOVERY].contains(name));
    names.collect::<Vec<_>>().join(", ")
}

impl From<CheckError> for CommandError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Journal(_) | CheckError::Disk(_) => failed(&error),
            CheckError::NoRegistry(_) => failed(&error)
                .with_help("`cargo marketplace registry init DIR --solo --base-url URL` makes one"),
        }
    }
}

impl From<InitError> for CommandError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Journal(error) => error.into(),
            InitError::Draft(error) => error.into(),
            InitError::NotEmpty(_) => failed(&error).with_help("name a new or empty folder"),
            InitError::Mismatch(_) => failed(&error).with_code("MP0701"),
            InitError::Disk(_) | InitError::Policy(_) => failed(&error),
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
            CollisionError::Disk(_) => failed(&error),
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Folder(error) => error.into(),
            ApplyError::Collision(error) => error.into(),
            ApplyError::Published { .. }
            | ApplyError::Withdrawn { .. }
            | ApplyError::Exists { .. } => failed(&error)
                .with_code("MP0604")
                .with_note(NOTHING_WRITTEN)
                .with_help("a version is published once; raise it in `Cargo.toml`"),
            ApplyError::Record(RecordError::Statement {
                cause: StatementRefusal::Fold(FoldError::Sequence { .. } | FoldError::Previous),
                ..
            }) => failed(&error)
                .with_note(NOTHING_WRITTEN)
                .with_help("another statement came before it; sign again"),
            ApplyError::Record(error) => error.into(),
            ApplyError::OtherKeys(_) | ApplyError::NotTheirKeys(_) | ApplyError::Key(_) => {
                refused("MP0403", &error)
                    .with_help("ask who handed the submission in; have it made and signed anew")
            }
            ApplyError::Keys { ref source, .. } => {
                let shown = refused("MP0609", &error);
                match source {
                    KeyChangeRefusal::Outdated(_) | KeyChangeRefusal::Unsigned { .. } => {
                        shown.with_help("make it anew")
                    }
                    _ => shown,
                }
            }
            ApplyError::Breaks { .. } => refused("MP0609", &error)
                .with_help("make it anew, with what the key has signed by now"),
            ApplyError::SigningRequired(_) => failed(&error)
                .with_note(NOTHING_WRITTEN)
                .with_help("import it with `--vouch` or `--key NAME`"),
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
            SignError::NoOwner(package) => failed(&error)
                .with_code("MP0608")
                .with_note(NOTHING_WRITTEN)
                .with_help(owner::assign_help(package)),
            SignError::Signed(_) => failed(&error).with_note(NOTHING_WRITTEN),
            SignError::Twice { .. } => failed(&error)
                .with_code("MP0604")
                .with_note(NOTHING_WRITTEN)
                .with_help("a version is published once, build metadata ignored"),
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
            PackageError::Missing { ref package, .. } => {
                let help = format!("publish `{package}` first, or with it: `--workspace`");
                failed(&error).with_code("MP0203").with_help(help)
            }
            PackageError::Metadata(_)
            | PackageError::Unknown(_)
            | PackageError::Private { .. }
            | PackageError::Nothing
            | PackageError::Disk(_)
            | PackageError::Failed(_) => failed(&error),
        }
    }
}

impl From<BundleError> for CommandError {
    fn from(error: BundleError) -> Self {
        failed(&error).with_note(NOTHING_WRITTEN)
    }
}
