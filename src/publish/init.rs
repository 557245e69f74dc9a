//! The first state of a registry: root, delegations, policy, an empty catalog.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ceremony::{BINS, Ceremony, RECOVERY, VOUCHERS};
use super::drafts::{self, DraftError, Drafts, Pending, Waiting, publication};
use super::journal::{Change, Journal, JournalError, NewFile};
use super::metadata::{self, CLAIMED, PACKAGES};
use super::role_keys::RoleKeys;
use super::roles::Roles;
use crate::disk::{self, Failure};
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::config_json::{self, Readers};
use crate::formats::layout;
use crate::formats::policy::{self, FormatFloor, Lifetimes, Policy, PolicyError};
use crate::model::{Sha256Digest, UtcTime};
use crate::trust::lifetime;

/// What a new registry is made of.
#[derive(Debug)]
pub struct NewRegistry<'a> {
    /// The canonical base URL, ending in `/`.
    pub base: &'a str,
    /// Which keys sign what.
    pub ceremony: Ceremony,
    /// The secret halves that are at hand.
    pub keys: &'a RoleKeys,
    /// The time of making.
    pub now: UtcTime,
    /// How long metadata is valid.
    pub lifetimes: Lifetimes,
    /// Where else it is served, each ending in `/`.
    pub mirrors: &'a [String],
    /// Whether its server asks who reads it.
    pub readers: Readers,
}

/// What became of a new registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It is there; the sha256 of its root is what users pin, and the registry's id.
    Published(Sha256Digest),
    /// Its first metadata waits for signatures.
    Waiting(Vec<Waiting>),
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
    /// The policy is not the one that was drafted.
    #[error("`{}` is not what its draft says", .0.display())]
    Mismatch(PathBuf),
    /// A role cannot be drafted or signed.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The files cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes a registry in a folder that is empty, but for hidden files. Where not enough keys are at
/// hand, the metadata stays there as drafts.
pub fn init(folder: &Path, new: &NewRegistry<'_>) -> Result<Made, InitError> {
    check_empty(folder)?;
    let mut change = Change::default();
    let drafts = first_drafts(new, &mut change)?;
    let mut pending = Pending::new(&Roles::default(), drafts)?;
    for role in pending.names() {
        pending.sign(&role, new.keys)?;
    }
    let mut waiting = pending.waiting()?;
    waiting.extend(pending.following(new.keys));
    let journal = Journal::open(folder)?;
    // Another process may have been first.
    check_empty(folder)?;
    if !waiting.is_empty() {
        pending.drafts().save(folder)?;
        journal.commit(change)?;
        return Ok(Made::Waiting(waiting));
    }
    let signed = publication(&pending, new.keys, new.now, &new.lifetimes)?;
    let root = root_digest(&signed);
    journal.commit(Change {
        immutable: change.immutable,
        plain: change.plain,
        ..signed
    })?;
    Ok(Made::Published(root))
}

/// A registry that is being made, locked: its first metadata waits for signatures.
#[derive(Debug)]
pub struct Founding {
    root: PathBuf,
    journal: Journal,
}

impl Founding {
    /// Locks a folder in which a registry is being made. Nothing, where none is, or where it has come to
    /// be one.
    pub fn open(folder: &Path) -> Result<Option<Self>, InitError> {
        let is_made = || folder.join(layout::metadata("root", 1)).exists();
        if is_made() || Drafts::load(folder)?.is_empty() {
            return Ok(None);
        }
        // What was cut off is finished, and that may be the making itself.
        let journal = Journal::open(folder)?;
        let root = folder.to_owned();
        Ok((!is_made()).then_some(Self { root, journal }))
    }

    /// The drafts as they are now.
    pub fn pending(&self) -> Result<Pending, InitError> {
        let drafts = Drafts::load(&self.root)?;
        Ok(Pending::new(&Roles::default(), drafts)?)
    }

    /// Brings the first metadata into force, when its drafts wait for nobody, and forgets the drafts.
    /// Returns the sha256 of the root.
    pub fn publish(
        self,
        pending: &Pending,
        keys: &RoleKeys,
        now: UtcTime,
    ) -> Result<Sha256Digest, InitError> {
        let lifetimes = drafted_policy(&self.root, pending)?.lifetimes;
        let change = publication(pending, keys, now, &lifetimes)?;
        let root = root_digest(&change);
        self.journal.commit(change)?;
        // Under the same lock: nobody has drafted anything else since.
        drafts::discard(&self.root)?;
        Ok(root)
    }
}

/// The policy that a registry which is being made will have.
pub fn drafted_policy(folder: &Path, pending: &Pending) -> Result<Policy, InitError> {
    let path = folder.join(layout::POLICY);
    let bytes = disk::read(&path, disk::LIMIT)?;
    let digest = Sha256Digest::of(&bytes).to_string();
    let listed = &pending.after()["policy"]["targets"][layout::POLICY];
    if listed["hashes"]["sha256"] != digest.as_str() {
        return Err(InitError::Mismatch(path));
    }
    Ok(policy::decode(&bytes)?)
}

fn root_digest(change: &Change) -> Sha256Digest {
    let root = change.root.as_ref();
    Sha256Digest::of(root.map_or(&[][..], |root| &root.bytes))
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

/// The first version of every role that people sign; the files that they list, and what stock cargo
/// reads, are added to the change.
fn first_drafts(new: &NewRegistry<'_>, change: &mut Change) -> Result<Drafts, InitError> {
    let config = config_json::encode(new.base, new.readers);
    change.plain.push(NewFile::new(layout::CONFIG, config));
    let expires = |role: &str| new.now.plus_days(lifetime(role, &new.lifetimes));
    let mut listing = |role: &str, path: &str, bytes: Vec<u8>| -> Value {
        let mut signed = metadata::targets(role, expires(role));
        metadata::set_target(&mut signed, path, &bytes);
        change.add_hashed(path, bytes);
        signed
    };
    let ceremony = &new.ceremony;
    let index = catalog_index::encode(&CatalogIndex::default());
    let mut drafts = Drafts::default();
    let mut add = |role: &str, signed| drafts.add(role, signed);
    add(
        "policy",
        listing("policy", layout::POLICY, first_policy(new)?),
    );
    add("catalog", listing("catalog", layout::CATALOG_INDEX, index));
    add("rollout", metadata::targets("rollout", expires("rollout")));
    let packages = metadata::binned(PACKAGES, ceremony.of(BINS), expires(PACKAGES));
    add(PACKAGES, packages);
    let claimed = metadata::binned(CLAIMED, ceremony.of(CLAIMED), expires(CLAIMED));
    add(CLAIMED, claimed);
    for bin in metadata::bins(CLAIMED, metadata::BIN_BITS) {
        add(&bin, metadata::targets(&bin, expires(&bin)));
    }
    add(
        "targets",
        metadata::top_targets(ceremony, expires("targets")),
    );
    add("root", metadata::root(ceremony, new.base, expires("root")));
    Ok(drafts)
}

fn first_policy(new: &NewRegistry<'_>) -> Result<Vec<u8>, InitError> {
    Ok(policy::encode(&Policy {
        base: new.base.to_owned(),
        bucket_salt: salt(new),
        lifetimes: new.lifetimes,
        format_floor: FormatFloor::V1,
        signing_required_from: None,
        vouchers: new.ceremony.of(VOUCHERS).keys.clone(),
        recovery: new.ceremony.of(RECOVERY).keys.clone(),
        mirrors: new.mirrors.to_vec(),
    })?)
}

/// What is mixed into the choice of buckets: no secret, but another value for each registry.
fn salt(new: &NewRegistry<'_>) -> Vec<u8> {
    let key = new.ceremony.of("root").keys[0];
    let text = format!("{} {} {key}", new.base, new.now);
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

    fn made(folder: &Path) -> Result<Made, InitError> {
        made_at(folder, "https://registry.example.org/")
    }

    fn made_at(folder: &Path, base: &str) -> Result<Made, InitError> {
        let [offline, online] = pair();
        let new = NewRegistry {
            base,
            ceremony: Ceremony::solo(offline.public(), online.public()).unwrap(),
            keys: &keys(),
            now: UtcTime::from_unix(1_800_000_000).unwrap(),
            lifetimes: Lifetimes::default(),
            mirrors: &[],
            readers: Readers::Everybody,
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
        assert_eq!(Made::Published(opened.registry_id()), root);
        let bins = [CLAIMED, PACKAGES].into_iter();
        let bins: Vec<String> = bins.flat_map(|role| metadata::bins(role, 3)).collect();
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
