//! Applying: signed statements and their archives become part of a registry, in one change.
//!
//! Whatever comes from outside is checked here as a client would check it, before anything is
//! written; then documents, record, catalog and metadata are made anew for what changed.

mod catalog;
mod error;
mod intake;
mod keys;
mod terms;

use std::collections::BTreeMap;

pub use error::ApplyError;
pub use intake::{Intake, Proposal};
pub use keys::{change_keys, changes_of, check_change, last_signed, present};

use semver::Version;

use catalog::Touched;
use intake::admit;
use terms::Terms;

use super::claim::claim_with;
use super::collision;
use super::folder::Folder;
use super::journal::{Change, NewFile};
use super::role_keys::RoleKeys;
use crate::formats::layout::{self, Format};
use crate::formats::record::{self, FileDigest, Record};
use crate::formats::statement::{self, Envelope};
use crate::formats::{unsigned, v1, v2};
use crate::model::{Body, Document, PackageName, Release, Sha256Digest, UtcTime, same_release};
use crate::trust::{self, PackageState, Signing, check_record};

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
    /// How many files were written; none, if all of it was part of the registry already.
    pub files: usize,
}

/// Takes everything in, whole or not at all; what is part of the registry already is passed over.
pub fn apply(
    mut folder: Folder,
    intake: Intake,
    authority: &Authority<'_>,
) -> Result<Applied, ApplyError> {
    let mut change = Change::default();
    let proposals = admit(&mut folder, intake, &mut change)?;
    let terms = Terms::of(&mut folder)?;
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
    let mut terms = Terms::of(&mut folder)?;
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
    terms: &Terms,
    authority: &Authority<'_>,
) -> Result<Applied, ApplyError> {
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut touched = Touched::default();
    let adds_statements = !proposals.is_empty();
    for proposal in proposals {
        let before = catalog::document(&mut folder, &proposal.package)?;
        let record = extended_record(&mut folder, &proposal, terms, authority.now)?;
        touched.compare(&before, &record.1.document);
        claim_with(&mut folder, &record.0, &record.1, authority.keys)?;
        change.immutable.extend(archives(proposal)?);
        let base = &terms.policy.base;
        add_package(&mut folder, record, base, &mut change)?;
    }
    let serial = match adds_statements {
        true => catalog::renew(&mut folder, &touched, &terms.policy.base, &mut change)?,
        false => catalog::serial(&mut folder)?,
    };
    let files = change.immutable.len() + change.plain.len();
    if files > 0 {
        folder.commit(change, authority.keys, authority.now)?;
    }
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
    mut folder: Folder,
    intake: Intake,
    now: UtcTime,
) -> Result<Vec<Preview>, ApplyError> {
    let folder = &mut folder;
    let proposals = admit(folder, intake, &mut Change::default())?;
    let terms = Terms::of(folder)?;
    collision::check_among(proposals.iter().map(|proposal| &proposal.package))?;
    let mut previews = Vec::new();
    for proposal in proposals {
        let before = state_under(folder, &proposal.package, &terms)?.document;
        let (_, after) = extended_record(folder, &proposal, &terms, now)?;
        archives(proposal)?;
        previews.push(Preview {
            before,
            after: after.document,
            base: terms.policy.base.clone(),
        });
    }
    Ok(previews)
}

/// Says of each proposal that is not part of the registry yet, statement by statement, who signed it
/// and who still must.
pub fn signing(
    mut folder: Folder,
    intake: Intake,
    now: UtcTime,
) -> Result<Vec<(PackageName, Vec<Signing>)>, ApplyError> {
    let proposals = admit(&mut folder, intake, &mut Change::default())?;
    let terms = Terms::of(&mut folder)?;
    let mut all = Vec::new();
    for proposal in proposals {
        let record = extended(&mut folder, &proposal, now)?;
        let before = record.statements.len() - proposal.statements.len();
        let signing = terms.judge(&mut folder, &record, |record, context| {
            trust::signing(record, before as u64, context)
        })?;
        all.push((proposal.package, signing));
    }
    Ok(all)
}

/// The state of a package in the registry, empty if there is no such package.
pub fn state(folder: &mut Folder, package: &PackageName) -> Result<PackageState, ApplyError> {
    let terms = Terms::of(folder)?;
    state_under(folder, package, &terms)
}

fn state_under(
    folder: &mut Folder,
    package: &PackageName,
    terms: &Terms,
) -> Result<PackageState, ApplyError> {
    let registry_id = folder.registry_id();
    let Some(record) = folder.record(package)? else {
        return Ok(PackageState::empty(registry_id, package.clone()));
    };
    collision::check_place(&record.package, package)?;
    terms.judge(folder, &record, check_record)
}

/// The package's record with the proposed statements at its end, checked as a client would.
fn extended_record(
    folder: &mut Folder,
    proposal: &Proposal,
    terms: &Terms,
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
