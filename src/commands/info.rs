//! `info`: what a registry knows of one package.

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::PackageSpec;

/// Shows what a registry knows of a package
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The package: `name`, `name@1.2`, `registry/name@=1.2.3`
    pub spec: PackageSpec,

    /// List all releases
    #[arg(long)]
    pub versions: bool,

    /// List the dependencies
    #[arg(long)]
    pub deps: bool,

    /// List the packages of the registry that depend on it
    #[arg(long)]
    pub dependents: bool,

    /// List who signed what
    #[arg(long)]
    pub signatures: bool,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: InfoArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("info"))
}
