//! `install`: binary packages: chosen and verified by us, built and installed by cargo.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{FeatureArgs, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::PackageSpec;

/// Verifies binary packages and installs them with cargo
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The packages: `name`, `name@1.2.3`, `registry/name`
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<PackageSpec>,

    /// Install into this folder, as `cargo install --root`
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// Only these binaries; may be repeated
    #[arg(long = "bin", value_name = "NAME")]
    pub bins: Vec<String>,

    /// Replace what is installed
    #[arg(short, long)]
    pub force: bool,

    /// Build without optimisation
    #[arg(long)]
    pub debug: bool,

    /// Resolve anew in place of using the lock file that the package ships
    #[arg(long)]
    pub ignore_lock: bool,

    /// Choose releases that ask for a newer Rust, too
    #[arg(long)]
    pub ignore_rust_version: bool,

    /// Say what would be installed, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Features.
    #[command(flatten)]
    pub features: FeatureArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: InstallArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("install"))
}
