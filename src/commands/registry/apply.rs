//! `registry apply`: signed submissions into a registry: the one writer of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::key::change as keys;
use crate::commands::publishing::{self, Destination};
use crate::formats::publisher::Publisher;
use crate::formats::submission::Submission;
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
    let mut signed = Vec::new();
    for path in &bundles {
        let (submission, archives) = bundle::read(path)?;
        destination.check_archives(&submission, &archives)?;
        check_publishers(&destination, &submission, args.register_publisher)?;
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

/// A publisher whom the registry does not know is registered only when the operator says so.
fn check_publishers(
    destination: &Destination,
    submission: &Submission,
    may_register: bool,
) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    let mut unknown = None;
    for publisher in &submission.publishers {
        if !may_register && folder.publisher(&publisher.id)?.is_none() {
            unknown.get_or_insert(publisher);
        }
    }
    let Some(Publisher { id, keys, .. }) = unknown else {
        return Ok(());
    };
    // Whole: the fingerprint is short enough for somebody to make another key with the same one.
    let keys = keys.iter();
    let keys: Vec<String> = keys.map(|key| key.id().to_string()).collect();
    let error = CommandError::trust("MP0403", format!("the publisher `{id}` is not registered"));
    Err(error.with_note("nothing was written").with_help(format!(
        "if {} is the id of their key (`key show`), pass `--register-publisher`",
        keys.join(", ")
    )))
}
