//! TUF metadata as values: what goes into each role of a registry, before it is signed.
//!
//! The names and shapes are those of TUF 1.0, section 4, and TAP 15. No file is read or written.

use serde_json::{Map, Value, json};

use crate::formats::policy::Lifetimes;
use crate::model::{PublicKey, Sha256Digest, UtcTime};
use crate::trust::tuf::numbered_bin;

const SPEC_VERSION: &str = "1.0.31";
/// The bins that share the packages' records, and those that share the claims: 2 to the power of this.
const BIN_BITS: u32 = 3;
/// The role whose online bins list the packages' records, and the prefix of the bins' names.
pub const PACKAGES: &str = "packages";
/// The role whose offline bins say whose a package is, and the prefix of the bins' names.
pub const CLAIMED: &str = "claimed";

/// The keys of a `--solo` registry: one that is kept offline, one that publishes.
#[derive(Debug, Clone, Copy)]
pub struct SoloKeys {
    /// Signs root, targets, policy, rollout, claims, and which keys the bins have.
    pub offline: PublicKey,
    /// Signs bins, catalog, snapshot and timestamp.
    pub online: PublicKey,
}

/// Says whether a solo registry's offline key signs a role.
#[must_use]
pub fn is_offline(role: &str) -> bool {
    matches!(role, "root" | "targets" | "policy" | "rollout" | PACKAGES)
        || role == CLAIMED
        || binning_role(role) == Some(CLAIMED)
}

/// Days that a role's metadata is valid from the moment of signing.
#[must_use]
pub fn lifetime(role: &str, lifetimes: &Lifetimes) -> u32 {
    match role {
        "timestamp" => lifetimes.timestamp,
        "snapshot" => lifetimes.snapshot,
        _ if is_offline(role) => lifetimes.offline,
        _ => lifetimes.online,
    }
}

/// The first root of a solo registry. Its digest is the registry's id, so it holds the public address
/// besides: two registries of the same keys are two, even if they were made in the same second.
#[must_use]
pub fn root(keys: &SoloKeys, base: &str, expires: UtcTime) -> Value {
    let (offline, online) = (role(&keys.offline), role(&keys.online));
    let mut signed = common("root", 1, expires);
    signed.insert("base".into(), base.into());
    signed.insert("consistent_snapshot".into(), true.into());
    signed.insert("keys".into(), key_map(&[keys.offline, keys.online]));
    signed.insert(
        "roles".into(),
        json!({"root": offline, "targets": offline, "snapshot": online, "timestamp": online}),
    );
    Value::Object(signed)
}

/// The first top-level targets of a solo registry: no publisher yet, and the delegations.
#[must_use]
pub fn top_targets(keys: &SoloKeys, expires: UtcTime) -> Value {
    let SoloKeys { offline, online } = keys;
    let records = ["?/*.json", "3/?/*.json", "??/??/*.json"];
    let delegations = json!({
        "keys": key_map(&[*offline, *online]),
        "roles": [
            delegation("policy", offline, &["policy.json", "unsigned.json"]),
            delegation("rollout", offline, &["rollout.yaml"]),
            delegation("catalog", online, &["catalog/index.json", "halt.json"]),
            delegation(CLAIMED, offline, &["claimed/*"]),
            delegation(PACKAGES, offline, &records),
        ],
    });
    with_delegations(targets(expires), delegations)
}

/// A role that hands its paths on to bins (TAP 15) of that key.
#[must_use]
pub fn binned(name: &str, key: &PublicKey, expires: UtcTime) -> Value {
    let mut bins = role(key);
    bins["bit_length"] = BIN_BITS.into();
    bins["name_prefix"] = name.into();
    let delegations = json!({"keys": key_map(&[*key]), "succinct_roles": bins});
    with_delegations(targets(expires), delegations)
}

/// The names of the bins that a role of [`binned`] delegates to.
pub fn bins(name: &str) -> impl Iterator<Item = String> {
    (0..1 << BIN_BITS).map(move |bin| numbered_bin(name, BIN_BITS, bin))
}

/// The role that delegates to a bin; nothing for a role that is no bin.
#[must_use]
pub fn binning_role(role: &str) -> Option<&'static str> {
    let (prefix, _) = role.split_once('-')?;
    [PACKAGES, CLAIMED].into_iter().find(|name| *name == prefix)
}

/// Metadata of type `targets`, version 1, that lists nothing.
#[must_use]
pub fn targets(expires: UtcTime) -> Value {
    let mut signed = common("targets", 1, expires);
    signed.insert("targets".into(), json!({}));
    Value::Object(signed)
}

/// Lists a file in metadata of type `targets`.
pub fn set_target(signed: &mut Value, path: &str, bytes: &[u8]) {
    signed["targets"][path] = listed(bytes);
}

/// A snapshot: the version of every role of type `targets`.
#[must_use]
pub fn snapshot<'a>(
    version: u64,
    expires: UtcTime,
    roles: impl Iterator<Item = (&'a str, u64)>,
) -> Value {
    let meta = roles.map(|(role, version)| (format!("{role}.json"), json!({"version": version})));
    let mut signed = common("snapshot", version, expires);
    signed.insert("meta".into(), Value::Object(meta.collect()));
    Value::Object(signed)
}

/// A timestamp: which snapshot is the present one.
#[must_use]
pub fn timestamp(version: u64, expires: UtcTime, snapshot_version: u64, snapshot: &[u8]) -> Value {
    let mut meta = listed(snapshot);
    meta["version"] = snapshot_version.into();
    let mut signed = common("timestamp", version, expires);
    signed.insert("meta".into(), json!({"snapshot.json": meta}));
    Value::Object(signed)
}

/// Makes present metadata the next version of itself.
pub fn renew(signed: &mut Value, expires: UtcTime) {
    let version = signed["version"].as_u64().unwrap_or(0);
    signed["version"] = (version + 1).into();
    signed["expires"] = expires.to_string().into();
}

fn common(kind: &str, version: u64, expires: UtcTime) -> Map<String, Value> {
    let mut signed = Map::new();
    signed.insert("_type".into(), kind.into());
    signed.insert("spec_version".into(), SPEC_VERSION.into());
    signed.insert("version".into(), version.into());
    signed.insert("expires".into(), expires.to_string().into());
    signed
}

fn with_delegations(mut signed: Value, delegations: Value) -> Value {
    signed["delegations"] = delegations;
    signed
}

fn role(key: &PublicKey) -> Value {
    json!({"keyids": [key.id().to_string()], "threshold": 1})
}

fn delegation(name: &str, key: &PublicKey, paths: &[&str]) -> Value {
    let mut delegation = role(key);
    delegation["name"] = name.into();
    delegation["paths"] = paths.into();
    delegation["terminating"] = true.into();
    delegation
}

fn key_map(keys: &[PublicKey]) -> Value {
    let entry = |key: &PublicKey| {
        let value = json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.to_string()}});
        (key.id().to_string(), value)
    };
    Value::Object(keys.iter().map(entry).collect())
}

fn listed(bytes: &[u8]) -> Value {
    json!({"length": bytes.len(), "hashes": {"sha256": Sha256Digest::of(bytes).to_string()}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_role_is_one_version_further() {
        let time = UtcTime::from_unix(0).unwrap();
        let mut signed = targets(time);
        renew(&mut signed, time.plus_days(1));
        assert_eq!(signed["version"], 2);
        assert_eq!(signed["expires"], "1970-01-02T00:00:00Z");
    }

    #[test]
    fn there_are_as_many_bins_as_the_delegation_says() {
        assert_eq!(bins(PACKAGES).count(), 8);
        assert_eq!(bins(PACKAGES).last().as_deref(), Some("packages-7"));
    }

    #[test]
    fn a_bin_is_told_by_its_name() {
        assert_eq!(binning_role("packages-7"), Some(PACKAGES));
        assert_eq!(binning_role("claimed-0"), Some(CLAIMED));
        assert_eq!(binning_role("claimed"), None);
        assert_eq!(binning_role("other-0"), None);
    }
}
