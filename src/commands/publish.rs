//! `publish`: package, sign and apply in one go, each in its own process.

use std::path::PathBuf;

use clap::Args;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::publish::keystore::KeyName;

/// Packages, signs and hands in
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// What to package.
    #[command(flatten)]
    pub packaging: PackagingArgs,

    /// The workspace's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: Option<PathBuf>,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// Show the lines, the Turtle and the statement that would be added, and add nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(_args: PublishArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("publish"))
}
