//! `registry show`: what is known of one registry.

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;
use crate::model::RegistryName;

/// Shows a registry: address, root, roles, expiry
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The registry; needed only where several are known
    pub name: Option<RegistryName>,
}

/// Runs the command.
pub fn run(_args: ShowArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry show"))
}
