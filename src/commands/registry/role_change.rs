//! What the commands share that change a registry's own keys and roles: which keys are meant, who
//! signs drafts, and what becomes of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::signing;
use crate::model::{KeyId, PublicKey};
use crate::publish::drafts::{DraftError, Pending, Waiting};
use crate::publish::folder::Folder;
use crate::publish::init;
use crate::publish::keystore::KeyName;
use crate::publish::role_keys::RoleKeys;
use crate::trust::ed25519::public_from_pem;

/// The registry that drafts are for.
pub(super) enum Registry {
    /// One that is there.
    Known(Folder),
    /// One that is being made.
    New,
}

/// Who signs what.
pub(super) struct Signing<'a> {
    /// The roles, as the operator calls them; all that wait, if none is named.
    pub(super) roles: &'a [String],
    /// The keys; all at hand, if none is named.
    pub(super) keys: &'a [KeyName],
}

/// A public key: the name of one in the key folder, or the path of a PEM file.
pub(super) fn public_key(context: &Context, text: &str) -> Result<PublicKey, CommandError> {
    let is_path = text.contains(['/', '\\']) || Path::new(text).extension().is_some();
    if !is_path {
        let name: KeyName = text.parse().map_err(|error| {
            let usage = CommandError::usage(format!("`{text}` is no name of a key"));
            usage.caused_by(Some(&error))
        })?;
        return Ok(context.keystore().get(&name)?.public);
    }
    let bytes = context.read(&PathBuf::from(text))?;
    let refused = || CommandError::failure(format!("`{text}` holds no public key"));
    let pem = std::str::from_utf8(&bytes).map_err(|error| refused().caused_by(Some(&error)))?;
    let key = public_from_pem(pem).map_err(|error| refused().caused_by(Some(&error)))?;
    Ok(key)
}

/// The id of a key: itself, or that of a key as [`public_key`] takes it.
pub(super) fn key_id(context: &Context, text: &str) -> Result<KeyId, CommandError> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(public_key(context, text)?.id()),
    }
}

/// Refuses to draft anything while other drafts wait.
pub(super) fn require_no_drafts(folder: &mut Folder) -> Result<(), CommandError> {
    let pending = folder.pending()?;
    if pending.drafts().is_empty() {
        return Ok(());
    }
    let names: Vec<String> = pending.names().into_iter().collect();
    let text = format!("drafts wait for signatures already: {}", names.join(", "));
    let help =
        "`cargo marketplace registry sign DIR` signs them, with `--discard` it throws them away";
    Err(CommandError::failure(text)
        .with_code("MP0607")
        .with_help(help))
}

/// Shows what drafts change, and of a registry that is being made what its policy says: people sign that
/// by its digest.
pub(super) fn show(path: &Path, pending: &Pending, context: &Context) -> Result<(), CommandError> {
    let mut lines = pending.changes();
    if pending.is_first() {
        let policy = init::drafted_policy(path, pending)?;
        let base = pending.after()["root"]["base"].as_str();
        if base != Some(policy.base.as_str()) {
            return Err(DraftError::Beyond("root".to_owned()).into());
        }
        let ids = |keys: &[PublicKey]| {
            let ids = keys.iter().map(|key| key.id().to_string());
            ids.collect::<Vec<_>>().join(", ")
        };
        lines.push(format!("base URL {}", policy.base));
        lines.push(format!("vouchers: {}", ids(&policy.vouchers)));
        lines.push(format!("recovery: {}", ids(&policy.recovery)));
        lines.extend(policy.mirrors.iter().map(|url| format!("mirror {url}")));
    }
    for line in lines {
        context.shell.status("Drafted", &line);
    }
    Ok(())
}

/// Signs drafts, and publishes them if they and all that follows from them can be signed; else they
/// are kept.
pub(super) fn advance(
    context: &Context,
    path: &Path,
    registry: Registry,
    mut pending: Pending,
    signing: &Signing<'_>,
) -> Result<(), CommandError> {
    show(path, &pending, context)?;
    let keys = sign(context, &mut pending, signing)?;
    let mut waiting = pending.waiting()?;
    if waiting.is_empty() {
        let following: Vec<KeyId> = pending.following_key_ids().into_iter().collect();
        let missing: Vec<KeyId> = following
            .into_iter()
            .filter(|id| keys.get(id).is_none())
            .collect();
        let keys = keys.and(signing::role_keys(context, &missing)?);
        waiting = pending.following(&keys);
        if waiting.is_empty() {
            return publish(context, path, registry, &pending, &keys);
        }
    }
    pending.drafts().save(path)?;
    report(&waiting, context);
    Ok(())
}

/// Signs the drafts of the roles that are meant.
fn sign(
    context: &Context,
    pending: &mut Pending,
    signing: &Signing<'_>,
) -> Result<RoleKeys, CommandError> {
    let waiting = pending.waiting()?;
    let is_meant = |role: &str| signing.roles.is_empty() || signing.roles.iter().any(|r| r == role);
    let meant: Vec<&Waiting> = waiting.iter().filter(|w| is_meant(&w.role)).collect();
    let keys = if signing.keys.is_empty() {
        let open = meant.iter().flat_map(|waiting| &waiting.open);
        let open: BTreeSet<KeyId> = open.filter_map(|id| id.parse().ok()).collect();
        signing::role_keys(context, &open.into_iter().collect::<Vec<_>>())?
    } else {
        let keys = signing.keys.iter().map(|name| signing::load(context, name));
        RoleKeys::new(keys.collect::<Result<Vec<_>, _>>()?)
    };
    let mut made = BTreeSet::new();
    for waiting in &meant {
        made.extend(pending.sign(&waiting.role, &keys)?);
    }
    for name in signing.keys {
        let id = context.keystore().get(name)?.public.id();
        if !made.contains(&id) {
            let roles: Vec<&str> = meant.iter().map(|waiting| waiting.role.as_str()).collect();
            let text = match roles.is_empty() {
                true => "no draft waits for a signature".to_owned(),
                false => format!("the key `{name}` may sign none of {}", roles.join(", ")),
            };
            return Err(CommandError::failure(text)
                .with_code("MP0403")
                .with_note("nothing was written"));
        }
    }
    Ok(keys)
}

fn publish(
    context: &Context,
    path: &Path,
    registry: Registry,
    pending: &Pending,
    keys: &RoleKeys,
) -> Result<(), CommandError> {
    let names: Vec<String> = pending.names().into_iter().collect();
    match registry {
        Registry::Known(folder) => {
            folder.publish(pending, keys, context.now)?;
            context.shell.status("Published", &names.join(", "));
            if context.shell.is_json() {
                context
                    .shell
                    .message("roles-published", json!({"roles": names}));
            }
        }
        Registry::New => {
            let root = init::found(path, pending, keys, context.now)?;
            let base = pending.after()["root"]["base"].as_str();
            created(&root.to_string(), path, base.unwrap_or_default(), context);
        }
    }
    Ok(())
}

/// Says that a registry is there.
pub(super) fn created(root: &str, path: &Path, base: &str, context: &Context) {
    let shell = &context.shell;
    shell.status("Created", &format!("registry in {}", path.display()));
    if shell.is_json() {
        shell.message(
            "registry-created",
            json!({"root": format!("sha256:{root}"), "base": base}),
        );
    } else {
        shell.line(&format!("sha256:{root}"));
    }
}

/// Says whose signatures are missing on the drafts, which were kept.
pub(super) fn report(waiting: &[Waiting], context: &Context) {
    list(waiting, context);
    let text = "the drafts are in `.drafts/`; those who have the keys run `registry sign DIR`";
    context.shell.note(text);
}

/// Says whose signatures are missing.
pub(super) fn list(waiting: &[Waiting], context: &Context) {
    let shell = &context.shell;
    let known = context.keystore().survey().unwrap_or_default().0;
    for waiting in waiting {
        let Waiting {
            role,
            version,
            threshold,
            signed,
            open,
        } = waiting;
        if shell.is_json() {
            let body = json!({"role": role, "version": version, "threshold": threshold, "signed": signed, "open": open});
            shell.message("waiting", body);
        }
        let name = |id: &String| {
            let key = known.iter().find(|key| key.public.id().to_string() == *id);
            key.map_or_else(|| id.clone(), |key| key.name.to_string())
        };
        let open: Vec<String> = open.iter().map(name).collect();
        let open = open.join(", ");
        shell.status(
            "Waiting",
            &format!("{role}: {signed} of {threshold} needed keys; may yet sign: {open}"),
        );
    }
}
