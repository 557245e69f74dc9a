//! `registry apply`: signed submissions into a registry: the one writer of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::key::change as keys;
use crate::commands::publishing::{self, Destination};
use crate::commands::sign::Signed;
use crate::formats::publisher::Publisher;
use crate::formats::submission::Submission;
use crate::model::PublicKey;
use crate::publish::bundle;

/// Takes signed submissions and changes of keys into a registry
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// What `sign`, `owner` or `key` wrote
    #[arg(required = true, value_name = "SUBMISSION")]
    pub submissions: Vec<PathBuf>,

    /// Register publishers that the registry does not know, with the keys in their submissions
    #[arg(long)]
    pub register_publisher: bool,

    /// Check, show what would change, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: ApplyArgs, context: &Context) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.dir)?;
    let paths = args.submissions.iter().map(|path| context.absolute(path));
    let (bundles, changes): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let mut signed: Vec<Signed> = Vec::new();
    for path in &bundles {
        let (submission, archives) = bundle::read(path)?;
        check_first(&signed, &submission)?;
        destination.check_archives(&submission, &archives)?;
        check_publishers(&destination, &submission, args.register_publisher, context)?;
        signed.push((submission, archives));
    }
    // Before signatures are looked at, as a new key may have signed. After all else, which refuses with
    // nothing written.
    for path in &changes {
        keys::take_in(&destination, path, args.dry_run, context)?;
    }
    for ((submission, _), path) in signed.iter().zip(&bundles) {
        destination.check_complete(context, submission, path)?;
    }
    if signed.is_empty() {
        return Ok(());
    }
    let (proposals, register) = publishing::proposals(signed);
    for proposal in &proposals {
        for line in publishing::describe_all(proposal)? {
            context
                .shell
                .status("Applying", &format!("{}: {line}", proposal.package));
        }
    }
    if args.dry_run {
        destination.preview(context, &proposals, &register)?;
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let applied = destination.apply(context, proposals, &register)?;
    publishing::finished(&applied, context);
    Ok(())
}

/// Of two submissions for one package, the second must be signed over what the first made of it.
fn check_first(before: &[Signed], submission: &Submission) -> Result<(), CommandError> {
    let package = &submission.package;
    if before.iter().all(|(other, _)| other.package != *package) {
        return Ok(());
    }
    let error = CommandError::usage(format!("two submissions are of `{package}`"));
    let error = error.with_note("nothing was written");
    Err(error.with_help("apply one, and let the other be signed again"))
}

/// Publishers whom the registry does not know are registered only when the operator says so, and each
/// of them is shown.
fn check_publishers(
    destination: &Destination,
    submission: &Submission,
    may_register: bool,
    context: &Context,
) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    let mut unknown = Vec::new();
    for publisher in &submission.publishers {
        if folder.publisher(&publisher.id)?.is_none() {
            unknown.push(publisher);
        }
    }
    if may_register {
        for Publisher { id, keys, .. } in unknown {
            let object = format!("{id} with {}", key_ids(keys));
            context.shell.status("Registering", &object);
        }
        return Ok(());
    }
    let Some(Publisher { id, keys, .. }) = unknown.first() else {
        return Ok(());
    };
    let text = format!("the publisher `{id}` is not registered");
    let refused = CommandError::trust("MP0403", text).with_note("nothing was written");
    Err(match &unknown[..] {
        [_] => refused.with_help(format!(
            "if {} is the id of their key (`key show`), pass `--register-publisher`",
            key_ids(keys)
        )),
        all => {
            let each = all
                .iter()
                .map(|one| format!("`{}`: {}", one.id, key_ids(&one.keys)));
            refused.with_help(format!(
                "if these are the ids of their keys (`key show`), pass `--register-publisher`: {}",
                each.collect::<Vec<_>>().join("; ")
            ))
        }
    })
}

/// Whole: a fingerprint is short enough for somebody to make another key with the same one.
fn key_ids(keys: &[PublicKey]) -> String {
    let ids = keys.iter().map(|key| key.id().to_string());
    ids.collect::<Vec<_>>().join(", ")
}
