//! The secret keys at hand, and the sealing of TUF metadata with those that a role asks for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::formats::canonical_json::{Form, JsonError, canonical};
use crate::model::KeyId;
use crate::trust::SecretKey;

/// Secret keys by their ids.
#[derive(Debug, Default)]
pub struct RoleKeys(BTreeMap<KeyId, SecretKey>);

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
                .map(|key| (key.public().id(), key))
                .collect(),
        )
    }

    /// The key of that id.
    #[must_use]
    pub fn get(&self, id: &KeyId) -> Option<&SecretKey> {
        self.0.get(id)
    }

    /// Signs metadata with the keys of its role and returns the bytes of its file, which are
    /// themselves in a canonical form (RFC 8785), so that they come out the same each time.
    pub fn seal(
        &self,
        role: &str,
        description: &Value,
        signed: &Value,
    ) -> Result<Vec<u8>, SealError> {
        let threshold = description["threshold"].as_u64().unwrap_or(u64::MAX);
        let keys = self.of(description);
        if (keys.len() as u64) < threshold {
            return Err(SealError::MissingKeys {
                role: role.to_owned(),
                threshold,
                at_hand: keys.len(),
                keys: key_ids(description).map(str::to_owned).collect(),
            });
        }
        let canonical_error = |source| SealError::Canonical {
            role: role.to_owned(),
            source,
        };
        let message = canonical(signed, Form::Olpc).map_err(canonical_error)?;
        let signatures: Vec<Value> = keys
            .iter()
            .map(|key| key.sign(&message))
            .map(|s| json!({"keyid": s.key_id.to_string(), "sig": hex::encode(s.bytes)}))
            .collect();
        let file = json!({"signatures": signatures, "signed": signed});
        canonical(&file, Form::Jcs).map_err(canonical_error)
    }

    /// Says whether enough of a role's keys are at hand.
    #[must_use]
    pub fn can_seal(&self, description: &Value) -> bool {
        let threshold = description["threshold"].as_u64();
        threshold.is_some_and(|threshold| self.of(description).len() as u64 >= threshold)
    }

    fn of(&self, description: &Value) -> Vec<&SecretKey> {
        key_ids(description)
            .filter_map(|id| self.0.get(&id.parse().ok()?))
            .collect()
    }
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
