//! `key`: making and showing signing keys, and changing those of a publisher. A secret never leaves
//! its file unencrypted.

pub(super) mod change;
pub mod export;
pub mod revoke;
pub mod rotate;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::CommandError;
use super::{prompt, signing};
use crate::publish::keystore::{KeyName, StoredKey};
use crate::trust::SecretKey;

/// Makes, shows, exchanges and revokes signing keys
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    New(NewArgs),
    List(ListArgs),
    Show(ShowArgs),
    Export(export::ExportArgs),
    Rotate(rotate::RotateArgs),
    Revoke(revoke::RevokeArgs),
}

/// Makes a key, encrypted with a passphrase
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to call it
    pub name: KeyName,

    /// Leave the key unencrypted: whoever reads the file can sign with it
    #[arg(long)]
    pub no_passphrase: bool,
}

/// Lists the keys
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Shows the public half of a key
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The key
    pub name: KeyName,
}

/// Runs the subcommand.
pub fn run(args: KeyArgs, context: &Context) -> Result<(), CommandError> {
    match args.command {
        KeyCommand::New(args) => new(&args, context),
        KeyCommand::List(ListArgs {}) => list(context),
        KeyCommand::Show(args) => show(&args, context),
        KeyCommand::Export(args) => export::run(args, context),
        KeyCommand::Rotate(args) => rotate::run(args, context),
        KeyCommand::Revoke(args) => revoke::run(args, context),
    }
}

fn new(args: &NewArgs, context: &Context) -> Result<(), CommandError> {
    make(&args.name, args.no_passphrase, context)?;
    print(&context.keystore().get(&args.name)?, context);
    Ok(())
}

/// Makes a key and keeps it.
pub(super) fn make(
    name: &KeyName,
    no_passphrase: bool,
    context: &Context,
) -> Result<SecretKey, CommandError> {
    let store = context.keystore();
    // Before anybody types a passphrase.
    store.check_free(name)?;
    let passphrase = if no_passphrase {
        None
    } else {
        Some(prompt::new_passphrase(context, name.as_str())?)
    };
    let secret = SecretKey::from_seed(&*context.random()?);
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    let key = store.save(name, &secret, passphrase, &*context.random()?)?;
    let object = format!("key `{}` in {}", key.name, key.secret.display());
    context.shell.status("Created", &object);
    if no_passphrase {
        signing::warn_unencrypted(context);
    }
    Ok(secret)
}

fn list(context: &Context) -> Result<(), CommandError> {
    let (keys, unusable) = context.keystore().survey()?;
    for key in &keys {
        print(key, context);
    }
    let none = keys.is_empty() && unusable.is_empty();
    for error in unusable {
        let CommandError {
            message, causes, ..
        } = error.into();
        let all: Vec<String> = [message].into_iter().chain(causes).collect();
        context.shell.warn(&all.join(": "));
    }
    if none {
        context
            .shell
            .note("there is no key yet: `cargo marketplace key new NAME`");
    }
    Ok(())
}

fn show(args: &ShowArgs, context: &Context) -> Result<(), CommandError> {
    let key = context.keystore().get(&args.name)?;
    if context.shell.is_json() {
        print(&key, context);
        return Ok(());
    }
    context.shell.line(&format!("name: {}", key.name));
    context
        .shell
        .line(&format!("fingerprint: {}", key.public.fingerprint()));
    context.shell.line(&format!("id: {}", key.public.id()));
    context.shell.line(&format!("public: {}", key.public));
    context
        .shell
        .line(&format!("file: {}", key.secret.display()));
    Ok(())
}

fn print(key: &StoredKey, context: &Context) {
    let (name, fingerprint) = (&key.name, key.public.fingerprint());
    if context.shell.is_json() {
        context.shell.message("key", to_json(key));
    } else {
        context
            .shell
            .line(&format!("{name}  {fingerprint}  {}", key.public.id()));
    }
}

fn to_json(key: &StoredKey) -> Value {
    json!({
        "name": key.name.as_str(),
        "fingerprint": key.public.fingerprint(),
        "key_id": key.public.id().to_string(),
        "public": key.public.to_string(),
    })
}
