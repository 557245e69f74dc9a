//! `tour`: the whole of it in one command, in a folder of its own. Touches nothing else of the machine.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::CommandError;
use super::unfinished;

/// Shows all of it in a temporary folder: publish, search, install, tamper, build
#[derive(Debug, Args)]
pub struct TourArgs {
    /// Do the tour in this new folder, and leave it there
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the command.
pub fn run(_args: TourArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("tour"))
}
