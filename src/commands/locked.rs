//! A project's lock file held against the registries that its packages come from: what `audit` and
//! `verify --workspace` look at. Reads files and verified records, and runs no cargo.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use semver::Version;

use super::arguments::BackendArg;
use super::context::Context;
use super::error::CommandError;
use super::failures::OTHER_CHECKSUM;
use super::handover::Handover;
use super::{project, reading};
use crate::install::{LockFileError, LockGraph, LockPackage};
use crate::model::{Entry, PackageName, same_release};
use crate::registry::client::Client;
use crate::registry::freshness::Need;
use crate::trust::{PackageState, Verified};

/// Where cargo's own registry is, in lock files.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

const LOCK_FILE: &str = "Cargo.lock";

/// A lock file, and the registries of ours that it names, open.
pub(super) struct LockedProject<'a> {
    pub(super) graph: LockGraph,
    pub(super) registries: Vec<Handover<'a>>,
    /// Of each package the place of its registry, if it is one of ours.
    homes: Vec<Option<usize>>,
}

/// A package of ours in the lock file, and what its registry says of it.
pub(super) struct Examined<'a> {
    /// Its place in the graph.
    pub(super) place: usize,
    pub(super) package: &'a LockPackage,
    pub(super) home: &'a Handover<'a>,
    pub(super) listed: Result<Listed, Fault>,
}

/// A release that is what the lock file says.
pub(super) struct Listed {
    pub(super) state: Verified<PackageState>,
    pub(super) entry: Entry,
}

/// Why a package in the lock file is not one of its registry's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It was taken out for good.
    Withdrawn,
    /// It never was there, or has no valid name.
    NotThere,
    /// The lock file gives it no checksum, or another package in its place.
    NoChecksum,
    /// The lock file gives it another checksum. Never a fault of the network.
    OtherChecksum,
}

impl<'a> LockedProject<'a> {
    /// Reads the lock file of the project at hand and opens the registries that it names.
    pub(super) fn open(
        context: &'a Context,
        manifest: Option<&Path>,
        backend: Option<BackendArg>,
        need: Need,
    ) -> Result<Self, CommandError> {
        let path = folder(context, manifest)?.join(LOCK_FILE);
        let graph = LockGraph::read(&path).map_err(unreadable)?;
        let graph = graph.unwrap_or_default();
        let mut project = Self {
            homes: vec![None; graph.packages.len()],
            graph,
            registries: Vec::new(),
        };
        project.find_homes(context, backend, need)?;
        Ok(project)
    }

    /// First by the addresses that the user added; who only says of itself to be at an address comes
    /// after them.
    fn find_homes(
        &mut self,
        context: &'a Context,
        backend: Option<BackendArg>,
        need: Need,
    ) -> Result<(), CommandError> {
        let open = |registry| {
            let reading = reading::added(context, registry, backend, need)?;
            Handover::new(context, reading)
        };
        let mut rest = Vec::new();
        for registry in context.config()?.distinct_registries()? {
            let index = registry.url.cargo_index();
            match index.filter(|index| self.sources().any(|source| source == index)) {
                Some(index) => self.take(&index, open(registry)?)?,
                None => rest.push(registry),
            }
        }
        for registry in rest {
            if !self.has_strangers() {
                break;
            }
            let handover = open(registry)?;
            let base = format!("sparse+{}", handover.reading.client.policy().base);
            let is_new = |source: &str, home: Option<usize>| source == base && home.is_none();
            if self
                .with_source()
                .any(|(source, home)| is_new(source, home))
            {
                self.take(&base, handover)?;
            }
        }
        Ok(())
    }

    /// Makes a registry the home of all packages with that source.
    fn take(&mut self, index: &str, open: Handover<'a>) -> Result<(), CommandError> {
        let place = self.registries.len();
        for (package, home) in self.graph.packages.iter().zip(&mut self.homes) {
            if package.source.as_deref() != Some(index) {
                continue;
            }
            if let Some(other) = home.and_then(|home| self.registries.get(home)) {
                let (first, second) = (&other.registry.name, &open.registry.name);
                let text = format!("`{first}` and `{second}` are two registries at `{index}`");
                return Err(CommandError::failure(text).with_help(
                    "`cargo marketplace registry remove` the one that is not there any more",
                ));
            }
            *home = Some(place);
        }
        self.registries.push(open);
        Ok(())
    }

    /// The names of the registries that packages come from.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.registries.iter().map(|one| &one.registry.name);
        names.map(|name| format!("`{name}`")).collect()
    }

    fn with_source(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        let packages = self.graph.packages.iter().zip(&self.homes);
        packages.filter_map(|(package, home)| Some((package.source.as_deref()?, *home)))
    }

    fn sources(&self) -> impl Iterator<Item = &str> {
        self.with_source().map(|(source, _)| source)
    }

    /// Whether a package comes from a registry that is neither known so far nor crates.io.
    fn has_strangers(&self) -> bool {
        let mut all = self.with_source();
        all.any(|(source, home)| home.is_none() && source.starts_with("sparse+"))
    }

    /// The packages of no registry of ours: of crates.io, git, and registries that were not added.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (usize, &LockPackage)> {
        let packages = self.graph.packages.iter().zip(&self.homes).enumerate();
        packages
            .filter(|(_, (package, home))| package.source.is_some() && home.is_none())
            .map(|(place, (package, _))| (place, package))
    }

    /// The packages of our registries, each held against its verified record.
    pub(super) fn examine(&'a self) -> Result<Vec<Examined<'a>>, CommandError> {
        let homes = self.homes.par_iter().enumerate();
        let examined = homes.filter_map(|(place, home)| {
            let home = &self.registries[(*home)?];
            let package = &self.graph.packages[place];
            let listed = listed(package, &home.reading.client);
            Some(listed.map(|listed| Examined {
                place,
                package,
                home,
                listed,
            }))
        });
        examined.collect()
    }

    /// By what way the workspace needs a package, without the package itself.
    pub(super) fn required_by(&self, place: usize) -> Vec<&LockPackage> {
        let mut way = self.graph.way_to(place);
        way.pop();
        way
    }
}

/// What the registry says of a package in the lock file.
fn listed(
    package: &LockPackage,
    client: &Client<'_>,
) -> Result<Result<Listed, Fault>, CommandError> {
    let (name, version) = (package.name.parse(), package.version.parse());
    let (Ok(name), Ok(version)): (Result<PackageName, _>, Result<Version, _>) = (name, version)
    else {
        return Ok(Err(Fault::NotThere));
    };
    let Some(state) = client.package(&name)? else {
        return Ok(Err(Fault::NotThere));
    };
    let mut entries = state.document.entries.iter();
    let Some(entry) = entries.find(|entry| entry.release.version == version) else {
        let is_gone = state
            .withdrawn
            .iter()
            .any(|gone| same_release(gone, &version));
        return Ok(Err(if is_gone {
            Fault::Withdrawn
        } else {
            Fault::NotThere
        }));
    };
    let entry = entry.clone();
    Ok(match package.own_checksum() {
        None => Err(Fault::NoChecksum),
        Some(checksum) if checksum == entry.release.checksum => Ok(Listed { state, entry }),
        Some(_) => Err(Fault::OtherChecksum),
    })
}

impl Examined<'_> {
    /// The lock file names what its registry does not list: nothing allows that.
    pub(super) fn at_fault(&self, fault: &Fault) -> CommandError {
        let told = match fault {
            Fault::Withdrawn => "was withdrawn by its registry",
            Fault::NotThere => "is not in its registry",
            Fault::NoChecksum => "has no checksum of its own in the lock file",
            Fault::OtherChecksum => "has another checksum in the lock file than in its registry",
        };
        let LockPackage { name, version, .. } = self.package;
        let text = format!("`{name}` v{version} {told} (`{}`)", self.home.registry.name);
        match fault {
            Fault::OtherChecksum => CommandError::trust("MP0401", text).with_help(OTHER_CHECKSUM),
            Fault::Withdrawn | Fault::NotThere | Fault::NoChecksum => {
                CommandError::findings(text).with_code("MP0318")
            }
        }
    }
}

/// The folder of a manifest that was named. Cargo, which would ask for as much, is not run here.
fn folder_of(manifest: &Path) -> Result<&Path, CommandError> {
    let is_one = manifest
        .file_name()
        .is_some_and(|name| name == "Cargo.toml");
    let folder = manifest.parent().filter(|_| is_one && manifest.is_file());
    folder.ok_or_else(|| {
        let text = format!("`{}` is not the path of a `Cargo.toml`", manifest.display());
        CommandError::failure(text)
    })
}

/// The folder of the lock file of the project at hand: the nearest one.
pub(super) fn folder(context: &Context, manifest: Option<&Path>) -> Result<PathBuf, CommandError> {
    let folder = match manifest {
        Some(manifest) => folder_of(manifest)?,
        None => &context.cwd,
    };
    let mut folders = project::folders(folder).into_iter();
    let found = folders.find(|folder| folder.join(LOCK_FILE).is_file());
    found.ok_or_else(|| {
        let text = format!("no `{LOCK_FILE}` in `{}` or above it", folder.display());
        CommandError::failure(text).with_help("`cargo marketplace fetch` writes one")
    })
}

/// What there is to say of a member of the workspace whose manifest is not where it is looked for.
pub(super) fn manifest_not_found(member: &str) -> String {
    format!("the manifest of `{member}` was not found: policies do not know its `rust-version`")
}

fn unreadable(error: LockFileError) -> CommandError {
    CommandError::failure("the lock file cannot be used").caused_by(Some(&error))
}

/// Says whether a source is crates.io, git, or another registry.
pub(super) fn kind_of_source(source: &str) -> &'static str {
    match source {
        CRATES_IO | "sparse+https://index.crates.io/" => "crates.io",
        git if git.starts_with("git+") => "git",
        _ => "a registry that was not added",
    }
}
