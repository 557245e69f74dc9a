//! The secret keys at hand, and the sealing of TUF metadata with those that a role asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::formats::canonical_json::{Form, JsonError, canonical};
use crate::model::{KeyId, Signature};
use crate::trust::SecretKey;

/// Secret keys by their ids.
#[derive(Debug, Default)]
pub struct RoleKeys(BTreeMap<KeyId, Arc<SecretKey>>);

/// Why metadata could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Fewer of a role's keys are at hand than its threshold.
    #[error("role `{role}` needs {threshold} of its {} keys, and {at_hand} are at hand", keys.len())]
    MissingKeys {
        /// The role.
        role: String,
        /// How many must sign.
        threshold: u64,
        /// How many could.
        at_hand: usize,
        /// All keys of the role.
        keys: Vec<String>,
    },
    /// The metadata has no canonical form.
    #[error("role `{role}` cannot be written")]
    Canonical {
        /// The role.
        role: String,
        /// Why.
        #[source]
        source: JsonError,
    },
}

impl RoleKeys {
    /// Takes keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SecretKey>) -> Self {
        Self(
            keys.into_iter()
                .map(|key| (key.public().id(), Arc::new(key)))
                .collect(),
        )
    }

    /// The key of that id.
    #[must_use]
    pub fn get(&self, id: &KeyId) -> Option<&SecretKey> {
        self.0.get(id).map(Arc::as_ref)
    }

    /// Those of the keys that have these ids.
    #[must_use]
    pub fn only(&self, ids: &BTreeSet<KeyId>) -> Self {
        let keys = self.0.iter().filter(|(id, _)| ids.contains(id));
        Self(keys.map(|(id, key)| (*id, Arc::clone(key))).collect())
    }

    /// These keys and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Signs metadata with the keys of its role and returns the bytes of its file, which come out the
    /// same each time.
    pub fn seal(
        &self,
        role: &str,
        description: &Value,
        signed: &Value,
    ) -> Result<Vec<u8>, SealError> {
        let threshold = threshold(description);
        let at_hand = self.of(description).len();
        if (at_hand as u64) < threshold {
            return Err(SealError::MissingKeys {
                role: role.to_owned(),
                threshold,
                at_hand,
                keys: key_ids(description).map(str::to_owned).collect(),
            });
        }
        file(role, signed, &self.sign(role, description, signed)?)
    }

    /// The signatures of those of a role's keys that are at hand, be they enough or not.
    pub fn sign(
        &self,
        role: &str,
        description: &Value,
        signed: &Value,
    ) -> Result<Vec<Signature>, SealError> {
        let message = canonical(signed, Form::Olpc).map_err(canonical_error(role))?;
        let keys = self.of(description);
        Ok(keys.iter().map(|key| key.sign(&message)).collect())
    }

    /// Whether enough of a role's keys are at hand.
    #[must_use]
    pub fn can_seal(&self, description: &Value) -> bool {
        self.of(description).len() as u64 >= threshold(description)
    }

    fn of(&self, description: &Value) -> Vec<&SecretKey> {
        key_ids(description)
            .filter_map(|id| self.get(&id.parse().ok()?))
            .collect()
    }
}

/// The bytes of a metadata file, which are themselves in a canonical form (RFC 8785).
pub(super) fn file(
    role: &str,
    signed: &Value,
    signatures: &[Signature],
) -> Result<Vec<u8>, SealError> {
    let signatures = signatures
        .iter()
        .map(|s| json!({"keyid": s.key_id.to_string(), "sig": hex::encode(&s.bytes)}));
    let file = json!({"signatures": signatures.collect::<Vec<_>>(), "signed": signed});
    canonical(&file, Form::Jcs).map_err(canonical_error(role))
}

fn canonical_error(role: &str) -> impl FnOnce(JsonError) -> SealError {
    let role = role.to_owned();
    move |source| SealError::Canonical { role, source }
}

/// How many keys must sign, as a role's description says; more than there are, where it does not.
#[must_use]
pub fn threshold(description: &Value) -> u64 {
    description["threshold"].as_u64().unwrap_or(u64::MAX)
}

/// Whether so many of so many can sign.
pub(super) const fn can_be_met(threshold: u64, keys: usize) -> bool {
    0 < threshold && threshold <= keys as u64
}

/// The key ids of a role's description.
pub fn key_ids(description: &Value) -> impl Iterator<Item = &str> {
    description["keyids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_only_with_enough_of_the_roles_own_keys() {
        let keys = [1, 2, 3].map(|seed| SecretKey::from_seed(&[seed; 32]));
        let ids = [&keys[0], &keys[1]].map(|key| key.public().id().to_string());
        let description = json!({"keyids": ids, "threshold": 2});
        let [first, second, stranger] = keys;
        let few = RoleKeys::new([first, stranger]);
        let error = few.seal("targets", &description, &json!({})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "role `targets` needs 2 of its 2 keys, and 1 are at hand"
        );
        let enough = RoleKeys::new([SecretKey::from_seed(&[1; 32]), second]);
        let file: Value =
            serde_json::from_slice(&enough.seal("targets", &description, &json!({})).unwrap())
                .unwrap();
        assert_eq!(file["signatures"].as_array().unwrap().len(), 2);
    }
}
