//! The first state of a registry: root, delegations, policy, an empty catalog.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::journal::{Change, Journal, JournalError, NewFile};
use super::metadata::{self, CLAIMED, PACKAGES, SoloKeys};
use super::role_keys::{RoleKeys, SealError};
use crate::disk::{self, Failure};
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::policy::{self, FormatFloor, Lifetimes, Policy, PolicyError};
use crate::formats::{config_json, layout};
use crate::model::{Sha256Digest, UtcTime};

/// What a new registry is made of.
#[derive(Debug)]
pub struct NewRegistry<'a> {
    /// The canonical base URL, ending in `/`.
    pub base: &'a str,
    /// Which key signs what.
    pub roles: SoloKeys,
    /// The secret halves of both.
    pub keys: &'a RoleKeys,
    /// The time of making.
    pub now: UtcTime,
    /// How long metadata is valid.
    pub lifetimes: Lifetimes,
}

/// Why no registry was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The folder cannot be read.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// The policy cannot be written.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A role cannot be signed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The files cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes a registry in a folder that is empty, but for hidden files. Returns the sha256 of its
/// root: what users pin, and the registry's id.
pub fn init(folder: &Path, new: &NewRegistry<'_>) -> Result<Sha256Digest, InitError> {
    check_empty(folder)?;
    let (change, root) = first_change(new)?;
    let journal = Journal::open(folder)?;
    // Another process may have been first.
    check_empty(folder)?;
    journal.commit(change)?;
    Ok(root)
}

/// Makes sure that a folder holds nothing, or does not exist; a git checkout's `.git`, say, may be
/// there. The making of a registry that was cut off there is finished first: it is one, then.
pub fn check_empty(folder: &Path) -> Result<(), InitError> {
    if Journal::has_pending_change(folder) {
        Journal::open(folder)?;
    }
    for entry in disk::entries_if_there(folder)? {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with('.') {
            return Err(InitError::NotEmpty(folder.to_owned()));
        }
    }
    Ok(())
}

/// The whole registry as one change, and the sha256 of its root.
fn first_change(new: &NewRegistry<'_>) -> Result<(Change, Sha256Digest), InitError> {
    let mut change = Change::default();
    let config = config_json::encode(new.base);
    change.plain.push(NewFile::new(layout::CONFIG, config));
    let roles = first_roles(new, &mut change)?;
    let expires = |role: &str| expires(role, new);
    let seal = |role: &str, signed: &Value| {
        let description = json!({"keyids": [key_of(role, &new.roles)], "threshold": 1});
        new.keys.seal(role, &description, signed)
    };
    let mut add = |role: &str, bytes| {
        let file = NewFile::new(layout::metadata(role, 1), bytes);
        change.metadata.push(file);
    };
    let root = seal(
        "root",
        &metadata::root(&new.roles, new.base, expires("root")),
    )?;
    let root_digest = Sha256Digest::of(&root);
    add("root", root);
    for (role, signed) in &roles {
        add(role, seal(role, signed)?);
    }
    let names = roles.iter().map(|(role, _)| (role.as_str(), 1));
    let snapshot = metadata::snapshot(1, expires("snapshot"), names);
    let snapshot = seal("snapshot", &snapshot)?;
    let timestamp = metadata::timestamp(1, expires("timestamp"), 1, &snapshot);
    add("snapshot", snapshot);
    let timestamp = seal("timestamp", &timestamp)?;
    change.timestamp = Some(NewFile::new(layout::TIMESTAMP, timestamp));
    Ok((change, root_digest))
}

/// The roles of type `targets`, unsigned; the files that they list are added to the change.
fn first_roles(
    new: &NewRegistry<'_>,
    change: &mut Change,
) -> Result<Vec<(String, Value)>, InitError> {
    let expires = |role: &str| expires(role, new);
    let mut listing = |role: &str, path: &str, bytes: Vec<u8>| {
        let mut signed = metadata::targets(role, expires(role));
        metadata::set_target(&mut signed, path, &bytes);
        change.add_hashed(path, bytes);
        signed
    };
    let policy = listing("policy", layout::POLICY, first_policy(new)?);
    let index = catalog_index::encode(&CatalogIndex::default());
    let catalog = listing("catalog", layout::CATALOG_INDEX, index);
    let top = metadata::top_targets(&new.roles, expires("targets"));
    let SoloKeys { offline, online } = new.roles;
    let claimed = metadata::binned(CLAIMED, &offline, expires(CLAIMED));
    let packages = metadata::binned(PACKAGES, &online, expires(PACKAGES));
    let named = [
        ("targets", top),
        ("policy", policy),
        ("catalog", catalog),
        ("rollout", metadata::targets("rollout", expires("rollout"))),
        (CLAIMED, claimed),
        (PACKAGES, packages),
    ];
    let named = named.map(|(role, signed)| (role.to_owned(), signed));
    let bins = [CLAIMED, PACKAGES].into_iter().flat_map(metadata::bins);
    let bins = bins.map(|bin| (bin.clone(), metadata::targets(&bin, expires(&bin))));
    Ok(named.into_iter().chain(bins).collect())
}

fn expires(role: &str, new: &NewRegistry<'_>) -> UtcTime {
    new.now.plus_days(metadata::lifetime(role, &new.lifetimes))
}

fn key_of(role: &str, keys: &SoloKeys) -> String {
    let key = match metadata::is_offline(role) {
        true => &keys.offline,
        false => &keys.online,
    };
    key.id().to_string()
}

fn first_policy(new: &NewRegistry<'_>) -> Result<Vec<u8>, InitError> {
    Ok(policy::encode(&Policy {
        base: new.base.to_owned(),
        bucket_salt: salt(new),
        lifetimes: new.lifetimes,
        format_floor: FormatFloor::V1,
        signing_required_from: None,
        vouchers: vec![new.roles.online],
        recovery: vec![new.roles.offline],
    })?)
}

/// What is mixed into the choice of buckets: no secret, but another value for each registry.
fn salt(new: &NewRegistry<'_>) -> Vec<u8> {
    let text = format!("{} {} {}", new.base, new.now, new.roles.offline);
    Sha256Digest::of(text.as_bytes()).as_bytes()[..16].to_vec()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::publish::folder::Folder;
    use crate::trust::SecretKey;

    fn pair() -> [SecretKey; 2] {
        [1, 2].map(|seed| SecretKey::from_seed(&[seed; 32]))
    }

    /// The keys of a registry that was made here.
    pub(in crate::publish) fn keys() -> RoleKeys {
        RoleKeys::new(pair())
    }

    fn made(folder: &Path) -> Result<Sha256Digest, InitError> {
        made_at(folder, "https://registry.example.org/")
    }

    fn made_at(folder: &Path, base: &str) -> Result<Sha256Digest, InitError> {
        let [offline, online] = pair();
        let roles = SoloKeys {
            offline: offline.public(),
            online: online.public(),
        };
        let new = NewRegistry {
            base,
            roles,
            keys: &keys(),
            now: UtcTime::from_unix(1_800_000_000).unwrap(),
            lifetimes: Lifetimes::default(),
        };
        init(folder, &new)
    }

    /// A new registry in a folder, open for a change.
    pub(in crate::publish) fn opened(folder: &Path) -> Folder {
        made(folder).unwrap();
        Folder::open(folder).unwrap()
    }

    #[test]
    fn every_role_is_signed_by_the_key_that_its_delegator_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = made(folder.path()).unwrap();
        // Opening checks root, timestamp, snapshot and targets; the others are read one by one.
        let mut opened = Folder::open(folder.path()).unwrap();
        assert_eq!(opened.registry_id(), root);
        let bins = [CLAIMED, PACKAGES].into_iter().flat_map(metadata::bins);
        let bins: Vec<String> = bins.collect();
        let named = ["policy", "catalog", "rollout", CLAIMED, PACKAGES].into_iter();
        for role in named.chain(bins.iter().map(String::as_str)) {
            let found = opened.target(role, "none").unwrap();
            assert_eq!(found, None, "{role}");
        }
        assert_eq!(opened.policy().unwrap().vouchers.len(), 1);
    }

    #[test]
    fn the_same_keys_and_time_give_the_same_registry() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [first, second] = folders.map(|folder| made(folder.path()).unwrap());
        assert_eq!(first, second);
    }

    #[test]
    fn the_same_keys_and_time_at_another_address_give_another_registry() {
        let root = |base| {
            let folder = tempfile::tempdir().unwrap();
            made_at(folder.path(), base).unwrap()
        };
        assert_ne!(
            root("https://one.example.org/"),
            root("https://other.example.org/")
        );
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        assert!(matches!(made(folder.path()), Err(InitError::NotEmpty(_))));
        let hidden = tempfile::tempdir().unwrap();
        std::fs::write(hidden.path().join(".gitignore"), "").unwrap();
        assert!(made(hidden.path()).is_ok());
        assert!(matches!(made(hidden.path()), Err(InitError::NotEmpty(_))));
    }
}
