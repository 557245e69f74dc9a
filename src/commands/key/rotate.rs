//! `key rotate`: one more key for a publisher, who can then do without the old one.

use std::path::PathBuf;

use clap::Args;

use super::change::{not_registered, write};
use super::make;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::Destination;
use crate::commands::signing::Publisher;
use crate::commands::submitting::output_folder;
use crate::model::PublisherId;
use crate::publish::keystore::{KeyName, Keystore};

/// Makes a new key for a publisher, and the change that has it registered
///
/// Writes `PUBLISHER.keys`, signed with the old and the new key, which the operator takes in (`registry
/// apply`). From then on the new key signs, too; `key revoke` ends the old one.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// The present key
    pub name: KeyName,

    /// What to call the new one [default: the publisher's id and a number]
    #[arg(long, value_name = "NAME")]
    pub new_name: Option<KeyName>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// The folder in which the change is written [default: the working folder]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Leave the new key unencrypted: whoever reads the file can sign with it
    #[arg(long)]
    pub no_passphrase: bool,
}

/// Runs the command.
pub fn run(args: RotateArgs, context: &Context) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.registry_dir)?;
    // Whether it can be used, before a new one is made.
    let Publisher { id, key: old } = destination.publisher(context, Some(&args.name))?;
    let known = destination.open()?.publisher(&id)?;
    let mut next = known.ok_or_else(|| not_registered(id.as_str()))?;
    let name = match args.new_name {
        Some(name) => name,
        None => free_name(&context.keystore(), &id)?,
    };
    let new = make(&name, args.no_passphrase, context)?;
    next.keys.push(new.public());
    let output = output_folder(context, args.output.as_ref());
    write(&destination, next, &[&old, &new], &output, context)
}

/// `harbour-2`, or the next number that is free.
fn free_name(store: &Keystore, id: &PublisherId) -> Result<KeyName, CommandError> {
    let names = (2..100).filter_map(|number| format!("{id}-{number}").parse().ok());
    let mut free = names.filter(|name| store.check_free(name).is_ok());
    free.next().ok_or_else(|| {
        let error = CommandError::usage("no name for the new key was found");
        error.with_help("pass `--new-name NAME`")
    })
}
