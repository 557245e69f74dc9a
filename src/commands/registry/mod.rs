//! `registry`: the user's registries, and the operator's.

pub mod add;
pub mod apply;
pub mod check;
pub mod claim;
mod first_trust;
pub mod import;
pub mod init;
pub mod list;
pub mod mirror;
pub mod pin;
pub mod popularity;
pub mod rebin;
pub mod refresh;
pub mod remove;
mod role_change;
pub mod rotate_key;
pub mod serve;
pub mod show;
pub mod sign;
pub mod withdraw;

use clap::{Args, Subcommand};

use super::context::Context;
use super::error::CommandError;
use crate::model::RegistryName;
use crate::registry::config::{ConfigError, Registry};

/// Adds registries; makes, checks and serves them
#[derive(Debug, Args)]
pub struct RegistryArgs {
    #[command(subcommand)]
    command: RegistryCommand,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Mirror(mirror::MirrorArgs),
    Show(show::ShowArgs),
    Pin(pin::PinArgs),
    Remove(remove::RemoveArgs),
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Check(check::CheckArgs),
    Apply(apply::ApplyArgs),
    Claim(claim::ClaimArgs),
    Popularity(popularity::PopularityArgs),
    Refresh(refresh::RefreshArgs),
    Sign(sign::SignArgs),
    RotateKey(rotate_key::RotateKeyArgs),
    Rebin(rebin::RebinArgs),
    Serve(serve::ServeArgs),
    Withdraw(withdraw::WithdrawArgs),
}

/// Runs the subcommand.
pub fn run(args: RegistryArgs, context: &Context) -> Result<(), CommandError> {
    match args.command {
        RegistryCommand::Add(args) => add::run(args, context),
        RegistryCommand::List(args) => list::run(args, context),
        RegistryCommand::Mirror(args) => mirror::run(args, context),
        RegistryCommand::Show(args) => show::run(args, context),
        RegistryCommand::Pin(args) => pin::run(args, context),
        RegistryCommand::Remove(args) => remove::run(args, context),
        RegistryCommand::Init(args) => init::run(args, context),
        RegistryCommand::Import(args) => import::run(args, context),
        RegistryCommand::Check(args) => check::run(args, context),
        RegistryCommand::Apply(args) => apply::run(args, context),
        RegistryCommand::Claim(args) => claim::run(args, context),
        RegistryCommand::Popularity(args) => popularity::run(args, context),
        RegistryCommand::Refresh(args) => refresh::run(args, context),
        RegistryCommand::Sign(args) => sign::run(args, context),
        RegistryCommand::RotateKey(args) => rotate_key::run(args, context),
        RegistryCommand::Rebin(args) => rebin::run(args, context),
        RegistryCommand::Serve(args) => serve::run(args, context),
        RegistryCommand::Withdraw(args) => withdraw::run(args, context),
    }
}

/// The registry that a command is about, which takes its name as a word and not as `--registry`.
fn registry_of(
    command: &str,
    name: Option<&RegistryName>,
    context: &Context,
) -> Result<Registry, CommandError> {
    context.registry(name).map_err(|error| {
        let known = match &error {
            ConfigError::Ambiguous { known } => known.clone(),
            _ => return error.into(),
        };
        let each = known.iter();
        let each = each.map(|name| format!("`cargo marketplace registry {command} {name}`"));
        let help = format!("say which: {}", each.collect::<Vec<_>>().join(", "));
        CommandError::from(error).with_help(help)
    })
}
