//! `registry add`: trusting a registry for the first time.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::unfinished;
use crate::model::{DigestError, RegistryName, Sha256Digest};
use crate::registry::transport::BaseUrl;

/// Adds a registry: trusts its root file and tells cargo of it
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What to call it
    pub name: RegistryName,

    /// Its address: `https://…`, `http://…` on this machine, or `file:///…`
    pub url: BaseUrl,

    /// The sha256 of the root file to trust, got some other way
    #[arg(long, value_name = "sha256:DIGEST", value_parser = root_digest)]
    pub root: Option<Sha256Digest>,

    /// The root file to trust, got some other way
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    pub root_file: Option<PathBuf>,
}

/// Reads `sha256:` and 64 hexadecimal digits.
fn root_digest(text: &str) -> Result<Sha256Digest, String> {
    text.strip_prefix("sha256:")
        .ok_or_else(|| "expected `sha256:` and 64 hexadecimal digits".to_owned())?
        .parse()
        .map_err(|error: DigestError| error.to_string())
}

/// Runs the command.
pub fn run(_args: AddArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("registry add"))
}
