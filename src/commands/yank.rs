//! `yank`: taking a release out of choice, and back.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::PackageSpec;
use crate::publish::keystore::KeyName;

/// Marks a release as not to be chosen any more
///
/// Lock files that name it go on working.
#[derive(Debug, Args)]
pub struct YankArgs {
    /// The release: `name@1.2.3`
    pub spec: PackageSpec,

    /// Make it a choice again
    #[arg(long, conflicts_with = "reason")]
    pub undo: bool,

    /// Why; shown to everybody who asks for the release
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: Option<PathBuf>,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// Show the statement that would be added, and add nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(_args: YankArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("yank"))
}
