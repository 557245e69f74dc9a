//! What is taken into a registry together: changes of keys, new publishers, statements. It is judged in
//! this order, since a new key may have signed.

use std::collections::BTreeSet;

use super::ApplyError;
use super::keys::take_in;
use crate::formats::key_change::KeyChange;
use crate::formats::publisher::Publisher;
use crate::formats::statement::{self, Envelope};
use crate::model::{KeyId, PackageName};
use crate::publish::folder::{Folder, FolderError};
use crate::publish::journal::Change;
use crate::trust::ed25519::check_key;

/// All that becomes part of a registry in one change.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    /// Changes of keys that their publishers signed, in their order.
    pub keys: Vec<KeyChange>,
    /// What is added to packages.
    pub proposals: Vec<Proposal>,
}

/// What is to be added to one package.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The package.
    pub package: PackageName,
    /// The statements that follow on its record.
    pub statements: Vec<Envelope>,
    /// The archives of the releases among them.
    pub archives: Vec<Vec<u8>>,
    /// Those who signed. Who is not registered yet is registered with these keys.
    pub publishers: Vec<Publisher>,
}

impl Intake {
    /// The same as far as signatures are concerned.
    #[must_use]
    pub fn without_archives(&self) -> Self {
        let proposals = self.proposals.iter().map(|proposal| Proposal {
            package: proposal.package.clone(),
            statements: proposal.statements.clone(),
            archives: Vec::new(),
            publishers: proposal.publishers.clone(),
        });
        Self {
            keys: self.keys.clone(),
            proposals: proposals.collect(),
        }
    }
}

impl From<Vec<Proposal>> for Intake {
    fn from(proposals: Vec<Proposal>) -> Self {
        Self {
            proposals,
            keys: Vec::new(),
        }
    }
}

/// Takes keys and publishers into a change, and returns the proposals that remain: what is part of the
/// registry already, byte for byte, was taken in by a call whose end nobody saw.
pub(super) fn admit(
    folder: &mut Folder,
    intake: Intake,
    change: &mut Change,
) -> Result<Vec<Proposal>, ApplyError> {
    take_in(folder, &intake.keys, change)?;
    let mut proposals = Vec::new();
    for proposal in intake.proposals {
        if !is_there(folder, &proposal)? {
            proposals.push(proposal);
        }
    }
    register_all(folder, &proposals, change)?;
    Ok(proposals)
}

/// Whether a package's record holds the proposed statements, each with its signatures, in their places.
fn is_there(folder: &mut Folder, proposal: &Proposal) -> Result<bool, FolderError> {
    let first = proposal.statements.first();
    let Some(Ok(first)) = first.map(|first| statement::parse_payload(&first.payload)) else {
        return Ok(false);
    };
    let Some(record) = folder.record(&proposal.package)? else {
        return Ok(false);
    };
    let before = usize::try_from(first.sequence.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut present = record.statements.iter().skip(before);
    let mut proposed = proposal.statements.iter();
    Ok(proposed.all(|statement| present.next() == Some(statement)))
}

/// Registers the publishers whom the registry does not know. Each submission names its own, so that the
/// same one may come twice.
fn register_all(
    folder: &mut Folder,
    proposals: &[Proposal],
    change: &mut Change,
) -> Result<(), ApplyError> {
    let mut new: Vec<&Publisher> = Vec::new();
    for publisher in proposals.iter().flat_map(|one| &one.publishers) {
        let known = folder.publisher(&publisher.id)?;
        let first = new.iter().find(|other| other.id == publisher.id);
        let fits = match (known, first) {
            (Some(known), _) => publisher.keys.iter().all(|key| known.keys.contains(key)),
            (None, Some(first)) => first.keys == publisher.keys,
            (None, None) => {
                publisher.keys.iter().try_for_each(check_key)?;
                check_own_keys(publisher, proposals)?;
                new.push(publisher);
                true
            }
        };
        if !fits {
            return Err(ApplyError::OtherKeys(publisher.id.clone()));
        }
    }
    for publisher in new {
        folder.set_publisher(publisher, change)?;
    }
    Ok(())
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
