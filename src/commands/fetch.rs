//! `fetch`: fetching and verifying what a project depends on, so that it builds offline.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{CooldownArgs, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::handover::Handover;
use crate::install::handover::{FetchRequest, WriteConfig, fetch};

/// Fetches and verifies what a project depends on
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The project's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// Write source replacement into the project's `.cargo/config.toml`, so that plain cargo uses
    /// what was verified
    #[arg(long)]
    pub write_config: bool,

    /// Fail if `Cargo.lock` would have to change
    #[arg(long)]
    pub locked: bool,

    /// How old a release must be.
    #[command(flatten)]
    pub cooldown: CooldownArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: FetchArgs, context: &Context) -> Result<(), CommandError> {
    let manifest = context.manifest(args.manifest_path.as_ref());
    let handover = Handover::open(context, &args.read, None)?.with_cooldown(&args.cooldown, &[])?;
    let source = handover.source();
    let request = FetchRequest {
        folder: &context.cwd,
        manifest: manifest.as_deref(),
        locked: args.locked,
        write_config: match args.write_config {
            true => WriteConfig::IntoProject,
            false => WriteConfig::No,
        },
    };
    let (summary, written) = fetch(handover.session(&source), request)?;
    handover.tell(summary);
    let body = json!({
        "verified": summary.verified,
        "foreign": summary.foreign,
        "config": written.as_ref(),
    });
    handover.message("fetched", body);
    match written {
        Some(path) => {
            context.shell.status("Wrote", &path.display().to_string());
            context.shell.note("it holds a path of this machine: do not commit it");
        }
        None => context.shell.note(match handover.reading.registry.url.cargo_index() {
            Some(_) => {
                "`cargo marketplace exec -- build` uses what was fetched; `--write-config` lets plain cargo, too"
            }
            // It replaces an index that cargo does not know.
            None => "`cargo marketplace exec -- build` uses what was fetched",
        }),
    }
    Ok(())
}
