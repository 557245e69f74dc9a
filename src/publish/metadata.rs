//! TUF metadata as values: what goes into each role of a registry, before it is signed.
//!
//! The names and shapes are those of TUF 1.0, section 4, and TAP 15. No file is read or written.

use serde_json::{Map, Value, json};

use super::ceremony::{BINS, Ceremony, ROLES, Signers};
use crate::model::{PublicKey, Sha256Digest, UtcTime};
use crate::trust::tuf::numbered_bin;

const SPEC_VERSION: &str = "1.0.31";
/// The bins of a new registry that share the packages' records: 2 to the power of this.
pub const BIN_BITS: u32 = 3;
/// More bins than a registry of any size needs; a client reads no more when it reads them all.
pub const MAX_BIN_BITS: u32 = 16;
/// The role whose online bins list the packages' records, and the prefix of the bins' names.
pub const PACKAGES: &str = "packages";
/// The role whose offline bins say whose a package is, and the prefix of the bins' names.
pub const CLAIMED: &str = "claimed";
/// The roles that the root names.
pub const TOP: [&str; 4] = ["root", "targets", "snapshot", "timestamp"];

/// The first root of a registry. Its digest is the registry's id, so it holds the public address
/// besides: two registries of the same keys are two, even if they were made in the same second.
#[must_use]
pub fn root(ceremony: &Ceremony, base: &str, expires: UtcTime) -> Value {
    let mut signed = common("root", 1, expires);
    signed.insert("base".into(), base.into());
    signed.insert("consistent_snapshot".into(), true.into());
    signed.insert("keys".into(), key_map(&ceremony.keys(TOP)));
    let roles = TOP.map(|role| (role.to_owned(), describe(ceremony.of(role))));
    signed.insert("roles".into(), Value::Object(roles.into_iter().collect()));
    Value::Object(signed)
}

/// The first top-level targets of a registry: no publisher yet, and the delegations.
#[must_use]
pub fn top_targets(ceremony: &Ceremony, expires: UtcTime) -> Value {
    let delegated = || ROLES.iter().filter(|role| !role.paths.is_empty());
    let roles = delegated().map(|role| delegation(role.name, ceremony.of(role.name), role.paths));
    let delegations = json!({
        "keys": key_map(&ceremony.keys(delegated().map(|role| role.name))),
        "roles": roles.collect::<Vec<_>>(),
    });
    with_delegations(targets("targets", expires), delegations)
}

/// A role that hands its paths on to bins (TAP 15) of those keys.
#[must_use]
pub fn binned(name: &str, signers: &Signers, expires: UtcTime) -> Value {
    let mut bins = describe(signers);
    bins["bit_length"] = BIN_BITS.into();
    bins["name_prefix"] = name.into();
    let delegations = json!({"keys": key_map(&signers.keys), "succinct_roles": bins});
    with_delegations(targets(name, expires), delegations)
}

/// The names of a role's bins, where there are 2 to the power of `bits`.
pub fn bins(name: &str, bits: u32) -> impl Iterator<Item = String> {
    (0..1 << bits).map(move |bin| numbered_bin(name, bits, bin))
}

/// The role that delegates to a bin, or to the bins; nothing for a role that is none.
#[must_use]
pub fn binning_role(role: &str) -> Option<&'static str> {
    if role == BINS {
        return Some(PACKAGES);
    }
    let (prefix, _) = role.split_once('-')?;
    [PACKAGES, CLAIMED].into_iter().find(|name| *name == prefix)
}

/// Metadata of type `targets`, version 1, that lists nothing. TUF has no name of the role in it; without
/// one, what one key signs for one role could be served for another.
#[must_use]
pub fn targets(role: &str, expires: UtcTime) -> Value {
    let mut signed = common("targets", 1, expires);
    signed.insert("role".into(), role.into());
    signed.insert("targets".into(), json!({}));
    Value::Object(signed)
}

/// Lists a file in metadata of type `targets`.
pub fn set_target(signed: &mut Value, path: &str, bytes: &[u8]) {
    signed["targets"][path] = listed(bytes);
}

/// Lists a file no more. Returns false if it was not listed.
pub fn remove_target(signed: &mut Value, path: &str) -> bool {
    let targets = signed["targets"].as_object_mut();
    targets.is_some_and(|targets| targets.remove(path).is_some())
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

/// A role's description: the ids of its keys, and how many of them must sign.
fn describe(signers: &Signers) -> Value {
    let ids = signers.keys.iter().map(|key| key.id().to_string());
    json!({"keyids": ids.collect::<Vec<_>>(), "threshold": signers.threshold})
}

fn delegation(name: &str, signers: &Signers, paths: &[&str]) -> Value {
    let mut delegation = describe(signers);
    delegation["name"] = name.into();
    delegation["paths"] = paths.into();
    delegation["terminating"] = true.into();
    delegation
}

fn key_map(keys: &[PublicKey]) -> Value {
    let entry = |key: &PublicKey| (key.id().to_string(), wire_key(key));
    Value::Object(keys.iter().map(entry).collect())
}

/// A key as metadata lists it.
#[must_use]
pub fn wire_key(key: &PublicKey) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.to_string()}})
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
        let mut signed = targets("packages-0", time);
        renew(&mut signed, time.plus_days(1));
        assert_eq!(signed["version"], 2);
        assert_eq!(signed["expires"], "1970-01-02T00:00:00Z");
    }

    #[test]
    fn there_are_as_many_bins_as_the_delegation_says() {
        assert_eq!(bins(PACKAGES, 3).count(), 8);
        assert_eq!(bins(PACKAGES, 3).last().as_deref(), Some("packages-7"));
        assert_eq!(bins(CLAIMED, 5).last().as_deref(), Some("claimed-1f"));
    }

    #[test]
    fn a_bin_is_told_by_its_name() {
        assert_eq!(binning_role("packages-7"), Some(PACKAGES));
        assert_eq!(binning_role("claimed-0"), Some(CLAIMED));
        assert_eq!(binning_role("bins"), Some(PACKAGES));
        assert_eq!(binning_role("claimed"), None);
        assert_eq!(binning_role("other-0"), None);
    }
}
