//! Looking a target up, and the word of warning where a role on the way there expires soon.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use super::{Client, find};
use crate::model::Event;
use crate::registry::error::ClientError;
use crate::trust::tuf::TargetFile;
use crate::trust::{Verified, ageing};

/// Of which roles it was said that they expire soon.
pub(super) type Warned = BTreeSet<String>;

impl Client<'_> {
    /// Looks a target up.
    pub(super) fn find(&self, path: &str) -> Result<Option<Verified<TargetFile>>, ClientError> {
        let found = find(&mut self.standing().tuf, &self.files, path)?;
        self.warn_of_age();
        Ok(found)
    }

    /// Warns of roles that were read and expire soon, of each once, of bins together. Of a copy it is said
    /// when one that was read since it was opened makes it an expired one.
    pub(super) fn warn_of_age(&self) {
        let standing = self.standing();
        if !standing.freshness.is_online {
            let freshness = standing.freshness();
            let is_new =
                standing.freshness.expires > self.terms.now && freshness.expires <= self.terms.now;
            if is_new && self.warned().insert("copy".to_owned()) {
                self.events.event(freshness.expired(&self.name));
            }
            return;
        }
        let lifetimes = &standing.policy.lifetimes;
        let mut warned = self.warned();
        for validity in standing.tuf.validities() {
            let role = &validity.role;
            let family = role.split_inclusive('-').next().unwrap_or(role);
            if let Some(ageing) = ageing(role, validity.expires, lifetimes, self.terms.now)
                && warned.insert(family.to_owned())
            {
                let text = format!("of `{}`, {ageing}; tell its operator", self.name);
                self.events.event(Event::Warning(text));
            }
        }
    }
    fn warned(&self) -> MutexGuard<'_, Warned> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
