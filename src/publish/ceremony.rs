//! Who signs what in a registry: its roles, and the keys that somebody gives them.

use std::collections::{BTreeMap, BTreeSet};

use super::role_keys::can_be_met;
use crate::model::PublicKey;
use crate::trust::KeyError;
use crate::trust::ed25519::check_key;

/// Where the keys of a role belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// With people, plugged in when they are needed.
    Offline,
    /// Where releases are taken in.
    Online,
}

/// A role of a registry, or several that have the same keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// As the operator calls it.
    pub name: &'static str,
    /// Where its keys belong.
    pub kept: Kept,
    /// The role whose keys it has where it is given none.
    pub like: Option<&'static str>,
    /// The targets that are delegated to it by name.
    pub paths: &'static [&'static str],
}

/// The role of the bins of `packages`, which share the records. Those of `claimed` have its keys.
pub const BINS: &str = "bins";
/// Keys in the policy, not of metadata: they vouch for archives.
pub const VOUCHERS: &str = "vouchers";
/// Keys in the policy, not of metadata: they withdraw versions and assign packages.
pub const RECOVERY: &str = "recovery";

/// All roles. Those with paths are delegated by `targets`, in this order.
pub const ROLES: [Role; 12] = [
    offline("root", None, &[]),
    offline("targets", None, &[]),
    offline("policy", Some("targets"), &["policy.json", "unsigned.json"]),
    offline("rollout", Some("targets"), &["rollout.yaml"]),
    online(
        "catalog",
        Some("timestamp"),
        &["catalog/index.json", "catalog/popularity.csv", "halt.json"],
    ),
    offline("claimed", Some("targets"), &["claimed/*"]),
    offline(
        "packages",
        Some("targets"),
        &["?/*.json", "3/?/*.json", "??/??/*.json"],
    ),
    online(BINS, Some("timestamp"), &[]),
    online("snapshot", Some("timestamp"), &[]),
    online("timestamp", None, &[]),
    online(VOUCHERS, Some(BINS), &[]),
    offline(RECOVERY, Some("policy"), &[]),
];

const fn offline(
    name: &'static str,
    like: Option<&'static str>,
    paths: &'static [&'static str],
) -> Role {
    let kept = Kept::Offline;
    Role {
        name,
        kept,
        like,
        paths,
    }
}

const fn online(
    name: &'static str,
    like: Option<&'static str>,
    paths: &'static [&'static str],
) -> Role {
    let kept = Kept::Online;
    Role {
        name,
        kept,
        like,
        paths,
    }
}

/// The role of that name.
#[must_use]
pub fn role(name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.name == name)
}

/// The keys of a role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The keys, each once.
    pub keys: Vec<PublicKey>,
    /// How many must sign.
    pub threshold: u64,
}

impl Signers {
    /// One key, which signs alone.
    #[must_use]
    pub fn one(key: PublicKey) -> Self {
        Self {
            keys: vec![key],
            threshold: 1,
        }
    }
}

/// Who signs what in a new registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony(BTreeMap<&'static str, Signers>);

/// Why keys do not make a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// There is no such role.
    #[error("no role is called `{0}`")]
    Unknown(String),
    /// A role without keys.
    #[error("the role `{0}` has no key")]
    NoKeys(&'static str),
    /// A threshold that is nought, or more than there are keys.
    #[error("{threshold} of the {keys} keys of `{role}` cannot sign")]
    Threshold {
        /// The role.
        role: String,
        /// How many should sign.
        threshold: u64,
        /// How many keys there are.
        keys: usize,
    },
    /// A key of the policy acts alone.
    #[error("each key of `{0}` acts alone, so that it has no threshold")]
    ActsAlone(String),
    /// The same key twice in a role.
    #[error("the role `{role}` has the key {} twice", key.fingerprint())]
    Twice {
        /// The role.
        role: String,
        /// The key.
        key: PublicKey,
    },
    /// A key that may be stolen in a role that must outlast it.
    #[error("the key {} would be that of `{offline}`, which is kept offline, and of `{online}`", key.fingerprint())]
    Mixed {
        /// The key.
        key: PublicKey,
        /// An offline role.
        offline: &'static str,
        /// An online role.
        online: &'static str,
    },
    /// A key that may not be registered.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Ceremony {
    /// One key that is kept offline and one that publishes.
    ///
    /// # Errors
    ///
    /// [`CeremonyError::Mixed`] if both are the same, [`CeremonyError::Key`] if one is unusable.
    pub fn solo(offline: PublicKey, online: PublicKey) -> Result<Self, CeremonyError> {
        let roles = ROLES.iter().map(|role| {
            let key = match role.kept {
                Kept::Offline => offline,
                Kept::Online => online,
            };
            (role.name.to_owned(), Signers::one(key))
        });
        Self::new(roles.collect())
    }

    /// Keys by the names of roles; roles that are not named have the keys of another one.
    ///
    /// # Errors
    ///
    /// Any [`CeremonyError`].
    pub fn new(mut named: BTreeMap<String, Signers>) -> Result<Self, CeremonyError> {
        let mut roles = BTreeMap::new();
        for role in &ROLES {
            if let Some(signers) = named.remove(role.name) {
                check_signers(role.name, &signers)?;
                roles.insert(role.name, signers);
            }
        }
        if let Some((unknown, _)) = named.pop_first() {
            return Err(CeremonyError::Unknown(unknown));
        }
        for role in &ROLES {
            if !roles.contains_key(role.name) {
                let signers = inherited(role, &roles)?;
                roles.insert(role.name, signers);
            }
        }
        check_apart(&roles)?;
        Ok(Self(roles))
    }

    /// Who signs a role.
    #[must_use]
    pub fn of(&self, role: &str) -> &Signers {
        &self.0[role]
    }

    /// The keys of roles, each once.
    #[must_use]
    pub fn keys<'a>(&self, roles: impl IntoIterator<Item = &'a str>) -> Vec<PublicKey> {
        let keys = roles.into_iter().flat_map(|role| &self.of(role).keys);
        let keys: BTreeSet<PublicKey> = keys.copied().collect();
        keys.into_iter().collect()
    }
}

/// The keys of the role that a role without keys is like.
fn inherited(
    role: &Role,
    roles: &BTreeMap<&'static str, Signers>,
) -> Result<Signers, CeremonyError> {
    let mut like = role.like;
    while let Some(name) = like {
        if let Some(signers) = roles.get(name) {
            let threshold = match acts_alone(role.name) {
                true => 1,
                false => signers.threshold,
            };
            let keys = signers.keys.clone();
            return Ok(Signers { keys, threshold });
        }
        like = self::role(name).and_then(|role| role.like);
    }
    Err(CeremonyError::NoKeys(role.name))
}

fn acts_alone(role: &str) -> bool {
    matches!(role, VOUCHERS | RECOVERY)
}

/// Checks keys and threshold of a role.
pub(super) fn check_signers(role: &str, signers: &Signers) -> Result<(), CeremonyError> {
    let Signers { keys, threshold } = signers;
    if !can_be_met(*threshold, keys.len()) {
        return Err(CeremonyError::Threshold {
            role: role.to_owned(),
            threshold: *threshold,
            keys: keys.len(),
        });
    }
    if acts_alone(role) && *threshold > 1 {
        return Err(CeremonyError::ActsAlone(role.to_owned()));
    }
    for (place, key) in keys.iter().enumerate() {
        check_key(key)?;
        if keys[..place].contains(key) {
            let (role, key) = (role.to_owned(), *key);
            return Err(CeremonyError::Twice { role, key });
        }
    }
    Ok(())
}

fn check_apart(roles: &BTreeMap<&'static str, Signers>) -> Result<(), CeremonyError> {
    let of = |kept| ROLES.iter().filter(move |role| role.kept == kept);
    for offline in of(Kept::Offline) {
        for online in of(Kept::Online) {
            let keys = &roles[online.name].keys;
            if let Some(key) = roles[offline.name].keys.iter().find(|k| keys.contains(k)) {
                return Err(CeremonyError::Mixed {
                    key: *key,
                    offline: offline.name,
                    online: online.name,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::SecretKey;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_seed(&[seed; 32]).public()
    }

    fn of(roles: &[(&str, &[u8], u64)]) -> Result<Ceremony, CeremonyError> {
        let signers = |(name, seeds, threshold): &(&str, &[u8], u64)| {
            let keys = seeds.iter().map(|seed| key(*seed)).collect();
            let threshold = *threshold;
            ((*name).to_owned(), Signers { keys, threshold })
        };
        Ceremony::new(roles.iter().map(signers).collect())
    }

    #[test]
    fn roles_without_keys_have_those_of_another() {
        let made = of(&[
            ("root", &[1, 2, 3], 2),
            ("targets", &[4, 5], 2),
            ("timestamp", &[6], 1),
            ("bins", &[7], 1),
        ])
        .unwrap();
        assert_eq!(made.of("root").threshold, 2);
        assert_eq!(made.of("packages"), made.of("targets"));
        assert_eq!(made.of("catalog").keys, [key(6)]);
        assert_eq!(made.of("vouchers").keys, [key(7)]);
        let recovery = made.of("recovery");
        assert_eq!((recovery.threshold, recovery.keys.len()), (1, 2));
    }

    #[test]
    fn keys_that_make_no_registry_are_refused() {
        let rest: &[(&str, &[u8], u64)] = &[("targets", &[4], 1), ("timestamp", &[6], 1)];
        let refused = |more: &[(&str, &[u8], u64)]| of(&[rest, more].concat()).unwrap_err();
        assert_eq!(refused(&[]), CeremonyError::NoKeys("root"));
        let (offline, online) = ("root", "catalog");
        assert_eq!(
            refused(&[("root", &[6], 1)]),
            CeremonyError::Mixed {
                key: key(6),
                offline,
                online
            }
        );
        assert!(matches!(
            refused(&[("root", &[1, 1], 1)]),
            CeremonyError::Twice { .. }
        ));
        for threshold in [0, 2] {
            let error = refused(&[("root", &[1], threshold)]);
            assert!(matches!(error, CeremonyError::Threshold { .. }));
        }
        let root: (&str, &[u8], u64) = ("root", &[1], 1);
        let unknown = refused(&[root, ("roots", &[1], 1)]);
        assert_eq!(unknown, CeremonyError::Unknown("roots".into()));
        let two = refused(&[root, ("recovery", &[7, 8], 2)]);
        assert_eq!(two, CeremonyError::ActsAlone("recovery".into()));
        assert!(Ceremony::solo(key(1), key(1)).is_err());
        let weak = Ceremony::solo(PublicKey([0; 32]), key(1));
        assert!(matches!(weak, Err(CeremonyError::Key(_))));
    }
}
