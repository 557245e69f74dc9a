//! Changes of a publisher's keys: written for the operator, and taken in.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::Destination;
use crate::commands::signing;
use crate::disk;
use crate::formats::key_change::{self, KeyChange};
use crate::formats::publisher::{Publisher, Revocation};
use crate::model::{PublicKey, PublisherId};
use crate::publish::apply::{self, ApplyError, Authority};
use crate::trust::{KeyChangeRefusal, SecretKey, sign_key_change};

/// The most bytes of a change of keys.
const MAX_CHANGE: u64 = 1 << 20;

/// Makes a change of keys, signed with these, and writes it to a folder as `PUBLISHER.keys`.
pub(super) fn write(
    destination: &Destination,
    next: Publisher,
    signers: &[&SecretKey],
    output: &Path,
    context: &Context,
) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    let known = apply::present(&mut folder, &next.id)?;
    let (known, previous) = known.ok_or_else(|| not_registered(next.id.as_str()))?;
    let registry_id = folder.registry_id();
    apply::check_change(folder, &next)?;
    describe(&known, &next, context);
    let mut change = KeyChange {
        registry_id,
        previous,
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

/// Reads a change that a publisher signed.
pub(in crate::commands) fn read(path: &Path) -> Result<KeyChange, CommandError> {
    let bytes = disk::read(path, MAX_CHANGE)?;
    key_change::decode(&bytes).map_err(|error| {
        let text = format!("`{}` is no change of keys", path.display());
        CommandError::failure(text).caused_by(Some(&error))
    })
}

/// Says which keys changes bring and take, and returns those publishers whose keys are not as they are to
/// be already.
pub(in crate::commands) fn describe_all(
    destination: &Destination,
    changes: &[KeyChange],
    context: &Context,
) -> Result<BTreeSet<PublisherId>, CommandError> {
    let mut folder = destination.open()?;
    for KeyChange { publisher, .. } in changes {
        let known = folder.publisher_file(&publisher.id)?;
        known.ok_or_else(|| not_registered(publisher.id.as_str()))?;
    }
    let mut others = BTreeSet::new();
    for (known, next) in apply::changes_of(&mut folder, changes)? {
        describe(&known, next, context);
        others.insert(next.id.clone());
    }
    Ok(others)
}

/// Says whose keys were changed.
pub(in crate::commands) fn tell_changed(id: &PublisherId, context: &Context) {
    let object = format!("keys of `{id}`");
    context.shell.status("Changed", &object);
}

/// Gives a publisher other keys, as the operator, and says which.
pub(super) fn apply(
    destination: &Destination,
    known: &Publisher,
    next: &Publisher,
    dry_run: bool,
    context: &Context,
) -> Result<(), CommandError> {
    describe(known, next, context);
    if dry_run {
        apply::check_change(destination.open()?, next)?;
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let needed = signing::changing_key_ids(&mut destination.open()?)?;
    let authority = Authority {
        keys: &signing::role_keys(context, &needed)?,
        now: context.now,
    };
    apply::change_keys(destination.open()?, next, &authority)?;
    tell_changed(&next.id, context);
    Ok(())
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
        let last: Vec<String> = last
            .map(|(name, last)| format!("{name} {}", last.sequence))
            .collect();
        let good = match last.is_empty() {
            true => "it signed nothing that stays good".to_owned(),
            false => format!("what it signed stays good up to: {}", last.join(", ")),
        };
        context.shell.note(&good);
        let last = last_good.iter();
        let last = last.map(|(name, last)| {
            let statement = json!({"sequence": last.sequence, "sha256": last.sha256.to_string()});
            (name.to_string(), statement)
        });
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
