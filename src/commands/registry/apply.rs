//! `registry apply`: signed submissions into a registry: the one writer of a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::key::change as keys;
use crate::commands::publishing::{self, Destination};
use crate::commands::sign::Signed;
use crate::formats::publisher::Publisher;
use crate::formats::submission::Submission;
use crate::model::{PackageName, PublicKey};
use crate::publish::apply::{self, Intake};
use crate::publish::bundle;
use crate::trust::Signing;

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
    let signed = read_all(&destination, &bundles, args.register_publisher, context)?;
    let changes = changes.iter().map(|path| keys::read(path));
    let intake = Intake {
        keys: changes.collect::<Result<_, _>>()?,
        ..publishing::intake(signed)
    };
    let rekeyed = keys::describe_all(&destination, &intake.keys, context)?;
    let new = check_signed(&destination, &intake, &bundles, context)?;
    for proposal in intake
        .proposals
        .iter()
        .filter(|one| new.contains(&one.package))
    {
        for line in publishing::describe_all(proposal)? {
            context
                .shell
                .status("Applying", &format!("{}: {line}", proposal.package));
        }
    }
    if args.dry_run {
        destination.preview(context, intake)?;
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let applied = destination.apply(context, intake)?;
    for id in &rekeyed {
        keys::tell_changed(id, context);
    }
    if rekeyed.is_empty() || !new.is_empty() {
        publishing::finished(&applied, context);
    }
    Ok(())
}

/// Reads submissions, and refuses what is wrong with them by themselves.
fn read_all(
    destination: &Destination,
    bundles: &[PathBuf],
    may_register: bool,
    context: &Context,
) -> Result<Vec<Signed>, CommandError> {
    let mut signed: Vec<Signed> = Vec::new();
    for path in bundles {
        let (submission, archives) = bundle::read(path)?;
        check_first(&signed, &submission)?;
        destination.check_archives(&submission, &archives)?;
        check_publishers(destination, &submission, may_register, context)?;
        signed.push((submission, archives));
    }
    Ok(signed)
}

/// Refuses what others must sign first. Returns the packages whose submissions are not part of the
/// registry already.
fn check_signed(
    destination: &Destination,
    intake: &Intake,
    bundles: &[PathBuf],
    context: &Context,
) -> Result<BTreeSet<PackageName>, CommandError> {
    let statements = intake.without_archives();
    let signing = apply::signing(destination.open()?, statements, context.now)?;
    let signing: BTreeMap<PackageName, Vec<Signing>> = signing.into_iter().collect();
    for (proposal, bundle) in intake.proposals.iter().zip(bundles) {
        if let Some(signing) = signing.get(&proposal.package) {
            destination.check_complete(&proposal.package, signing, bundle)?;
        }
    }
    Ok(signing.into_keys().collect())
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
