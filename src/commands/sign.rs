//! `sign`: statements over what was packaged. Has the key; must never run cargo or any foreign code.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::RegistryName;
use crate::publish::keystore::KeyName;

/// Signs what was packaged: runs no cargo
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What `package` wrote
    #[arg(required = true, value_name = "PACKAGED")]
    pub packaged: Vec<PathBuf>,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// The registry that the release is for; needed only where several are known
    #[arg(long, value_name = "NAME")]
    pub registry: Option<RegistryName>,

    /// The registry's folder, where it lies on this machine
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub registry_dir: Option<PathBuf>,

    /// The file to write the submission to
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(_args: SignArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("sign"))
}
