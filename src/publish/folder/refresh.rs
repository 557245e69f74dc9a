//! Signing anew what grows old, with the online keys and without a change of anything else.

use std::collections::BTreeMap;

use super::{Folder, FolderError};
use crate::model::UtcTime;
use crate::publish::journal::{Change, NewFile};
use crate::publish::metadata;
use crate::publish::role_keys::RoleKeys;

use crate::formats::layout;
use crate::formats::policy::Lifetimes;

/// What [`Folder::refresh`] did, and what it could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The roles that were signed anew.
    pub renewed: Vec<String>,
    /// Roles of offline keys that have less than a third of their life left, and when it ends.
    pub ageing: Vec<(String, UtcTime)>,
}

impl Folder {
    /// Signs anew every role of the online keys that is past half its life; of a fresh registry,
    /// nothing.
    pub fn refresh(mut self, keys: &RoleKeys, now: UtcTime) -> Result<Refreshed, FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let mut ageing: BTreeMap<String, UtcTime> = BTreeMap::new();
        let mut roles = vec!["root".to_owned()];
        roles.extend(self.listed_roles());
        for role in roles {
            if !metadata::is_offline(&role) {
                if self.is_due(&role, 2, &lifetimes, now)? {
                    self.changed.insert(role);
                }
            } else if self.is_due(&role, 3, &lifetimes, now)? {
                // Bins are many, and are named by their role.
                let name = metadata::binning_role(&role).unwrap_or(&role).to_owned();
                let expires = self.expires(&role)?;
                let first = ageing.entry(name).or_insert(expires);
                *first = expires.min(*first);
            }
        }
        let mut renewed: Vec<String> = self.changed.iter().cloned().collect();
        if !renewed.is_empty() || self.is_due("snapshot", 2, &lifetimes, now)? {
            renewed.extend(["snapshot", "timestamp"].map(str::to_owned));
            self.commit(Change::default(), keys, now)?;
        } else if self.is_due("timestamp", 2, &lifetimes, now)? {
            renewed.push("timestamp".to_owned());
            self.renew_timestamp(keys, now, &lifetimes)?;
        }
        let ageing = ageing.into_iter().collect();
        Ok(Refreshed { renewed, ageing })
    }

    /// The roles of type `targets`, as the snapshot lists them.
    pub(super) fn listed_roles(&self) -> Vec<String> {
        let meta = self.roles["snapshot"]["meta"].as_object();
        let files = meta.into_iter().flat_map(|meta| meta.keys());
        files
            .filter_map(|file| file.strip_suffix(".json").map(str::to_owned))
            .collect()
    }

    /// Says whether less than one `part`-th of a role's life is left.
    fn is_due(
        &mut self,
        role: &str,
        part: i64,
        lifetimes: &Lifetimes,
        now: UtcTime,
    ) -> Result<bool, FolderError> {
        let life = i64::from(metadata::lifetime(role, lifetimes)) * 86_400;
        Ok(self.expires(role)? <= now.plus_seconds(life / part))
    }

    fn expires(&mut self, role: &str) -> Result<UtcTime, FolderError> {
        let text = self.role(role)?["expires"].as_str();
        let time = text.and_then(|text| text.parse().ok());
        time.ok_or_else(|| FolderError::Shape {
            role: role.to_owned(),
            field: "expires",
        })
    }

    /// The same snapshot, announced for longer.
    fn renew_timestamp(
        mut self,
        keys: &RoleKeys,
        now: UtcTime,
        lifetimes: &Lifetimes,
    ) -> Result<(), FolderError> {
        let role = "timestamp";
        let mut signed = self.roles.remove(role).unwrap_or_default();
        metadata::renew(
            &mut signed,
            now.plus_days(metadata::lifetime(role, lifetimes)),
        );
        let bytes = keys.seal(role, &self.description(role), &signed)?;
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
        let roles: Vec<&str> = ageing.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(
            roles,
            [
                "claimed", "packages", "policy", "rollout", "root", "targets"
            ]
        );
    }
}
