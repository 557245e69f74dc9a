//! `registry init`: a new, empty, signed registry in a folder.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;
use crate::publish::keystore::KeyName;
use crate::registry::transport::BaseUrl;

/// Makes a new registry in a folder
///
/// Prints the sha256 of its root file: what users compare when they add it.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder; made if it is not there, else it must be empty
    pub dir: PathBuf,

    /// One offline key and one online key, for a single operator
    #[arg(long, required = true)]
    pub solo: bool,

    /// The public address that the registry will have
    #[arg(long, value_name = "URL")]
    pub base_url: BaseUrl,

    /// The offline key; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "offline")]
    pub offline_key: KeyName,

    /// The online key; made if it is not there
    #[arg(long, value_name = "NAME", default_value = "online")]
    pub online_key: KeyName,

    /// Do not encrypt keys that are made
    #[arg(long)]
    pub no_passphrase: bool,
}

/// Runs the command.
pub fn run(_args: InitArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry init"))
}
