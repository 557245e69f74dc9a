//! `registry withdraw`: a version out of the registry for good, archive included.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use semver::Version;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::{self, Destination, exact_version};
use crate::commands::reading::no_release;
use crate::disk;
use crate::formats::layout;
use crate::model::{Body, PackageName, PackageSpec, same_release};
use crate::publish::apply;
use crate::publish::folder::Folder;

/// Takes a version out of a registry for good: a leak, or a court's order
///
/// Needs a recovery key. The archive is removed, the version can never be released again, and lock
/// files that name it work no more; `yank` is the gentle way. Where the archive of a withdrawn version is
/// still there, as the command was cut off, the same command removes it.
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
    let mut withdrawn = state.withdrawn.iter();
    if withdrawn.any(|gone| same_release(gone, &version)) {
        let archive = released_archive(&mut folder, &args.spec.name, &version)?;
        return finish(&destination, &args, archive, context);
    }
    let recovery = folder.policy()?.recovery;
    drop(folder);
    let entry = state.document.entry(&version);
    let entry = entry.ok_or_else(|| no_release(&state.document.package, &version))?;
    let archive = layout::archive(&args.spec.name, &entry.release.checksum);
    let object = format!("{} v{version}", args.spec.name);
    context.shell.status("Withdrawing", &object);
    let body = Body::Withdraw {
        version,
        reason: args.reason,
    };
    let submission = destination.by_operator(context, &state, body, &recovery)?;
    if args.dry_run {
        publishing::print_statements(&submission.package, &submission.statements, context);
        warn_of_dry_run(context);
        return Ok(());
    }
    let intake = publishing::intake(vec![(submission, Vec::new())]);
    let applied = destination.apply(context, intake)?;
    // Only now: as long as a record names it, a client may ask for it.
    remove(&destination, &archive)?;
    publishing::finished(&applied, context);
    remind_of_copies(context);
    Ok(())
}

/// Removes the archive of a version that was withdrawn before, where that was cut off or refused.
fn finish(
    destination: &Destination,
    args: &WithdrawArgs,
    archive: Option<String>,
    context: &Context,
) -> Result<(), CommandError> {
    let object = match &args.spec.exact {
        Some(version) => format!("`{}` {version}", args.spec.name),
        None => format!("`{}`", args.spec.name),
    };
    let is_there = |archive: &String| destination.path.join(archive).symlink_metadata().is_ok();
    let Some(archive) = archive.filter(is_there) else {
        let error = CommandError::failure(format!("{object} was withdrawn already"));
        return Err(error.with_note("its archive is gone, too; nothing was written"));
    };
    context.shell.status("Removing", &archive);
    if args.dry_run {
        warn_of_dry_run(context);
        return Ok(());
    }
    remove(destination, &archive)?;
    let text = format!("{object} was withdrawn already, and its archive was still there");
    context.shell.note(&text);
    remind_of_copies(context);
    if context.shell.is_json() {
        let body = json!({ "path": archive });
        context.shell.message("archive-removed", body);
    }
    Ok(())
}

/// Where the archive of a version lies that is no longer listed: its release stays in the record.
fn released_archive(
    folder: &mut Folder,
    package: &PackageName,
    version: &Version,
) -> Result<Option<String>, CommandError> {
    let record = folder.record(package)?;
    let statements = record.map_or_else(Vec::new, |record| record.statements);
    let releases = apply::releases(package, &statements)?;
    let mut releases = releases.iter();
    let release = releases.find(|release| same_release(&release.version, version));
    Ok(release.map(|release| layout::archive(package, &release.checksum)))
}

/// Removes an archive for good: after a power cut it is not there again.
fn remove(destination: &Destination, archive: &str) -> Result<(), CommandError> {
    let path = destination.path.join(archive);
    let removed = disk::remove(&path).and_then(|()| match path.parent() {
        Some(folder) if folder.exists() => disk::sync_folder(folder),
        _ => Ok(()),
    });
    removed.map_err(|error| {
        let text = format!("`{archive}` is withdrawn, and could not be removed");
        let error = CommandError::failure(text).caused_by(Some(&error));
        error.with_help("the same command once more removes it")
    })
}

fn warn_of_dry_run(context: &Context) {
    let text = "nothing was written, as this is a dry run";
    context.shell.warn(text);
}

fn remind_of_copies(context: &Context) {
    context
        .shell
        .note("remove the archive from mirrors, caches and the history of a git repository, too");
}
