//! `package`: archives and release facts of a workspace. Runs cargo and so foreign code; must never see a key.

use std::path::PathBuf;

use clap::Args;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::RegistryName;

/// Packages without signing: runs cargo, sees no key
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// What to package.
    #[command(flatten)]
    pub packaging: PackagingArgs,

    /// The workspace's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// The registry that the package is for; needed only where several are known
    #[arg(long, value_name = "NAME")]
    pub registry: Option<RegistryName>,

    /// The registry's folder, where it lies on this machine
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub registry_dir: Option<PathBuf>,

    /// Where to put the packages [default: target/marketplace]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(_args: PackageArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("package"))
}
