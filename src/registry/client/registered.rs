//! What the registry's offline keys say of publishers and of unsigned releases, as far as a record
//! needs it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Client;
use crate::formats::layout;
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::formats::record::Record;
use crate::formats::unsigned::UnsignedList;
use crate::model::{PackageName, PublisherId, Sha256Digest};
use crate::registry::error::ClientError;
use crate::trust::{Verified, has_unsigned, owners_needed, read_publisher, read_unsigned};

/// Publishers by their ids.
type Publishers = BTreeMap<PublisherId, Publisher>;

/// What was read so far, under one snapshot.
#[derive(Default)]
pub(super) struct Known {
    publishers: Publishers,
    unsigned: Option<UnsignedList>,
}

/// By what a record is judged.
pub(super) struct Registered {
    /// The package that it is of.
    pub(super) package: PackageName,
    /// What the registry demands.
    pub(super) policy: Arc<Verified<Policy>>,
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
        let known = self.known();
        if let Some(publisher) = lock(&known).publishers.get(id) {
            return Ok(Some(publisher.clone()));
        }
        let Some(target) = self.target(&layout::publisher(id))? else {
            return Ok(None);
        };
        let publisher = read_publisher(&target, id)?.into_inner();
        let mut known = lock(&known);
        known.publishers.insert(id.clone(), publisher.clone());
        Ok(Some(publisher))
    }

    /// The owners whom a record names.
    pub(super) fn publishers(&self, record: &Record) -> Result<Publishers, ClientError> {
        let mut publishers = BTreeMap::new();
        for id in owners_needed(record) {
            let publisher = self.publisher(&id)?;
            publishers.extend(publisher.map(|publisher| (id, publisher)));
        }
        Ok(publishers)
    }

    /// The unsigned releases that the registry lists, if the record has one.
    pub(super) fn unsigned_for(&self, record: &Record) -> Result<UnsignedList, ClientError> {
        match has_unsigned(record) {
            true => self.unsigned(),
            false => Ok(UnsignedList::default()),
        }
    }

    fn unsigned(&self) -> Result<UnsignedList, ClientError> {
        let known = self.known();
        if let Some(list) = &lock(&known).unsigned {
            return Ok(list.clone());
        }
        let target = self.target(layout::UNSIGNED)?;
        let list = target.map(|target| read_unsigned(&target)).transpose()?;
        let list = list.map(Verified::into_inner).unwrap_or_default();
        lock(&known).unsigned = Some(list.clone());
        Ok(list)
    }

    /// What was read under the state at hand. A newer one has its own: it may list other files.
    fn known(&self) -> Arc<Mutex<Known>> {
        Arc::clone(&self.standing().known)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
