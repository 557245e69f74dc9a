//! `search`: finding packages in the local copy of a registry. Sends no search term anywhere.

use clap::Args;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::unfinished;

/// Finds packages by name, keyword and description
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words that must all occur; the last one may be the start of a word
    #[arg(required_unless_present_any = ["keyword", "license", "rust_version"])]
    pub words: Vec<String>,

    /// The most results to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,

    /// Only packages with this keyword; may be repeated
    #[arg(long, value_name = "WORD")]
    pub keyword: Vec<String>,

    /// Only packages with this license (an SPDX id)
    #[arg(long, value_name = "LICENSE")]
    pub license: Option<String>,

    /// Only packages that build with this version of Rust
    #[arg(long, value_name = "VERSION")]
    pub rust_version: Option<String>,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(_args: SearchArgs, _context: &Context) -> Result<(), CommandError> {
    Err(unfinished("search"))
}
