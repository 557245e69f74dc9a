//! What is drafted: other keys for a role, another number of bins, or the same for longer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Drafts;
use super::pending::may_wait;
use crate::model::{KeyId, PublicKey, Sha256Digest, UtcTime};
use crate::publish::ceremony::{Kept, ROLES, role};
use crate::publish::metadata::{self, CLAIMED, MAX_BIN_BITS};
use crate::publish::role_keys::{can_be_met, key_ids, threshold};
use crate::publish::roles::{Roles, delegator, is_top};
use crate::trust::KeyError;
use crate::trust::ed25519::check_key;
use crate::trust::tuf::bin_name;

/// Other keys for a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Keys that may sign from now on.
    pub add: Vec<PublicKey>,
    /// Keys that may no more.
    pub remove: Vec<KeyId>,
    /// How many must sign; as before, if nothing is said.
    pub threshold: Option<u64>,
}

/// Why nothing was drafted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// There is no such role, or it has no keys of its own.
    #[error("no role `{0}` has keys in this registry")]
    NoRole(String),
    /// The key signs already.
    #[error("the key {} signs `{role}` already", key.fingerprint())]
    Present {
        /// The role.
        role: String,
        /// The key.
        key: PublicKey,
    },
    /// The key does not sign.
    #[error("the key {key} does not sign `{role}`")]
    Absent {
        /// The role.
        role: String,
        /// The key.
        key: KeyId,
    },
    /// A threshold that is nought, or more than there are keys.
    #[error("{threshold} of the {keys} keys of `{role}` cannot sign")]
    Threshold {
        /// The role.
        role: String,
        /// How many should sign.
        threshold: u64,
        /// How many keys there would be.
        keys: usize,
    },
    /// A key that may be stolen in a role that must outlast it.
    #[error("the key {} would be that of `{offline}`, which is kept offline, and of `{online}`", key.fingerprint())]
    Mixed {
        /// The key.
        key: PublicKey,
        /// An offline role.
        offline: String,
        /// An online role.
        online: String,
    },
    /// Nothing would be another.
    #[error("the keys of `{0}` would be the same as before")]
    Same(String),
    /// The role has no bins.
    #[error("the role `{0}` has no bins")]
    NoBins(String),
    /// More bins than a registry can have.
    #[error("the number of bins is 2 to the power of 1 to {MAX_BIN_BITS}, not of {0}")]
    Bins(u32),
    /// The key may not be registered.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A next version of roles, and of what else it takes to make it.
struct Writer<'a> {
    after: Roles,
    drafted: Vec<String>,
    registry_id: Sha256Digest,
    expires: &'a dyn Fn(&str) -> UtcTime,
}

impl Writer<'_> {
    fn draft(&mut self, role: &str) {
        if self.drafted.iter().any(|drafted| drafted == role) {
            return;
        }
        let expires = (self.expires)(role);
        if let Some(signed) = self.after.get_mut(role) {
            metadata::renew(signed, expires);
            if role == "root" {
                signed["registry_id"] = self.registry_id.to_string().into();
            }
        }
        self.drafted.push(role.to_owned());
    }

    fn drafts(self) -> Drafts {
        let mut drafts = Drafts::default();
        for role in self.drafted {
            drafts.add(&role, self.after[&role].clone());
        }
        drafts
    }
}

/// Drafts of roles as they are, valid for longer. `expires` says until when.
pub fn renew<'a>(
    present: &Roles,
    registry_id: Sha256Digest,
    roles: impl IntoIterator<Item = &'a str>,
    expires: &dyn Fn(&str) -> UtcTime,
) -> Drafts {
    let mut writer = writer(present, registry_id, expires);
    for role in roles.into_iter().flat_map(|role| present.members(role)) {
        writer.draft(&role);
    }
    writer.drafts()
}

/// Drafts by which a role has other keys: of its delegator and, where its next version is one that
/// people sign, of the role itself. Both must have been read.
///
/// # Errors
///
/// Any [`RotationError`] but those of bins.
pub fn rotate(
    present: &Roles,
    registry_id: Sha256Digest,
    role: &str,
    rotation: &Rotation,
    expires: &dyn Fn(&str) -> UtcTime,
) -> Result<Drafts, RotationError> {
    let mut writer = writer(present, registry_id, expires);
    let before = present.description(role);
    let ids = rotated_ids(role, &before, rotation)?;
    let threshold = rotation.threshold.unwrap_or_else(|| threshold(&before));
    if !can_be_met(threshold, ids.len()) {
        return Err(RotationError::Threshold {
            role: role.to_owned(),
            threshold,
            keys: ids.len(),
        });
    }
    check_apart(present, role, &rotation.add)?;
    // A role and its bins have the same keys, and each is described by its own delegator.
    for member in present.members(role) {
        let no_role = || RotationError::NoRole(role.to_owned());
        let description = writer.after.description_mut(&member).ok_or_else(no_role)?;
        description["keyids"] = ids.clone().into();
        description["threshold"] = threshold.into();
        list_keys(&mut writer.after, &member, &rotation.add);
    }
    if writer.after.description(role) == before {
        return Err(RotationError::Same(role.to_owned()));
    }
    for member in present.members(role) {
        writer.draft(delegator(&member));
        if may_wait(&member, present) {
            writer.draft(&member);
        }
    }
    Ok(writer.drafts())
}

/// Drafts by which a role has 2 to the power of `bits` bins: of the role and, where people sign them,
/// of the bins. Every present bin must have been read. None, where there are as many already.
///
/// # Errors
///
/// [`RotationError::Bins`] and [`RotationError::NoBins`].
pub fn rebin(
    present: &Roles,
    registry_id: Sha256Digest,
    (role, bits): (&str, u32),
    expires: &dyn Fn(&str) -> UtcTime,
) -> Result<Drafts, RotationError> {
    if !(1..=MAX_BIN_BITS).contains(&bits) {
        return Err(RotationError::Bins(bits));
    }
    let present_bins = present.bins(role);
    let Some(first) = present_bins.first() else {
        return Err(RotationError::NoBins(role.to_owned()));
    };
    if present.bin_bits(role) == Some(bits) {
        return Ok(Drafts::default());
    }
    let mut writer = writer(present, registry_id, expires);
    if let Some(description) = writer.after.description_mut(first) {
        description["bit_length"] = bits.into();
    }
    writer.draft(role);
    if role != CLAIMED {
        return Ok(writer.drafts());
    }
    for (bin, signed) in rebinned(present, (role, bits), expires) {
        writer.after.insert(&bin, signed);
        writer.drafted.push(bin);
    }
    Ok(writer.drafts())
}

/// The next versions of 2 to the power of `bits` bins, each with the targets that belong to it. A name
/// that had been a bin's goes on counting where it was, and the snapshot keeps names that are no bins
/// any more: for a client, no role may go back or vanish.
pub(super) fn rebinned(
    before: &Roles,
    (role, bits): (&str, u32),
    expires: &dyn Fn(&str) -> UtcTime,
) -> Vec<(String, Value)> {
    let mut shares = shares(before, (role, bits));
    let bin = |bin: String| {
        let mut signed = metadata::targets(&bin, expires(&bin));
        signed["targets"] = shares.remove(&bin).unwrap_or_default().into();
        signed["version"] = (before.listed_version(&bin) + 1).into();
        (bin, signed)
    };
    metadata::bins(role, bits).map(bin).collect()
}

/// The targets of each of 2 to the power of `bits` bins.
pub(super) fn shares(
    before: &Roles,
    (role, bits): (&str, u32),
) -> BTreeMap<String, Map<String, Value>> {
    let mut shares: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for bin in before.bins(role) {
        for (path, listed) in before[&bin]["targets"].as_object().into_iter().flatten() {
            let share = shares.entry(bin_name(role, bits, path)).or_default();
            share.insert(path.clone(), listed.clone());
        }
    }
    shares
}

/// The number of bins for so many packages, as a power of two: about as many bins as records in each,
/// and never fewer than a new registry has.
#[must_use]
pub fn bits_for(packages: usize) -> u32 {
    // The power of two next to a number's root is that of half its logarithm, rounded.
    let doubled = (packages.max(1) as u64).ilog2();
    doubled.div_ceil(2).clamp(metadata::BIN_BITS, MAX_BIN_BITS)
}

fn writer<'a>(
    present: &Roles,
    registry_id: Sha256Digest,
    expires: &'a dyn Fn(&str) -> UtcTime,
) -> Writer<'a> {
    Writer {
        after: present.clone(),
        drafted: Vec::new(),
        registry_id,
        expires,
    }
}

/// The ids of a role's keys when some have come and some have gone, in their order.
fn rotated_ids(
    role: &str,
    before: &Value,
    rotation: &Rotation,
) -> Result<Vec<String>, RotationError> {
    let mut ids: Vec<String> = key_ids(before).map(str::to_owned).collect();
    for key in &rotation.remove {
        let Some(place) = ids.iter().position(|id| *id == key.to_string()) else {
            let (role, key) = (role.to_owned(), *key);
            return Err(RotationError::Absent { role, key });
        };
        ids.remove(place);
    }
    for key in &rotation.add {
        check_key(key)?;
        let id = key.id().to_string();
        if ids.contains(&id) {
            let (role, key) = (role.to_owned(), *key);
            return Err(RotationError::Present { role, key });
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Makes sure that no new key of an offline role is one of an online role, nor the other way round.
fn check_apart(present: &Roles, name: &str, new: &[PublicKey]) -> Result<(), RotationError> {
    let Some(own) = role(name) else {
        return Ok(());
    };
    for other in ROLES.iter().filter(|other| other.kept != own.kept) {
        let description = present.description(other.name);
        let is_theirs =
            |key: &&PublicKey| key_ids(&description).any(|id| id == key.id().to_string());
        if let Some(key) = new.iter().find(is_theirs) {
            let (offline, online) = match own.kept {
                Kept::Offline => (own, other),
                Kept::Online => (other, own),
            };
            return Err(RotationError::Mixed {
                key: *key,
                offline: offline.name.to_owned(),
                online: online.name.to_owned(),
            });
        }
    }
    Ok(())
}

/// Lists new keys with a role's delegator, and drops those that no role has any more.
fn list_keys(after: &mut Roles, role: &str, new: &[PublicKey]) {
    let signed = after.get_mut(delegator(role));
    let place = match is_top(role) {
        true => signed,
        false => signed.and_then(|signed| signed.get_mut("delegations")),
    };
    let Some(place) = place else { return };
    for key in new {
        place["keys"][key.id().to_string()] = metadata::wire_key(key);
    }
    // The bins' one description, the delegations' list, or the root's four.
    let roles = match (place.get("succinct_roles"), place.get("roles")) {
        (Some(bins), _) => vec![bins.clone()],
        (None, Some(Value::Array(roles))) => roles.clone(),
        (None, Some(Value::Object(roles))) => roles.values().cloned().collect(),
        (None, _) => Vec::new(),
    };
    let is_needed = |id: &str| roles.iter().any(|role| key_ids(role).any(|key| key == id));
    if let Some(keys) = place["keys"].as_object_mut() {
        keys.retain(|id, _| is_needed(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_about_as_many_bins_as_records_in_each() {
        for (packages, bins) in [
            (0, 8),
            (14, 8),
            (100, 8),
            (200, 16),
            (1_000, 32),
            (10_000, 128),
            (226_974, 512),
            (usize::MAX, 1 << 16),
        ] {
            assert_eq!(1_u64 << bits_for(packages), bins, "{packages}");
        }
    }
}
