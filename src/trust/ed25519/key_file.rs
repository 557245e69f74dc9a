//! Key files: PKCS#8 PEM, encrypted (PBES2: scrypt and AES-256-CBC) or plain, in the form that
//! OpenSSL 3.0 reads. Files are text here; where they lie and who may read them is the caller's.

use ed25519_dalek::pkcs8::{KeypairBytes, PublicKeyBytes};
use ed25519_dalek::{
    SigningKey,
    pkcs8::spki::{DecodePublicKey as _, EncodePublicKey as _},
};
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::{self, EncryptionScheme, scrypt};
use pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, LineEnding,
    PrivateKeyInfoRef, SecretDocument,
};
use zeroize::Zeroizing;

use super::SecretKey;
use crate::model::PublicKey;

/// The cost of guessing a passphrase: N = 2^14, r = 8, p = 8. It is as much work as N = 2^17 with
/// p = 1, in the 32 MiB that `openssl pkey` grants scrypt and cannot be told to raise.
const LOG_COST: u8 = 14;
const BLOCK_SIZE: u32 = 8;
const PARALLELIZATION: u32 = 8;
/// A key file has a few hundred bytes; nothing longer is parsed.
const MAX_TEXT: usize = 16 * 1024;
/// scrypt needs `128 * N * r` bytes: 256 MiB at most, twice what we write.
const MAX_SCRYPT_BLOCKS: u64 = 1 << 21;
/// scrypt's work grows with `N * r * p`.
const MAX_SCRYPT_WORK: u64 = 1 << 23;
/// PBKDF2's rounds; OpenSSL writes 2,048, `OWASP` asks for 600,000.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;

/// Why a text gives no secret key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The key is encrypted, and no passphrase was given.
    #[error("the key is encrypted and needs its passphrase")]
    NeedsPassphrase,
    /// What the passphrase decrypts the key to is no key.
    #[error("the passphrase does not fit the key")]
    WrongPassphrase,
    /// Not a PEM file with `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY`, or a damaged one.
    #[error("the text is no PKCS#8 key file (PEM)")]
    NotPkcs8,
    /// A private key of another kind, or one that contradicts itself.
    #[error("the key is not an ed25519 key")]
    NotEd25519,
    /// Encrypted in a way that we do not know, or that would take unreasonable memory or time.
    #[error("the key is encrypted in a way that is not supported")]
    UnsupportedEncryption,
    /// The library refused to write the key.
    #[error("the key cannot be written as PKCS#8")]
    Encoding,
}

/// Returns a public key as `SubjectPublicKeyInfo` in PEM.
pub fn public_pem(key: &PublicKey) -> Result<String, KeyFileError> {
    PublicKeyBytes(key.0)
        .to_public_key_pem(LineEnding::LF)
        .map_err(|_| KeyFileError::Encoding)
}

/// Reads a public key from `SubjectPublicKeyInfo` in PEM; whether it may be used, `check_key` says.
pub fn public_from_pem(text: &str) -> Result<PublicKey, KeyFileError> {
    if text.len() > MAX_TEXT {
        return Err(KeyFileError::NotPkcs8);
    }
    PublicKeyBytes::from_public_key_pem(text)
        .map(|bytes| PublicKey(bytes.0))
        .map_err(|_| KeyFileError::NotPkcs8)
}

impl SecretKey {
    /// Returns the key as PKCS#8 in PEM, encrypted if there is a passphrase. `randomness` becomes
    /// salt and initialisation vector: fresh random bytes for each file.
    pub fn to_pem(
        &self,
        passphrase: Option<&str>,
        randomness: &[u8; 32],
    ) -> Result<Zeroizing<String>, KeyFileError> {
        let bytes = KeypairBytes {
            secret_key: self.0.to_bytes(),
            // OpenSSL 3.0 refuses the newer form, which holds the public key, too.
            public_key: None,
        };
        let plain = bytes.to_pkcs8_der().map_err(|_| KeyFileError::Encoding)?;
        let (document, label) = match passphrase {
            None => (plain, PrivateKeyInfoRef::PEM_LABEL),
            Some(passphrase) => (
                encrypt(&plain, passphrase, randomness)?,
                EncryptedPrivateKeyInfoRef::PEM_LABEL,
            ),
        };
        document
            .to_pem(label, LineEnding::LF)
            .map_err(|_| KeyFileError::Encoding)
    }

    /// Reads a key from PKCS#8 in PEM. A passphrase for a key that needs none is not looked at.
    pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<Self, KeyFileError> {
        if text.len() > MAX_TEXT {
            return Err(KeyFileError::NotPkcs8);
        }
        let (label, document) =
            SecretDocument::from_pem(text).map_err(|_| KeyFileError::NotPkcs8)?;
        let key = match label {
            PrivateKeyInfoRef::PEM_LABEL => decode(&document)?,
            EncryptedPrivateKeyInfoRef::PEM_LABEL => decrypt(&document, passphrase)?,
            _ => return Err(KeyFileError::NotPkcs8),
        };
        let key = SigningKey::try_from(&key).map_err(|_| KeyFileError::NotEd25519)?;
        Ok(Self(key))
    }
}

fn encrypt(
    plain: &SecretDocument,
    passphrase: &str,
    randomness: &[u8; 32],
) -> Result<SecretDocument, KeyFileError> {
    let (salt, iv) = randomness.split_at(16);
    let iv: [u8; 16] = iv.try_into().map_err(|_| KeyFileError::Encoding)?;
    let cost = scrypt::Params::new(LOG_COST, BLOCK_SIZE, PARALLELIZATION)
        .map_err(|_| KeyFileError::Encoding)?;
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, salt, iv)
        .map_err(|_| KeyFileError::Encoding)?;
    let scheme = EncryptionScheme::from(parameters);
    let encrypted_data = scheme
        .encrypt(passphrase, plain.as_bytes())
        .map_err(|_| KeyFileError::Encoding)?;
    let info = pkcs8::EncryptedPrivateKeyInfo {
        encryption_algorithm: scheme,
        encrypted_data: pkcs8::der::asn1::OctetString::new(encrypted_data)
            .map_err(|_| KeyFileError::Encoding)?,
    };
    SecretDocument::encode_msg(&info).map_err(|_| KeyFileError::Encoding)
}

fn decrypt(
    document: &SecretDocument,
    passphrase: Option<&str>,
) -> Result<KeypairBytes, KeyFileError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| KeyFileError::NotPkcs8)?;
    affordable(&info.encryption_algorithm)?;
    let passphrase = passphrase.ok_or(KeyFileError::NeedsPassphrase)?;
    let plain = info.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_) => {
            KeyFileError::WrongPassphrase
        }
        _ => KeyFileError::UnsupportedEncryption,
    })?;
    decode(&plain).map_err(|error| match error {
        // One wrong passphrase in 256 gives valid padding, and noise before it.
        KeyFileError::NotPkcs8 => KeyFileError::WrongPassphrase,
        other => other,
    })
}

fn decode(document: &SecretDocument) -> Result<KeypairBytes, KeyFileError> {
    KeypairBytes::from_pkcs8_der(document.as_bytes()).map_err(|error| match error {
        pkcs8::Error::Asn1(_) => KeyFileError::NotPkcs8,
        _ => KeyFileError::NotEd25519,
    })
}

/// Refuses parameters by which a hostile file would eat memory or time, or upset the library.
fn affordable(scheme: &EncryptionScheme) -> Result<(), KeyFileError> {
    let parameters = scheme.pbes2().ok_or(KeyFileError::UnsupportedEncryption)?;
    let fits = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= MAX_PBKDF2_ROUNDS,
        Kdf::Scrypt(kdf) => {
            let blocks = kdf.cost_parameter.saturating_mul(kdf.block_size.into());
            kdf.cost_parameter.is_power_of_two()
                && blocks <= MAX_SCRYPT_BLOCKS
                && blocks.saturating_mul(kdf.parallelization.into()) <= MAX_SCRYPT_WORK
        }
        _ => false,
    };
    fits.then_some(())
        .ok_or(KeyFileError::UnsupportedEncryption)
}
