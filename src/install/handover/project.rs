//! Making a project ready to be built: its lock file complete, every package of the registry in it
//! verified and at hand, and cargo's own view of it compared with that.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

use super::before::Before;
use super::{Ground, HandoverError, Session, Summary};
use crate::install::cargo::{Call, CargoError};
use crate::install::guard;
use crate::install::lock_file::{self, LockFile};
use crate::install::replacement::Purpose;
use crate::install::resolve::{Closure, ResolveError, closure};
use crate::model::{Event, PackageName};

/// Path dependencies outside of the workspace that are followed.
const MAX_OUTSIDE: usize = 1000;

/// A project as a command names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Project<'a> {
    /// Where cargo runs, which decides what configuration it reads.
    pub(super) folder: &'a Path,
    /// Its manifest, if it is not the nearest one.
    pub(super) manifest: Option<&'a Path>,
    /// Set if the lock file must not change.
    pub(super) locked: bool,
}

/// A project that is ready to be built.
pub(super) struct Ready<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) workspace_root: PathBuf,
    pub(super) summary: Summary,
}

/// Makes a project ready. Its lock file is as before if anything fails.
pub(super) fn prepare<'a>(
    session: Session<'a>,
    project: Project<'_>,
) -> Result<Ready<'a>, HandoverError> {
    let ground = Ground::check(session, project.folder)?;
    let workspace = workspace(&ground, project)?;
    let workspace_root = workspace.workspace_root.clone().into_std_path_buf();
    let before = Before::read([workspace_root.join("Cargo.lock")])?;
    match lock_and_verify(&ground, project, &workspace) {
        Ok(summary) => Ok(Ready {
            ground,
            workspace_root,
            summary,
        }),
        Err(error) => {
            before.restore()?;
            Err(error)
        }
    }
}

/// Completes the lock file and verifies all that it names of the registry.
fn lock_and_verify(
    ground: &Ground<'_>,
    project: Project<'_>,
    workspace: &Metadata,
) -> Result<Summary, HandoverError> {
    let session = ground.session;
    let path = workspace.workspace_root.join("Cargo.lock");
    let path = path.into_std_path_buf();
    let old = lock_file::read(&path, session.registry)?;
    let closure = list(ground, project, workspace, BTreeSet::new())?;
    closure.check_checksums(old.iter().flat_map(|old| &old.ours))?;
    complete_lock_file(ground, project, old.as_ref(), &closure)?;
    let lock = lock_file::read(&path, session.registry)?;
    let lock = lock.ok_or(HandoverError::NoLockFile(path))?;
    let entries = closure.entries(&lock.ours)?;
    tell(ground, &lock);
    ground.fetch(&entries)?;
    let resolved = resolved(ground, project)?;
    guard::check_resolved(&resolved, &entries, session.registry, &session.cargo.home)?;
    Ok(Summary {
        verified: lock.ours.len(),
        foreign: lock.foreign,
    })
}

/// Lists what the project, its lock file and `more` names lead to in the local registry. Whatever
/// resolves a project needs all of it, `cargo add` of one package too.
pub(super) fn list(
    ground: &Ground<'_>,
    project: Project<'_>,
    workspace: &Metadata,
    more: BTreeSet<PackageName>,
) -> Result<Closure, HandoverError> {
    let lock = workspace.workspace_root.join("Cargo.lock");
    let lock = lock_file::read(lock.as_std_path(), ground.session.registry)?;
    let pinned = lock.unwrap_or_default().ours;
    let mut names = roots(ground, project, workspace);
    names.extend(more);
    names.extend(pinned.iter().map(|package| package.name.clone()));
    let closure = closure(names, &pinned, ground.session.source)?;
    closure.list(&ground.local)?;
    Ok(closure)
}

/// Reads the workspace's manifests, and refuses patches of the registry in them. Runs nothing of
/// the project.
pub(super) fn workspace(
    ground: &Ground<'_>,
    project: Project<'_>,
) -> Result<Metadata, HandoverError> {
    let workspace = manifests(ground, project)?;
    let root = workspace.workspace_root.join("Cargo.toml");
    guard::check_manifest(root.as_std_path(), &ground.files, ground.session.registry)?;
    Ok(workspace)
}

fn manifests(ground: &Ground<'_>, project: Project<'_>) -> Result<Metadata, HandoverError> {
    let config = ground.config(Purpose::Look)?;
    let call = Call::new("metadata", project.folder, config.path())
        .with(["--format-version", "1", "--no-deps"])
        .with(manifest_arguments(project));
    parse(&ground.session.cargo.answer(&call)?)
}

/// The packages of the registry that the workspace names, and that its path dependencies outside
/// of it name.
fn roots(ground: &Ground<'_>, project: Project<'_>, workspace: &Metadata) -> BTreeSet<PackageName> {
    let registry = ground.session.registry;
    let mut roots = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut packages = workspace.packages.clone();
    seen.extend(packages.iter().map(|package| package.manifest_path.clone()));
    while let Some(package) = packages.pop() {
        for dependency in &package.dependencies {
            let index = dependency.registry.as_deref();
            if index.is_some_and(|index| registry.is_index(index))
                && let Ok(name) = dependency.name.parse()
            {
                roots.insert(name);
            }
            let manifest = dependency.path.as_ref().map(|path| path.join("Cargo.toml"));
            let Some(manifest) = manifest.filter(|path| seen.insert(path.clone())) else {
                continue;
            };
            if seen.len() > MAX_OUTSIDE {
                continue;
            }
            let outside = Project {
                manifest: Some(manifest.as_std_path()),
                ..project
            };
            // Cargo itself says what is wrong with it, if it is needed.
            let found = manifests(ground, outside).map(|found| found.packages);
            let found = found.unwrap_or_default().into_iter();
            packages.extend(found.filter(|package| package.manifest_path == manifest));
        }
    }
    roots
}

/// Lets cargo complete the lock file and keep what is in it. `cargo update --workspace` does that
/// and downloads no archive, unlike `cargo metadata` and `cargo fetch`, and re-resolves nothing,
/// unlike `cargo generate-lockfile`.
fn complete_lock_file(
    ground: &Ground<'_>,
    project: Project<'_>,
    old: Option<&LockFile>,
    closure: &Closure,
) -> Result<(), HandoverError> {
    let cargo = ground.session.cargo;
    let config = ground.config(Purpose::Look)?;
    let update = Call::new("update", project.folder, config.path())
        .with(["--workspace"])
        .with(manifest_arguments(project));
    let unchanged = update.clone().with(["--locked"]);
    // A lock file that is complete needs no look at crates.io.
    if old.is_some() && cargo.answer(&unchanged.clone().without_network()).is_ok() {
        return Ok(());
    }
    if project.locked {
        return Ok(cargo.run(&unchanged)?);
    }
    let source = ground.session.source;
    source.may_choose().map_err(ResolveError::Stale)?;
    closure.tell_held_back(ground.session.events);
    Ok(cargo.run(&update)?)
}

/// What cargo resolves for the platform at hand. Other platforms' foreign packages may not be here
/// when there is no network.
fn resolved(ground: &Ground<'_>, project: Project<'_>) -> Result<Metadata, HandoverError> {
    let cargo = ground.session.cargo;
    let host = cargo.host(project.folder)?;
    let config = ground.config(Purpose::Look)?;
    let call = Call::new("metadata", project.folder, config.path())
        .with(["--format-version", "1", "--locked", "--filter-platform"])
        .with([host])
        .with(manifest_arguments(project));
    parse(&cargo.answer(&call)?)
}

fn tell(ground: &Ground<'_>, lock: &LockFile) {
    for (registry, count) in &lock.siblings {
        ground.session.events.event(Event::Warning(format!(
            "packages of `{registry}` are not verified here ({count}): one registry is, at a time"
        )));
    }
    let registry = &ground.session.registry.name;
    let count = lock.ours.len();
    if count == 0 {
        return;
    }
    let packages = if count == 1 { "package" } else { "packages" };
    ground.session.events.event(Event::Status {
        verb: "Verifying",
        object: format!("{count} {packages} of `{registry}`"),
    });
}

fn manifest_arguments(project: Project<'_>) -> Vec<OsString> {
    let manifest = project.manifest.map(Path::as_os_str);
    manifest.map_or_else(Vec::new, |path| vec!["--manifest-path".into(), path.into()])
}

/// Reads the answer of `cargo metadata`.
pub(super) fn parse(answer: &[u8]) -> Result<Metadata, HandoverError> {
    let unreadable = |reason: String| CargoError::Answer {
        command: "metadata",
        reason,
    };
    let text = std::str::from_utf8(answer).map_err(|error| unreadable(error.to_string()))?;
    let metadata = MetadataCommand::parse(text).map_err(|error| unreadable(error.to_string()))?;
    Ok(metadata)
}
