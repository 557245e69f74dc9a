//! Ed25519 keys and signatures as bytes. Nothing is verified here: that is `trust`'s alone.

use std::fmt;
use std::str::FromStr;

use super::{DigestError, Sha256Digest};

/// Variables of the environment that can hold a signing key or open one. No program that we run gets
/// them.
pub const KEY_VARIABLES: [&str; 2] = [
    "CARGO_MARKETPLACE_SIGNING_KEY",
    "CARGO_MARKETPLACE_KEY_PASSPHRASE",
];

/// A key's id: the sha256 of its canonical JSON form (TUF 1.0, section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub Sha256Digest);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The 32 bytes of an Ed25519 public key (RFC 8032), not yet known to be a usable point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// The text is not the 64 hexadecimal digits of an Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ed25519 public key (64 lower-case hexadecimal digits)")]
pub struct PublicKeyError(String);

impl PublicKey {
    /// Returns the key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let canonical =
            format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{self}"}},"scheme":"ed25519"}}"#);
        KeyId(Sha256Digest::of(canonical.as_bytes()))
    }

    /// Returns a short name for people, `ed25519:7Q2M-9K1D`: the first 40 bits of the sha256 of the
    /// key in Crockford's base 32. Too short to decide anything by.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let digest = Sha256Digest::of(&self.0);
        let bits = digest.as_bytes()[..5]
            .iter()
            .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let letter =
            |place: u32| ALPHABET[usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0)];
        let letters: String = (0..8).rev().map(letter).map(char::from).collect();
        format!("ed25519:{}-{}", &letters[..4], &letters[4..])
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest: Sha256Digest = text
            .parse()
            .map_err(|_| PublicKeyError(text.chars().take(80).collect()))?;
        Ok(Self(*digest.as_bytes()))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The 64 bytes of an Ed25519 signature (RFC 8032) and the id of the key that is said to have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose signature it claims to be.
    pub key_id: KeyId,
    /// R and S; 64 bytes when well-formed.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_are_those_of_securesystemslib() {
        // Computed with securesystemslib's SSlibKey for the key of RFC 8032, test 1.
        let key: PublicKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
            .parse()
            .unwrap();
        assert_eq!(key.fingerprint().len(), "ed25519:7Q2M-9K1D".len());
        assert_eq!(
            key.id().to_string(),
            Sha256Digest::of(
                br#"{"keytype":"ed25519","keyval":{"public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},"scheme":"ed25519"}"#
            )
            .to_string()
        );
    }
}
