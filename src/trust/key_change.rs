//! Changes of a publisher's keys: which ones there may be, and who must have signed them.

use std::collections::BTreeSet;

use super::ed25519::{self, KeyError, SecretKey, SignatureError};
use crate::formats::key_change::{self, KeyChange};
use crate::formats::publisher::Publisher;
use crate::model::{KeyId, PackageName, PublicKey, Sha256Digest};

/// Why a publisher's keys stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyChangeRefusal {
    /// It was made for another registry, or another publisher.
    #[error("it was made for another registry or publisher")]
    Other,
    /// The publisher's keys changed since it was made.
    #[error("the keys of `{0}` changed since it was made")]
    Outdated(String),
    /// Nothing is different.
    #[error("it changes nothing")]
    Nothing,
    /// A key that is in force would be neither in force nor revoked: what it signed would count no
    /// more.
    #[error("the key {0} would be neither in force nor revoked")]
    Dropped(KeyId),
    /// What is known of a revoked key would change.
    #[error("the key {0} is revoked already, and stays as it is")]
    Revoked(KeyId),
    /// A key is revoked that the publisher never had.
    #[error("the key {0} was never in force")]
    NeverInForce(KeyId),
    /// A key is revoked, and good for what it has yet to sign.
    #[error(
        "the key {key} is revoked, and would be good for statement {last} of `{package}`, which it has not signed"
    )]
    Unsigned {
        /// The key.
        key: KeyId,
        /// The package.
        package: PackageName,
        /// The last statement for which it would be good.
        last: u64,
    },
    /// A key is revoked, and good for a statement that is not in the registry.
    #[error(
        "the key {key} is revoked, and would be good for another statement {last} of `{package}` than the registry has"
    )]
    OtherStatement {
        /// The key.
        key: KeyId,
        /// The package.
        package: PackageName,
        /// The number of the statement.
        last: u64,
    },
    /// A new key is none that may sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A signature by a key that has no say.
    #[error("it is signed by the key {0}, which may not sign it")]
    UnknownKey(KeyId),
    /// A signature does not fit.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The bytes that are signed cannot be written.
    #[error(transparent)]
    Format(#[from] key_change::KeyChangeError),
    /// A new key, or any key that stays in force, did not sign.
    #[error("{0} did not sign it")]
    DidNotSign(String),
}

/// Adds the signatures of keys to a change.
pub fn sign_key_change(
    change: &mut KeyChange,
    keys: &[&SecretKey],
) -> Result<(), key_change::KeyChangeError> {
    let signed = key_change::signed_bytes(change)?;
    change
        .signatures
        .extend(keys.iter().map(|key| key.sign(&signed)));
    Ok(())
}

/// Checks that a publisher made a change to their present keys, whose file has these bytes: a key that
/// stays in force signed it, and each new one.
pub fn check_key_change(
    change: &KeyChange,
    present: &Publisher,
    file: &[u8],
    registry_id: Sha256Digest,
) -> Result<(), KeyChangeRefusal> {
    if change.registry_id != registry_id {
        return Err(KeyChangeRefusal::Other);
    }
    if change.previous != Sha256Digest::of(file) {
        return Err(KeyChangeRefusal::Outdated(present.id.to_string()));
    }
    check_keys(present, &change.publisher)?;
    let signed = key_change::signed_bytes(change)?;
    let next = &change.publisher.keys;
    let mut signers: BTreeSet<PublicKey> = BTreeSet::new();
    for signature in &change.signatures {
        let mut keys = next.iter().chain(&present.keys);
        let key = keys
            .find(|key| key.id() == signature.key_id)
            .ok_or(KeyChangeRefusal::UnknownKey(signature.key_id))?;
        ed25519::verify(key, &signed, &signature.bytes)?;
        signers.insert(*key);
    }
    let mut new = next.iter().filter(|key| !present.keys.contains(key));
    if let Some(key) = new.find(|key| !signers.contains(key)) {
        return Err(KeyChangeRefusal::DidNotSign(format!(
            "the new key {}",
            key.id()
        )));
    }
    let mut staying = next.iter().filter(|key| present.keys.contains(key));
    if staying.any(|key| signers.contains(key)) {
        return Ok(());
    }
    let text = "a key that is in force and stays so".to_owned();
    Err(KeyChangeRefusal::DidNotSign(text))
}

/// Checks that one state of a publisher's keys may follow on another, whoever signed it: no key is
/// dropped, and no revocation is taken back.
pub fn check_keys(present: &Publisher, next: &Publisher) -> Result<(), KeyChangeRefusal> {
    if next.id != present.id {
        return Err(KeyChangeRefusal::Other);
    }
    if next == present {
        return Err(KeyChangeRefusal::Nothing);
    }
    next.keys.iter().try_for_each(ed25519::check_key)?;
    let find = |list: &Publisher, key: &PublicKey| {
        let mut revoked = list.revoked.iter();
        revoked.find(|revocation| revocation.key == *key).cloned()
    };
    for revocation in &present.revoked {
        if find(next, &revocation.key).as_ref() != Some(revocation) {
            return Err(KeyChangeRefusal::Revoked(revocation.key.id()));
        }
    }
    for key in &present.keys {
        if !next.keys.contains(key) && find(next, key).is_none() {
            return Err(KeyChangeRefusal::Dropped(key.id()));
        }
    }
    let was_there = |key: &PublicKey| present.keys.contains(key) || find(present, key).is_some();
    let mut revoked = next.revoked.iter();
    match revoked.find(|revocation| !was_there(&revocation.key)) {
        Some(stranger) => Err(KeyChangeRefusal::NeverInForce(stranger.key.id())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
