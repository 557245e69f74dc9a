//! Applying: signed statements and their archives become part of a registry, in one change.
//!
//! Whatever comes from outside is checked here as a client would check it, before anything is
//! written; then documents, record, catalog and metadata are made anew for what changed.

mod catalog;
mod error;

use std::collections::BTreeMap;

pub use error::ApplyError;

use semver::Version;

use catalog::Touched;

use super::claim::claim_with;
use super::collision;
use super::folder::Folder;
use super::journal::{Change, NewFile};
use super::role_keys::RoleKeys;
use crate::formats::layout::{self, Format};
use crate::formats::policy::Policy;
use crate::formats::publisher::{self, Publisher};
use crate::formats::record::{self, FileDigest, Record};
use crate::formats::statement::{self, Envelope};
use crate::formats::{v1, v2};
use crate::model::{Body, Document, PackageName, Release, Sha256Digest, UtcTime, same_release};
use crate::trust::ed25519::check_key;
use crate::trust::{PackageState, RecordContext, check_record, owners_needed};

/// What is to be added to one package.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The package.
    pub package: PackageName,
    /// The statements that follow on its record.
    pub statements: Vec<Envelope>,
    /// The archives of the releases among them.
    pub archives: Vec<Vec<u8>>,
}

/// With what a change is signed, and when.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// The role keys at hand.
    pub keys: &'a RoleKeys,
    /// The time of acceptance.
    pub now: UtcTime,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The registry's serial from now on.
    pub serial: u64,
    /// How many files were written.
    pub files: usize,
}

/// Adds what is proposed, whole or not at all. `publishers` are registered first; those that are
/// registered already, with the same keys, are passed over.
pub fn apply(
    mut folder: Folder,
    proposals: Vec<Proposal>,
    publishers: &[Publisher],
    authority: &Authority<'_>,
) -> Result<Applied, ApplyError> {
    let mut change = Change::default();
    register_all(&mut folder, publishers, &mut change)?;
    let policy = folder.policy()?;
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut touched = Touched::default();
    for proposal in proposals {
        let record = extended_record(&mut folder, &proposal, &policy, publishers, authority.now)?;
        claim_with(&mut folder, &record.0, &record.1, authority.keys)?;
        change.immutable.extend(archives(proposal)?);
        add_package(&mut folder, record, &policy.base, &mut touched, &mut change)?;
    }
    let serial = catalog::renew(&mut folder, touched, &mut change)?;
    let files = change.immutable.len() + change.plain.len();
    folder.commit(change, authority.keys, authority.now)?;
    Ok(Applied { serial, files })
}

/// What a proposal would make of a package.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The package's document as it is.
    pub before: Document,
    /// The package's document as it would be.
    pub after: Document,
    /// The canonical base URL.
    pub base: String,
}

/// Says what [`apply`] would make of the packages, and fails where it would.
pub fn preview(
    folder: &mut Folder,
    proposals: &[Proposal],
    publishers: &[Publisher],
    now: UtcTime,
) -> Result<Vec<Preview>, ApplyError> {
    register_all(folder, publishers, &mut Change::default())?;
    let policy = folder.policy()?;
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut previews = Vec::new();
    for proposal in proposals {
        let before = state(folder, &proposal.package)?.document;
        let (_, after) = extended_record(folder, proposal, &policy, publishers, now)?;
        archives(proposal.clone())?;
        previews.push(Preview {
            before,
            after: after.document,
            base: policy.base.clone(),
        });
    }
    Ok(previews)
}

/// The state of a package in the registry, empty if there is no such package.
pub fn state(folder: &mut Folder, package: &PackageName) -> Result<PackageState, ApplyError> {
    let registry_id = folder.registry_id();
    let Some(record) = folder.record(package)? else {
        return Ok(PackageState::empty(registry_id, package.clone()));
    };
    collision::check_place(&record.package, package)?;
    let policy = folder.policy()?;
    checked(folder, &record, &policy, &[])
}

fn checked(
    folder: &mut Folder,
    record: &Record,
    policy: &Policy,
    new: &[Publisher],
) -> Result<PackageState, ApplyError> {
    let mut publishers = BTreeMap::new();
    for id in owners_needed(record) {
        let known = new.iter().find(|publisher| publisher.id == id).cloned();
        if let Some(publisher) = known.map_or_else(|| folder.publisher(&id), |p| Ok(Some(p)))? {
            publishers.insert(id, publisher);
        }
    }
    let context = RecordContext {
        registry_id: folder.registry_id(),
        package: &record.package,
        publishers: &publishers,
        policy,
        claim: folder.claim(&record.package)?,
        verified_before: None,
    };
    check_record(record, &context).map_err(ApplyError::Record)
}

/// Registers publishers. Each submission names its own, so that the same one may come twice.
fn register_all(
    folder: &mut Folder,
    publishers: &[Publisher],
    change: &mut Change,
) -> Result<(), ApplyError> {
    for (place, publisher) in publishers.iter().enumerate() {
        let mut before = publishers[..place].iter();
        match before.find(|other| other.id == publisher.id) {
            Some(same) if same.keys == publisher.keys => {}
            Some(_) => return Err(ApplyError::OtherKeys(publisher.id.clone())),
            None => register(folder, publisher, change)?,
        }
    }
    Ok(())
}

fn register(
    folder: &mut Folder,
    publisher: &Publisher,
    change: &mut Change,
) -> Result<(), ApplyError> {
    if let Some(known) = folder.publisher(&publisher.id)? {
        let is_known = publisher.keys.iter().all(|key| known.keys.contains(key));
        return is_known
            .then_some(())
            .ok_or_else(|| ApplyError::OtherKeys(publisher.id.clone()));
    }
    for key in &publisher.keys {
        check_key(key)?;
    }
    let path = layout::publisher(&publisher.id);
    let bytes = publisher::encode(publisher);
    folder.set_target("targets", &path, &bytes)?;
    change.add_hashed(&path, bytes);
    Ok(())
}

/// The package's record with the proposed statements at its end, checked as a client would.
fn extended_record(
    folder: &mut Folder,
    proposal: &Proposal,
    policy: &Policy,
    publishers: &[Publisher],
    now: UtcTime,
) -> Result<(Record, PackageState), ApplyError> {
    let package = &proposal.package;
    let mut record = if let Some(record) = folder.record(package)? {
        collision::check_place(&record.package, package)?;
        record
    } else {
        collision::check(folder.root(), package)?;
        Record {
            package: package.clone(),
            documents: record::Documents::default(),
            accepted: BTreeMap::new(),
            statements: Vec::new(),
        }
    };
    for release in releases(&proposal.package, &proposal.statements)? {
        record.accepted.entry(release.version).or_insert(now);
    }
    record
        .statements
        .extend(proposal.statements.iter().cloned());
    let state = checked(folder, &record, policy, publishers)?;
    Ok((record, state))
}

/// What statements say, in their order.
pub fn bodies(package: &PackageName, statements: &[Envelope]) -> Result<Vec<Body>, ApplyError> {
    let body = |envelope: &Envelope| match statement::parse_payload(&envelope.payload) {
        Ok(statement) => Ok(statement.body),
        Err(source) => Err(ApplyError::Statement {
            package: package.clone(),
            source,
        }),
    };
    statements.iter().map(body).collect()
}

/// Makes sure that a version was never released: it is released once, even if it was withdrawn.
pub fn check_new(state: &PackageState, version: &Version) -> Result<(), ApplyError> {
    let name = || state.document.package.clone();
    if state.document.entry(version).is_some() {
        let (name, version) = (name(), version.clone());
        return Err(ApplyError::Published { name, version });
    }
    let mut withdrawn = state.withdrawn.iter();
    match withdrawn.any(|gone| same_release(gone, version)) {
        true => Err(ApplyError::Withdrawn {
            name: name(),
            version: version.clone(),
        }),
        false => Ok(()),
    }
}

/// The releases that statements add.
pub fn releases(
    package: &PackageName,
    statements: &[Envelope],
) -> Result<Vec<Release>, ApplyError> {
    let bodies = bodies(package, statements)?.into_iter();
    Ok(bodies.filter_map(|body| body.release().cloned()).collect())
}

/// The archives of a proposal's releases, each under its name.
fn archives(proposal: Proposal) -> Result<Vec<NewFile>, ApplyError> {
    let archives = proposal.archives.into_iter();
    let mut archives: BTreeMap<Sha256Digest, Vec<u8>> = archives
        .map(|bytes| (Sha256Digest::of(&bytes), bytes))
        .collect();
    let file = |release: Release| {
        let bytes = archives
            .remove(&release.checksum)
            .filter(|bytes| release.size.is_none_or(|size| size == bytes.len() as u64));
        match bytes {
            Some(bytes) => {
                let path = layout::archive(&release.name, &release.checksum);
                Ok(NewFile::new(path, bytes))
            }
            None => Err(ApplyError::NoArchive {
                name: release.name,
                version: release.version,
            }),
        }
    };
    let releases = releases(&proposal.package, &proposal.statements)?;
    releases.into_iter().map(file).collect()
}

/// Adds a package's documents and record to the change.
fn add_package(
    folder: &mut Folder,
    (mut record, state): (Record, PackageState),
    base: &str,
    touched: &mut Touched,
    change: &mut Change,
) -> Result<(), ApplyError> {
    let package = state.document.package.clone();
    let v1 = v1::encode(&state.document);
    let v2 = v2::encode(&state.document, base);
    record.documents = record::Documents {
        v1: Some(FileDigest::of(&v1)),
        v2: Some(FileDigest::of(&v2)),
    };
    let bytes = record::encode(&record).map_err(|source| ApplyError::Encode {
        package: package.clone(),
        source,
    })?;
    folder.set_record(&package, &bytes)?;
    change.add_hashed(&layout::document(&package, Format::V1), v1.clone());
    change.add_hashed(&layout::document(&package, Format::V2), v2.clone());
    change.add_hashed(&layout::record(&package), bytes);
    let is_empty = state.document.entries.is_empty();
    touched.v1.insert(package.clone(), v1);
    let v2 = if is_empty { Vec::new() } else { v2 };
    touched.v2.insert(package, v2);
    Ok(())
}
