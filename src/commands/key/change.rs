//! Changes of a publisher's keys: written for the operator, and taken in.

use std::path::Path;

use serde_json::{Value, json};

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::Destination;
use crate::commands::signing;
use crate::disk;
use crate::formats::key_change::{self, KeyChange};
use crate::formats::publisher::{self, Publisher, Revocation};
use crate::model::{PublicKey, Sha256Digest};
use crate::publish::apply::{self, ApplyError, Authority};
use crate::publish::folder::Folder;
use crate::trust::{KeyChangeRefusal, SecretKey, check_key_change, sign_key_change};

/// The most bytes of a change of keys.
const MAX_CHANGE: u64 = 1 << 20;

/// The roles that a change of a publisher's keys signs anew.
const CHANGED_ROLES: [&str; 3] = ["targets", "snapshot", "timestamp"];

/// Makes a change of keys, signed with these, and writes it to a folder as `PUBLISHER.keys`.
pub(super) fn write(
    destination: &Destination,
    next: Publisher,
    signers: &[&SecretKey],
    output: &Path,
    context: &Context,
) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    apply::check_change(&mut folder, &next)?;
    let (known, file) = present(&mut folder, &next)?;
    describe(&known, &next, context);
    let mut change = KeyChange {
        registry_id: folder.registry_id(),
        previous: Sha256Digest::of(&file),
        publisher: next,
        signatures: Vec::new(),
    };
    let id = change.publisher.id.clone();
    sign_key_change(&mut change, signers).map_err(|error| {
        let source = KeyChangeRefusal::Format(error);
        ApplyError::Keys {
            id: id.clone(),
            source,
        }
    })?;
    std::fs::create_dir_all(output).map_err(disk::failed("create", output))?;
    let path = output.join(format!("{id}.{}", key_change::EXTENSION));
    disk::write(&path, &key_change::encode(&change))?;
    let shell = &context.shell;
    if shell.is_json() {
        let body = json!({"publisher": id.as_str(), "path": path});
        shell.message("key-change", body);
    } else {
        shell.line(&path.display().to_string());
    }
    shell.note("the registry's operator takes it in: `cargo marketplace registry apply`");
    Ok(())
}

/// Takes in a change that a publisher signed.
pub(in crate::commands) fn take_in(
    destination: &Destination,
    path: &Path,
    dry_run: bool,
    context: &Context,
) -> Result<(), CommandError> {
    let bytes = disk::read(path, MAX_CHANGE)?;
    let change = key_change::decode(&bytes).map_err(|error| {
        let text = format!("`{}` is no change of keys", path.display());
        CommandError::failure(text).caused_by(Some(&error))
    })?;
    let mut folder = destination.open()?;
    let (known, file) = present(&mut folder, &change.publisher)?;
    let id = known.id.clone();
    check_key_change(&change, &known, &file, folder.registry_id())
        .map_err(|source| ApplyError::Keys { id, source })?;
    drop(folder);
    apply(destination, &known, &change.publisher, dry_run, context)
}

/// Gives a publisher other keys, whoever asked for it, and says which.
pub(super) fn apply(
    destination: &Destination,
    known: &Publisher,
    next: &Publisher,
    dry_run: bool,
    context: &Context,
) -> Result<(), CommandError> {
    describe(known, next, context);
    let mut folder = destination.open()?;
    if dry_run {
        apply::check_change(&mut folder, next)?;
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let mut needed = Vec::new();
    for role in CHANGED_ROLES {
        needed.extend(folder.key_ids(role)?);
    }
    let authority = Authority {
        keys: &signing::role_keys(context, &needed)?,
        now: context.now,
    };
    apply::change_keys(folder, next, &authority)?;
    let object = format!("keys of `{}`", next.id);
    context.shell.status("Changed", &object);
    Ok(())
}

/// The publisher as the registry knows them, and the bytes of their file.
fn present(folder: &mut Folder, next: &Publisher) -> Result<(Publisher, Vec<u8>), CommandError> {
    let known = folder.publisher(&next.id)?;
    let known = known.ok_or_else(|| not_registered(next.id.as_str()))?;
    let file = publisher::encode(&known);
    Ok((known, file))
}

/// The error for a publisher whom the registry does not know.
pub(super) fn not_registered(id: &str) -> CommandError {
    let text = format!("the publisher `{id}` is not registered");
    CommandError::failure(text).with_help("the first release by a publisher registers their key")
}

/// Says which keys come and which go, with their whole ids: they are to be compared.
fn describe(known: &Publisher, next: &Publisher, context: &Context) {
    for key in next.keys.iter().filter(|key| !known.keys.contains(key)) {
        let text = format!("{} of `{}`", key.id(), next.id);
        context.shell.status("Adding", &text);
        told("key-added", next, key, Value::Null, context);
    }
    let is_new = |revocation: &&Revocation| !known.revoked.contains(revocation);
    for Revocation { key, last_good } in next.revoked.iter().filter(is_new) {
        let text = format!("{} of `{}`", key.id(), next.id);
        context.shell.status("Revoking", &text);
        let last = last_good.iter();
        let last: Vec<String> = last.map(|(name, last)| format!("{name} {last}")).collect();
        let good = match last.is_empty() {
            true => "it signed nothing that stays good".to_owned(),
            false => format!("what it signed stays good up to: {}", last.join(", ")),
        };
        context.shell.note(&good);
        let last = last_good.iter();
        let last = last.map(|(name, last)| (name.to_string(), (*last).into()));
        told(
            "key-revoked",
            next,
            key,
            Value::Object(last.collect()),
            context,
        );
    }
}

fn told(reason: &str, of: &Publisher, key: &PublicKey, last_good: Value, context: &Context) {
    if context.shell.is_json() {
        let (id, key) = (of.id.as_str(), key.id().to_string());
        let body = json!({"publisher": id, "key_id": key, "last_good": last_good});
        context.shell.message(reason, body);
    }
}
