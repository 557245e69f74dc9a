//! Who may say what: TUF, statements, ownership. Pure; the only caller of Ed25519.

mod verified;

pub use verified::{Archive, ArchiveMismatch, Verified, verify_archive};
