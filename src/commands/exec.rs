//! `exec`: any cargo command, on verified packages.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{CooldownArgs, ReadArgs};
use super::context::Context;
use super::error::{CommandError, Kind};
use super::handover::Handover;
use crate::install::handover::exec;

/// Runs cargo on verified packages
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// How old a release must be.
    #[command(flatten)]
    pub cooldown: CooldownArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,

    /// What to tell cargo, as `build --release`
    #[arg(last = true, required = true, value_name = "CARGO ARGUMENTS")]
    pub arguments: Vec<OsString>,
}

/// Runs the command.
pub fn run(args: ExecArgs, context: &Context) -> Result<(), CommandError> {
    context.refuse_passphrase("cargo", "unset CARGO_MARKETPLACE_KEY_PASSPHRASE")?;
    context.manifest(manifest(&args.arguments).as_ref());
    let handover = Handover::open(context, &args.read, None)?.with_cooldown(&args.cooldown, &[])?;
    let source = handover.source();
    let status = exec(handover.session(&source), &context.cwd, &args.arguments)?;
    if status.success() {
        return Ok(());
    }
    // A signal leaves no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let kind = code.map_or(Kind::Failure, Kind::Passed);
    Err(CommandError::new(kind, format!("cargo failed ({status})")))
}

/// The manifest that cargo is told to use, whose project may demand something of registries.
fn manifest(arguments: &[OsString]) -> Option<PathBuf> {
    let installed = || Some(option(arguments, "--path")?.join("Cargo.toml"));
    option(arguments, "--manifest-path").or_else(installed)
}

/// What an option of cargo's, as `--manifest-path`, is given.
fn option(arguments: &[OsString], name: &str) -> Option<PathBuf> {
    let mut words = arguments.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(PathBuf::from);
        }
        let text = word.to_str().unwrap_or_default();
        let given = text.strip_prefix(name);
        if let Some(path) = given.and_then(|rest| rest.strip_prefix('=')) {
            return Some(path.into());
        }
    }
    None
}
