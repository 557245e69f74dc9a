//! What the commands share that change a registry's own keys and roles: which keys are meant, who
//! signs drafts, and what becomes of them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::shell::sanitize;
use crate::commands::{prompt, signing};
use crate::model::{KeyId, PublicKey};
use crate::publish::drafts::{DraftError, Pending, Waiting};
use crate::publish::folder::Folder;
use crate::publish::init::{self, Founding};
use crate::publish::keystore::KeyName;
use crate::publish::role_keys::RoleKeys;

/// The registry that drafts are for, locked.
pub(super) enum Registry {
    /// One that is there.
    Known(Folder),
    /// One that is being made.
    New(Founding),
}

/// Locks a registry, and says what is drafted.
pub(super) type Drafting<'a> = &'a dyn Fn() -> Result<(Registry, Pending), CommandError>;

/// Who signs what.
#[derive(Default)]
pub(super) struct Signing<'a> {
    /// The roles, as the operator calls them; all that wait, if none is named.
    pub(super) roles: &'a [String],
    /// The keys; all at hand, if none is named.
    pub(super) keys: &'a [KeyName],
    /// Whether those who have the keys are asked: it is others who drafted.
    pub(super) asks: bool,
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

/// What drafts change, and of a registry that is being made what its policy says: people sign that by its
/// digest.
fn changes(path: &Path, pending: &Pending) -> Result<Vec<String>, CommandError> {
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
    Ok(lines)
}

/// Shows what drafts change.
pub(super) fn show(path: &Path, pending: &Pending, context: &Context) -> Result<(), CommandError> {
    for line in changes(path, pending)? {
        context.shell.status("Drafted", &line);
    }
    Ok(())
}

/// Signs drafts, and publishes them if they and all that follows from them can be signed; else they
/// are kept.
///
/// The drafts are looked at twice: they are shown, and nobody has to wait while somebody thinks and
/// types; then they are signed, if they are still those that were shown, with the signatures that
/// others have added by then.
pub(super) fn advance(
    context: &Context,
    path: &Path,
    drafting: Drafting<'_>,
    signing: &Signing<'_>,
) -> Result<(), CommandError> {
    let (registry, shown) = drafting()?;
    let signers = signers(context, &shown, signing)?;
    drop(registry);
    match signing.asks && !signers.is_empty() {
        true => agreed(&changes(path, &shown)?, &signers)?,
        false => show(path, &shown, context)?,
    }
    let keys = Keys::load(context, &shown, signing)?;
    let (registry, mut pending) = drafting()?;
    if !pending.is_same_change(&shown) {
        let text = "what is drafted is not what was shown a moment ago";
        return Err(CommandError::failure(text)
            .with_code("MP0607")
            .with_note("somebody else has drafted in the meantime; nothing was written")
            .with_help("run the command again"));
    }
    keys.sign(&mut pending, signing)?;
    let keys = keys.all();
    let mut waiting = pending.waiting()?;
    if waiting.is_empty() {
        waiting = pending.following(&keys);
    }
    if waiting.is_empty() {
        return publish(context, path, registry, &pending, &keys);
    }
    pending.drafts().save(path)?;
    report(&waiting, context);
    Ok(())
}

/// The drafts that are meant and lack signatures.
fn meant(pending: &Pending, signing: &Signing<'_>) -> Result<Vec<Waiting>, CommandError> {
    let mut waiting = pending.waiting()?;
    waiting.retain(|one| signing.roles.is_empty() || signing.roles.contains(&one.role));
    Ok(waiting)
}

/// The ids of the keys that may sign what is meant.
fn open_ids(pending: &Pending, signing: &Signing<'_>) -> Result<BTreeSet<KeyId>, CommandError> {
    let meant = meant(pending, signing)?;
    let open = meant.iter().flat_map(|waiting| &waiting.open);
    Ok(open.filter_map(|id| id.parse().ok()).collect())
}

/// The names of the keys that sign: those that were named, else those at hand. Of drafts that wait for
/// nobody it is those that sign what follows.
fn signers(
    context: &Context,
    pending: &Pending,
    signing: &Signing<'_>,
) -> Result<Vec<String>, CommandError> {
    if !signing.keys.is_empty() {
        return Ok(signing.keys.iter().map(ToString::to_string).collect());
    }
    let ids = match pending.waiting()?.is_empty() {
        true => pending.following_key_ids(),
        false => open_ids(pending, signing)?,
    };
    let ids: Vec<KeyId> = ids.into_iter().collect();
    let keys = signing::at_hand(context, &ids)?;
    Ok(keys.iter().map(|key| key.name.to_string()).collect())
}

/// What is drafted, a line each, whatever stands in it: a draft comes from somebody else.
fn question(changes: &[String], signers: &[String]) -> String {
    let changes: Vec<_> = changes.iter().map(|line| sanitize(line)).collect();
    let signers: Vec<String> = signers.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "  Drafted:\n    {}\n  Sign this with {}?",
        changes.join("\n    "),
        signers.join(", ")
    )
}

/// Shows what is drafted, and asks. Without a terminal nothing is signed.
fn agreed(changes: &[String], signers: &[String]) -> Result<(), CommandError> {
    let answer = prompt::confirm(&question(changes, signers));
    if answer == Some(true) {
        return Ok(());
    }
    let error = CommandError::trust("MP0611", "nobody has agreed to what is drafted");
    let error = error.with_note("nothing was written");
    Err(match answer {
        None => error.with_help("look at it with `--dry-run`, then pass `--yes`"),
        Some(_) => error,
    })
}

/// Keys for drafts and for what follows from them.
struct Keys {
    drafts: RoleKeys,
    following: RoleKeys,
}

impl Keys {
    /// Reads the keys that sign what is meant; if nothing waits then, those that sign what follows, too.
    fn load(
        context: &Context,
        pending: &Pending,
        signing: &Signing<'_>,
    ) -> Result<Self, CommandError> {
        let drafts = if signing.keys.is_empty() {
            let open: Vec<KeyId> = open_ids(pending, signing)?.into_iter().collect();
            signing::role_keys(context, &open)?
        } else {
            let keys = signing.keys.iter().map(|name| signing::load(context, name));
            RoleKeys::new(keys.collect::<Result<Vec<_>, _>>()?)
        };
        let mut keys = Self {
            drafts,
            following: RoleKeys::default(),
        };
        let mut signed = pending.clone();
        let made = keys.sign(&mut signed, signing)?;
        for name in signing.keys {
            if !made.contains(&context.keystore().get(name)?.public.id()) {
                return Err(signs_nothing(name, &meant(pending, signing)?));
            }
        }
        if signed.waiting()?.is_empty() {
            let mut missing: Vec<KeyId> = signed.following_key_ids().into_iter().collect();
            missing.retain(|id| keys.drafts.get(id).is_none());
            keys.following = signing::role_keys(context, &missing)?;
        }
        Ok(keys)
    }

    /// Signs the drafts that are meant, and says whose signatures were added.
    fn sign(
        &self,
        pending: &mut Pending,
        signing: &Signing<'_>,
    ) -> Result<BTreeSet<KeyId>, CommandError> {
        let mut made = BTreeSet::new();
        for waiting in meant(pending, signing)? {
            made.extend(pending.sign(&waiting.role, &self.drafts)?);
        }
        Ok(made)
    }

    fn all(self) -> RoleKeys {
        self.drafts.and(self.following)
    }
}

/// The error for a key that was named and has no say.
fn signs_nothing(name: &KeyName, meant: &[Waiting]) -> CommandError {
    let roles: Vec<&str> = meant.iter().map(|waiting| waiting.role.as_str()).collect();
    let text = match roles.is_empty() {
        true => "no draft waits for a signature".to_owned(),
        false => format!("the key `{name}` may sign none of {}", roles.join(", ")),
    };
    CommandError::failure(text)
        .with_code("MP0403")
        .with_note("nothing was written")
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
        Registry::New(founding) => {
            let root = founding.publish(pending, keys, context.now)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_cannot_add_lines_to_the_question() {
        let changes = ["root: 2 of a, x\n\u{1b}[2J\n    root: 2 of b".to_owned()];
        let asked = question(&changes, &["offline".to_owned()]);
        assert_eq!(asked.lines().count(), 3, "{asked:?}");
        assert!(asked.contains("root: 2 of a, x") && !asked.contains('\u{1b}'));
    }
}
