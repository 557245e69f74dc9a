//! Changes of a registry's own keys and roles, in a folder: drafted, signed, published.

use super::{Folder, FolderError};
use crate::model::UtcTime;
use crate::publish::ceremony::BINS;
use crate::publish::drafts::{
    self, DraftError, Drafts, Pending, Rotation, bits_for, publication, rebin, renew, rotate,
};
use crate::publish::metadata::{CLAIMED, PACKAGES};
use crate::publish::role_keys::RoleKeys;
use crate::publish::roles::is_top;
use crate::trust::lifetime;

impl Folder {
    /// The drafts that lie in the folder, above the roles that are in force.
    pub fn pending(&mut self) -> Result<Pending, FolderError> {
        let drafts = Drafts::load(&self.root)?;
        let was_empty = drafts.is_empty();
        let pending = self.pending_with(drafts)?;
        if pending.drafts().is_empty() && !was_empty {
            // They were published, and whoever did it was cut off before they were removed.
            drafts::discard(&self.root)?;
        }
        Ok(pending)
    }

    fn pending_with(&mut self, drafts: Drafts) -> Result<Pending, FolderError> {
        self.role(PACKAGES)?;
        self.role(CLAIMED)?;
        for role in self.roles.delegated() {
            if drafts.roles().any(|own| own == role) {
                self.role(&role)?;
            }
        }
        // Claims are compared with those before; a new bin is in force nowhere yet.
        if drafts.roles().any(|role| role.starts_with(CLAIMED)) {
            self.read_bins(CLAIMED)?;
        }
        let pending = Pending::new(&self.roles, drafts.clone())?;
        if !pending.changes_bins() {
            return Ok(pending);
        }
        self.read_bins(PACKAGES)?;
        Ok(Pending::new(&self.roles, drafts)?)
    }

    /// Drafts the next version of roles, as they are and valid for longer.
    pub fn renew(&mut self, roles: &[String], now: UtcTime) -> Result<Pending, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        for role in roles {
            self.known(role)?;
        }
        let expires = |role: &str| now.plus_days(lifetime(role, &lifetimes));
        let roles = roles.iter().map(String::as_str);
        let drafts = renew(&self.roles, self.registry_id, roles, &expires);
        self.pending_with(drafts)
    }

    /// Drafts other keys for a role.
    pub fn rotate(
        &mut self,
        role: &str,
        rotation: &Rotation,
        now: UtcTime,
    ) -> Result<Pending, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        self.known(role)?;
        let expires = |role: &str| now.plus_days(lifetime(role, &lifetimes));
        let drafts = rotate(&self.roles, self.registry_id, role, rotation, &expires)?;
        self.pending_with(drafts)
    }

    /// Drafts another number of bins of a role, 2 to the power of `bits`; where nothing is said, one
    /// that fits the number of targets. Nothing, if there are as many already.
    pub fn rebin(
        &mut self,
        role: &str,
        bits: Option<u32>,
        now: UtcTime,
    ) -> Result<Option<Pending>, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        self.known(role)?;
        let targets = self.read_bins(role)?;
        let bits = bits.unwrap_or_else(|| bits_for(targets));
        let expires = |role: &str| now.plus_days(lifetime(role, &lifetimes));
        let drafts = rebin(&self.roles, self.registry_id, (role, bits), &expires)?;
        match drafts.is_empty() {
            true => Ok(None),
            false => self.pending_with(drafts).map(Some),
        }
    }

    /// Brings drafts into force that wait for nobody, with what follows from them, and forgets them.
    pub fn publish(
        mut self,
        pending: &Pending,
        keys: &RoleKeys,
        now: UtcTime,
    ) -> Result<(), FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let change = publication(pending, keys, now, &lifetimes)?;
        self.journal.commit(change)?;
        // Under the same lock: nobody has drafted anything else since.
        Ok(drafts::discard(&self.root)?)
    }

    /// Reads a role that is to be changed.
    fn known(&mut self, role: &str) -> Result<(), FolderError> {
        self.role(PACKAGES)?;
        self.role(CLAIMED)?;
        match role {
            CLAIMED => self.read_bins(CLAIMED).map(drop),
            BINS => Ok(()),
            _ if is_top(role) || self.roles.delegated().iter().any(|name| name == role) => {
                self.role(role).map(drop)
            }
            _ => Err(DraftError::NoRole(role.to_owned()).into()),
        }
    }

    /// Reads the bins of a role, and returns the number of targets in them.
    fn read_bins(&mut self, role: &str) -> Result<usize, FolderError> {
        let mut count = 0;
        for bin in self.roles.bins(role) {
            let targets = &self.role(&bin)?["targets"];
            count += targets.as_object().map_or(0, serde_json::Map::len);
        }
        Ok(count)
    }
}
