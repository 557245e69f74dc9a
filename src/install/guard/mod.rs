//! Defence against hostile projects. A folder that somebody sends along can hold a `.cargo/config.toml`
//! that sends packages of ours elsewhere: by `[source]`, `[patch]`, `paths`, an alias. Before cargo
//! runs, what would touch a registry of ours is refused; after it has resolved, what it chose is
//! compared with what was verified, in case there is a way that we did not think of.
//!
//! It never decides about foreign packages, and never repairs a project.

mod before;
mod compare;
mod config_files;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use semver::Version;

use crate::disk::Failure;

pub(super) use before::{check_alias, check_configuration, check_manifest, given_names};
pub(super) use compare::check_resolved;
pub(super) use config_files::{ConfigFile, read_all};

/// Why a project is refused.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A configuration file or manifest could not be read.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// A configuration file or manifest has a form that cargo does not have.
    #[error("could not read `{}`: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A setting replaces packages, or sends their registry elsewhere.
    #[error("`{setting}` in `{}` could replace verified packages of the registry", path.display())]
    Setting {
        /// The setting, as `patch.harbour`.
        setting: String,
        /// The file.
        path: PathBuf,
    },
    /// Cargo would build something else in place of a package of the registry.
    #[error("cargo takes `{package}` {version} from {found} and not from the verified archive")]
    Redirected {
        /// The package.
        package: String,
        /// Its version.
        version: Version,
        /// From where.
        found: String,
    },
    /// Cargo would build a release of the registry that is not in the lock file.
    #[error("cargo takes `{package}` {version}, which was not verified")]
    NotVerified {
        /// The package.
        package: String,
        /// Its version.
        version: Version,
    },
    /// Cargo's answer holds no resolution.
    #[error("cargo did not say what it resolved")]
    NoResolution,
}
