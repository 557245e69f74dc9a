//! ECDSA over P-256 with SHA-256, beside the Ed25519 of the shipped program.

use cargo_marketplace::trust::tuf::{TufKey, ed25519_only};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;

/// Says whether a key of either kind made a signature over a message.
pub(crate) fn verify(key: &TufKey, message: &[u8], signature: &[u8]) -> bool {
    match (key.keytype.as_str(), key.scheme.as_str()) {
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
            let key = VerifyingKey::from_public_key_pem(&key.public).ok();
            let signature = DerSignature::from_bytes(signature).ok();
            let both = key.zip(signature);
            both.is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
        }
        _ => ed25519_only(key, message, signature),
    }
}
