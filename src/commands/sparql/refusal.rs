//! `sparql` in a build that does not read v2: it says so, and does nothing else.

use super::context::Context;
use super::error::CommandError;
use super::sparql::{SparqlArgs, needs_v2};

const WHY: &str = "this build of cargo-marketplace does not read v2 (feature `marketplace-v2`)";

/// Refuses.
pub(super) fn answer(_args: &SparqlArgs, _context: &Context) -> Result<(), CommandError> {
    Err(needs_v2("sparql", WHY))
}

/// Refuses.
pub(super) fn policies(
    _names: &[String],
    _params: &[(String, String)],
) -> Result<Vec<(String, String)>, CommandError> {
    Err(needs_v2("audit --policy", WHY))
}

/// Refuses.
pub(super) fn list_policies(_context: &Context) -> Result<(), CommandError> {
    Err(needs_v2("audit --policy", WHY))
}
