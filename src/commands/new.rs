//! `new`: a project from a template package. Runs no script and no code of the template.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{ReadArgs, key_value};
use super::context::Context;
use super::error::CommandError;
use super::unfinished;
use crate::model::PackageSpec;

/// Makes a project from a template package
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The folder of the project; its name is the project's
    pub path: PathBuf,

    /// The template: `name`, `name@1.2`, `registry/name`
    #[arg(short, long, value_name = "SPEC")]
    pub template: PackageSpec,

    /// A value that the template asks for; may be repeated
    #[arg(short, long = "define", value_name = "KEY=VALUE", value_parser = key_value)]
    pub define: Vec<(String, String)>,

    /// The project's name, where it is not the folder's
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Say which files would be made, and make none
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: NewArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("new"))
}
