//! `registry apply`: signed submissions into a registry: the one writer of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;

/// Takes signed submissions into a registry
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// What `sign` wrote
    #[arg(required = true, value_name = "SUBMISSION")]
    pub submissions: Vec<PathBuf>,

    /// Check, show what would change, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(_args: ApplyArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry apply"))
}
