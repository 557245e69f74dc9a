//! `registry check`: whether a registry in a folder is whole and consistent.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;

/// Checks a registry in a folder: every file, digest, signature and statement
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The registry's folder
    pub dir: PathBuf,
}

/// Runs the command.
pub fn run(_args: CheckArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry check"))
}
