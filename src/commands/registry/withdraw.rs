//! `registry withdraw`: a version out of the registry for good, archive included.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use semver::Version;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::{self, Destination, exact_version};
use crate::commands::reading::no_release;
use crate::formats::layout;
use crate::model::{Body, PackageSpec, Sha256Digest};
use crate::publish::apply;
use crate::trust::PackageState;

/// Takes a version out of a registry for good: a leak, or a court's order
///
/// Needs a recovery key. The archive is removed, the version can never be released again, and lock
/// files that name it work no more; `yank` is the gentle way.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// The release: `name@1.2.3`
    pub spec: PackageSpec,

    /// Why; everybody can read it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,

    /// Show the statement that would be added, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: WithdrawArgs, context: &Context) -> Result<(), CommandError> {
    let version = exact_version(&args.spec)?;
    let destination = Destination::new(context, &args.dir)?;
    destination.check_registry_of(context, &args.spec)?;
    let mut folder = destination.open()?;
    let state = apply::state(&mut folder, &args.spec.name)?;
    let recovery = folder.policy()?.recovery;
    drop(folder);
    let checksum = checksum(&state, &version)?;
    let object = format!("{} v{version}", args.spec.name);
    context.shell.status("Withdrawing", &object);
    let body = Body::Withdraw {
        version,
        reason: args.reason,
    };
    let submission = destination.by_operator(context, &state, body, &recovery)?;
    if args.dry_run {
        publishing::print_statements(&submission.package, &submission.statements, context);
        let text = "nothing was written, as this is a dry run";
        context.shell.warn(text);
        return Ok(());
    }
    let intake = publishing::intake(vec![(submission, Vec::new())]);
    let applied = destination.apply(context, intake)?;
    // Only now: as long as a record names it, a client may ask for it.
    let archive = layout::archive(&args.spec.name, &checksum);
    std::fs::remove_file(destination.path.join(&archive)).map_err(|error| {
        let text = format!("`{archive}` is withdrawn, and could not be removed");
        CommandError::failure(text).caused_by(Some(&error))
    })?;
    publishing::finished(&applied, context);
    context
        .shell
        .note("remove the archive from mirrors, caches and the history of a git repository, too");
    Ok(())
}

fn checksum(state: &PackageState, version: &Version) -> Result<Sha256Digest, CommandError> {
    if state.withdrawn.contains(version) {
        let package = &state.document.package;
        let error = CommandError::failure(format!("`{package}` {version} was withdrawn already"));
        return Err(error.with_note("nothing was written"));
    }
    let entry = state.document.entry(version);
    let entry = entry.ok_or_else(|| no_release(&state.document.package, version))?;
    Ok(entry.release.checksum)
}
