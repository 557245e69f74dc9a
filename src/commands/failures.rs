//! What the errors of the other folders mean to a user: their kind, code, and what to do.

mod install;
mod publish;
mod registry;

use super::error::{CommandError, Kind};

pub(super) use registry::stores_token;

const NOTHING_WRITTEN: &str = "nothing was written";
const ONCE_ONLINE: &str = "run it once with the registry in reach and without `--offline`";

/// What to do about a lock file that gives a release another checksum than its registry.
pub(super) const OTHER_CHECKSUM: &str =
    "find out who changed the lock file; without that entry, the registry's checksum is taken";

/// An error of the kind "trust refused".
fn refused(code: &'static str, error: &dyn std::error::Error) -> CommandError {
    CommandError::from_error(Kind::Trust, error)
        .with_code(code)
        .with_note(NOTHING_WRITTEN)
}

fn failed(error: &dyn std::error::Error) -> CommandError {
    CommandError::from_error(Kind::Failure, error)
}
