//! The hand-over to stock cargo: `install`, `add`, `fetch` and `exec`.
//!
//! One order for all of them: refuse what could lead cargo astray, list the verified releases, let
//! cargo choose, bring the chosen archives here, compare what cargo then says with what was
//! verified, and only then let it build. Nothing that was not verified is ever within its reach.

mod add;
mod before;
mod binary;
mod exec;
mod fetch;
mod project;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::archive::ArchiveError;
use super::cargo::{Cargo, CargoError};
use super::choose::ChooseError;
use super::guard::{self, ConfigFile, GuardError};
use super::local_registry::{LocalRegistry, LocalRegistryError};
use super::lock_file::LockFileError;
use super::replacement::{self, Purpose, Replacement, ReplacementError};
use super::resolve::{self, ResolveError};
use super::{Registry, Source, temporary};
use crate::disk::{self, Failure};
use crate::model::{Entry, EventSink, PackageName};
use crate::trust::Verified;

pub use add::{AddRequest, Addition, add};
pub use binary::{BinaryRequest, Lock, install};
pub use exec::exec;
pub use fetch::{FetchRequest, WriteConfig, fetch};

/// What every hand-over needs.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// Stock cargo.
    pub cargo: &'a Cargo,
    /// The registry.
    pub registry: &'a Registry,
    /// Where its verified documents and archives come from.
    pub source: &'a dyn Source,
    /// Who is told.
    pub events: &'a dyn EventSink,
}

/// What a lock file is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packages of the registry, each verified.
    pub verified: usize,
    /// Packages from crates.io and elsewhere, of which cargo checks the checksum only.
    pub foreign: usize,
}

/// Why a hand-over did not take place, or failed.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// No release can be chosen.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// A project is refused.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// What cargo chose is not verified, or could not be had.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The local registry failed.
    #[error(transparent)]
    Local(#[from] LocalRegistryError),
    /// Cargo failed.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// A lock file is refused.
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    /// A configuration for cargo could not be written.
    #[error(transparent)]
    Replacement(#[from] ReplacementError),
    /// An archive is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The package has no program to install.
    #[error("`{package}` has no binary to install")]
    NoBinary {
        /// The package.
        package: PackageName,
        /// Whether it is a template.
        is_template: bool,
    },
    /// The manifest in an archive is no manifest.
    #[error("the manifest of `{package}` is malformed: {reason}")]
    Manifest {
        /// As `name 1.2.3`.
        package: String,
        /// Why.
        reason: String,
    },
    /// Cargo left no lock file behind.
    #[error("cargo wrote no `{}`", .0.display())]
    NoLockFile(PathBuf),
    /// Nobody may write where cargo is to find what was verified.
    #[error("nothing can be written in `{}`", folder.display())]
    ReadOnly {
        /// The folder of all registries.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
}

impl HandoverError {
    /// A failure to write into a registry's state, before anything else was done.
    fn of_state(failure: Failure, registry: &Registry) -> Self {
        match disk::is_read_only(&failure.source) {
            true => Self::ReadOnly {
                folder: registry
                    .state
                    .parent()
                    .unwrap_or(&registry.state)
                    .to_owned(),
                source: failure.source,
            },
            false => failure.into(),
        }
    }
}

/// A folder whose configuration was checked, and what a call of cargo there must be told.
struct Ground<'a> {
    session: Session<'a>,
    local: LocalRegistry,
    files: Vec<ConfigFile>,
    names: Vec<(String, String)>,
    /// Held while files of this command lie in the folder for temporary files.
    _temporary: File,
}

impl<'a> Ground<'a> {
    /// Checks the configuration that cargo reads in a folder.
    fn check(session: Session<'a>, folder: &Path) -> Result<Self, HandoverError> {
        let registry = session.registry;
        let temporary = temporary::claim(&registry.temporary())
            .map_err(|failure| HandoverError::of_state(failure, registry))?;
        let local = LocalRegistry::open(&registry.local())?;
        let files = guard::read_all(folder, &session.cargo.home)?;
        let names = guard::check_configuration(&files, session.registry, local.folder())?;
        Ok(Self {
            session,
            local,
            files,
            names,
            _temporary: temporary,
        })
    }

    /// Brings the archives of releases within cargo's reach.
    fn fetch(&self, entries: &[Verified<Entry>]) -> Result<(), ResolveError> {
        resolve::fetch(
            entries,
            self.session.registry,
            &self.local,
            &self.session.cargo.home,
            self.session.source,
            self.session.events,
        )
    }

    /// Writes the configuration for one call.
    fn config(&self, purpose: Purpose) -> Result<NamedTempFile, ReplacementError> {
        let replacement = Replacement {
            registry: self.session.registry,
            local: self.local.folder(),
            names: &self.names,
            rustc: &self.session.cargo.rustc(),
        };
        replacement::for_call(&replacement, purpose)
    }
}
