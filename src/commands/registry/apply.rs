//! `registry apply`: signed submissions into a registry: the one writer of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::{self, Destination};
use crate::formats::submission::Submission;
use crate::publish::bundle;

/// Takes signed submissions into a registry
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// What `sign` wrote
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
    let mut signed = Vec::new();
    for path in &args.submissions {
        let (submission, archives) = bundle::read(&context.absolute(path))?;
        destination.check_archives(&submission, &archives)?;
        check_publisher(&destination, &submission, args.register_publisher)?;
        signed.push((submission, archives));
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
fn check_publisher(
    destination: &Destination,
    submission: &Submission,
    may_register: bool,
) -> Result<(), CommandError> {
    let id = &submission.publisher.id;
    if may_register || destination.open()?.publisher(id)?.is_some() {
        return Ok(());
    }
    // Whole: the fingerprint is short enough for somebody to make another key with the same one.
    let keys = submission.publisher.keys.iter();
    let keys: Vec<String> = keys.map(|key| key.id().to_string()).collect();
    let error = CommandError::trust("MP0403", format!("the publisher `{id}` is not registered"));
    Err(error.with_note("nothing was written").with_help(format!(
        "if {} is the id of their key (`key show`), pass `--register-publisher`",
        keys.join(", ")
    )))
}
