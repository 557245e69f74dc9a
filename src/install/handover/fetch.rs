//! `fetch`: everything that a project needs, verified and at hand for building without network; on
//! request visible to plain cargo, too.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::project::{Project, prepare};
use super::{HandoverError, Session, Summary};
use crate::install::cargo::Call;
use crate::install::replacement::{self, Purpose};

/// Whether plain cargo is to take the registry's packages from the verified ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteConfig {
    /// Write the source replacement into the project's `.cargo/config.toml`. It holds a path of
    /// this machine.
    IntoProject,
    /// Write nothing.
    No,
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequest<'a> {
    /// Where cargo runs.
    pub folder: &'a Path,
    /// The manifest, if it is not the nearest one.
    pub manifest: Option<&'a Path>,
    /// Set if the lock file must not change.
    pub locked: bool,
    /// What plain cargo is told.
    pub write_config: WriteConfig,
}

/// Fetches and verifies what a project needs; returns what that was, and the configuration file
/// that was written.
pub fn fetch(
    session: Session<'_>,
    request: FetchRequest<'_>,
) -> Result<(Summary, Option<PathBuf>), HandoverError> {
    let project = Project {
        folder: request.folder,
        manifest: request.manifest,
        locked: request.locked,
    };
    let ready = prepare(session, project)?;
    // Without network cargo can fetch nothing more; what this platform needs was looked at.
    if !session.cargo.offline {
        let config = ready.ground.config(Purpose::Look)?;
        let manifest = ready.workspace_root.join("Cargo.toml");
        let call = Call::new("fetch", request.folder, config.path())
            .with(["--locked", "--manifest-path"])
            .with([OsString::from(manifest)]);
        session.cargo.run(&call)?;
    }
    let written = match request.write_config {
        WriteConfig::No => None,
        WriteConfig::IntoProject => Some(replacement::write_into_project(
            session.registry,
            ready.ground.local.folder(),
            &ready.workspace_root,
        )?),
    };
    Ok((ready.summary, written))
}
