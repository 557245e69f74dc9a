//! `registry import`: archives in bulk into a registry: all or none.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;
use crate::publish::keystore::KeyName;

/// Takes archives into a registry, all or none
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("dependencies").required(true).args(["as_own", "as_mirror"])))]
#[command(group(ArgGroup::new("answer").required(true).args(["vouch", "key"])))]
pub struct ImportArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// The archives
    #[arg(required = true, value_name = "FILE.crate")]
    pub archives: Vec<PathBuf>,

    /// Dependencies without a registry are on crates.io
    #[arg(long)]
    pub as_own: bool,

    /// Dependencies without a registry are in this registry, as in a mirror
    #[arg(long)]
    pub as_mirror: bool,

    /// The operator answers for the archives: they are what their source served
    #[arg(long)]
    pub vouch: bool,

    /// Sign as owner with this key
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,
}

/// Runs the command.
pub fn run(_args: ImportArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry import"))
}
