//! `owner`: who speaks for a package.

pub mod assign;
pub mod change;
pub mod list;

pub(super) use change::assign_help;
use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CommandError;

/// Shows and changes who owns a package
#[derive(Debug, Args)]
pub struct OwnerArgs {
    #[command(subcommand)]
    command: OwnerCommand,
}

#[derive(Debug, Subcommand)]
enum OwnerCommand {
    List(list::ListArgs),
    Add(change::AddArgs),
    Remove(change::RemoveArgs),
    Assign(assign::AssignArgs),
}

/// Runs the subcommand.
pub fn run(args: OwnerArgs, context: &Context) -> Result<(), CommandError> {
    match args.command {
        OwnerCommand::List(args) => list::run(args, context),
        OwnerCommand::Add(args) => change::add(args, context),
        OwnerCommand::Remove(args) => change::remove(args, context),
        OwnerCommand::Assign(args) => assign::run(args, context),
    }
}
