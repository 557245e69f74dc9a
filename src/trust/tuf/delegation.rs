//! Delegations: which other roles may list a target, in which order they are asked.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::{MetadataError, TufError};
use super::metadata::{Signers, WireKey, WireRole};
use super::path_pattern::{bin_name, glob, has_hash_prefix, numbered_bin};

/// Names that no delegated role may have.
const TOP_LEVEL: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "mirrors"];
const MAX_NAME: usize = 200;
/// More bins than a registry of any size needs; only a survey reads them all.
const MAX_BITS: u32 = 16;

/// To whom a role delegates: to named roles, or to hash bins that share everything.
#[derive(Debug, Clone)]
pub(super) enum Delegations {
    Roles(Vec<Delegation>),
    Bins {
        prefix: String,
        bits: u32,
        signers: Signers,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Delegation {
    name: String,
    signers: Signers,
    paths: Paths,
    terminating: bool,
}

#[derive(Debug, Clone)]
enum Paths {
    Globs(Vec<String>),
    HashPrefixes(Vec<String>),
}

/// A role that may list a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delegate {
    pub(super) name: String,
    pub(super) signers: Signers,
}

#[derive(Deserialize)]
pub(super) struct WireDelegations {
    keys: BTreeMap<String, WireKey>,
    roles: Option<Vec<WireDelegation>>,
    succinct_roles: Option<WireBins>,
}

#[derive(Deserialize)]
struct WireDelegation {
    name: String,
    #[serde(flatten)]
    role: WireRole,
    paths: Option<Vec<String>>,
    path_hash_prefixes: Option<Vec<String>>,
    #[serde(default)]
    terminating: bool,
}

#[derive(Deserialize)]
struct WireBins {
    #[serde(flatten)]
    role: WireRole,
    bit_length: u32,
    name_prefix: String,
}

impl Delegations {
    pub(super) fn read(wire: WireDelegations) -> Result<Self, MetadataError> {
        let keys = wire.keys;
        match (wire.roles, wire.succinct_roles) {
            (Some(roles), None) => {
                let roles = roles.into_iter().map(|role| Delegation::read(role, &keys));
                Ok(Self::Roles(roles.collect::<Result<_, _>>()?))
            }
            (None, Some(bins)) => read_bins(bins, &keys),
            (None, None) => Ok(Self::Roles(Vec::new())),
            (Some(_), Some(_)) => Err(MetadataError::Delegations("roles and hash bins at once")),
        }
    }

    /// Every role that may be asked for some path.
    pub(super) fn all(&self) -> Result<Vec<Delegate>, TufError> {
        match self {
            Self::Bins { prefix, bits, .. } if *bits > MAX_BITS => Err(TufError::TooManyBins {
                prefix: prefix.clone(),
                bits: *bits,
            }),
            Self::Bins {
                prefix,
                bits,
                signers,
            } => {
                let bins = (0..1_u64 << bits).map(|number| Delegate {
                    name: numbered_bin(prefix, *bits, number),
                    signers: signers.clone(),
                });
                Ok(bins.collect())
            }
            Self::Roles(roles) => {
                let delegates = roles.iter().map(|role| Delegate {
                    name: role.name.clone(),
                    signers: role.signers.clone(),
                });
                Ok(delegates.collect())
            }
        }
    }

    /// The roles to ask for a path, the first one first, and whether the search ends with them.
    pub(super) fn for_path(&self, path: &str) -> (Vec<Delegate>, bool) {
        match self {
            Self::Bins {
                prefix,
                bits,
                signers,
            } => {
                let name = bin_name(prefix, *bits, path);
                let signers = signers.clone();
                (vec![Delegate { name, signers }], true)
            }
            Self::Roles(roles) => {
                let mut delegates = Vec::new();
                for role in roles.iter().filter(|role| role.paths.match_path(path)) {
                    delegates.push(Delegate {
                        name: role.name.clone(),
                        signers: role.signers.clone(),
                    });
                    if role.terminating {
                        return (delegates, true);
                    }
                }
                (delegates, false)
            }
        }
    }
}

fn read_bins(
    wire: WireBins,
    keys: &BTreeMap<String, WireKey>,
) -> Result<Delegations, MetadataError> {
    check_name(&wire.name_prefix)?;
    if !(1..=32).contains(&wire.bit_length) {
        return Err(MetadataError::Delegations("bit_length is not from 1 to 32"));
    }
    Ok(Delegations::Bins {
        signers: Signers::new(&wire.name_prefix, wire.role, keys)?,
        prefix: wire.name_prefix,
        bits: wire.bit_length,
    })
}

impl Delegation {
    fn read(wire: WireDelegation, keys: &BTreeMap<String, WireKey>) -> Result<Self, MetadataError> {
        check_name(&wire.name)?;
        if TOP_LEVEL.contains(&wire.name.as_str()) {
            return Err(MetadataError::RoleName(wire.name));
        }
        let paths = match (wire.paths, wire.path_hash_prefixes) {
            (Some(globs), None) => Paths::Globs(globs),
            (None, Some(prefixes)) => Paths::HashPrefixes(prefixes),
            _ => {
                return Err(MetadataError::Delegations(
                    "a role needs either paths or path_hash_prefixes",
                ));
            }
        };
        Ok(Self {
            signers: Signers::new(&wire.name, wire.role, keys)?,
            name: wire.name,
            paths,
            terminating: wire.terminating,
        })
    }
}

impl Paths {
    fn match_path(&self, path: &str) -> bool {
        match self {
            Self::Globs(globs) => globs.iter().any(|pattern| glob(pattern, path)),
            Self::HashPrefixes(prefixes) => {
                prefixes.iter().any(|prefix| has_hash_prefix(prefix, path))
            }
        }
    }
}

fn check_name(name: &str) -> Result<(), MetadataError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(MetadataError::RoleName(name.chars().take(80).collect()));
    }
    Ok(())
}
