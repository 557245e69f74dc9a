//! Importing: archives that exist become releases, many at once, all or none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use semver::Version;

use super::apply::{self, Applied, ApplyError, Authority, Proposal};
use super::folder::Folder;
use super::sign::{self, Found, SignError, Signer};
use crate::formats::manifest::Home;
use crate::formats::statement::StatementError;
use crate::install::archive::{DeriveError, Limits, derive};
use crate::model::{Body, EventSink, PackageName, Progress, Release, Unit};
use crate::trust::{PackageState, SecretKey};

/// Who answers for the imported releases.
#[derive(Debug, Clone, Copy)]
pub enum Attestation<'a> {
    /// The operator: the archives are what that source served.
    Vouch {
        /// A voucher's key.
        key: &'a SecretKey,
        /// Where the archives came from.
        source: Option<&'a str>,
    },
    /// A publisher, who becomes or is the owner.
    Sign(Signer<'a>),
    /// Nobody: they are listed as unsigned.
    Nobody {
        /// Where the archives came from.
        source: Option<&'a str>,
    },
}

/// An archive to be imported, and what to call it in messages.
#[derive(Debug, Clone)]
pub struct Archive {
    /// As the file was named.
    pub label: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Releases that are new, in the order in which they were accepted.
    pub added: Vec<(PackageName, Version)>,
    /// How many were there already, with the same bytes.
    pub present: usize,
    /// Packages that the new releases need from this registry, and that it does not have.
    pub missing: Vec<PackageName>,
    /// The change; absent when there was nothing to do.
    pub applied: Option<Applied>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An archive gives no release.
    #[error("`{label}` cannot be imported")]
    Derive {
        /// The file.
        label: String,
        /// Why.
        #[source]
        source: DeriveError,
    },
    /// The statements could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The registry refused them.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<StatementError> for ImportError {
    fn from(error: StatementError) -> Self {
        Self::Sign(error.into())
    }
}

/// Archives and the releases that they hold, by package.
#[derive(Debug)]
pub struct Derived(BTreeMap<PackageName, Found>);

/// Imports releases into a registry that is at its home.
pub fn import(
    mut folder: Folder,
    Derived(packages): Derived,
    attestation: Attestation<'_>,
    authority: &Authority<'_>,
) -> Result<Imported, ImportError> {
    let mut imported = Imported {
        added: Vec::new(),
        present: 0,
        missing: Vec::new(),
        applied: None,
    };
    let mut proposals = Vec::new();
    for (package, found) in packages {
        let count = found.len();
        let state = apply::state(&mut folder, &package)?;
        let new = only_new(&state, found)?;
        imported.present += count - new.len();
        imported.added.extend(
            new.iter()
                .map(|(r, _)| (package.clone(), r.version.clone())),
        );
        if !new.is_empty() {
            proposals.push((new, state));
        }
    }
    imported.missing = missing(&mut folder, &proposals)?;
    let proposals: Vec<Proposal> = proposals
        .into_par_iter()
        .map(|(new, state)| proposal(&state, new, attestation))
        .collect::<Result<_, _>>()?;
    if !proposals.is_empty() {
        imported.applied = Some(match attestation {
            Attestation::Nobody { .. } => apply::apply_unsigned(folder, proposals, authority)?,
            Attestation::Vouch { .. } | Attestation::Sign(_) => {
                apply::apply(folder, proposals.into(), authority)?
            }
        });
    }
    Ok(imported)
}

/// The releases that archives hold in the registry `home`. It can take minutes, and needs no lock.
pub fn derive_all(
    archives: Vec<Archive>,
    home: &Home,
    events: &dyn EventSink,
) -> Result<Derived, ImportError> {
    let total = archives.len() as u64;
    let done = AtomicU64::new(0);
    let derive_one = |archive: Archive| {
        let release = derive(&archive.bytes, home, &Limits::default());
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        events.progress(Progress {
            verb: "Importing",
            done,
            total,
            unit: Unit::Items,
        });
        match release {
            Ok(release) => Ok((release, archive.bytes)),
            Err(source) => Err(ImportError::Derive {
                label: archive.label,
                source,
            }),
        }
    };
    let derived: Vec<_> = archives
        .into_par_iter()
        .map(derive_one)
        .collect::<Result<_, _>>()?;
    Ok(Derived(sign::by_package(derived)?))
}

/// Leaves out what the registry has with the same bytes; other bytes under a version that it has
/// are an error.
fn only_new(state: &PackageState, found: Found) -> Result<Found, ApplyError> {
    let mut new = Found::new();
    for (release, bytes) in found {
        match state.document.entry(&release.version) {
            None => new.push((release, bytes)),
            Some(entry) if entry.release.checksum == release.checksum => {}
            Some(_) => {
                return Err(ApplyError::Exists {
                    name: release.name,
                    version: release.version,
                });
            }
        }
    }
    Ok(new)
}

fn proposal(
    state: &PackageState,
    new: Found,
    attestation: Attestation<'_>,
) -> Result<Proposal, ImportError> {
    let (releases, archives): (Vec<Release>, Vec<Vec<u8>>) = new.into_iter().unzip();
    let mut publishers = Vec::new();
    let statements = match attestation {
        Attestation::Vouch { key, source } => {
            let vouch = |release| Body::Vouch {
                release: Box::new(release),
                source: source.map(str::to_owned),
            };
            sign::chain(state, releases.into_iter().map(vouch), &[key])?
        }
        Attestation::Sign(signer) => {
            let bodies = releases
                .into_iter()
                .map(|r| sign::release_body(r, signer.publisher));
            publishers.push(signer.public());
            sign::sign(state, bodies.collect(), signer)?.statements
        }
        Attestation::Nobody { source } => {
            let unsigned = |release| Body::Unsigned {
                release: Box::new(release),
                source: source.map(str::to_owned),
            };
            sign::chain(state, releases.into_iter().map(unsigned), &[])?
        }
    };
    Ok(Proposal {
        package: state.document.package.clone(),
        statements,
        archives,
        publishers,
    })
}

/// The packages of this registry that new releases need to build and run, and that are neither in
/// it nor among the new ones.
fn missing(
    folder: &mut Folder,
    new: &[(Found, PackageState)],
) -> Result<Vec<PackageName>, ApplyError> {
    let mut needed = std::collections::BTreeSet::new();
    for (release, _) in new.iter().flat_map(|(found, _)| found) {
        needed.extend(release.needs().map(|dependency| dependency.package.clone()));
    }
    for (_, state) in new {
        needed.remove(&state.document.package);
    }
    let mut missing = Vec::new();
    for package in needed {
        if folder.record(&package)?.is_none() {
            missing.push(package);
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dependency, Document, Entry, Sha256Digest};
    use crate::model::{DependencyKind, DependencySource};

    fn found(version: &str, bytes: &[u8]) -> (Release, Vec<u8>) {
        let mut release = Release::sample("tide", version);
        release.checksum = Sha256Digest::of(bytes);
        (release, bytes.to_vec())
    }

    fn state(versions: &[(&str, &[u8])]) -> PackageState {
        let mut state = PackageState::empty(Sha256Digest::of(b"root"), "tide".parse().unwrap());
        let entry = |(version, bytes): &(&str, &[u8])| Entry {
            release: found(version, bytes).0,
            accepted: None,
            yanked: None,
            trust: None,
        };
        state.document = Document {
            package: "tide".parse().unwrap(),
            entries: versions.iter().map(entry).collect(),
        };
        state
    }

    #[test]
    fn the_same_bytes_again_are_left_out() {
        let present = state(&[("1.0.0", b"one")]);
        let all = vec![found("1.0.0", b"one"), found("1.1.0", b"two")];
        let new = only_new(&present, all).unwrap();
        let versions: Vec<String> = new.iter().map(|(r, _)| r.version.to_string()).collect();
        assert_eq!(versions, ["1.1.0"]);
    }

    #[test]
    fn other_bytes_under_a_version_are_refused_build_metadata_or_not() {
        let present = state(&[("1.0.0", b"one")]);
        for version in ["1.0.0", "1.0.0+again"] {
            let refused = only_new(&present, vec![found(version, b"other")]);
            assert!(
                matches!(refused, Err(ApplyError::Exists { .. })),
                "{version}"
            );
        }
    }

    #[test]
    fn only_what_is_needed_and_nowhere_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let mut folder = crate::publish::init::tests::opened(folder.path());
        let mut release = Release::sample("tide", "1.0.0");
        let dependency = |name: &str| Dependency::sample(name);
        let dev = Dependency {
            kind: DependencyKind::Dev,
            ..dependency("for-tests")
        };
        let foreign = Dependency {
            source: DependencySource::Other(crate::model::CRATES_IO_INDEX.into()),
            ..dependency("serde")
        };
        release.dependencies = vec![dependency("tide"), dependency("moon"), dev, foreign];
        let new = vec![(vec![(release, Vec::new())], state(&[]))];
        let missing = missing(&mut folder, &new).unwrap();
        assert_eq!(missing, ["moon".parse().unwrap()]);
    }
}
