//! A registry folder as it stands, for the writer: its roles and records, each checked before
//! anything is built on it, and the metadata that the next change signs.
//!
//! Only what a change touches is read, so that one more release costs the same in a large registry.

mod drafting;
mod error;
mod listing;
mod refresh;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub use error::FolderError;
pub use refresh::Refreshed;

use serde_json::Value;

use super::journal::{Change, Journal, NewFile};
use super::metadata::{self, CLAIMED, PACKAGES};
use super::role_keys::{RoleKeys, key_ids};
use super::roles::{Roles, delegator, is_top, version_of};
use crate::disk;
use crate::formats::policy::{self, Policy};
use crate::formats::record::{self, Record};
use crate::formats::{layout, record::FileDigest};
use crate::model::{KeyId, PackageName, PublisherId, Sha256Digest, UtcTime};
use crate::trust::lifetime;
use crate::trust::tuf::{Authority, bin_name, open_metadata};

/// A registry folder, locked for a change.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    journal: Journal,
    registry_id: Sha256Digest,
    /// The signed part of each role read so far.
    roles: Roles,
    /// Roles that the change alters.
    changed: BTreeSet<String>,
    /// The files of publishers that the change writes.
    publishers: BTreeMap<PublisherId, Vec<u8>>,
}

impl Folder {
    /// Locks a registry folder and reads its root, snapshot and delegations. A change that was cut
    /// off is finished first.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        let first = root.join(layout::metadata("root", 1));
        // A first change that was cut off may not have come to the root yet.
        if !first.exists() && !Journal::has_pending_change(root) {
            return Err(FolderError::NoRegistry(root.to_owned()));
        }
        let journal = Journal::open(root)?;
        let registry_id = Sha256Digest::of(&disk::read(&first, disk::LIMIT)?);
        let mut folder = Self {
            root: root.to_owned(),
            journal,
            registry_id,
            roles: Roles::default(),
            changed: BTreeSet::new(),
            publishers: BTreeMap::new(),
        };
        folder.load_root()?;
        folder.load("timestamp", None)?;
        let version = version_of(&folder.roles["timestamp"]["meta"]["snapshot.json"]);
        folder.load("snapshot", Some(version))?;
        let next = layout::metadata("snapshot", version + 1);
        if folder.root.join(&next).exists() {
            return Err(FolderError::PutBack(next));
        }
        folder.role("targets")?;
        Ok(folder)
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The sha256 of the registry's first root file.
    #[must_use]
    pub const fn registry_id(&self) -> Sha256Digest {
        self.registry_id
    }

    /// The names of all packages that have an archive here, for "did you mean"; nothing else may be
    /// made of them.
    #[must_use]
    pub fn package_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(layout::ARCHIVES));
        let names = entries.into_iter().flatten().flatten();
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    /// The registry's policy.
    pub fn policy(&mut self) -> Result<Policy, FolderError> {
        let bytes = self.target("policy", layout::POLICY)?;
        let bytes = bytes.ok_or_else(|| FolderError::Missing(layout::POLICY.into()))?;
        Ok(policy::decode(&bytes)?)
    }

    /// A package's record, if there is the package.
    pub fn record(&mut self, package: &PackageName) -> Result<Option<Record>, FolderError> {
        let path = layout::record(package);
        let bin = self.bin(PACKAGES, &path)?;
        self.record_in(&bin, &path)
    }

    /// The records of all packages: for what looks at a registry as a whole.
    pub fn records(&mut self) -> Result<Vec<Record>, FolderError> {
        let mut records = Vec::new();
        self.role(PACKAGES)?;
        for bin in self.roles.bins(PACKAGES) {
            let paths = self.role(&bin)?["targets"].as_object();
            let paths: Vec<String> = paths
                .into_iter()
                .flat_map(|all| all.keys().cloned())
                .collect();
            for path in paths {
                records.extend(self.record_in(&bin, &path)?);
            }
        }
        Ok(records)
    }

    /// The record at that path, if the bin lists it.
    fn record_in(&mut self, bin: &str, path: &str) -> Result<Option<Record>, FolderError> {
        let Some(bytes) = self.target(bin, path)? else {
            return Ok(None);
        };
        let record = record::decode(&bytes).map_err(|source| FolderError::Record {
            path: path.to_owned(),
            source,
        })?;
        Ok(Some(record))
    }

    /// The digest of the statement by which its owners have a package, if it is claimed.
    pub fn claim(&mut self, package: &PackageName) -> Result<Option<Sha256Digest>, FolderError> {
        let path = layout::claim(package);
        let bin = self.bin(CLAIMED, &path)?;
        Ok(self.listed(&bin, &path)?.map(|listed| listed.sha256))
    }

    /// Whose keys claim a package, and how many of them.
    pub fn claims_description(&mut self, package: &PackageName) -> Result<Value, FolderError> {
        let bin = self.bin(CLAIMED, &layout::claim(package))?;
        Ok(self.roles.description(&bin))
    }

    /// Claims a package for its owners, by the payload of the statement by which they have it.
    pub fn set_claim(&mut self, package: &PackageName, payload: &[u8]) -> Result<(), FolderError> {
        let path = layout::claim(package);
        let bin = self.bin(CLAIMED, &path)?;
        self.set_target(&bin, &path, payload)
    }

    /// The bytes of a target that `role` lists, checked against its digest.
    pub fn target(&mut self, role: &str, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let Some(expected) = self.listed(role, path)? else {
            return Ok(None);
        };
        let path = layout::hashed(path, &expected.sha256);
        self.file(&path, &expected).map(Some)
    }

    /// What a role says of a path.
    fn listed(&mut self, role: &str, path: &str) -> Result<Option<FileDigest>, FolderError> {
        Ok(file_digest(&self.role(role)?["targets"][path]))
    }

    /// The bytes of a file whose digest is known.
    pub fn file(&self, path: &str, expected: &FileDigest) -> Result<Vec<u8>, FolderError> {
        let bytes = self.read(path)?;
        if FileDigest::of(&bytes) != *expected {
            return Err(FolderError::Mismatch {
                path: path.to_owned(),
            });
        }
        Ok(bytes)
    }

    /// Lists a new version of a record.
    pub fn set_record(&mut self, package: &PackageName, bytes: &[u8]) -> Result<(), FolderError> {
        let path = layout::record(package);
        let bin = self.bin(PACKAGES, &path)?;
        self.set_target(&bin, &path, bytes)
    }

    /// Lists a new version of a target.
    pub fn set_target(&mut self, role: &str, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        self.role(role)?;
        if let Some(signed) = self.roles.get_mut(role) {
            metadata::set_target(signed, path, bytes);
        }
        self.changed.insert(role.to_owned());
        Ok(())
    }

    /// Lists a target no more. Returns false if it was not listed.
    pub fn remove_target(&mut self, role: &str, path: &str) -> Result<bool, FolderError> {
        self.role(role)?;
        let signed = self.roles.get_mut(role);
        let was_listed = signed.is_some_and(|signed| metadata::remove_target(signed, path));
        if was_listed {
            self.changed.insert(role.to_owned());
        }
        Ok(was_listed)
    }

    /// Signs every changed role, then snapshot and timestamp, and writes the change.
    pub fn commit(
        mut self,
        mut change: Change,
        keys: &RoleKeys,
        now: UtcTime,
    ) -> Result<(), FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let expires = |role: &str| now.plus_days(lifetime(role, &lifetimes));
        for role in std::mem::take(&mut self.changed) {
            let file = self.renewed(&role, keys, expires(&role))?;
            change.metadata.push(file);
        }
        let snapshot = self.renewed("snapshot", keys, expires("snapshot"))?;
        let version = self.roles.version("timestamp") + 1;
        let of = self.roles.version("snapshot");
        let timestamp = metadata::timestamp(version, expires("timestamp"), of, &snapshot.bytes);
        change.metadata.push(snapshot);
        let bytes = keys.seal(
            "timestamp",
            &self.roles.description("timestamp"),
            &timestamp,
        )?;
        change.timestamp = Some(NewFile::new(layout::TIMESTAMP, bytes));
        Ok(self.journal.commit(change)?)
    }

    /// The next version of a role, signed; the snapshot is told.
    fn renewed(
        &mut self,
        role: &str,
        keys: &RoleKeys,
        expires: UtcTime,
    ) -> Result<NewFile, FolderError> {
        let mut signed = self.roles[role].clone();
        metadata::renew(&mut signed, expires);
        let version = version_of(&signed);
        let bytes = keys.seal(role, &self.roles.description(role), &signed)?;
        self.roles.insert(role, signed);
        let snapshot = self.roles.get_mut("snapshot");
        if let Some(snapshot) = snapshot.filter(|_| role != "snapshot") {
            snapshot["meta"][format!("{role}.json")]["version"] = version.into();
        }
        Ok(NewFile::new(layout::metadata(role, version), bytes))
    }

    /// The signed part of a role of type `targets`, read when first asked for.
    fn role(&mut self, role: &str) -> Result<&Value, FolderError> {
        if !self.roles.contains(role) {
            self.load(role, Some(self.roles.listed_version(role)))?;
        }
        Ok(&self.roles[role])
    }

    /// The bin of `role` that a path belongs to.
    fn bin(&mut self, role: &str, path: &str) -> Result<String, FolderError> {
        self.role(role)?;
        let bits = self
            .roles
            .bin_bits(role)
            .ok_or_else(|| FolderError::Shape {
                role: role.to_owned(),
                field: "bit_length",
            })?;
        Ok(bin_name(role, bits, path))
    }

    /// Reads the newest root; each must be signed as the one before it demands.
    fn load_root(&mut self) -> Result<(), FolderError> {
        let mut version = 1;
        loop {
            let path = layout::metadata("root", version);
            let bytes = self.read(&path)?;
            let before = self
                .roles
                .contains("root")
                .then(|| self.roles["root"].clone());
            let signed = unsealed("root", Some(version), &bytes, &path, |signed| {
                let root = before.as_ref().unwrap_or(signed);
                Authority {
                    description: root["roles"]["root"].clone(),
                    keys: root["keys"].clone(),
                }
            })?;
            self.roles.insert("root", signed);
            version += 1;
            if !self.root.join(layout::metadata("root", version)).exists() {
                return Ok(());
            }
        }
    }

    /// Reads a role in the version that was announced; the timestamp has none.
    fn load(&mut self, role: &str, version: Option<u64>) -> Result<(), FolderError> {
        if !is_top(role) {
            self.role(delegator(role))?;
        }
        let path = match version {
            Some(version) => layout::metadata(role, version),
            None => layout::TIMESTAMP.to_owned(),
        };
        let bytes = self.read(&path)?;
        let authority = self.roles.authority(role);
        let signed = unsealed(role, version, &bytes, &path, |_| authority)?;
        self.roles.insert(role, signed);
        Ok(())
    }

    /// The ids of the keys that may sign a role.
    pub fn key_ids(&mut self, role: &str) -> Result<Vec<KeyId>, FolderError> {
        if !is_top(role) {
            self.role(delegator(role))?;
        }
        let description = self.roles.description(role);
        Ok(key_ids(&description)
            .filter_map(|id| id.parse().ok())
            .collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FolderError> {
        let bytes = disk::read_if_there(&self.root.join(path), disk::LIMIT)?;
        bytes.ok_or_else(|| FolderError::Missing(path.to_owned()))
    }
}

fn unsealed(
    role: &str,
    version: Option<u64>,
    bytes: &[u8],
    path: &str,
    authority: impl FnOnce(&Value) -> Authority,
) -> Result<Value, FolderError> {
    open_metadata(role, version, bytes, authority).map_err(|source| FolderError::Metadata {
        path: path.to_owned(),
        source,
    })
}

fn file_digest(listed: &Value) -> Option<FileDigest> {
    Some(FileDigest {
        sha256: listed["hashes"]["sha256"].as_str()?.parse().ok()?,
        length: listed["length"].as_u64()?,
    })
}
