//! Packaging: the workspace's crates as archives, by `cargo package`.
//!
//! Building runs foreign code (build scripts, procedural macros), so no key is at hand here: the
//! environment that cargo gets is without our variables, and signing is another step.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, Metadata, MetadataCommand, Package};
use semver::VersionReq;
use toml_edit::{Array, DocumentMut, InlineTable, value};

use crate::disk::{self, Durability, Failure};
use crate::install::handover::{FetchRequest, HandoverError, Session, WriteConfig, exec, fetch};
use crate::install::{Cargo, CargoError, Registry, ResolveError};
use crate::model::{Entry, RegistryName};

/// Which members of a workspace to package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The package of the folder.
    Current,
    /// Every member that may be published.
    Workspace,
    /// These, by name.
    Named(Vec<String>),
}

/// How to package.
#[derive(Debug, Clone, Copy)]
pub struct PackageOptions {
    /// Package although the working tree has changes that are not committed.
    pub allow_dirty: bool,
    /// Build what was packaged, as a user of the archive would.
    pub verify: bool,
}

/// Stock cargo, the folder of the project, and the registry that the packages are for.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Stock cargo.
    pub cargo: &'a Cargo,
    /// The folder of the project.
    pub folder: &'a Path,
    /// The registry, if packages can depend on others in it: then those are verified before they
    /// are built.
    pub session: Option<Session<'a>>,
}

/// A member that is to be packaged.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// Where cargo leaves its archive.
    pub archive: PathBuf,
    /// Its dependencies that have a version requirement.
    dependencies: Vec<Dependency>,
}

/// Why nothing was packaged.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// `cargo metadata` failed.
    #[error("could not read the workspace")]
    Metadata(#[source] cargo_metadata::Error),
    /// The folder holds no package of its own.
    #[error("the folder holds a workspace without a package of its own")]
    NoPackage,
    /// A name that is no member's.
    #[error("no package `{0}` in the workspace")]
    Unknown(String),
    /// `publish = false`, or a list without the registry.
    #[error("the manifest of `{package}` says `publish = {publish:?}`")]
    Private {
        /// The package.
        package: String,
        /// The registries to which it may be published.
        publish: Vec<String>,
    },
    /// No member may be published to the registry.
    #[error("no package of the workspace may be published here")]
    Nothing,
    /// Cargo could not be run.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// The packages that it depends on could not be verified.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// A temporary project could not be made.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// The registry has no package, or no version of it, that a member depends on.
    #[error("`{member}` needs `{package} = \"{requirement}\"`, which is not in `{registry}`")]
    Missing {
        /// The member.
        member: String,
        /// The package that it depends on.
        package: String,
        /// The versions that would do.
        requirement: VersionReq,
        /// The registry.
        registry: RegistryName,
    },
    /// Cargo ran and failed; it has said why.
    #[error("`cargo package` failed for {0}")]
    Failed(String),
}

/// Lists the selected members, each after those that it depends on.
pub fn members(
    workshop: Workshop<'_>,
    registry: Option<&Registry>,
    selection: &Selection,
) -> Result<Vec<Member>, PackageError> {
    let mut command = MetadataCommand::new();
    command
        .cargo_path(&workshop.cargo.program)
        .current_dir(workshop.folder)
        .env("CARGO_HOME", &workshop.cargo.home)
        .no_deps();
    if let Some(registry) = registry {
        // A registry that is read from a folder has no entry in cargo's configuration.
        let index = format!("registries.{}.index=\"{}\"", registry.name, registry.index);
        command.other_options(["--config".to_owned(), index]);
    }
    let metadata = command.exec().map_err(PackageError::Metadata)?;
    let registry = registry.map(|registry| registry.name.as_str());
    let selected = select(&metadata, workshop.folder, selection, registry)?;
    if selected.is_empty() {
        return Err(PackageError::Nothing);
    }
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    for package in &selected {
        visit(package, &selected, &mut seen, &mut ordered);
    }
    let folder = metadata.target_directory.join("package");
    Ok(ordered
        .into_iter()
        .map(|package| member(package, folder.as_std_path()))
        .collect())
}

fn select<'a>(
    metadata: &'a Metadata,
    folder: &Path,
    selection: &Selection,
    registry: Option<&str>,
) -> Result<Vec<&'a Package>, PackageError> {
    let all = metadata.workspace_packages();
    let may_be_published = |package: &&Package| match (package.publish.as_deref(), registry) {
        (None, _) => true,
        (Some(to), Some(registry)) => to.iter().any(|name| name == registry),
        // Packaged for one of them, or for none.
        (Some(to), None) => !to.is_empty(),
    };
    let found: Vec<&Package> = match selection {
        Selection::Workspace => return Ok(all.into_iter().filter(may_be_published).collect()),
        Selection::Current => vec![current(&all, folder).ok_or(PackageError::NoPackage)?],
        Selection::Named(names) => names
            .iter()
            .map(|name| {
                let found = all.iter().find(|package| package.name.as_str() == name);
                found
                    .copied()
                    .ok_or_else(|| PackageError::Unknown(name.clone()))
            })
            .collect::<Result<_, _>>()?,
    };
    match found.iter().find(|package| !may_be_published(package)) {
        Some(private) => Err(PackageError::Private {
            package: private.name.to_string(),
            publish: private.publish.clone().unwrap_or_default(),
        }),
        None => Ok(found),
    }
}

/// The member whose folder is the deepest one around `folder`.
fn current<'a>(all: &[&'a Package], folder: &Path) -> Option<&'a Package> {
    let folder = folder.canonicalize().ok()?;
    let depth = |package: &&Package| {
        let home = package
            .manifest_path
            .parent()?
            .as_std_path()
            .canonicalize()
            .ok()?;
        folder.starts_with(&home).then(|| home.components().count())
    };
    let around = all
        .iter()
        .filter_map(|package| Some((depth(package)?, *package)));
    around
        .max_by_key(|(depth, _)| *depth)
        .map(|(_, package)| package)
}

/// Appends a package after its dependencies among the selected; a cycle through development
/// dependencies is cut where it is met again.
fn visit<'a>(
    package: &'a Package,
    selected: &[&'a Package],
    seen: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a Package>,
) {
    if !seen.insert(package.name.as_str()) {
        return;
    }
    for dependency in package.dependencies.iter().filter(|d| d.path.is_some()) {
        if let Some(found) = selected
            .iter()
            .find(|other| other.name.as_str() == dependency.name)
        {
            visit(found, selected, seen, ordered);
        }
    }
    ordered.push(package);
}

fn member(package: &Package, folder: &Path) -> Member {
    let dependencies = package.dependencies.iter();
    Member {
        name: package.name.to_string(),
        version: package.version.clone(),
        archive: folder.join(format!("{}-{}.crate", package.name, package.version)),
        dependencies: dependencies
            .filter(|d| !d.req.comparators.is_empty())
            .cloned()
            .collect(),
    }
}

/// Runs `cargo package` for members; their archives then lie at [`Member::archive`]. With a session
/// for one member at a time: the next one may need it. Without, cargo itself has the others in
/// sight.
pub fn package(
    workshop: Workshop<'_>,
    members: &[Member],
    options: PackageOptions,
) -> Result<(), PackageError> {
    let mut arguments: Vec<OsString> = vec!["package".into()];
    for member in members {
        arguments.extend(["--package".into(), OsString::from(&member.name)]);
    }
    let flags = [
        (options.allow_dirty, "--allow-dirty"),
        (!options.verify, "--no-verify"),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    arguments.extend(set.map(|(_, flag)| flag.into()));
    let status = match workshop.session {
        Some(session) => {
            for member in members {
                fetch_dependencies(session, member)?;
            }
            exec(session, workshop.folder, &arguments)?
        }
        None => workshop.cargo.plain(workshop.folder, &arguments)?,
    };
    if status.success() {
        return Ok(());
    }
    let names = members.iter().map(|member| format!("`{}`", member.name));
    Err(PackageError::Failed(names.collect::<Vec<_>>().join(", ")))
}

/// Verifies what cargo will take from the registry to build a member from its archive: within the
/// workspace the same packages may be members, whose sources are at hand, so that nothing else
/// asks for them.
fn fetch_dependencies(session: Session<'_>, member: &Member) -> Result<(), PackageError> {
    let is_ours = |dependency: &&Dependency| {
        let index = dependency.registry.as_deref();
        index.is_some_and(|index| session.registry.is_index(index))
    };
    let ours: Vec<&Dependency> = member.dependencies.iter().filter(is_ours).collect();
    if ours.is_empty() {
        return Ok(());
    }
    for dependency in &ours {
        check_there(session, member, dependency)?;
    }
    let folder = session.registry.scratch("package-")?;
    write_stand_in(folder.path(), &ours, session)?;
    let request = FetchRequest {
        folder: folder.path(),
        manifest: None,
        locked: false,
        write_config: WriteConfig::No,
    };
    fetch(session, request)?;
    Ok(())
}

/// Says what is missing in words of the workspace, before cargo does in those of the stand-in.
fn check_there(
    session: Session<'_>,
    member: &Member,
    dependency: &Dependency,
) -> Result<(), PackageError> {
    let document = match dependency.name.parse() {
        Ok(name) => session.source.document(&name).map_err(|source| {
            let package = dependency.name.clone();
            HandoverError::from(ResolveError::Source { package, source })
        })?,
        Err(_) => None,
    };
    let would_do = |entry: &Entry| dependency.req.matches(&entry.release.version);
    if document.is_some_and(|document| document.entries.iter().any(would_do)) {
        return Ok(());
    }
    Err(PackageError::Missing {
        member: member.name.clone(),
        package: dependency.name.clone(),
        requirement: dependency.req.clone(),
        registry: session.registry.name.clone(),
    })
}

/// Writes a workspace that depends on the same packages of the registry, and on nothing else: a member
/// for each dependency, since one package may be needed twice.
fn write_stand_in(
    folder: &Path,
    dependencies: &[&Dependency],
    session: Session<'_>,
) -> Result<(), Failure> {
    let mut workspace = DocumentMut::new();
    workspace["workspace"]["resolver"] = value("2");
    workspace["workspace"]["members"] = value(Array::from_iter(["*"]));
    disk::write(&folder.join("Cargo.toml"), workspace.to_string().as_bytes())?;
    for (place, dependency) in dependencies.iter().enumerate() {
        let member = folder.join(format!("dependency-{place}"));
        let manifest = stand_in(place, dependency, session);
        disk::replace(&member.join("lib.rs"), b"", Durability::Rebuilt)?;
        disk::write(&member.join("Cargo.toml"), manifest.as_bytes())?;
    }
    Ok(())
}

fn stand_in(place: usize, dependency: &Dependency, session: Session<'_>) -> String {
    let mut manifest = DocumentMut::new();
    manifest["package"]["name"] = value(format!("dependency-{place}"));
    manifest["package"]["version"] = value("0.0.0");
    manifest["package"]["edition"] = value("2021");
    manifest["lib"]["path"] = value("lib.rs");
    let mut table = InlineTable::new();
    table.insert("version", dependency.req.to_string().into());
    table.insert("registry", session.registry.name.as_str().into());
    table.insert("default-features", dependency.uses_default_features.into());
    let features: Array = dependency.features.iter().collect();
    table.insert("features", features.into());
    manifest["dependencies"][&dependency.name] = value(table);
    manifest.to_string()
}
