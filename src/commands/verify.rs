//! `verify`: whether packages are what their publishers signed.

use std::path::PathBuf;

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;

/// Verifies a project's packages, one package, or an archive
///
/// Without a subject: every package of our registries that the project's `Cargo.lock` names.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A package (`name@1.2.3`) or an archive (`FILE.crate`)
    #[arg(value_name = "SPEC|FILE.crate")]
    pub subject: Option<String>,

    /// The project's manifest
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    pub manifest_path: Option<PathBuf>,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: VerifyArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("verify"))
}
