//! The signed parts of a registry's roles, as values, and what they say of each other: whose keys
//! sign which. Nothing is checked here; who puts a role in has checked it.

use std::collections::BTreeMap;
use std::ops::Index;

use serde_json::Value;

use super::ceremony::BINS;
use super::metadata::{self, CLAIMED, MAX_BIN_BITS, PACKAGES, TOP, binning_role};
use crate::model::UtcTime;
use crate::trust::Ageing;
use crate::trust::tuf::Authority;

static NOTHING: Value = Value::Null;

/// Roles by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, Value>);

impl Index<&str> for Roles {
    type Output = Value;

    /// A role; `null` for one that was not read.
    fn index(&self, role: &str) -> &Value {
        self.0.get(role).unwrap_or(&NOTHING)
    }
}

impl Roles {
    /// Puts a role in the place of an earlier one.
    pub fn insert(&mut self, role: &str, signed: Value) {
        self.0.insert(role.to_owned(), signed);
    }

    /// A role, to be changed.
    pub fn get_mut(&mut self, role: &str) -> Option<&mut Value> {
        self.0.get_mut(role)
    }

    /// Whether a role was read.
    #[must_use]
    pub fn contains(&self, role: &str) -> bool {
        self.0.contains_key(role)
    }

    /// The names of the roles that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The version of a role; 0 if it was not read.
    #[must_use]
    pub fn version(&self, role: &str) -> u64 {
        version_of(&self[role])
    }

    /// When a role expires.
    #[must_use]
    pub fn expires(&self, role: &str) -> Option<UtcTime> {
        self[role]["expires"].as_str()?.parse().ok()
    }

    /// The version of a role of type `targets` that the snapshot lists.
    #[must_use]
    pub fn listed_version(&self, role: &str) -> u64 {
        version_of(&self["snapshot"]["meta"][format!("{role}.json")])
    }

    /// Whose keys sign a role, and how many of them: what its delegator says.
    #[must_use]
    pub fn description(&self, role: &str) -> Value {
        let delegator = &self[delegator(role)];
        match role {
            _ if is_top(role) => delegator["roles"][role].clone(),
            _ if is_bin(role) => delegator["delegations"]["succinct_roles"].clone(),
            _ => {
                let delegations = delegator["delegations"]["roles"].as_array();
                let mut delegations = delegations.into_iter().flatten();
                let found = delegations.find(|delegation| delegation["name"] == role);
                found.cloned().unwrap_or_default()
            }
        }
    }

    /// A role's description, to be changed.
    pub fn description_mut(&mut self, role: &str) -> Option<&mut Value> {
        let signed = self.get_mut(delegator(role))?;
        let found = match role {
            _ if is_top(role) => signed.pointer_mut(&format!("/roles/{role}")),
            _ if is_bin(role) => signed.pointer_mut("/delegations/succinct_roles"),
            _ => {
                let delegations = signed.pointer_mut("/delegations/roles")?.as_array_mut()?;
                delegations.iter_mut().find(|d| d["name"] == role)
            }
        };
        found.filter(|description| description.is_object())
    }

    /// The keys that a role's delegator lists, by their ids.
    #[must_use]
    pub fn keys(&self, role: &str) -> Value {
        let delegator = &self[delegator(role)];
        let keys = match is_top(role) {
            true => &delegator["keys"],
            false => &delegator["delegations"]["keys"],
        };
        keys.clone()
    }

    /// Whose signatures a role needs.
    #[must_use]
    pub fn authority(&self, role: &str) -> Authority {
        Authority {
            description: self.description(role),
            keys: self.keys(role),
        }
    }

    /// The roles that `targets` delegates to by name.
    #[must_use]
    pub fn delegated(&self) -> Vec<String> {
        let delegations = self["targets"]["delegations"]["roles"].as_array();
        let names = delegations.into_iter().flatten();
        let names = names.filter_map(|delegation| delegation["name"].as_str());
        names.map(str::to_owned).collect()
    }

    /// The number of a role's bins, as a power of two; nothing if it is none that this program writes.
    #[must_use]
    pub fn bin_bits(&self, role: &str) -> Option<u32> {
        let bits = &self[role]["delegations"]["succinct_roles"]["bit_length"];
        let bits = u32::try_from(bits.as_u64()?).ok();
        bits.filter(|bits| (1..=MAX_BIN_BITS).contains(bits))
    }

    /// The names of a role's bins.
    #[must_use]
    pub fn bins(&self, role: &str) -> Vec<String> {
        let bins = self.bin_bits(role).map(|bits| metadata::bins(role, bits));
        bins.into_iter().flatten().collect()
    }

    /// What has the keys of a role as the operator calls it: the role itself, and bins.
    #[must_use]
    pub fn members(&self, role: &str) -> Vec<String> {
        match role {
            BINS => self.bins(PACKAGES),
            CLAIMED => [vec![CLAIMED.to_owned()], self.bins(CLAIMED)].concat(),
            role => vec![role.to_owned()],
        }
    }
}

/// The role that says whose keys sign a role.
#[must_use]
pub fn delegator(role: &str) -> &'static str {
    match role {
        _ if is_top(role) => "root",
        _ => binning_role(role).unwrap_or("targets"),
    }
}

/// Roles that the root names.
#[must_use]
pub fn is_top(role: &str) -> bool {
    TOP.contains(&role)
}

/// Whether a role is one of the bins, or stands for those of the records.
#[must_use]
pub fn is_bin(role: &str) -> bool {
    binning_role(role).is_some()
}

/// What the operator calls a role: bins have the keys of a role that has a name.
#[must_use]
pub fn operator_name(role: &str) -> &str {
    match binning_role(role) {
        Some(PACKAGES) => BINS,
        Some(binning) => binning,
        None => role,
    }
}

/// The same with the names that the operator uses, and each once, with its first expiry: bins are many.
#[must_use]
pub fn by_operator_name(all: impl IntoIterator<Item = Ageing>) -> Vec<Ageing> {
    let mut folded: Vec<Ageing> = Vec::new();
    for Ageing { role, expires } in all {
        let role = operator_name(&role).to_owned();
        match folded.iter_mut().find(|known| known.role == role) {
            Some(known) => known.expires = known.expires.min(expires),
            None => folded.push(Ageing { role, expires }),
        }
    }
    folded
}

/// The version that a value states; 0 if it states none.
#[must_use]
pub fn version_of(value: &Value) -> u64 {
    value["version"].as_u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::ceremony::Ceremony;
    use crate::trust::SecretKey;

    #[test]
    fn each_role_is_described_by_its_delegator() {
        let [offline, online] = [1, 2].map(|seed| SecretKey::from_seed(&[seed; 32]).public());
        let ceremony = Ceremony::solo(offline, online).unwrap();
        let expires = UtcTime::from_unix(0).unwrap();
        let mut roles = Roles::default();
        roles.insert(
            "root",
            metadata::root(&ceremony, "https://r.example/", expires),
        );
        roles.insert("targets", metadata::top_targets(&ceremony, expires));
        for (name, signers) in [(PACKAGES, BINS), (CLAIMED, CLAIMED)] {
            let signed = metadata::binned(name, ceremony.of(signers), expires);
            roles.insert(name, signed);
        }
        for (role, key) in [
            ("root", offline),
            ("timestamp", online),
            ("policy", offline),
            ("catalog", online),
            ("packages", offline),
            ("packages-3", online),
            ("bins", online),
            ("claimed", offline),
            ("claimed-7", offline),
        ] {
            let authority = roles.authority(role);
            let id = key.id().to_string();
            assert_eq!(authority.description["keyids"][0], id.as_str(), "{role}");
            assert!(authority.keys[&id].is_object(), "{role}");
            assert!(roles.description_mut(role).is_some(), "{role}");
        }
        assert_eq!(
            roles.delegated(),
            ["policy", "rollout", "catalog", "claimed", "packages"]
        );
        assert_eq!(roles.bin_bits(PACKAGES), Some(3));
        assert_eq!(roles.members("claimed").len(), 1 + 8);
        assert_eq!(roles.members("bins"), roles.bins(PACKAGES));
        assert_eq!(operator_name("packages-3"), "bins");
        assert_eq!(operator_name("claimed-3"), "claimed");
        assert_eq!(operator_name("policy"), "policy");
        assert!(roles.description_mut("nobody").is_none());
        assert_eq!(roles["nobody"], Value::Null);
    }
}
