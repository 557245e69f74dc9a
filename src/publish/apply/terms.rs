//! By what records are judged when something is added to a registry: as clients will judge them.

use std::collections::BTreeMap;

use super::ApplyError;
use crate::formats::policy::Policy;
use crate::formats::record::Record;
use crate::formats::unsigned::UnsignedList;
use crate::publish::folder::Folder;
use crate::trust::{RecordContext, RecordError, owners_needed};

/// The policy and the list of unsigned releases.
pub(super) struct Terms {
    pub(super) policy: Policy,
    pub(super) unsigned: UnsignedList,
}

impl Terms {
    /// What holds in a registry.
    pub(super) fn of(folder: &mut Folder) -> Result<Self, ApplyError> {
        Ok(Self {
            policy: folder.policy()?,
            unsigned: folder.unsigned()?,
        })
    }

    /// Puts a record before a function of `trust`, with the publishers as they will be.
    pub(super) fn judge<T>(
        &self,
        folder: &mut Folder,
        record: &Record,
        function: impl FnOnce(&Record, &RecordContext<'_>) -> Result<T, RecordError>,
    ) -> Result<T, ApplyError> {
        let mut publishers = BTreeMap::new();
        for id in owners_needed(record) {
            let found = folder.publisher(&id)?;
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
