//! `add`: packages as dependencies of a project, by `cargo add`, and locked. The manifests are as
//! before if anything fails.

use std::ffi::OsString;
use std::path::Path;

use super::before::Before;
use super::project::{Project, list, prepare, workspace};
use super::{Ground, HandoverError, Session, Summary};
use crate::install::cargo::Call;
use crate::install::replacement::Purpose;
use crate::model::PackageName;

/// A package to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// Its name.
    pub name: PackageName,
    /// The requirement for the manifest: what the user asked for, or the version that was chosen.
    pub requirement: String,
}

/// What to add, and to what.
#[derive(Debug, Clone, Copy)]
pub struct AddRequest<'a> {
    /// Where cargo runs.
    pub folder: &'a Path,
    /// The packages.
    pub additions: &'a [Addition],
    /// Further arguments of `cargo add`, as `--dev` or `-p NAME`.
    pub arguments: &'a [OsString],
}

/// Adds packages to a project; returns what its lock file is then made of.
pub fn add(session: Session<'_>, request: AddRequest<'_>) -> Result<Summary, HandoverError> {
    let project = Project {
        folder: request.folder,
        manifest: None,
        locked: false,
    };
    let ground = Ground::check(session, request.folder)?;
    let workspace = workspace(&ground, project)?;
    let names = request.additions.iter().map(|one| one.name.clone());
    list(&ground, project, &workspace, names.collect())?;
    let root = workspace.workspace_root.as_std_path();
    let members = workspace.packages.iter();
    let files = members
        .map(|member| member.manifest_path.clone().into_std_path_buf())
        .chain([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    let before = Before::read(files)?;
    let added = run_cargo_add(&ground, request).and_then(|()| prepare(session, project));
    match added {
        Ok(ready) => Ok(ready.summary),
        Err(error) => {
            before.restore()?;
            Err(error)
        }
    }
}

fn run_cargo_add(ground: &Ground<'_>, request: AddRequest<'_>) -> Result<(), HandoverError> {
    let specs = request.additions.iter();
    let specs = specs.map(|Addition { name, requirement }| format!("{name}@{requirement}"));
    let session = ground.session;
    let config = ground.config(Purpose::Look)?;
    let call = Call::new("add", request.folder, config.path())
        .with(specs)
        .with(["--registry", session.registry.name.as_str()])
        .with(request.arguments);
    Ok(session.cargo.run(&call)?)
}
