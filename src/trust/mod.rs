//! Who may say what: TUF, statements, ownership. Pure; the only caller of Ed25519.

mod ageing;
pub mod ed25519;
mod key_change;
mod record;
mod registered;
pub mod tuf;
mod verified;

pub use ageing::{Ageing, ageing, is_past_half, lifetime};
pub use ed25519::{KeyError, KeyFileError, SecretKey, SignatureError};
pub use key_change::{KeyChangeRefusal, check_key_change, check_keys, sign_key_change};
pub use record::{
    Disagreement, FoldError, PackageState, RecordContext, RecordError, Regression, Seen,
    SignedStatement, Signer, Signing, StatementRefusal, check_record, compare, countersign,
    has_unsigned, no_regression, owners_needed, sign_statement, signed_statements, signing,
    verify_record,
};
pub use registered::{RegisteredError, read_policy, read_publisher, read_unsigned};
pub use verified::{Archive, ArchiveMismatch, Verified, verify_archive, with_own_release};
