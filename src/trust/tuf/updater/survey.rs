//! Surveying: a checker reads every role and every path that is listed, where a client reads only
//! what leads to its target. The judgements are the client's own.

use std::collections::BTreeSet;

use super::{Step, Updater};
use crate::model::UtcTime;
use crate::trust::tuf::delegation::Delegate;
use crate::trust::tuf::error::TufError;

/// A role that was read, and until when it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleValidity {
    /// The role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UtcTime,
}

impl Updater {
    /// Turns to a role that was not read yet and is none of `passed_over`, and returns its name:
    /// answer the requests, then ask again. Nothing when every role was read or passed over.
    ///
    /// # Errors
    ///
    /// Hash bins beyond number, or a survey before the update was through.
    pub fn next_role(
        &mut self,
        passed_over: &BTreeSet<String>,
    ) -> Result<Option<String>, TufError> {
        if !matches!(self.step, Step::Ready | Step::StoredRole(_) | Step::Role(_)) {
            return Err(TufError::OutOfOrder);
        }
        let mut delegates = vec![self.top_role()];
        for metadata in self.roles.values() {
            if let Some(delegations) = &metadata.content.delegations {
                delegates.extend(delegations.all()?);
            }
        }
        let unread =
            |role: &Delegate| !self.roles.contains_key(role) && !passed_over.contains(&role.name);
        let Some(next) = delegates.into_iter().find(unread) else {
            self.step = Step::Ready;
            return Ok(None);
        };
        let name = next.name.clone();
        self.step = Step::StoredRole(next);
        Ok(Some(name))
    }

    /// The version in which the snapshot lists a role.
    #[must_use]
    pub fn listed_version(&self, role: &str) -> Option<u64> {
        Some(self.listed(role).ok()?.version)
    }

    /// Every path that a role read so far lists, with that role. Whether a client would find it
    /// there is for [`Updater::find_target`] to say.
    #[must_use]
    pub fn listed_paths(&self) -> Vec<(String, String)> {
        let roles = self.roles.iter();
        let paths = roles.flat_map(|(role, metadata)| {
            let paths = metadata.content.targets.keys();
            paths.map(|path| (path.clone(), role.name.clone()))
        });
        paths.collect()
    }

    /// Every role read so far.
    #[must_use]
    pub fn validities(&self) -> Vec<RoleValidity> {
        let validity = |role: &str, version, expires| RoleValidity {
            role: role.to_owned(),
            version,
            expires,
        };
        let mut all = vec![validity("root", self.root.version, self.root.expires)];
        let timestamp = self.timestamp.iter();
        all.extend(timestamp.map(|own| validity("timestamp", own.version, own.expires)));
        let snapshot = self.snapshot.iter();
        all.extend(snapshot.map(|own| validity("snapshot", own.version, own.expires)));
        let roles = self.roles.iter();
        all.extend(roles.map(|(role, own)| validity(&role.name, own.version, own.expires)));
        all
    }
}
