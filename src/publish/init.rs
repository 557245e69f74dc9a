//! The first state of a registry: root, delegations, policy, an empty catalog.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::journal::{Change, Journal, JournalError, NewFile};
use super::metadata::{self, PACKAGES, SoloKeys};
use super::role_keys::{RoleKeys, SealError};
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
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
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
    let read_error = |source| InitError::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(read_error(error)),
    };
    for entry in entries {
        let name = entry.map_err(read_error)?.file_name();
        if !name.to_string_lossy().starts_with('.') {
            return Err(InitError::NotEmpty(folder.to_owned()));
        }
    }
    Ok(())
}

fn first_change(new: &NewRegistry<'_>) -> Result<(Change, Sha256Digest), InitError> {
    let keys = new.roles;
    let expires = |role: &str| new.now.plus_days(metadata::lifetime(role, &new.lifetimes));
    let mut change = Change::default();
    change
        .plain
        .push(file(layout::CONFIG, config_json::encode(new.base)));
    let mut target = |role: &str, path: &str, bytes: Vec<u8>| {
        let mut signed = metadata::targets(expires(role));
        metadata::set_target(&mut signed, path, &bytes);
        let digest = Sha256Digest::of(&bytes);
        change
            .immutable
            .push(file(&layout::hashed(path, &digest), bytes.clone()));
        change.plain.push(file(path, bytes));
        (role.to_owned(), signed)
    };
    let mut roles: Vec<(String, Value)> = vec![
        (
            "targets".into(),
            metadata::top_targets(&keys, expires("targets")),
        ),
        target("policy", layout::POLICY, first_policy(new)?),
        target(
            "catalog",
            layout::CATALOG_INDEX,
            catalog_index::encode(&CatalogIndex::default()),
        ),
        ("rollout".into(), metadata::targets(expires("rollout"))),
        (
            PACKAGES.into(),
            metadata::packages(&keys, expires(PACKAGES)),
        ),
    ];
    roles.extend(metadata::bins().map(|bin| (bin.clone(), metadata::targets(expires(&bin)))));
    let description = |role: &str| json!({"keyids": [key_of(role, &keys)], "threshold": 1});
    let seal = |role: &str, signed: &Value| new.keys.seal(role, &description(role), signed);
    let root = seal("root", &metadata::root(&keys, expires("root")))?;
    let root_digest = Sha256Digest::of(&root);
    change
        .metadata
        .push(file(&layout::metadata("root", 1), root));
    for (role, signed) in &roles {
        change
            .metadata
            .push(file(&layout::metadata(role, 1), seal(role, signed)?));
    }
    let names = roles.iter().map(|(role, _)| (role.as_str(), 1));
    let snapshot = seal(
        "snapshot",
        &metadata::snapshot(1, expires("snapshot"), names),
    )?;
    let timestamp = metadata::timestamp(1, expires("timestamp"), 1, &snapshot);
    change
        .metadata
        .push(file(&layout::metadata("snapshot", 1), snapshot));
    change.timestamp = Some(file(layout::TIMESTAMP, seal("timestamp", &timestamp)?));
    Ok((change, root_digest))
}

fn key_of(role: &str, keys: &SoloKeys) -> String {
    let key = match role {
        "root" | "targets" | "policy" | "rollout" | PACKAGES => &keys.offline,
        _ => &keys.online,
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
    })?)
}

/// What is mixed into the choice of buckets: no secret, but another value for each registry.
fn salt(new: &NewRegistry<'_>) -> Vec<u8> {
    let text = format!("{} {} {}", new.base, new.now, new.roles.offline);
    Sha256Digest::of(text.as_bytes()).as_bytes()[..16].to_vec()
}

fn file(path: &str, bytes: Vec<u8>) -> NewFile {
    NewFile {
        path: path.to_owned(),
        bytes,
    }
}
