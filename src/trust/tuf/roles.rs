//! What each kind of metadata says (TUF 1.0, sections 4.3 to 4.6).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::delegation::{Delegations, WireDelegations};
use super::error::{MetadataError, TufError};
use super::metadata::{Content, Signers, WireKey, WireRole};
use super::target::Hashes;
use crate::model::{DigestError, Sha256Digest};

/// `root`: who signs what.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "`root` signs root, and so on")]
pub(super) struct Root {
    pub(super) consistent_snapshot: bool,
    /// The sha256 of version 1, which later versions repeat.
    pub(super) registry_id: Option<Sha256Digest>,
    pub(super) root: Signers,
    pub(super) timestamp: Signers,
    pub(super) snapshot: Signers,
    pub(super) targets: Signers,
}

#[derive(Deserialize)]
pub(super) struct WireRoot {
    #[serde(default)]
    consistent_snapshot: bool,
    registry_id: Option<String>,
    keys: BTreeMap<String, WireKey>,
    roles: BTreeMap<String, WireRole>,
}

impl Content for Root {
    const TYPE: &'static str = "root";
    type Wire = WireRoot;

    fn read(mut wire: WireRoot) -> Result<Self, MetadataError> {
        let mut signers = |name: &'static str| {
            let role = wire.roles.remove(name);
            Signers::new(
                name,
                role.ok_or(MetadataError::MissingRole(name))?,
                &wire.keys,
            )
        };
        let registry_id = wire.registry_id.map(|id| id.parse());
        Ok(Self {
            consistent_snapshot: wire.consistent_snapshot,
            root: signers("root")?,
            timestamp: signers("timestamp")?,
            snapshot: signers("snapshot")?,
            targets: signers("targets")?,
            registry_id: registry_id
                .transpose()
                .map_err(|error: DigestError| MetadataError::Shape(error.to_string()))?,
        })
    }
}

/// What a file of metadata must be.
#[derive(Debug, Clone)]
pub(super) struct FileMeta {
    pub(super) version: u64,
    pub(super) length: Option<u64>,
    pub(super) hashes: Option<Hashes>,
}

#[derive(Deserialize)]
pub(super) struct WireFileMeta {
    version: u64,
    length: Option<u64>,
    hashes: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct WireMeta {
    meta: BTreeMap<String, WireFileMeta>,
}

impl FileMeta {
    fn read(name: &str, wire: WireFileMeta) -> Result<Self, MetadataError> {
        if wire.version == 0 {
            return Err(MetadataError::VersionZero);
        }
        let hashes = wire.hashes.map(|hashes| Hashes::read(name, &hashes));
        Ok(Self {
            version: wire.version,
            length: wire.length,
            hashes: hashes.transpose()?,
        })
    }

    /// Checks length and digests of a role's bytes, as far as they were announced.
    pub(super) fn check(&self, role: &str, bytes: &[u8]) -> Result<(), TufError> {
        let found = bytes.len() as u64;
        if let Some(expected) = self.length.filter(|length| *length != found) {
            return Err(TufError::Length {
                role: role.into(),
                expected,
                found,
            });
        }
        if self
            .hashes
            .as_ref()
            .is_some_and(|hashes| !hashes.fit(bytes))
        {
            return Err(TufError::Digest {
                role: role.into(),
                found: Sha256Digest::of(bytes),
            });
        }
        Ok(())
    }
}

/// `timestamp`: which snapshot is the present one.
#[derive(Debug, Clone)]
pub(super) struct Timestamp {
    pub(super) snapshot: FileMeta,
}

impl Content for Timestamp {
    const TYPE: &'static str = "timestamp";
    type Wire = WireMeta;

    fn read(mut wire: WireMeta) -> Result<Self, MetadataError> {
        let name = "snapshot.json";
        let snapshot = wire
            .meta
            .remove(name)
            .ok_or(MetadataError::MissingRole("snapshot"))?;
        FileMeta::read(name, snapshot).map(|snapshot| Self { snapshot })
    }
}

/// `snapshot`: the version of every role that lists targets, by file name.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) meta: BTreeMap<String, FileMeta>,
}

impl Content for Snapshot {
    const TYPE: &'static str = "snapshot";
    type Wire = WireMeta;

    fn read(wire: WireMeta) -> Result<Self, MetadataError> {
        if !wire.meta.contains_key("targets.json") {
            return Err(MetadataError::MissingRole("targets"));
        }
        let files = wire.meta.into_iter().map(|(name, meta)| {
            let meta = FileMeta::read(&name, meta)?;
            Ok((name, meta))
        });
        let meta = files.collect::<Result<_, MetadataError>>()?;
        Ok(Self { meta })
    }
}

/// `targets`: files, and other roles that list more of them.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    /// The role's own name, where it states it.
    name: Option<String>,
    pub(super) targets: BTreeMap<String, (u64, Hashes)>,
    pub(super) delegations: Option<Delegations>,
}

#[derive(Deserialize)]
pub(super) struct WireTargets {
    role: Option<String>,
    targets: BTreeMap<String, WireTarget>,
    delegations: Option<WireDelegations>,
}

#[derive(Deserialize)]
struct WireTarget {
    length: u64,
    hashes: BTreeMap<String, String>,
}

impl Content for Targets {
    const TYPE: &'static str = "targets";
    type Wire = WireTargets;

    fn read(wire: WireTargets) -> Result<Self, MetadataError> {
        let files = wire.targets.into_iter().map(|(path, file)| {
            let hashes = Hashes::read(&path, &file.hashes)?;
            Ok((path, (file.length, hashes)))
        });
        Ok(Self {
            name: wire.role,
            targets: files.collect::<Result<_, MetadataError>>()?,
            delegations: wire.delegations.map(Delegations::read).transpose()?,
        })
    }
}

impl Targets {
    /// Checks that a role does not state another name: one key may sign for several roles, and TUF has
    /// no name in what it signs. Registries that this program writes state it in every role.
    pub(super) fn check_name(&self, role: &str) -> Result<(), TufError> {
        let other = self.name.as_ref().filter(|name| *name != role);
        other.map_or(Ok(()), |found| {
            Err(TufError::OtherRole {
                expected: role.into(),
                found: found.chars().take(80).collect(),
            })
        })
    }
}
