//! Ed25519 (RFC 8032): the one place that signs, verifies and judges keys. It must never verify in
//! the lenient way, under which a small-order key "signs" every message.

mod key_file;

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::model::{PublicKey, Signature};

pub use key_file::{KeyFileError, public_from_pem, public_pem};

/// Why 32 bytes may not be anybody's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No point of the curve is written so.
    #[error("`{0}` is not an ed25519 public key: it is no point of the curve")]
    NotAPoint(PublicKey),
    /// A point of small order: anybody can make signatures that fit it.
    #[error("`{0}` is a weak ed25519 public key: anybody can sign with it")]
    Weak(PublicKey),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is none that may sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not 64 bytes.
    #[error("an ed25519 signature has 64 bytes, this one {0}")]
    Length(usize),
    /// The key did not make this signature over this message.
    #[error("the signature does not fit the key {0} and the signed bytes")]
    Mismatch(PublicKey),
}

/// Checks that a key may be registered: a point of the curve in its one canonical form, and not of
/// small order.
pub fn check_key(key: &PublicKey) -> Result<(), KeyError> {
    usable(key).map(drop)
}

/// Verifies a signature strictly: canonical form, no small-order key and no small-order `R`.
pub fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let signature: [u8; 64] = signature
        .try_into()
        .map_err(|_| SignatureError::Length(signature.len()))?;
    usable(key)?
        .verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature))
        .map_err(|_| SignatureError::Mismatch(*key))
}

/// Parses a key; the only call of the library's parser, which accepts weak keys.
fn usable(key: &PublicKey) -> Result<VerifyingKey, KeyError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that parses keys, and the next lines refuse the unusable ones"
    )]
    let parsed = VerifyingKey::from_bytes(&key.0).map_err(|_| KeyError::NotAPoint(*key))?;
    if parsed.is_weak() {
        return Err(KeyError::Weak(*key));
    }
    // A second spelling of the same point would count as a second key towards a threshold.
    if parsed.to_edwards().compress().to_bytes() != key.0 {
        return Err(KeyError::NotAPoint(*key));
    }
    Ok(parsed)
}

/// A secret key. Wiped from memory when dropped; shows only its fingerprint.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key that 32 random bytes give (the seed of RFC 8032).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`. The same bytes give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature {
            key_id: self.public().id(),
            bytes: self.0.sign(message).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().fingerprint())
    }
}

#[cfg(test)]
mod tests;
