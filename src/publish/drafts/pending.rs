//! Drafts above the roles that are in force: who must sign them, who has, and what they change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::limits::{changes_more, check_keys, check_lists};
use super::{Draft, DraftError, Drafts};
use crate::model::KeyId;
use crate::publish::ceremony::BINS;
use crate::publish::journal::NewFile;
use crate::publish::metadata::{CLAIMED, PACKAGES};
use crate::publish::role_keys::{RoleKeys, key_ids, threshold};
use crate::publish::roles::{Roles, is_bin, operator_name, version_of};
use crate::trust::tuf::{Authority, signed_by};

/// A change of roles that is being signed.
#[derive(Debug, Clone)]
pub struct Pending {
    pub(super) before: Roles,
    pub(super) after: Roles,
    drafts: Drafts,
}

/// A draft that lacks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The role.
    pub role: String,
    /// The version that waits.
    pub version: u64,
    /// How many keys must sign.
    pub threshold: u64,
    /// How many have.
    pub signed: usize,
    /// The keys that may yet sign.
    pub open: Vec<String>,
}

impl Pending {
    /// Puts drafts above the roles that are in force, of which those that have drafts must have been
    /// read; of a registry that is being made there are none. A draft that is in force is dropped.
    ///
    /// # Errors
    ///
    /// [`DraftError::Overtaken`] and [`DraftError::NoRole`]; where a draft says what those who sign would
    /// not be shown, or could not believe, [`DraftError::Keys`], [`DraftError::KeyIds`],
    /// [`DraftError::Claims`] and [`DraftError::Beyond`].
    pub fn new(before: &Roles, drafts: Drafts) -> Result<Self, DraftError> {
        let mut after = before.clone();
        let mut kept = BTreeMap::new();
        for (role, draft) in drafts.0 {
            if before[&role] == draft.signed {
                continue;
            }
            let present = before.version(&role).max(before.listed_version(&role));
            let found = version_of(&draft.signed);
            if found != present + 1 {
                return Err(DraftError::Overtaken {
                    role,
                    found,
                    present,
                });
            }
            check_keys(&role, &draft.signed)?;
            if before.contains(&role) && changes_more(&before[&role], &draft.signed) {
                return Err(DraftError::Beyond(role));
            }
            after.insert(&role, draft.signed.clone());
            kept.insert(role, draft);
        }
        let drafts = Drafts(kept);
        if let Some(role) = drafts.roles().find(|role| !may_wait(role, &after)) {
            return Err(DraftError::NoRole(role.to_owned()));
        }
        check_lists(before, &after, &drafts)?;
        Ok(Self {
            before: before.clone(),
            after,
            drafts,
        })
    }

    /// The drafts.
    #[must_use]
    pub const fn drafts(&self) -> &Drafts {
        &self.drafts
    }

    /// The roles as the drafts would have them.
    #[must_use]
    pub const fn after(&self) -> &Roles {
        &self.after
    }

    /// Whether the same is to be signed, by whomever it was signed so far, and changes the same.
    #[must_use]
    pub fn is_same_change(&self, other: &Self) -> bool {
        self.drafts.are_of_the_same(&other.drafts) && self.changes() == other.changes()
    }

    /// Whether the registry is being made.
    #[must_use]
    pub fn is_first(&self) -> bool {
        !self.before.contains("root")
    }

    /// Whether the drafts give the bins other keys or another number.
    #[must_use]
    pub fn changes_bins(&self) -> bool {
        self.has_other_keys(BINS)
    }

    /// A key's id says which key it is, so that the ids and the threshold, and of bins their number, say
    /// all; see [`check_keys`].
    fn has_other_keys(&self, role: &str) -> bool {
        self.before.description(role) != self.after.description(role)
    }

    /// Whether something follows from the drafts that a client learns from the snapshot or timestamp.
    #[must_use]
    pub fn changes_more_than_root(&self) -> bool {
        let changed = |role| self.has_other_keys(role);
        let is_other = |role: &str| role != "root";
        self.drafts.roles().any(is_other) || ["snapshot", "timestamp"].into_iter().any(changed)
    }

    /// What the operator calls the roles that have drafts, each once.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let names = self.drafts.roles().map(operator_name);
        names.map(str::to_owned).collect()
    }

    /// The drafts of a role as the operator calls it.
    fn members(&self, name: &str) -> Vec<String> {
        let members = self
            .drafts
            .roles()
            .filter(|role| operator_name(role) == name);
        members.map(str::to_owned).collect()
    }

    /// The roles that are signed at once when the drafts are published.
    fn follow(&self) -> impl Iterator<Item = &'static str> {
        let bins = self.changes_bins().then_some(BINS);
        let rest = ["snapshot", "timestamp"].into_iter();
        let more = self.changes_more_than_root();
        bins.into_iter().chain(rest.filter(move |_| more))
    }

    /// The ids of the keys that sign what follows from the drafts.
    #[must_use]
    pub fn following_key_ids(&self) -> BTreeSet<KeyId> {
        let roles = self.follow();
        let ids = roles.flat_map(|role| ids(&self.after.authority(role)));
        ids.collect()
    }

    /// What follows from the drafts and cannot be signed with the keys at hand.
    #[must_use]
    pub fn following(&self, keys: &RoleKeys) -> Vec<Waiting> {
        let lacks = |role: &'static str| {
            let authority = self.after.authority(role);
            let open = ids(&authority).into_iter();
            let (here, open): (Vec<KeyId>, Vec<KeyId>) =
                open.partition(|id| keys.get(id).is_some());
            let waiting = Waiting {
                role: role.to_owned(),
                version: self.after.version(role) + 1,
                threshold: threshold(&authority.description),
                signed: here.len(),
                open: open.iter().map(KeyId::to_string).collect(),
            };
            ((here.len() as u64) < waiting.threshold).then_some(waiting)
        };
        self.follow().filter_map(lacks).collect()
    }

    /// Signs the drafts of a role, as the operator calls it, with those of its keys that are at hand,
    /// and says whose they are.
    pub fn sign(&mut self, name: &str, keys: &RoleKeys) -> Result<BTreeSet<KeyId>, DraftError> {
        let mut made = BTreeSet::new();
        for role in self.members(name) {
            let authorities = self.authorities(&role);
            let Some(draft) = self.drafts.0.get_mut(&role) else {
                continue;
            };
            for authority in authorities {
                for signature in keys.sign(&role, &authority.description, &draft.signed)? {
                    made.insert(signature.key_id);
                    draft.signatures.insert(signature.key_id, signature.bytes);
                }
            }
        }
        Ok(made)
    }

    /// The roles, as the operator calls them, whose drafts lack signatures.
    pub fn waiting(&self) -> Result<Vec<Waiting>, DraftError> {
        let mut waiting: BTreeMap<String, Waiting> = BTreeMap::new();
        for (role, draft) in &self.drafts.0 {
            let name = operator_name(role);
            if let Some(lacks) = self.lacks(role, draft)? {
                waiting.entry(name.to_owned()).or_insert(Waiting {
                    role: name.to_owned(),
                    ..lacks
                });
            }
        }
        Ok(waiting.into_values().collect())
    }

    fn lacks(&self, role: &str, draft: &Draft) -> Result<Option<Waiting>, DraftError> {
        let bytes = draft.bytes(role)?;
        for authority in self.authorities(role) {
            let threshold = threshold(&authority.description);
            let all = ids(&authority);
            let signed =
                signed_by(role, &bytes, authority).map_err(|source| refused(role, source))?;
            if (signed.len() as u64) < threshold {
                let open = all.iter().map(KeyId::to_string);
                return Ok(Some(Waiting {
                    role: role.to_owned(),
                    version: version_of(&draft.signed),
                    threshold,
                    signed: signed.len(),
                    open: open.filter(|id| !signed.contains(id)).collect(),
                }));
            }
        }
        Ok(None)
    }

    /// The file of a draft that waits for nobody, with the signatures that count and no others.
    pub(super) fn file(&self, role: &str) -> Result<NewFile, DraftError> {
        let draft = &self.drafts.0[role];
        let mut good = BTreeSet::new();
        let bytes = draft.bytes(role)?;
        for authority in self.authorities(role) {
            let signed = signed_by(role, &bytes, authority);
            good.extend(signed.map_err(|source| refused(role, source))?);
        }
        let mut draft = draft.clone();
        draft
            .signatures
            .retain(|id, _| good.contains(&id.to_string()));
        let path = crate::formats::layout::metadata(role, version_of(&draft.signed));
        Ok(NewFile::new(path, draft.bytes(role)?))
    }

    /// Whose signatures a draft needs: a root those of the keys before it and of its own.
    fn authorities(&self, role: &str) -> Vec<Authority> {
        let before = (role == "root" && !self.is_first()).then(|| self.before.authority(role));
        let all = before.into_iter().chain([self.after.authority(role)]);
        all.collect()
    }

    /// What the drafts change, a line each, for those who sign.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for role in self.drafts.roles() {
            let version = self.after.version(role);
            let expires = self.after.expires(role);
            let expires = expires.map_or_else(|| "?".to_owned(), |time| time.to_string());
            if !is_bin(role) {
                lines.push(format!("{role} version {version}, until {expires}"));
            }
            lines.extend(target_changes(role, &self.before[role], &self.after[role]));
        }
        let id = &self.after["root"]["registry_id"];
        if let Some(id) = id
            .as_str()
            .filter(|_| *id != self.before["root"]["registry_id"])
        {
            lines.push(format!("root names the registry {id}"));
        }
        for role in self.described() {
            if self.has_other_keys(&role) {
                let description = self.after.description(&role);
                lines.push(format!("{role}: {}", describe(&description)));
            }
        }
        for role in [PACKAGES, CLAIMED] {
            if self.before.bin_bits(role) != self.after.bin_bits(role) {
                lines.push(format!("{} bins of {role}", self.after.bins(role).len()));
            }
        }
        lines
    }

    /// The roles whose keys a draft could change.
    fn described(&self) -> Vec<String> {
        let top = crate::publish::metadata::TOP.map(str::to_owned);
        let bins = (self.after.contains(PACKAGES)).then(|| BINS.to_owned());
        let all = top.into_iter().chain(self.after.delegated()).chain(bins);
        all.collect()
    }
}

fn refused(role: &str, source: crate::trust::tuf::TufError) -> DraftError {
    let path = std::path::Path::new(super::FOLDER).join(format!("{role}.json"));
    DraftError::Metadata { path, source }
}

fn ids(authority: &Authority) -> Vec<KeyId> {
    let ids = key_ids(&authority.description);
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// Roles of which each version is signed by people; the others are signed when drafts are published.
pub(super) fn may_wait(role: &str, roles: &Roles) -> bool {
    let is_one_of = |names: Vec<String>| names.iter().any(|name| name == role);
    matches!(role, "root" | "targets")
        || is_one_of(roles.delegated())
        || is_one_of(roles.bins(CLAIMED))
}

/// As `2 of 1f0c… 4aa0…`.
fn describe(description: &Value) -> String {
    let ids = key_ids(description).collect::<Vec<_>>().join(", ");
    format!("{} of {ids}", threshold(description))
}

/// The files that a role lists otherwise than before.
fn target_changes(role: &str, before: &Value, after: &Value) -> Vec<String> {
    let listed = |value: &Value| value["targets"].as_object().cloned().unwrap_or_default();
    let (before, after) = (listed(before), listed(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths.into_iter().filter_map(|path| {
        let what = match (before.get(path), after.get(path)) {
            (old, new) if old == new => return None,
            (_, None) => "no longer lists",
            (_, Some(_)) => "lists another",
        };
        Some(format!("{role} {what} `{path}`"))
    });
    changed.collect()
}
