//! `exec`: any cargo command, on verified packages.

use std::ffi::OsString;

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;

/// Runs cargo on verified packages
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,

    /// What to tell cargo, as `build --release`
    #[arg(last = true, required = true, value_name = "CARGO ARGUMENTS")]
    pub arguments: Vec<OsString>,
}

/// Runs the command.
pub fn run(_args: ExecArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("exec"))
}
