//! Who may say what: TUF, statements, ownership. Pure; the only caller of Ed25519.

pub mod ed25519;
pub mod record;
pub mod tuf;
mod verified;

pub use ed25519::{KeyError, KeyFileError, SecretKey, SignatureError};
pub use verified::{Archive, ArchiveMismatch, Verified, verify_archive};
