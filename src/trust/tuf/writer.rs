//! Metadata as values, for the writer: it changes a role's signed part and signs it anew, and must
//! not build on a part that nobody signed.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::error::{MetadataError, TufError};
use super::metadata::{Signers, Unverified, WireKey, WireRole, ed25519_only, malformed};

/// What a delegator says of a role: its key ids and threshold, and the keys by their ids.
pub struct Authority {
    /// An object with `keyids` and `threshold`.
    pub description: Value,
    /// Keys by their ids.
    pub keys: Value,
}

/// Checks a metadata file's signatures and returns its signed part. A first root is its own
/// authority, so that is asked for with the signed part at hand.
pub fn open_metadata(
    role: &str,
    bytes: &[u8],
    authority: impl FnOnce(&Value) -> Authority,
) -> Result<Value, TufError> {
    let unverified = Unverified::read(role, bytes)?;
    let Authority { description, keys } = authority(unverified.signed());
    let shape = |error: serde_json::Error| malformed(role, MetadataError::Shape(error.to_string()));
    let description = WireRole::deserialize(&description).map_err(shape)?;
    let keys: BTreeMap<String, WireKey> = serde_json::from_value(keys).map_err(shape)?;
    let signers = Signers::new(role, description, &keys).map_err(|error| malformed(role, error))?;
    unverified.verify(&signers, ed25519_only)?;
    Ok(unverified.into_signed())
}
