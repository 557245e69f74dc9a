//! `sparql` in a build that does not read v2: it says so, and does nothing else.

use super::context::Context;
use super::error::CommandError;
use super::sparql::{SparqlArgs, needs_v2};

/// Refuses.
pub(super) fn answer(_args: &SparqlArgs, _context: &Context) -> Result<(), CommandError> {
    let why = "this build of cargo-marketplace does not read v2 (feature `marketplace-v2`)";
    Err(needs_v2(why))
}
