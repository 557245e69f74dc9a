//! Packaging: the workspace's crates as archives, by `cargo package`.
//!
//! Building runs foreign code (build scripts, procedural macros), so no key is at hand here: the
//! environment that cargo gets is without our variables, and signing is another step.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::install::cargo::KEY_VARIABLES;

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
    /// Leave cargo's status lines away.
    pub quiet: bool,
}

/// Cargo, and where and with what settings it is run.
#[derive(Debug, Clone)]
pub struct Cargo {
    /// The program.
    pub program: PathBuf,
    /// The folder of the project.
    pub folder: PathBuf,
    /// A configuration file handed over with `--config`.
    pub config: Option<PathBuf>,
    /// Without network.
    pub offline: bool,
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
    /// Its dependencies that come from a registry: name and index URL (`None` is crates.io).
    pub dependencies: Vec<(String, Option<String>)>,
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
    /// `publish = false`.
    #[error("`{0}` says `publish = false` in its manifest")]
    Private(String),
    /// Cargo could not be run.
    #[error("could not run `{}`", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Cargo ran and failed; it has said why.
    #[error("`cargo package` failed for `{0}`")]
    Failed(String),
}

impl Cargo {
    /// A cargo command in the project's folder, without our variables in its environment.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder);
        for variable in KEY_VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        if let Some(config) = &self.config {
            settings.extend(["--config".into(), config.display().to_string()]);
        }
        if self.offline {
            settings.push("--offline".into());
        }
        settings
    }
}

/// Lists the selected members, each after those that it depends on.
pub fn members(cargo: &Cargo, selection: &Selection) -> Result<Vec<Member>, PackageError> {
    let metadata = MetadataCommand::new()
        .cargo_path(&cargo.program)
        .current_dir(&cargo.folder)
        .no_deps()
        .other_options(cargo.settings())
        .exec()
        .map_err(PackageError::Metadata)?;
    let selected = select(&metadata, cargo, selection)?;
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
    cargo: &Cargo,
    selection: &Selection,
) -> Result<Vec<&'a Package>, PackageError> {
    let all = metadata.workspace_packages();
    let may_be_published =
        |package: &&Package| package.publish.as_ref().is_none_or(|to| !to.is_empty());
    let found: Vec<&Package> = match selection {
        Selection::Workspace => return Ok(all.into_iter().filter(may_be_published).collect()),
        Selection::Current => vec![current(&all, &cargo.folder).ok_or(PackageError::NoPackage)?],
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
        Some(private) => Err(PackageError::Private(private.name.to_string())),
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
    let registered = package
        .dependencies
        .iter()
        .filter(|d| !d.req.comparators.is_empty() || d.path.is_none());
    Member {
        name: package.name.to_string(),
        version: package.version.clone(),
        archive: folder.join(format!("{}-{}.crate", package.name, package.version)),
        dependencies: registered
            .map(|d| (d.name.clone(), d.registry.clone()))
            .collect(),
    }
}

/// Runs `cargo package` for one member; its archive then lies at [`Member::archive`].
pub fn package(
    cargo: &Cargo,
    member: &Member,
    options: PackageOptions,
) -> Result<(), PackageError> {
    let mut command = cargo.command();
    command
        .arg("package")
        .args(["--package", &member.name])
        .args(cargo.settings());
    command.args(options.allow_dirty.then_some("--allow-dirty"));
    command.args((!options.verify).then_some("--no-verify"));
    command.args(options.quiet.then_some("--quiet"));
    let status = command.status().map_err(|source| PackageError::Run {
        program: cargo.program.clone(),
        source,
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(PackageError::Failed(member.name.clone()))
    }
}
