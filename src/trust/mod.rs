//! Who may say what: TUF, statements, ownership. Pure; the only caller of Ed25519.

mod ageing;
pub mod ed25519;
mod record;
mod registered;
pub mod tuf;
mod verified;

pub use ageing::{Ageing, ageing, is_past_half, lifetime};
pub use ed25519::{KeyError, KeyFileError, SecretKey, SignatureError};
pub use record::{
    Disagreement, FoldError, PackageState, RecordContext, RecordError, Regression, Seen,
    SignedStatement, Signer, StatementRefusal, check_record, check_signatures, compare,
    no_regression, owners_needed, sign_statement, signed_statements, verify_record,
};
pub use registered::{RegisteredError, read_policy, read_publisher};
pub use verified::{Archive, ArchiveMismatch, Verified, verify_archive, with_own_release};
