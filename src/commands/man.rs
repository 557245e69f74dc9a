//! `man`: the manual, one page a command, as roff.

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use super::context::Context;
use super::error::CommandError;

/// Writes the man pages
///
/// Without a folder, the main page goes to stdout.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder for the pages; made if it is not there
    pub dir: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: ManArgs, context: &Context) -> Result<(), CommandError> {
    // Without a date, so that the same program writes the same bytes.
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        let man = Man::new(super::cli().disable_help_subcommand(true));
        man.render(&mut page)
            .map_err(|error| failed("the man page", &error))?;
        context.shell.bytes(&page);
        return Ok(());
    };
    let dir = context.absolute(&dir);
    std::fs::create_dir_all(&dir)
        .and_then(|()| clap_mangen::generate_to(super::cli(), &dir))
        .map_err(|error| failed("the man pages", &error))?;
    let object = format!("man pages in {}", dir.display());
    context.shell.status("Finished", &object);
    Ok(())
}

fn failed(what: &str, error: &io::Error) -> CommandError {
    CommandError::failure(format!("cannot write {what}")).caused_by(Some(error))
}
