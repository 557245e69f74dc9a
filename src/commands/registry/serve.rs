//! `registry serve`: a registry in a folder, served on this machine. For previews; never for the
//! world.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::formats::layout;
use crate::registry::serve;

/// Serves a registry in a folder on this machine, until it is ended
///
/// In what is served, `config.json` names the served address, so that stock cargo works on the
/// preview: `--config 'registries.preview.index="sparse+URL"'`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
}

/// Runs the command.
pub fn run(args: ServeArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    let running = serve::spawn(&path, args.port)?;
    if context.shell.is_json() {
        context
            .shell
            .message("serving", json!({ "url": running.url() }));
    } else {
        context.shell.line(running.url());
    }
    context.shell.flush();
    let folder = args.dir.display();
    context
        .shell
        .status("Serving", &format!("`{folder}` at {}", running.url()));
    if !path.join(layout::metadata("root", 1)).is_file() {
        context.shell.warn(&format!(
            "`{folder}` holds no registry: there is no `tuf/1.root.json`"
        ));
    }
    context.shell.note("press Ctrl-C to end");
    running.wait();
    Ok(())
}
