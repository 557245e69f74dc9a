//! `key revoke`: a key signs nothing more; what it signed so far stays.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::change::{apply, write};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::Destination;
use crate::commands::signing;
use crate::commands::submitting::output_folder;
use crate::formats::publisher::{Publisher, Revocation};
use crate::model::{KeyId, PublicKey};
use crate::publish::apply::last_signed;
use crate::publish::folder::Folder;
use crate::publish::keystore::KeyName;

/// Revokes a publisher's key: what it signed so far stays good, and it signs nothing more
///
/// The publisher signs the revocation with another key of theirs and writes `PUBLISHER.keys`, which the
/// operator takes in (`registry apply`). Without `--key` it is the operator who revokes, at once, which
/// needs the offline key.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// The key that was lost or stolen: its id, its name, or the path of a PEM file
    pub revoked: String,

    /// Another key of the same publisher, to sign with
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// The folder in which the change is written [default: the working folder]
    #[arg(short, long, value_name = "DIR", requires = "key")]
    pub output: Option<PathBuf>,

    /// Say what would be revoked, and change nothing
    #[arg(short = 'n', long, conflicts_with = "key")]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: RevokeArgs, context: &Context) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.registry_dir)?;
    let id = signing::key_id(context, &args.revoked)?;
    let mut folder = destination.open()?;
    let (known, key) = owner_of(&mut folder, &id)?;
    let next = without(&mut folder, known.clone(), key)?;
    drop(folder);
    let Some(name) = &args.key else {
        return apply(&destination, &known, &next, args.dry_run, context);
    };
    let signer = destination.publisher(context, Some(name))?;
    if !next.keys.contains(&signer.key.public()) {
        let text = format!("`{name}` is not another key of `{}`", known.id);
        let error = CommandError::failure(text).with_note("nothing was written");
        return Err(error.with_help("without `--key`, the registry's operator revokes it"));
    }
    let output = output_folder(context, args.output.as_ref());
    write(&destination, next, &[&signer.key], &output, context)
}

/// The publisher whose key it is.
fn owner_of(folder: &mut Folder, id: &KeyId) -> Result<(Publisher, PublicKey), CommandError> {
    for publisher in folder.publishers()? {
        if let Some(key) = publisher.keys.iter().copied().find(|key| key.id() == *id) {
            return Ok((publisher, key));
        }
        let mut revoked = publisher.revoked.iter();
        if revoked.any(|revocation| revocation.key.id() == *id) {
            let text = format!("the key is revoked already, as one of `{}`", publisher.id);
            return Err(CommandError::failure(text));
        }
    }
    let text = "the registry knows no publisher with that key";
    Err(CommandError::failure(text)
        .with_help("`cargo marketplace owner list PACKAGE` shows the keys"))
}

/// The publisher without a key, but for what it signed so far.
fn without(
    folder: &mut Folder,
    mut publisher: Publisher,
    key: PublicKey,
) -> Result<Publisher, CommandError> {
    let last_good: BTreeMap<_, _> = last_signed(folder, &publisher.id, &key.id())?;
    publisher.keys.retain(|other| *other != key);
    publisher.revoked.push(Revocation { key, last_good });
    publisher.revoked.sort_by_key(|revocation| revocation.key);
    Ok(publisher)
}
