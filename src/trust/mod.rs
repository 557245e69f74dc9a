//! Who may say what: TUF, statements, ownership. Pure; the only caller of Ed25519.

pub mod ed25519;
mod file;
pub mod record;
mod registered;
pub mod tuf;
mod verified;

pub use ed25519::{KeyError, KeyFileError, SecretKey, SignatureError};
pub use file::{FileMismatch, check_file};
pub use registered::{RegisteredError, read_policy, read_publisher};
pub use verified::{Archive, ArchiveMismatch, Verified, verify_archive};
