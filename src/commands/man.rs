//! `man`: the manual, one page a command, as roff.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
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
    let Some(dir) = args.dir else {
        let mut page = Vec::new();
        page_of(built())
            .render(&mut page)
            .map_err(|error| failed("the man page", &error))?;
        context.shell.bytes(&page);
        return Ok(());
    };
    let dir = context.absolute(&dir);
    std::fs::create_dir_all(&dir)
        .and_then(|()| write_all(built(), &dir))
        .map_err(|error| failed("the man pages", &error))?;
    let object = format!("man pages in {}", dir.display());
    context.shell.status("Finished", &object);
    Ok(())
}

fn built() -> Command {
    let mut cli = super::cli().disable_help_subcommand(true);
    cli.build();
    cli
}

/// Writes the page of a command and those of its subcommands.
fn write_all(command: Command, dir: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        write_all(subcommand.clone(), dir)?;
    }
    page_of(command).generate_to(dir).map(drop)
}

/// A page. Its title line holds its name twice and the manual's between them, and must fit into 78
/// columns.
fn page_of(command: Command) -> Man {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let title = name.trim_start_matches("cargo-").to_owned();
    let source = concat!("cargo-marketplace ", env!("CARGO_PKG_VERSION"));
    Man::new(command)
        .title(title)
        // Without a date, so that the same program writes the same bytes; but were it empty, it
        // would be left out, and what follows taken for it.
        .date(" ")
        .source(source)
        .manual("Cargo")
}

fn failed(what: &str, error: &io::Error) -> CommandError {
    CommandError::failure(format!("cannot write {what}")).caused_by(Some(error))
}
