//! `fetch`: fetching and verifying what a project depends on, so that it builds offline.

use std::path::PathBuf;

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;

/// Fetches and verifies what a project depends on
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The project's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// Write source replacement into the project's `.cargo/config.toml`, so that plain cargo uses
    /// what was verified
    #[arg(long)]
    pub write_config: bool,

    /// Fail if `Cargo.lock` would have to change
    #[arg(long)]
    pub locked: bool,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: FetchArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("fetch"))
}
