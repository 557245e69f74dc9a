//! Applying: signed statements and their archives become part of a registry, in one change.
//!
//! Whatever comes from outside is checked here as a client would check it, before anything is
//! written; then documents, record, catalog and metadata are made anew for what changed.

mod catalog;
mod error;
mod keys;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

pub use error::ApplyError;
pub use keys::{change_keys, check_change, last_signed};
pub use terms::signing;

use semver::Version;

use catalog::Touched;
use terms::Terms;

use super::claim::claim_with;
use super::collision;
use super::folder::Folder;
use super::journal::{Change, NewFile};
use super::role_keys::RoleKeys;
use crate::formats::layout::{self, Format};
use crate::formats::publisher::{self, Publisher};
use crate::formats::record::{self, FileDigest, Record};
use crate::formats::statement::{self, Envelope};
use crate::formats::{unsigned, v1, v2};
use crate::model::{
    Body, Document, KeyId, PackageName, Release, Sha256Digest, UtcTime, same_release,
};
use crate::trust::ed25519::check_key;
use crate::trust::{PackageState, check_record};

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
    let new = register_all(&mut folder, publishers, &proposals, &mut change)?;
    let terms = Terms::of(&mut folder, &new)?;
    finish(folder, change, proposals, &terms, authority)
}

/// As [`apply`], for releases that nobody signed: they are listed besides, which needs the key of the
/// policy.
pub fn apply_unsigned(
    mut folder: Folder,
    proposals: Vec<Proposal>,
    authority: &Authority<'_>,
) -> Result<Applied, ApplyError> {
    let mut change = Change::default();
    let mut terms = Terms::of(&mut folder, &[])?;
    // The one before the change.
    let serial = catalog::serial(&mut folder)?;
    if let Some(from) = terms
        .policy
        .signing_required_from
        .filter(|from| serial + 1 >= *from)
    {
        return Err(ApplyError::SigningRequired(from));
    }
    for proposal in &proposals {
        for release in releases(&proposal.package, &proposal.statements)? {
            terms.unsigned.add(&release);
        }
    }
    let bytes = unsigned::encode(&terms.unsigned);
    folder.set_target("policy", layout::UNSIGNED, &bytes)?;
    change.add_hashed(layout::UNSIGNED, bytes);
    finish(folder, change, proposals, &terms, authority)
}

/// Adds what is proposed to a change, and commits it.
fn finish(
    mut folder: Folder,
    mut change: Change,
    proposals: Vec<Proposal>,
    terms: &Terms<'_>,
    authority: &Authority<'_>,
) -> Result<Applied, ApplyError> {
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut touched = Touched::default();
    for proposal in proposals {
        let before = catalog::document(&mut folder, &proposal.package)?;
        let record = extended_record(&mut folder, &proposal, terms, authority.now)?;
        touched.compare(&before, &record.1.document);
        claim_with(&mut folder, &record.0, &record.1, authority.keys)?;
        change.immutable.extend(archives(proposal)?);
        let base = &terms.policy.base;
        add_package(&mut folder, record, base, &mut change)?;
    }
    let serial = catalog::renew(&mut folder, &touched, &terms.policy.base, &mut change)?;
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
    let new = register_all(folder, publishers, proposals, &mut Change::default())?;
    let terms = Terms::of(folder, &new)?;
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut previews = Vec::new();
    for proposal in proposals {
        let before = state(folder, &proposal.package)?.document;
        let (_, after) = extended_record(folder, proposal, &terms, now)?;
        archives(proposal.clone())?;
        previews.push(Preview {
            before,
            after: after.document,
            base: terms.policy.base.clone(),
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
    let terms = Terms::of(folder, &[])?;
    terms.judge(folder, &record, check_record)
}

/// Registers the publishers whom the registry does not know, and returns them. Each submission names
/// its own, so that the same one may come twice.
fn register_all(
    folder: &mut Folder,
    publishers: &[Publisher],
    proposals: &[Proposal],
    change: &mut Change,
) -> Result<Vec<Publisher>, ApplyError> {
    let mut new: Vec<Publisher> = Vec::new();
    for publisher in publishers {
        let known = folder.publisher(&publisher.id)?;
        let first = new.iter().find(|other| other.id == publisher.id);
        let fits = match (known, first) {
            (Some(known), _) => publisher.keys.iter().all(|key| known.keys.contains(key)),
            (None, Some(first)) => first.keys == publisher.keys,
            (None, None) => {
                publisher.keys.iter().try_for_each(check_key)?;
                check_own_keys(publisher, proposals)?;
                new.push(publisher.clone());
                true
            }
        };
        if !fits {
            return Err(ApplyError::OtherKeys(publisher.id.clone()));
        }
    }
    for publisher in &new {
        let path = layout::publisher(&publisher.id);
        let bytes = publisher::encode(publisher);
        folder.set_target("targets", &path, &bytes)?;
        change.add_hashed(&path, bytes);
    }
    Ok(new)
}

/// Makes sure that a new publisher becomes an owner by a statement that each of their keys signed; the
/// signatures themselves are checked with the record. A revoked key would sign for them unseen, and a
/// key that signed nothing may be somebody else's.
fn check_own_keys(publisher: &Publisher, proposals: &[Proposal]) -> Result<(), ApplyError> {
    let makes_owner = |envelope: &&Envelope| {
        let statement = statement::parse_payload(&envelope.payload);
        statement.is_ok_and(|statement| {
            let owners = statement.body.owners();
            owners.is_some_and(|owners| owners.publishers.contains(&publisher.id))
        })
    };
    let envelopes = proposals.iter().flat_map(|one| &one.statements);
    let signed: BTreeSet<KeyId> = envelopes
        .filter(makes_owner)
        .flat_map(|envelope| &envelope.signatures)
        .map(|signature| signature.key_id)
        .collect();
    let are_own = publisher.keys.iter().all(|key| signed.contains(&key.id()));
    match are_own && publisher.revoked.is_empty() {
        true => Ok(()),
        false => Err(ApplyError::NotTheirKeys(publisher.id.clone())),
    }
}

/// The package's record with the proposed statements at its end, checked as a client would.
fn extended_record(
    folder: &mut Folder,
    proposal: &Proposal,
    terms: &Terms<'_>,
    now: UtcTime,
) -> Result<(Record, PackageState), ApplyError> {
    let record = extended(folder, proposal, now)?;
    let state = terms.judge(folder, &record, check_record)?;
    Ok((record, state))
}

/// The package's record with the proposed statements at its end, not checked.
fn extended(folder: &mut Folder, proposal: &Proposal, now: UtcTime) -> Result<Record, ApplyError> {
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
    Ok(record)
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
    change.add_hashed(&layout::document(&package, Format::V1), v1);
    change.add_hashed(&layout::document(&package, Format::V2), v2);
    change.add_hashed(&layout::record(&package), bytes);
    Ok(())
}
