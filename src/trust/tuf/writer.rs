//! Metadata as values, for the writer: it changes a role's signed part and signs it anew, and must
//! not build on a part that nobody signed.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::error::{MetadataError, TufError};
use super::metadata::{Signers, Unverified, WireKey, WireRole, ed25519_only, malformed};
use super::roles::{Root, Snapshot, Targets, Timestamp};

/// What a delegator says of a role: its key ids and threshold, and the keys by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// An object with `keyids` and `threshold`.
    pub description: Value,
    /// Keys by their ids.
    pub keys: Value,
}

/// Checks a metadata file as a client would, but for its expiry, and returns its signed part. A first
/// root is its own authority, so that is asked for with the signed part at hand. `version` is that
/// of the file's name, or of who announced it.
pub fn open_metadata(
    role: &str,
    version: Option<u64>,
    bytes: &[u8],
    authority: impl FnOnce(&Value) -> Authority,
) -> Result<Value, TufError> {
    let unverified = Unverified::read(role, bytes)?;
    let signers = signers(role, authority(unverified.signed()))?;
    unverified.verify(&signers, ed25519_only)?;
    if role == "root" {
        // It must be signed as it demands itself, too.
        let root = unverified.content::<Root>()?;
        unverified.verify(&root.content.root, ed25519_only)?;
    }
    let found = content_version(role, &unverified)?;
    match version.filter(|expected| *expected != found) {
        None => Ok(unverified.into_signed()),
        Some(expected) => Err(TufError::Version {
            role: role.into(),
            expected,
            found,
        }),
    }
}

/// The ids of the keys of an authority that have signed metadata, be they enough or not.
pub fn signed_by(role: &str, bytes: &[u8], authority: Authority) -> Result<Vec<String>, TufError> {
    let unverified = Unverified::read(role, bytes)?;
    let ids = unverified.signed_by(&signers(role, authority)?, ed25519_only)?;
    Ok(ids.into_iter().map(str::to_owned).collect())
}

fn signers(role: &str, authority: Authority) -> Result<Signers, TufError> {
    let Authority { description, keys } = authority;
    let shape = |error: serde_json::Error| malformed(role, MetadataError::Shape(error.to_string()));
    let description = WireRole::deserialize(&description).map_err(shape)?;
    let keys: BTreeMap<String, WireKey> = serde_json::from_value(keys).map_err(shape)?;
    Signers::new(role, description, &keys).map_err(|error| malformed(role, error))
}

/// Reads metadata that was not signed by enough keys yet, to its last field, and returns its signed
/// part. Nothing may be built on it.
pub fn read_unsigned(role: &str, bytes: &[u8]) -> Result<Value, TufError> {
    let unverified = Unverified::read(role, bytes)?;
    content_version(role, &unverified)?;
    Ok(unverified.into_signed())
}

/// Reads what the role says, to its last field, and returns its version.
fn content_version(role: &str, unverified: &Unverified<'_>) -> Result<u64, TufError> {
    Ok(match role {
        "root" => unverified.content::<Root>()?.version,
        "timestamp" => unverified.content::<Timestamp>()?.version,
        "snapshot" => unverified.content::<Snapshot>()?.version,
        _ => unverified.content::<Targets>()?.version,
    })
}
