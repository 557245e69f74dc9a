//! A registry folder as it stands, for the writer: its roles and records, each checked before
//! anything is built on it, and the metadata that the next change signs.
//!
//! Only what a change touches is read, so that one more release costs the same in a large registry.

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
use super::metadata::{self, PACKAGES};
use super::role_keys::{RoleKeys, key_ids};
use crate::disk;
use crate::formats::policy::{self, Policy};
use crate::formats::publisher::{self, Publisher};
use crate::formats::record::{self, Record};
use crate::formats::{layout, record::FileDigest};
use crate::model::{KeyId, PackageName, PublisherId, Sha256Digest, UtcTime};
use crate::trust::tuf::{Authority, bin_name, open_metadata};

/// A registry folder, locked for a change.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    journal: Journal,
    registry_id: Sha256Digest,
    /// The signed part of each role read so far.
    roles: BTreeMap<String, Value>,
    /// Roles that the change alters.
    changed: BTreeSet<String>,
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
            roles: BTreeMap::new(),
            changed: BTreeSet::new(),
        };
        folder.load_root()?;
        folder.load("timestamp", None)?;
        let version = version_of(&folder.roles["timestamp"]["meta"]["snapshot.json"]);
        folder.load("snapshot", Some(version))?;
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

    /// A publisher's file, if the publisher is registered.
    pub fn publisher(&mut self, id: &PublisherId) -> Result<Option<Publisher>, FolderError> {
        let bytes = self.target("targets", &layout::publisher(id))?;
        bytes
            .map(|bytes| Ok(publisher::decode(&bytes)?))
            .transpose()
    }

    /// A package's record, if there is the package.
    pub fn record(&mut self, package: &PackageName) -> Result<Option<Record>, FolderError> {
        let path = layout::record(package);
        let bin = self.bin(&path)?;
        let Some(bytes) = self.target(&bin, &path)? else {
            return Ok(None);
        };
        record::decode(&bytes)
            .map(Some)
            .map_err(|source| FolderError::Record {
                package: package.clone(),
                source,
            })
    }

    /// The bytes of a target that `role` lists, checked against its digest.
    pub fn target(&mut self, role: &str, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let listed = &self.role(role)?["targets"][path];
        let Some(expected) = file_digest(listed) else {
            return Ok(None);
        };
        let path = layout::hashed(path, &expected.sha256);
        self.file(&path, &expected).map(Some)
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
        let bin = self.bin(&path)?;
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

    /// Signs every changed role, then snapshot and timestamp, and writes the change.
    pub fn commit(
        mut self,
        mut change: Change,
        keys: &RoleKeys,
        now: UtcTime,
    ) -> Result<(), FolderError> {
        let lifetimes = self.policy()?.lifetimes;
        let expires = |role: &str| now.plus_days(metadata::lifetime(role, &lifetimes));
        for role in std::mem::take(&mut self.changed) {
            let file = self.renewed(&role, keys, expires(&role))?;
            change.metadata.push(file);
        }
        let snapshot = self.renewed("snapshot", keys, expires("snapshot"))?;
        let version = version_of(&self.roles["timestamp"]) + 1;
        let of = version_of(&self.roles["snapshot"]);
        let timestamp = metadata::timestamp(version, expires("timestamp"), of, &snapshot.bytes);
        change.metadata.push(snapshot);
        let bytes = keys.seal("timestamp", &self.description("timestamp"), &timestamp)?;
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
        let description = self.description(role);
        let mut signed = self.roles.remove(role).unwrap_or_default();
        metadata::renew(&mut signed, expires);
        let version = version_of(&signed);
        let bytes = keys.seal(role, &description, &signed)?;
        self.roles.insert(role.to_owned(), signed);
        if let Some(snapshot) = self
            .roles
            .get_mut("snapshot")
            .filter(|_| role != "snapshot")
        {
            snapshot["meta"][format!("{role}.json")]["version"] = version.into();
        }
        Ok(NewFile::new(layout::metadata(role, version), bytes))
    }

    /// The signed part of a role of type `targets`, read when first asked for.
    fn role(&mut self, role: &str) -> Result<&Value, FolderError> {
        if !self.roles.contains_key(role) {
            let meta = &self.roles["snapshot"]["meta"][format!("{role}.json")];
            self.load(role, Some(version_of(meta)))?;
        }
        Ok(&self.roles[role])
    }

    /// The bin that a record belongs to.
    fn bin(&mut self, path: &str) -> Result<String, FolderError> {
        let delegation = &self.role(PACKAGES)?["delegations"]["succinct_roles"];
        let bits = delegation["bit_length"]
            .as_u64()
            .and_then(|bits| u32::try_from(bits).ok());
        let bits = bits.ok_or(FolderError::Shape {
            role: PACKAGES.into(),
            field: "bit_length",
        })?;
        Ok(bin_name(PACKAGES, bits, path))
    }

    /// Reads the newest root; each must be signed as the one before it demands.
    fn load_root(&mut self) -> Result<(), FolderError> {
        let mut version = 1;
        loop {
            let path = layout::metadata("root", version);
            let bytes = self.read(&path)?;
            let before = self.roles.get("root").cloned();
            let signed = unsealed("root", Some(version), &bytes, &path, |signed| {
                let root = before.as_ref().unwrap_or(signed);
                Authority {
                    description: root["roles"]["root"].clone(),
                    keys: root["keys"].clone(),
                }
            })?;
            self.roles.insert("root".into(), signed);
            version += 1;
            if !self.root.join(layout::metadata("root", version)).exists() {
                return Ok(());
            }
        }
    }

    /// Reads a role in the version that was announced; the timestamp has none.
    fn load(&mut self, role: &str, version: Option<u64>) -> Result<(), FolderError> {
        if is_bin(role) {
            self.role(PACKAGES)?;
        } else if !is_top(role) {
            self.role("targets")?;
        }
        let path = match version {
            Some(version) => layout::metadata(role, version),
            None => layout::TIMESTAMP.to_owned(),
        };
        let bytes = self.read(&path)?;
        let authority = Authority {
            description: self.description(role),
            keys: self.keys(role),
        };
        let signed = unsealed(role, version, &bytes, &path, |_| authority)?;
        self.roles.insert(role.to_owned(), signed);
        Ok(())
    }

    /// Whose keys sign a role, and how many of them: what its delegator says.
    #[must_use]
    pub fn description(&self, role: &str) -> Value {
        match role {
            _ if is_top(role) => self.roles["root"]["roles"][role].clone(),
            _ if is_bin(role) => self.roles[PACKAGES]["delegations"]["succinct_roles"].clone(),
            _ => {
                let delegations = self.roles["targets"]["delegations"]["roles"].as_array();
                let mut delegations = delegations.into_iter().flatten();
                delegations
                    .find(|d| d["name"] == role)
                    .cloned()
                    .unwrap_or_default()
            }
        }
    }

    /// The ids of the keys that may sign a role.
    pub fn key_ids(&mut self, role: &str) -> Result<Vec<KeyId>, FolderError> {
        if is_bin(role) {
            self.role(PACKAGES)?;
        }
        let description = self.description(role);
        Ok(key_ids(&description)
            .filter_map(|id| id.parse().ok())
            .collect())
    }

    fn keys(&self, role: &str) -> Value {
        match role {
            _ if is_top(role) => self.roles["root"]["keys"].clone(),
            _ if is_bin(role) => self.roles[PACKAGES]["delegations"]["keys"].clone(),
            _ => self.roles["targets"]["delegations"]["keys"].clone(),
        }
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

/// Roles that the root names.
fn is_top(role: &str) -> bool {
    matches!(role, "root" | "targets" | "snapshot" | "timestamp")
}

fn is_bin(role: &str) -> bool {
    role.strip_prefix(PACKAGES)
        .is_some_and(|rest| rest.starts_with('-'))
}

fn version_of(value: &Value) -> u64 {
    value["version"].as_u64().unwrap_or(0)
}

fn file_digest(listed: &Value) -> Option<FileDigest> {
    Some(FileDigest {
        sha256: listed["hashes"]["sha256"].as_str()?.parse().ok()?,
        length: listed["length"].as_u64()?,
    })
}
