//! `yank`: taking a release out of choice, and back.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use semver::Version;

use super::context::Context;
use super::error::CommandError;
use super::publishing::{self, Destination, exact_version};
use super::reading::no_release;
use super::submitting::{HandedIn, output_folder};
use crate::model::{Body, PackageSpec};
use crate::publish::apply;
use crate::publish::keystore::KeyName;
use crate::publish::sign::sign;
use crate::ranking::nearest;
use crate::trust::PackageState;

/// Marks a release as not to be chosen any more
///
/// Lock files that name it go on working.
#[derive(Debug, Args)]
pub struct YankArgs {
    /// The release: `name@1.2.3`
    pub spec: PackageSpec,

    /// Make it a choice again
    #[arg(long, conflicts_with = "reason")]
    pub undo: bool,

    /// Why; shown to everybody who asks for the release
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// Where to put what other owners must sign, too [default: the working folder]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Show the statement that would be added, and add nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: YankArgs, context: &Context) -> Result<(), CommandError> {
    let version = exact_version(&args.spec)?;
    let destination = Destination::new(context, &args.registry_dir)?;
    destination.check_registry_of(context, &args.spec)?;
    let mut opened = destination.open()?;
    let state = apply::state(&mut opened, &args.spec.name)?;
    let is_vouched = state.owners.is_none();
    let names = opened.package_names();
    drop(opened);
    let version = check(&state, &version, args.undo, &names)?;
    let body = match args.undo {
        true => Body::Unyank { version },
        false => Body::Yank {
            version,
            reason: args.reason.clone(),
        },
    };
    let verb = if args.undo { "Unyanking" } else { "Yanking" };
    context
        .shell
        .status(verb, &args.spec.to_string().replace("@=", "@"));
    let submission = if is_vouched {
        destination.vouched(context, &state, body)?
    } else {
        let publisher = destination.publisher(context, args.key.as_ref())?;
        sign(&state, vec![body], publisher.signer())?
    };
    if args.dry_run {
        publishing::print_statements(&submission.package, &submission.statements, context);
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let output = output_folder(context, args.output.as_ref());
    let signed = vec![(submission, Vec::new())];
    let handed_in = destination.hand_in(context, signed, &output)?;
    if !args.undo && matches!(handed_in, HandedIn::Applied(_)) {
        context
            .shell
            .note("existing lock files keep working; `--undo` reverses this");
    }
    Ok(())
}

/// The version as it was released; it must be there, and in the other state.
fn check(
    state: &PackageState,
    version: &Version,
    undo: bool,
    names: &[String],
) -> Result<Version, CommandError> {
    let package = &state.document.package;
    let Some(entry) = state.document.entry(version) else {
        let error = no_release(package, version);
        let versions = state.document.entries.iter();
        let versions: Vec<String> = versions.map(|e| e.release.version.to_string()).collect();
        let near = nearest(package.as_str(), names.iter().map(String::as_str));
        return Err(match (versions.is_empty(), near) {
            (false, _) => error.with_help(format!("there are {}", versions.join(", "))),
            (true, Some(near)) => error.with_help(format!("did you mean `{near}`?")),
            (true, None) => error,
        });
    };
    if entry.yanked.is_some() == undo {
        return Ok(entry.release.version.clone());
    }
    let word = if undo { "not yanked" } else { "yanked already" };
    Err(CommandError::failure(format!(
        "`{package}` {version} is {word}"
    )))
}
