//! The Update Framework 1.0 (with TAP 15's hash bins), the reading side: a state machine that says
//! what to fetch, judges what came, and says what to keep. It never fetches or stores anything.

mod delegation;
mod error;
mod metadata;
mod path_pattern;
mod roles;
mod root_chain;
mod target;
mod updater;
mod writer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use error::{MetadataError, TufError};
pub use metadata::{TufKey, Verifier, ed25519_only};
pub use path_pattern::{bin_name, glob, numbered_bin};
pub use root_chain::RootChain;
pub use target::{Target, TargetFile, TargetMismatch};
pub use updater::{
    Change, Lookup, MAX_NEW_ROOTS, MAX_ROOT, Mode, Request, RoleValidity, Settings, Updater,
    Upheld, Withheld,
};
pub use writer::{Authority, open_metadata, read_unsigned, signed_by};
