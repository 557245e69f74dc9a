//! What the registry's offline keys say of publishers and of unsigned releases, as far as a record
//! needs it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use super::Client;
use crate::formats::layout;
use crate::formats::publisher::Publisher;
use crate::formats::record::Record;
use crate::formats::unsigned::UnsignedList;
use crate::model::{PublisherId, Sha256Digest};
use crate::registry::error::ClientError;
use crate::trust::{Verified, has_unsigned, owners_needed, read_publisher, read_unsigned};

/// Publishers by their ids.
type Publishers = BTreeMap<PublisherId, Publisher>;

/// What was read so far, under the snapshot at hand.
#[derive(Default)]
pub(super) struct Known {
    publishers: Publishers,
    unsigned: Option<UnsignedList>,
}

/// By what a record is judged besides the policy.
#[derive(Default)]
pub(super) struct Registered {
    /// Those whom the record names as owners.
    pub(super) publishers: Publishers,
    /// Empty where the record has no unsigned release.
    pub(super) unsigned: UnsignedList,
    /// What the role `claimed` says of the package.
    pub(super) claim: Option<Sha256Digest>,
}

impl Client<'_> {
    /// A publisher's keys, as the registry's offline keys signed them.
    pub fn publisher(&self, id: &PublisherId) -> Result<Option<Publisher>, ClientError> {
        if let Some(publisher) = self.known().publishers.get(id) {
            return Ok(Some(publisher.clone()));
        }
        let Some(target) = self.target(&layout::publisher(id))? else {
            return Ok(None);
        };
        let publisher = read_publisher(&target, id)?.into_inner();
        let mut known = self.known();
        known.publishers.insert(id.clone(), publisher.clone());
        Ok(Some(publisher))
    }

    /// What a record needs.
    pub(super) fn registered(&self, record: &Record) -> Result<Registered, ClientError> {
        let mut publishers = BTreeMap::new();
        for id in owners_needed(record) {
            let publisher = self.publisher(&id)?;
            publishers.extend(publisher.map(|publisher| (id, publisher)));
        }
        let unsigned = match has_unsigned(record) {
            true => self.unsigned()?,
            false => UnsignedList::default(),
        };
        Ok(Registered {
            publishers,
            unsigned,
            claim: None,
        })
    }

    fn unsigned(&self) -> Result<UnsignedList, ClientError> {
        if let Some(list) = &self.known().unsigned {
            return Ok(list.clone());
        }
        let target = self.target(layout::UNSIGNED)?;
        let list = target.map(|target| read_unsigned(&target)).transpose()?;
        let list = list.map(Verified::into_inner).unwrap_or_default();
        self.known().unsigned = Some(list.clone());
        Ok(list)
    }

    /// Forgets what was read: a newer snapshot may list other files.
    pub(super) fn forget_registered(&self) {
        *self.known() = Known::default();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
