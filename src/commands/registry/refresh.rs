//! `registry refresh`: metadata signed anew before it expires; for a timer.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::check::warn_of_age;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::signing;
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
    let needed = signing::needed_key_ids(&mut folder, &[])?;
    let keys = signing::role_keys(context, &needed)?;
    let Refreshed { renewed, ageing } = folder.refresh(&keys, context.now)?;
    for (role, expires) in &ageing {
        warn_of_age(role, *expires, context);
    }
    match renewed.is_empty() {
        true => context
            .shell
            .status("Unchanged", "no online role is past half its life"),
        false => context.shell.status("Refreshed", &renewed.join(", ")),
    }
    if context.shell.is_json() {
        let ageing: Vec<&str> = ageing.iter().map(|(role, _)| role.as_str()).collect();
        let body = json!({"roles": renewed, "ageing": ageing});
        context.shell.message("refreshed", body);
    }
    Ok(())
}
