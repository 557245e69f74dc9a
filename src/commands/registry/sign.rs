//! `registry sign`: a registry's own metadata, signed by those who keep its keys.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::role_change::{Registry, Signing, advance, list, show};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::publish::ceremony::{Kept, role};
use crate::publish::drafts::{self, Pending, ThrownAway};
use crate::publish::folder::Folder;
use crate::publish::init::Founding;
use crate::publish::keystore::KeyName;

/// Signs what waits for signatures, or makes roles valid for longer
///
/// Where drafts wait in the registry's folder, it shows them, asks, adds the signatures of the keys at
/// hand, and publishes the drafts when there are enough of all. Where none wait, it drafts the next version of
/// the named roles, the same but for its expiry, and signs it. The folder may be carried from one key
/// to the next.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// A role to sign; may be repeated [default: all that wait]
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,

    /// A key to sign with; may be repeated [default: all in the key folder that may]
    #[arg(short, long, value_name = "NAME")]
    pub key: Vec<KeyName>,

    /// Sign without being asked, once you have looked at what is drafted (`--dry-run`)
    #[arg(short, long)]
    pub yes: bool,

    /// Show what would be signed, and sign nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Throw the drafts away; those whose publication had begun are published
    #[arg(long, conflicts_with_all = ["role", "key", "yes", "dry_run"])]
    pub discard: bool,
}

/// Runs the command.
pub fn run(args: SignArgs, context: &Context) -> Result<(), CommandError> {
    let path = context.absolute(&args.dir);
    if args.discard {
        return discard(&path, context);
    }
    let drafting = || drafted(&path, &args.role, context);
    if args.dry_run {
        let (_registry, pending) = drafting()?;
        show(&path, &pending, context)?;
        list(&pending.waiting()?, context);
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let signing = Signing {
        roles: &args.role,
        keys: &args.key,
        asks: !args.yes,
    };
    advance(context, &path, &drafting, &signing)
}

/// Throws the drafts away, and says which were published before they could be.
fn discard(path: &Path, context: &Context) -> Result<(), CommandError> {
    let ThrownAway {
        discarded,
        published,
    } = drafts::throw_away(path)?;
    if !discarded.is_empty() {
        let roles = format!("the drafts of {}", discarded.join(", "));
        context.shell.status("Discarded", &roles);
    } else if published.is_empty() {
        context.shell.note("there were no drafts to discard");
    }
    if context.shell.is_json() && (published.is_empty() || !discarded.is_empty()) {
        let body = json!({ "roles": discarded });
        context.shell.message("drafts-discarded", body);
    }
    if published.is_empty() {
        return Ok(());
    }
    let text = format!(
        "published and not discarded: the drafts of {}",
        published.join(", ")
    );
    Err(CommandError::failure(text)
        .with_code("MP0607")
        .with_note("their publication had begun before, and is finished now")
        .with_help("what is published is taken back by another change of the roles"))
}

/// The drafts that wait; where none do, new ones of the roles that are named.
fn drafted(
    path: &Path,
    roles: &[String],
    context: &Context,
) -> Result<(Registry, Pending), CommandError> {
    if let Some(founding) = Founding::open(path)? {
        let pending = founding.pending()?;
        return Ok((Registry::New(founding), pending));
    }
    let mut folder = Folder::open(path)?;
    let pending = folder.pending()?;
    let pending = match (pending.drafts().is_empty(), roles.is_empty()) {
        (true, true) => {
            let error = CommandError::usage("nothing waits for signatures");
            return Err(error.with_help("`--role ROLE` drafts the next version of a role"));
        }
        (true, false) => {
            for role in roles {
                check_kept_offline(role)?;
            }
            folder.renew(roles, context.now)?
        }
        (false, _) => {
            let names = pending.names();
            if let Some(role) = roles.iter().find(|role| !names.contains(*role)) {
                let names: Vec<String> = names.into_iter().collect();
                let text = format!("there is no draft of `{role}`, but of {}", names.join(", "));
                let help = "sign those first, or throw them away with `--discard`";
                return Err(CommandError::failure(text)
                    .with_code("MP0607")
                    .with_help(help));
            }
            pending
        }
    };
    Ok((Registry::Known(folder), pending))
}

/// The roles that `registry refresh` signs are never drafted by themselves.
fn check_kept_offline(name: &str) -> Result<(), CommandError> {
    if role(name).is_some_and(|role| role.kept == Kept::Online) {
        let error = CommandError::usage(format!("`{name}` is a role of an online key"));
        return Err(error.with_help("`cargo marketplace registry refresh DIR` signs it"));
    }
    Ok(())
}
