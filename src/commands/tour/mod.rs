//! `tour`: the whole of it in one command, in a folder of its own. Touches nothing else of the machine.

mod foreign;
mod interrupts;
mod samples;
mod stage;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::error::CommandError;
use crate::formats::layout::Format;
use crate::registry::backend::backend;
use stage::Stage;

/// Shows all of it in a temporary folder: publish, search, install, tamper, build
#[derive(Debug, Args)]
pub struct TourArgs {
    /// Do the tour in this new folder, and leave it there
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: TourArgs, context: &Context) -> Result<(), CommandError> {
    let mut stage = Stage::new(context, args.keep.as_deref())?;
    foreign::prepare(&stage, context)?;
    let url = publish(&mut stage)?;
    find(&stage)?;
    install(&stage)?;
    template(&stage)?;
    stock_cargo(&stage)?;
    tamper(&stage, &url)?;
    let shell = &context.shell;
    shell.line("");
    match &args.keep {
        Some(folder) => shell.status(
            "Finished",
            &format!("everything is in {}", folder.display()),
        ),
        None => shell.status("Finished", "nothing is left behind; `--keep DIR` keeps it"),
    }
    Ok(())
}

/// A signed registry, and a workspace published to it. Returns the registry's address.
fn publish(stage: &mut Stage<'_>) -> Result<String, CommandError> {
    stage.say("A registry is a folder of static files, signed by its operator's keys.");
    stage.marketplace("", "key new harbour --no-passphrase", 0)?;
    let root = stage.answer(
        "registry init registry --solo --base-url https://registry.example.org/ --no-passphrase",
    )?;
    let url = stage.serve("registry serve registry")?;
    stage.marketplace("", &format!("registry add harbour {url} --root {root}"), 0)?;
    stage.say("A workspace: a library, a program that uses it, a project template.");
    let line = "publish --workspace --registry-dir ../registry --key harbour";
    stage.marketplace("tides", line, 0)?;
    Ok(url)
}

/// Search, info, SPARQL: all on the local copy.
fn find(stage: &Stage<'_>) -> Result<(), CommandError> {
    stage.say("Search and queries run on a local, verified copy.");
    stage.marketplace("", "search tide", 0)?;
    stage.marketplace("", "info tide-cli", 0)?;
    if backend(Some(Format::V2)).is_ok() {
        stage.marketplace(
            "",
            "sparql --example reverse-deps --param name=tide-table",
            0,
        )?;
    }
    Ok(())
}

/// Cargo builds the program from files that were verified first.
fn install(stage: &Stage<'_>) -> Result<(), CommandError> {
    stage.say("Stock cargo builds and installs, from verified files.");
    stage.marketplace("", "install tide-cli --root installed", 0)?;
    stage.installed("tide-cli", "south-quay")
}

fn template(stage: &Stage<'_>) -> Result<(), CommandError> {
    stage.say("A project from the template; no script of it runs.");
    stage.marketplace("", "new buoy --template sensor-template -d board=esp32", 0)?;
    stage.marketplace("buoy", "exec -- run --quiet", 0)
}

/// The same registry, without us.
fn stock_cargo(stage: &Stage<'_>) -> Result<(), CommandError> {
    stage.say("Plain cargo uses the same registry as it is.");
    stage.stock_cargo("", "new --quiet --lib --vcs none scratch")?;
    stage.stock_cargo("scratch", "add tide-table --registry harbour")?;
    stage.stock_cargo("scratch", "build")
}

/// One byte of an archive changes on the server.
fn tamper(stage: &Stage<'_>, url: &str) -> Result<(), CommandError> {
    stage.say("Somebody changes one byte of an archive on the server; a newcomer asks for it.");
    flip_byte(&stage.path("registry/crates/tide-table"))?;
    stage.forget()?;
    let line = format!("registry add harbour {url} --root-file registry/tuf/1.root.json");
    stage.marketplace("", &line, 0)?;
    // Exit code 4: trust is refused.
    stage.marketplace("", "verify tide-table@0.3.1", 4)
}

/// Changes a byte in the middle of the only file of a folder.
fn flip_byte(folder: &Path) -> Result<(), CommandError> {
    let flip = || -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?;
        let entry = entries.next().ok_or(io::ErrorKind::NotFound)??;
        let mut bytes = fs::read(entry.path())?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(entry.path(), bytes)
    };
    flip().map_err(|error| {
        CommandError::failure("could not change an archive").caused_by(Some(&error))
    })
}
