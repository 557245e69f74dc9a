//! Signing anew what grows old, with the online keys and without a change of anything else.

use std::collections::BTreeSet;

use super::{Folder, FolderError};
use crate::formats::layout;
use crate::formats::policy::Lifetimes;
use crate::model::{KeyId, UtcTime};
use crate::publish::ceremony::{Kept, ROLES};
use crate::publish::journal::{Change, NewFile};
use crate::publish::metadata::{self, CLAIMED, PACKAGES};
use crate::publish::role_keys::RoleKeys;
use crate::publish::roles::by_operator_name;
use crate::trust::{Ageing, ageing, is_past_half, lifetime};

/// What [`Folder::refresh`] did, and what it could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The roles that were signed anew.
    pub renewed: Vec<String>,
    /// Roles that were not, and have less than a third of their life left.
    pub ageing: Vec<Ageing>,
}

impl Folder {
    /// Signs anew every role past half its life that the online keys at hand can sign; of a fresh
    /// registry, nothing.
    pub fn refresh(mut self, keys: &RoleKeys, now: UtcTime) -> Result<Refreshed, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let keys = &keys.only(&self.online_key_ids()?);
        let has_snapshot = keys.can_seal(&self.roles.description("snapshot"));
        let mut old = Vec::new();
        for role in self.all_roles()? {
            let expires = self.expires(&role)?;
            let is_at_hand = has_snapshot && keys.can_seal(&self.roles.description(&role));
            match is_at_hand && role != "root" {
                true if is_past_half(&role, expires, &lifetimes, now) => {
                    self.changed.insert(role);
                }
                true => {}
                false => old.extend(ageing(&role, expires, &lifetimes, now)),
            }
        }
        let mut renewed: Vec<String> = self.changed.iter().cloned().collect();
        let is_due = |folder: &mut Self, role| {
            let expires = folder.expires(role)?;
            Ok::<_, FolderError>(is_past_half(role, expires, &lifetimes, now))
        };
        let snapshot_is_due = is_due(&mut self, "snapshot")?;
        if snapshot_is_due && !has_snapshot {
            let expires = self.expires("snapshot")?;
            old.extend(ageing("snapshot", expires, &lifetimes, now));
        }
        if !renewed.is_empty() || (snapshot_is_due && has_snapshot) {
            renewed.extend(["snapshot", "timestamp"].map(str::to_owned));
            self.commit(Change::default(), keys, now)?;
        } else if is_due(&mut self, "timestamp")? {
            renewed.push("timestamp".to_owned());
            self.renew_timestamp(keys, now, &lifetimes)?;
        }
        Ok(Refreshed {
            renewed,
            ageing: by_operator_name(old),
        })
    }

    /// The roles that no change of a package signs anew and that have less than a third of their life
    /// left.
    pub fn ageing(&mut self, now: UtcTime) -> Result<Vec<Ageing>, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let mut found = Vec::new();
        for role in ["root", "targets"]
            .map(str::to_owned)
            .into_iter()
            .chain(self.roles.delegated())
        {
            found.extend(ageing(&role, self.expires(&role)?, &lifetimes, now));
        }
        Ok(found)
    }

    /// The ids of all keys of online roles, as the registry gives them: what a timer and a machine
    /// that takes releases in may have.
    pub fn online_key_ids(&mut self) -> Result<BTreeSet<KeyId>, FolderError> {
        let mut ids = BTreeSet::new();
        for role in ROLES.iter().filter(|role| role.kept == Kept::Online) {
            ids.extend(self.key_ids(role.name)?);
        }
        Ok(ids)
    }

    /// The root and every role of type `targets` that is in force.
    fn all_roles(&mut self) -> Result<Vec<String>, FolderError> {
        self.role(PACKAGES)?;
        self.role(CLAIMED)?;
        let mut roles = vec!["root".to_owned(), "targets".to_owned()];
        roles.extend(self.roles.delegated());
        roles.extend(self.roles.bins(CLAIMED));
        roles.extend(self.roles.bins(PACKAGES));
        Ok(roles)
    }

    fn expires(&mut self, role: &str) -> Result<UtcTime, FolderError> {
        self.role(role)?;
        self.roles.expires(role).ok_or_else(|| FolderError::Shape {
            role: role.to_owned(),
            field: "expires",
        })
    }

    /// The same snapshot, announced for longer.
    fn renew_timestamp(
        self,
        keys: &RoleKeys,
        now: UtcTime,
        lifetimes: &Lifetimes,
    ) -> Result<(), FolderError> {
        let role = "timestamp";
        let mut signed = self.roles[role].clone();
        metadata::renew(&mut signed, now.plus_days(lifetime(role, lifetimes)));
        let bytes = keys.seal(role, &self.roles.description(role), &signed)?;
        let change = Change {
            timestamp: Some(NewFile::new(layout::TIMESTAMP, bytes)),
            ..Change::default()
        };
        Ok(self.journal.commit(change)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::init::tests::{keys, opened};

    /// Refreshes a registry that is so many days old, and says what was signed anew.
    fn refreshed(folder: &std::path::Path, days: u32) -> Refreshed {
        let folder = Folder::open(folder).unwrap();
        let made = UtcTime::from_unix(1_800_000_000).unwrap();
        folder.refresh(&keys(), made.plus_days(days)).unwrap()
    }

    #[test]
    fn each_role_is_signed_anew_past_half_its_life_and_no_sooner() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()));
        let renewed = |days| refreshed(folder.path(), days).renewed;
        assert!(renewed(3).is_empty());
        assert_eq!(renewed(4), ["timestamp"]);
        assert!(renewed(5).is_empty());
        assert_eq!(renewed(16), ["snapshot", "timestamp"]);
        let all = renewed(46);
        assert_eq!(all.len(), 8 + 3, "{all:?}");
        assert!(all.contains(&"packages-7".to_owned()) && all.contains(&"catalog".to_owned()));
        assert!(renewed(46).is_empty());
    }

    #[test]
    fn roles_of_offline_keys_are_named_in_time() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()));
        assert!(refreshed(folder.path(), 240).ageing.is_empty());
        let ageing = refreshed(folder.path(), 250).ageing;
        let roles: Vec<&str> = ageing.iter().map(|ageing| ageing.role.as_str()).collect();
        assert_eq!(
            roles,
            [
                "root", "targets", "policy", "rollout", "claimed", "packages"
            ]
        );
    }
}
