//! `add`: dependencies in a manifest: chosen and verified by us, written by cargo.

use std::path::PathBuf;

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::PackageSpec;

/// Verifies packages and adds them to a manifest
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The packages: `name`, `name@1.2`, `registry/name`
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<PackageSpec>,

    /// The package of the workspace to change
    #[arg(short, long, value_name = "PACKAGE")]
    pub package: Option<String>,

    /// The manifest to change
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// Add a development dependency
    #[arg(long, conflicts_with = "build")]
    pub dev: bool,

    /// Add a build dependency
    #[arg(long)]
    pub build: bool,

    /// Make the dependency optional
    #[arg(long, conflicts_with = "dev")]
    pub optional: bool,

    /// Features to turn on, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,

    /// Leave the default features off
    #[arg(long)]
    pub no_default_features: bool,

    /// Call the dependency by another name
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,

    /// Choose releases that ask for a newer Rust, too
    #[arg(long)]
    pub ignore_rust_version: bool,

    /// Say what would be added, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: AddArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("add"))
}
