//! `registry popularity`: how often packages were downloaded, by which searches order what they find.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::{CommandError, Kind};
use crate::commands::shell::count;
use crate::commands::signing;
use crate::disk;
use crate::formats::popularity::{MAX_BYTES, decode};
use crate::publish::apply::Authority;
use crate::publish::folder::Folder;
use crate::publish::popularity::publish;

/// Publishes how often packages were downloaded
///
/// `search` puts first what is used more. Without such a file it counts dependents alone. The file
/// replaces what was published before.
#[derive(Debug, Args)]
pub struct PopularityArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// A first line `name,downloads`, then a name and a number on each
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
}

/// Runs the command.
pub fn run(args: PopularityArgs, context: &Context) -> Result<(), CommandError> {
    let shell = &context.shell;
    let text = disk::read_text(&context.absolute(&args.file), MAX_BYTES)?;
    let popularity = decode(&text).map_err(|error| {
        let shown = args.file.display();
        CommandError::new(Kind::Usage, format!("`{shown}` cannot be published"))
            .with_code("MP0435")
            .caused_by(Some(&error))
            .with_help("the first line is `name,downloads`, each other one as `tide-table,1204`")
    })?;
    let mut folder = Folder::open(&context.absolute(&args.dir))?;
    let needed = signing::catalog_key_ids(&mut folder)?;
    let authority = Authority {
        keys: &signing::role_keys(context, &needed)?,
        now: context.now,
    };
    let packages = count(popularity.len(), "package");
    let is_new = publish(folder, &popularity, &authority)?;
    match is_new {
        true => shell.status("Finished", &format!("downloads of {packages} published")),
        false => shell.status("Unchanged", "the registry says the same already"),
    }
    if shell.is_json() {
        let body = json!({"packages": popularity.len(), "changed": is_new});
        shell.message("popularity", body);
    }
    Ok(())
}
