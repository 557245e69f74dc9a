//! What the errors of installing mean to a user: `install`.

use super::{NOTHING_WRITTEN, OTHER_CHECKSUM, failed, refused};
use crate::commands::error::CommandError;
use crate::install::archive::{ArchiveError, DeriveError, DisagreementError};
use crate::install::handover::HandoverError;
use crate::install::template::{DeclarationError, TemplateError};
use crate::install::{
    CargoError, ChooseError, GuardError, LocalRegistryError, ResolveError, SourceError,
};
use crate::registry::backend::BackendError;

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
            ChooseError::TooYoung {
                package, highest, ..
            } => shown.with_code("MP0207").with_help(format!(
                "ask for one exactly: `{package}@={highest}`, or pass `--cooldown 0`"
            )),
            ChooseError::OnlyPreReleases { package, newest } => shown
                .with_code("MP0203")
                .with_help(format!("ask for one: `{package}@={newest}`")),
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
            GuardError::Disk(_) | GuardError::Malformed { .. } | GuardError::NoResolution => {
                failed(&error)
            }
        }
    }
}

impl From<LocalRegistryError> for CommandError {
    fn from(error: LocalRegistryError) -> Self {
        match &error {
            LocalRegistryError::Conflict { .. } => refused("MP0401", &error),
            LocalRegistryError::Changed { .. } => refused("MP0401", &error)
                .with_help("remove the file, and it is fetched and verified anew"),
            LocalRegistryError::Disk(_) => failed(&error),
        }
    }
}

/// What came through a source is an error of the registry behind it.
fn from_source(error: SourceError, failed: &str) -> CommandError {
    match error.downcast::<BackendError>() {
        Ok(error) => (*error).into(),
        Err(other) => CommandError::failure(failed).caused_by(Some(&*other)),
    }
}

impl From<ResolveError> for CommandError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Source { package, source } => {
                from_source(source, &format!("could not get `{package}`"))
            }
            ResolveError::Stale(source) => from_source(source, "nothing new can be chosen"),
            ResolveError::Local(error) => error.into(),
            ResolveError::Disagreement(error) => error.into(),
            ResolveError::NotInRegistry { .. } => refused("MP0401", &error)
                .with_help("it may have been withdrawn: `cargo update` takes another release"),
            ResolveError::Checksum { .. } => refused("MP0401", &error).with_help(OTHER_CHECKSUM),
            ResolveError::HeldBack { .. } => failed(&error)
                .with_code("MP0207")
                .with_help("run it again: another command listed the release at the same time"),
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
            HandoverError::ReadOnly { .. } => failed(&error)
                .with_note(NOTHING_WRITTEN)
                .with_help("make it writable, or name another home with `CARGO_HOME` and add the registry there"),
            HandoverError::LockFile(_)
            | HandoverError::Replacement(_)
            | HandoverError::Manifest { .. }
            | HandoverError::NoLockFile(_)
            | HandoverError::Disk(_) => failed(&error),
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
            | TemplateError::Disk(_) => failed(&error).with_note(NOTHING_WRITTEN),
        }
    }
}
