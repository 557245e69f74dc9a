//! What cargo may choose among, and what it chose: the documents of a closure of names, and the
//! verified releases that a lock file names. The choice itself is cargo's, but for what the cooldown
//! holds back: that is listed as if it were yanked, so that only a lock file has it.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use semver::Version;

use super::archive::{self, DisagreementError, Limits};
use super::local_registry::{LocalRegistry, LocalRegistryError};
use super::lock_file::LockedPackage;
use super::unpacked::{self, UnpackedError};
use super::{Registry, Source, SourceError};
use crate::model::{
    DependencyKind, DependencySource, Document, Entry, Event, EventSink, PackageName, Progress,
    Unit,
};
use crate::trust::Verified;

/// Names in a closure. crates.io as a whole has some 230,000.
const MAX_NAMES: usize = 50_000;

/// Releases that a remark lists.
const MAX_TOLD: usize = 5;

/// Requests at a time.
const PARALLEL: usize = 16;

/// The verified documents of all packages that a resolution can come upon.
#[derive(Debug, Clone, Default)]
pub(super) struct Closure {
    documents: BTreeMap<PackageName, Verified<Document>>,
    /// The releases that are too young to be chosen, those in the lock file apart.
    held_back: BTreeMap<PackageName, BTreeSet<Version>>,
}

/// Why a closure could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// What is known is too old to choose from.
    #[error("nothing new can be chosen")]
    Stale(#[source] SourceError),
    /// The source could not deliver a document or an archive.
    #[error("could not get `{package}`")]
    Source {
        /// The package, with its version if it was the archive.
        package: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// More names than any real closure has.
    #[error("the dependencies lead to more than {MAX_NAMES} packages")]
    TooManyNames,
    /// The lock file names a release that is not in the registry.
    #[error("the lock file names `{package}` {version}, which is not in the registry")]
    NotInRegistry {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// The lock file gives a release another checksum than the registry.
    #[error("the lock file gives another checksum for `{package}` {version} than the registry")]
    Checksum {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// Cargo chose a release that is too young.
    #[error("cargo chose `{package}` {version}, which is younger than the cooldown")]
    HeldBack {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// The local registry failed.
    #[error(transparent)]
    Local(#[from] LocalRegistryError),
    /// The archive's manifest says something else than the release.
    #[error(transparent)]
    Disagreement(#[from] DisagreementError),
    /// A folder that cargo unpacked before could not be checked.
    #[error(transparent)]
    Unpacked(#[from] UnpackedError),
    /// No threads could be had.
    #[error("could not start threads: {0}")]
    Threads(rayon::ThreadPoolBuildError),
}

/// Gathers the documents of `roots` and of all packages of the registry that they can lead to.
/// `pinned` are releases in a lock file, whose dependencies count even if they are yanked. A
/// dependency that is not in the registry is left out: cargo says so if it matters.
pub(super) fn closure(
    roots: BTreeSet<PackageName>,
    pinned: &[LockedPackage],
    source: &dyn Source,
) -> Result<Closure, ResolveError> {
    let mut closure = Closure::default();
    let mut seen = roots.clone();
    let mut next: Vec<PackageName> = roots.into_iter().collect();
    while !next.is_empty() {
        let documents = in_parallel(&next, |name| document(name, source))?;
        next = Vec::new();
        for document in documents.into_iter().flatten() {
            for name in needed_names(&document, pinned) {
                if seen.insert(name.clone()) {
                    next.push(name.clone());
                }
            }
            let name = document.package.clone();
            let held = held_back(&document, pinned, source)?;
            if !held.is_empty() {
                closure.held_back.insert(name.clone(), held);
            }
            closure.documents.insert(name, document);
        }
        if seen.len() > MAX_NAMES {
            return Err(ResolveError::TooManyNames);
        }
    }
    Ok(closure)
}

fn document(
    name: &PackageName,
    source: &dyn Source,
) -> Result<Option<Verified<Document>>, ResolveError> {
    source
        .document(name)
        .map_err(|source| ResolveError::Source {
            package: name.to_string(),
            source,
        })
}

/// The releases of a document that are too young, and that no lock file names yet.
fn held_back(
    document: &Document,
    pinned: &[LockedPackage],
    source: &dyn Source,
) -> Result<BTreeSet<Version>, ResolveError> {
    let held = source.held_back(document);
    let mut held = held.map_err(|source| ResolveError::Source {
        package: document.package.to_string(),
        source,
    })?;
    for package in pinned.iter().filter(|one| one.name == document.package) {
        held.remove(&package.version);
    }
    Ok(held)
}

/// The packages of the same registry that some release of a document may bring into a build.
fn needed_names<'a>(
    document: &'a Document,
    pinned: &'a [LockedPackage],
) -> impl Iterator<Item = &'a PackageName> {
    let is_pinned = |entry: &Entry| {
        let release = &entry.release;
        pinned
            .iter()
            .any(|p| p.name == release.name && p.version == release.version)
    };
    document
        .entries
        .iter()
        .filter(move |entry| entry.yanked.is_none() || is_pinned(entry))
        .flat_map(|entry| entry.release.needs().map(|dependency| &dependency.package))
}

/// The packages of the same registry that a release depends on.
pub(super) fn dependencies(
    entry: &Entry,
    wanted: impl Fn(DependencyKind) -> bool,
) -> impl Iterator<Item = &PackageName> {
    entry
        .release
        .dependencies
        .iter()
        .filter(move |dependency| {
            dependency.source == DependencySource::SameRegistry && wanted(dependency.kind)
        })
        .map(|dependency| &dependency.package)
}

impl Closure {
    /// Lists all releases of the closure in the local registry, for cargo to choose among.
    pub(super) fn list(&self, local: &LocalRegistry) -> Result<(), ResolveError> {
        let none = BTreeSet::new();
        for (name, document) in &self.documents {
            local.list(document, self.held_back.get(name).unwrap_or(&none))?;
        }
        Ok(())
    }

    /// Says which releases cargo may not choose, before it chooses.
    pub(super) fn tell_held_back(&self, events: &dyn EventSink) {
        let held = self.held_back.iter();
        let held = held.flat_map(|(name, all)| all.iter().map(move |one| format!("{name} v{one}")));
        let held: Vec<String> = held.collect();
        let more = match held.len().saturating_sub(MAX_TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if !held.is_empty() {
            let told = held[..held.len().min(MAX_TOLD)].join(", ");
            let text = format!("younger than the cooldown and not chosen: {told}{more}");
            events.event(Event::Note(text));
        }
    }

    /// The verified entries of packages in a lock file.
    pub(super) fn entries(
        &self,
        locked: &[LockedPackage],
    ) -> Result<Vec<Verified<Entry>>, ResolveError> {
        locked
            .iter()
            .map(|package| self.choosable(package))
            .collect()
    }

    /// Refuses a lock file that gives a release another checksum than the registry, before cargo says
    /// so in words of its own. What is not in the registry may still be replaced by what is.
    pub(super) fn check_checksums<'a>(
        &self,
        mut locked: impl Iterator<Item = &'a LockedPackage>,
    ) -> Result<(), ResolveError> {
        locked.try_for_each(|package| match self.entry(package) {
            Err(error @ ResolveError::Checksum { .. }) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        })
    }

    fn choosable(&self, locked: &LockedPackage) -> Result<Verified<Entry>, ResolveError> {
        let held = self.held_back.get(&locked.name);
        if held.is_some_and(|held| held.contains(&locked.version)) {
            return Err(ResolveError::HeldBack {
                package: locked.name.clone(),
                version: locked.version.clone(),
            });
        }
        self.entry(locked)
    }

    fn entry(&self, locked: &LockedPackage) -> Result<Verified<Entry>, ResolveError> {
        let (package, version) = (locked.name.clone(), locked.version.clone());
        let entry = self.documents.get(&package).and_then(|document| {
            document
                .verified_entries()
                .find(|entry| entry.release.version == version)
        });
        match entry {
            None => Err(ResolveError::NotInRegistry { package, version }),
            Some(entry) if entry.release.checksum == locked.checksum => Ok(entry),
            Some(_) => Err(ResolveError::Checksum { package, version }),
        }
    }
}

/// Brings the archives of releases into the local registry, and removes each folder that cargo
/// unpacked before and that is not what its archive says.
pub(super) fn fetch(
    entries: &[Verified<Entry>],
    registry: &Registry,
    local: &LocalRegistry,
    cargo_home: &std::path::Path,
    source: &dyn Source,
    events: &dyn EventSink,
) -> Result<(), ResolveError> {
    let done = std::sync::atomic::AtomicU64::new(0);
    let total = entries.len() as u64;
    in_parallel(entries, |entry| {
        let archive = match local.archive(entry)? {
            Some(archive) => archive,
            None => obtain(entry, registry, local, source)?,
        };
        unpacked::remove_changed(&archive, cargo_home, events)?;
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        events.progress(Progress {
            verb: "Verifying",
            done,
            total,
            unit: Unit::Items,
        });
        Ok(())
    })
    .map(drop)
}

/// Fetches one archive and puts it into the local registry, if its manifest says what the release
/// says.
fn obtain(
    entry: &Verified<Entry>,
    registry: &Registry,
    local: &LocalRegistry,
    source: &dyn Source,
) -> Result<Verified<crate::trust::Archive>, ResolveError> {
    let archive = source
        .archive(entry)
        .map_err(|source| ResolveError::Source {
            package: format!("{} {}", entry.release.name, entry.release.version),
            source,
        })?;
    let indexes: Vec<String> = registry.indexes().cloned().collect();
    archive::agrees(&entry.release, &archive.bytes, &indexes, &Limits::default())?;
    local.put(&archive)?;
    Ok(archive)
}

/// Maps in many threads, more than there are processors: they wait for answers.
fn in_parallel<T: Sync, U: Send>(
    items: &[T],
    map: impl Fn(&T) -> Result<U, ResolveError> + Sync,
) -> Result<Vec<U>, ResolveError> {
    if let [only] = items {
        return Ok(vec![map(only)?]);
    }
    let threads = PARALLEL.min(items.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(ResolveError::Threads)?;
    pool.install(|| items.par_iter().map(&map).collect())
}
