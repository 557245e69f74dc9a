//! `install`: a program, by `cargo install NAME --version =V`, out of the local registry.
//!
//! Cargo installs by name and not from a folder, so that `cargo install --list` and updates know
//! where the program came from. It runs in an empty folder of ours: no project's configuration and
//! no toolchain file has a say.
//!
//! `cargo install` cannot be asked beforehand what it will choose. So a copy of the package is
//! resolved in the same way: from its own lock file, or to the newest versions.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use toml_edit::{DocumentMut, Item, TableLike};

use super::project::parse;
use super::{Ground, HandoverError, Session, Summary};
use crate::disk;
use crate::install::archive::{self, Limits};
use crate::install::cargo::Call;
use crate::install::guard;
use crate::install::lock_file::{self, LockFile};
use crate::install::replacement::Purpose;
use crate::install::resolve::{self, Closure, ResolveError, closure};
use crate::model::{DependencyKind, Entry, Event, without_build};
use crate::trust::Verified;

/// Which versions of its dependencies a program is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Those of the lock file that it ships, if it does.
    AsShipped,
    /// The newest.
    Newest,
}

/// A program to install.
#[derive(Debug, Clone, Copy)]
pub struct BinaryRequest<'a> {
    /// The release.
    pub entry: &'a Verified<Entry>,
    /// Which versions of its dependencies.
    pub lock: Lock,
    /// Further arguments of `cargo install`, as `--force` or `--root DIR`.
    pub arguments: &'a [OsString],
}

/// Installs a program; returns what it was built from, itself included.
pub fn install(session: Session<'_>, request: BinaryRequest<'_>) -> Result<Summary, HandoverError> {
    let entry = request.entry;
    refuse_without_binary(entry)?;
    let scratch = session.registry.scratch("install-");
    let scratch = scratch.map_err(|failure| HandoverError::of_state(failure, session.registry))?;
    let neutral = scratch.path().join("empty");
    let copy = scratch.path().join("copy");
    disk::create_folder(&neutral)?;
    let ground = Ground::check(session, &neutral)?;
    ground.fetch(std::slice::from_ref(entry))?;
    let ships_lock = unpack_copy(&ground, entry, &copy)?;
    let as_shipped = request.lock == Lock::AsShipped && ships_lock;
    let lock = resolve_copy(&ground, entry, &copy, as_shipped)?;
    run_cargo_install(&ground, request, &neutral, as_shipped)?;
    Ok(Summary {
        verified: lock.ours.len() + 1,
        foreign: lock.foreign,
    })
}

/// What another registry listed says nothing of kinds; cargo finds out then.
fn refuse_without_binary(entry: &Entry) -> Result<(), HandoverError> {
    let kinds = &entry.release.kinds;
    if kinds.binaries.is_empty() && (kinds.library || kinds.template) {
        return Err(HandoverError::NoBinary {
            package: entry.release.name.clone(),
            is_template: kinds.template,
        });
    }
    Ok(())
}

/// Unpacks the verified archive to be resolved; says whether it ships a lock file.
fn unpack_copy(
    ground: &Ground<'_>,
    entry: &Verified<Entry>,
    copy: &Path,
) -> Result<bool, HandoverError> {
    let package = || format!("{} {}", entry.release.name, entry.release.version);
    let archive = ground.local.archive(entry)?;
    let bytes = archive.map(|archive| archive.into_inner().bytes);
    archive::unpack(&bytes.unwrap_or_default(), copy, &Limits::default())?;
    let path = copy.join("Cargo.toml");
    let manifest = disk::read_text(&path, disk::LIMIT)?;
    let manifest = to_be_resolved(&manifest).map_err(|error| HandoverError::Manifest {
        package: package(),
        reason: error.to_string(),
    })?;
    disk::write(&path, manifest.as_bytes())?;
    Ok(copy.join("Cargo.lock").is_file())
}

/// The manifest as `cargo install` sees it: without development dependencies, and a workspace of
/// its own whatever folder it lies in.
fn to_be_resolved(manifest: &str) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = manifest.parse()?;
    let mut removed = BTreeSet::new();
    remove_development(document.as_table_mut(), &mut removed);
    if let Some(targets) = document.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_like_mut() {
                remove_development(target, &mut removed);
            }
        }
    }
    let kept = document.to_string();
    // A feature may turn on one of a development dependency, and then names what is gone.
    if let Some(features) = document
        .get_mut("features")
        .and_then(Item::as_table_like_mut)
    {
        for (_, feature) in features.iter_mut() {
            if let Some(list) = feature.as_array_mut() {
                list.retain(|value| !names_one_of(value.as_str(), &removed, &kept));
            }
        }
    }
    document["workspace"] = toml_edit::table();
    Ok(document.to_string())
}

fn remove_development(table: &mut dyn TableLike, removed: &mut BTreeSet<String>) {
    for key in ["dev-dependencies", "dev_dependencies"] {
        let dependencies = table.remove(key);
        if let Some(dependencies) = dependencies.as_ref().and_then(Item::as_table_like) {
            removed.extend(dependencies.iter().map(|(name, _)| name.to_owned()));
        }
    }
}

/// Says whether a value of a feature is `NAME/feature` of a removed dependency that is no normal
/// one, too.
fn names_one_of(value: Option<&str>, removed: &BTreeSet<String>, kept: &str) -> bool {
    let Some((name, _)) = value.and_then(|value| value.split_once('/')) else {
        return false;
    };
    let name = name.trim_end_matches('?');
    let is_kept = || {
        kept.parse::<toml::Table>().is_ok_and(|manifest| {
            let targets = manifest.get("target").and_then(toml::Value::as_table);
            let targets = targets.into_iter().flat_map(|t| t.values());
            std::iter::once(&toml::Value::Table(manifest.clone()))
                .chain(targets)
                .any(|table| {
                    ["dependencies", "build-dependencies"].iter().any(|kind| {
                        table
                            .get(kind)
                            .is_some_and(|table| table.get(name).is_some())
                    })
                })
        })
    };
    removed.contains(name) && !is_kept()
}

/// Resolves the copy, brings what was chosen, and compares cargo's view with it.
fn resolve_copy(
    ground: &Ground<'_>,
    entry: &Verified<Entry>,
    copy: &Path,
    as_shipped: bool,
) -> Result<LockFile, HandoverError> {
    let session = ground.session;
    let path = copy.join("Cargo.lock");
    let shipped = lock_file::read(&path, session.registry)?.unwrap_or_default();
    let closure = list(ground, entry, &shipped)?;
    if !as_shipped {
        closure.tell_held_back(session.events);
        disk::remove(&path)?;
    }
    let purpose = Purpose::LookAsInstall;
    let config = ground.config(purpose)?;
    let update = Call::new("update", copy, config.path()).with(["--workspace"]);
    // All versions are known from the lock file that was shipped; what is newest, crates.io knows.
    let known = as_shipped
        && session
            .cargo
            .answer(&update.clone().without_network())
            .is_ok();
    if !known {
        session.source.may_choose().map_err(ResolveError::Stale)?;
        session.cargo.answer(&update)?;
    }
    let lock = lock_file::read(&path, session.registry)?;
    let lock = lock.ok_or_else(|| HandoverError::NoLockFile(path.clone()))?;
    let entries = closure.entries(&lock.ours)?;
    tell(ground, entry, &lock);
    ground.fetch(&entries)?;
    let host = session.cargo.host(copy)?;
    let metadata = Call::new("metadata", copy, config.path())
        .with(["--format-version", "1", "--locked", "--filter-platform"])
        .with([host]);
    let metadata = parse(&session.cargo.answer(&metadata)?)?;
    guard::check_resolved(&metadata, &entries, session.registry, &session.cargo.home)?;
    Ok(lock)
}

/// Lists what the program can be built from. `cargo install --locked` looks up development
/// dependencies, too.
fn list(
    ground: &Ground<'_>,
    entry: &Verified<Entry>,
    shipped: &LockFile,
) -> Result<Closure, HandoverError> {
    let any = |_: DependencyKind| true;
    let mut roots: BTreeSet<_> = resolve::dependencies(entry, any).cloned().collect();
    roots.insert(entry.release.name.clone());
    roots.extend(shipped.ours.iter().map(|package| package.name.clone()));
    let closure = closure(roots, &shipped.ours, ground.session.source)?;
    closure.list(&ground.local)?;
    Ok(closure)
}

fn tell(ground: &Ground<'_>, entry: &Entry, lock: &LockFile) {
    let release = &entry.release;
    let others = match lock.ours.len() {
        0 => String::new(),
        1 => " and 1 dependency".into(),
        count => format!(" and {count} dependencies"),
    };
    ground.session.events.event(Event::Status {
        verb: "Verifying",
        object: format!("{} v{}{others}", release.name, release.version),
    });
}

fn run_cargo_install(
    ground: &Ground<'_>,
    request: BinaryRequest<'_>,
    neutral: &Path,
    as_shipped: bool,
) -> Result<(), HandoverError> {
    let session = ground.session;
    let release = &request.entry.release;
    // Versions are unique without build metadata, and a requirement has none.
    let version = without_build(&release.version);
    let config = ground.config(Purpose::Build)?;
    let call = Call::new("install", neutral, config.path())
        .with([release.name.as_str(), "--version", &format!("={version}")])
        .with(["--registry", session.registry.name.as_str()])
        .with(as_shipped.then_some("--locked"))
        .with(request.arguments);
    Ok(session.cargo.run(&call)?)
}
