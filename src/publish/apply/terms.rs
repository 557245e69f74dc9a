//! By what records are judged when something is added to a registry: as clients will judge them.

use std::collections::BTreeMap;

use super::{ApplyError, Proposal, extended, register_all};
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::formats::record::Record;
use crate::formats::unsigned::UnsignedList;
use crate::model::UtcTime;
use crate::publish::folder::Folder;
use crate::publish::journal::Change;
use crate::trust::{self, RecordContext, RecordError, Signing, owners_needed};

/// The policy, the list of unsigned releases, and publishers.
pub(super) struct Terms<'a> {
    pub(super) policy: Policy,
    pub(super) unsigned: UnsignedList,
    /// Are not registered yet.
    new: &'a [Publisher],
    /// Counts in place of the one that the registry knows.
    changed: Option<&'a Publisher>,
}

impl<'a> Terms<'a> {
    /// What holds in a registry to which these publishers are new.
    pub(super) fn of(folder: &mut Folder, new: &'a [Publisher]) -> Result<Self, ApplyError> {
        Ok(Self {
            policy: folder.policy()?,
            unsigned: folder.unsigned()?,
            new,
            changed: None,
        })
    }

    /// What would hold in a registry if a publisher had other keys.
    pub(super) fn with(folder: &mut Folder, changed: &'a Publisher) -> Result<Self, ApplyError> {
        let terms = Self::of(folder, &[])?;
        Ok(Self {
            changed: Some(changed),
            ..terms
        })
    }

    /// Puts a record before a function of `trust`.
    pub(super) fn judge<T>(
        &self,
        folder: &mut Folder,
        record: &Record,
        function: impl FnOnce(&Record, &RecordContext<'_>) -> Result<T, RecordError>,
    ) -> Result<T, ApplyError> {
        let mut publishers = BTreeMap::new();
        for id in owners_needed(record) {
            // What is to be registered cannot be read from the folder yet.
            let mut unwritten = self.changed.into_iter().chain(self.new);
            let found = match unwritten.find(|publisher| publisher.id == id) {
                Some(publisher) => Some(publisher.clone()),
                None => folder.publisher(&id)?,
            };
            publishers.extend(found.map(|publisher| (id, publisher)));
        }
        let context = RecordContext {
            registry_id: folder.registry_id(),
            package: &record.package,
            publishers: &publishers,
            policy: &self.policy,
            unsigned: &self.unsigned,
            claim: folder.claim(&record.package)?,
            verified_before: None,
        };
        Ok(function(record, &context)?)
    }
}

/// Says of each statement of a proposal who signed it and who still must.
pub fn signing(
    folder: &mut Folder,
    proposal: &Proposal,
    publishers: &[Publisher],
    now: UtcTime,
) -> Result<Vec<Signing>, ApplyError> {
    let proposals = std::slice::from_ref(proposal);
    let new = register_all(folder, publishers, proposals, &mut Change::default())?;
    let terms = Terms::of(folder, &new)?;
    let record = extended(folder, proposal, now)?;
    let before = record.statements.len() - proposal.statements.len();
    terms.judge(folder, &record, |record, context| {
        trust::signing(record, before as u64, context)
    })
}
