//! `registry refresh`: metadata signed anew before it expires; for a timer.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::signing;
use crate::model::KeyId;
use crate::publish::folder::{Folder, Refreshed};

/// Signs online metadata anew that is past half its life
///
/// Nothing else changes. Run it from a timer, more often than the timestamp's life is long.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// The registry's folder
    pub dir: PathBuf,
}

/// Runs the command.
pub fn run(args: RefreshArgs, context: &Context) -> Result<(), CommandError> {
    let mut folder = Folder::open(&context.absolute(&args.dir))?;
    let online: Vec<KeyId> = folder.online_key_ids()?.into_iter().collect();
    let keys = signing::role_keys(context, &online)?;
    let Refreshed { renewed, ageing } = folder.refresh(&keys, context.now)?;
    for ageing in &ageing {
        context.shell.warn(&ageing.to_string());
    }
    match renewed.is_empty() {
        true => context
            .shell
            .status("Unchanged", "no online role is past half its life"),
        false => context.shell.status("Refreshed", &renewed.join(", ")),
    }
    if context.shell.is_json() {
        let ageing: Vec<&str> = ageing.iter().map(|ageing| ageing.role.as_str()).collect();
        let body = json!({"roles": renewed, "ageing": ageing});
        context.shell.message("refreshed", body);
    }
    Ok(())
}
