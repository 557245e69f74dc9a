//! `owner add` and `owner remove`: owners who join and leave, signed by those in force and by the new
//! ones. What they write is handed around like any submission.

use std::path::PathBuf;

use clap::Args;

use crate::commands::arguments::whole_package;
use crate::commands::context::Context;
use crate::commands::error::{CommandError, Kind};
use crate::commands::publishing::{Destination, describe};
use crate::commands::signing::Publisher;
use crate::commands::submitting::output_folder;
use crate::model::{Body, PackageName, PackageSpec, PublisherId};
use crate::publish::apply;
use crate::publish::keystore::KeyName;
use crate::publish::owners::{OwnersChange, OwnersError, changed};
use crate::publish::sign::{check_owner, submission};
use crate::trust::PackageState;

/// Makes publishers owners of a package, or changes how many must sign
///
/// Writes a submission, which the new owners sign, too (`sign`), and the operator takes in (`registry
/// apply`).
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The package: `name`, `registry/name`
    #[arg(value_parser = whole_package)]
    pub package: PackageSpec,

    /// Those who join
    #[arg(value_name = "PUBLISHER", required_unless_present = "threshold")]
    pub publishers: Vec<PublisherId>,

    /// How, and where to.
    #[command(flatten)]
    pub common: ChangeArgs,
}

/// Takes publishers out of the owners of a package
///
/// Writes a submission, which the operator takes in (`registry apply`). What those who leave have signed
/// stays good.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The package: `name`, `registry/name`
    #[arg(value_parser = whole_package)]
    pub package: PackageSpec,

    /// Those who leave
    #[arg(value_name = "PUBLISHER", required = true)]
    pub publishers: Vec<PublisherId>,

    /// How, and where to.
    #[command(flatten)]
    pub common: ChangeArgs,
}

/// What both have in common.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// How many owners must sign from then on [default: as before]
    #[arg(long, value_name = "N")]
    pub threshold: Option<u32>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// A key to sign with; may be repeated [default: the only one]
    #[arg(short, long = "key", value_name = "NAME")]
    pub keys: Vec<KeyName>,

    /// The folder in which the submission is written [default: the working folder]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs `owner add`.
pub fn add(args: AddArgs, context: &Context) -> Result<(), CommandError> {
    let change = OwnersChange {
        add: args.publishers,
        remove: Vec::new(),
        threshold: args.common.threshold,
    };
    run(&args.package, &change, &args.common, context)
}

/// Runs `owner remove`.
pub fn remove(args: RemoveArgs, context: &Context) -> Result<(), CommandError> {
    let change = OwnersChange {
        add: Vec::new(),
        remove: args.publishers,
        threshold: args.common.threshold,
    };
    run(&args.package, &change, &args.common, context)
}

fn run(
    spec: &PackageSpec,
    change: &OwnersChange,
    args: &ChangeArgs,
    context: &Context,
) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.registry_dir)?;
    destination.check_registry_of(context, spec)?;
    let package = &spec.name;
    let state = apply::state(&mut destination.open()?, package)?;
    let next = changed(&state, change).map_err(|error| refused(&error, package))?;
    let signers = destination.publishers(context, &args.keys)?;
    for signer in &signers {
        check_signer(&state, change, signer)?;
    }
    let body = Body::Owners(next);
    let text = format!("{package}: {}", describe(&body));
    context.shell.status("Signing", &text);
    let signers: Vec<_> = signers.iter().map(Publisher::signer).collect();
    let submission = submission(&state, [body], &signers, None)?;
    let output = output_folder(context, args.output.as_ref());
    destination.write(context, &submission, &[], &output)
}

/// Those who own it and those who join have something to sign, and nobody else.
fn check_signer(
    state: &PackageState,
    change: &OwnersChange,
    signer: &Publisher,
) -> Result<(), CommandError> {
    if change.add.contains(&signer.id) {
        return Ok(());
    }
    Ok(check_owner(state, &signer.id)?)
}

/// What an error means to the user.
pub(super) fn refused(error: &OwnersError, package: &PackageName) -> CommandError {
    let shown = match error {
        OwnersError::NoPackage(_) | OwnersError::NoOwner(_) => {
            CommandError::from_error(Kind::Failure, error)
        }
        _ => CommandError::failure(format!("the owners of `{package}` stay as they are"))
            .caused_by(Some(error)),
    };
    match error {
        OwnersError::NoPackage(_) => shown
            .with_code("MP0203")
            .with_help("the first `publish` of a name makes its publisher the owner"),
        OwnersError::NoOwner(_) => shown.with_code("MP0608").with_help(assign_help(package)),
        OwnersError::IsOwner(_) | OwnersError::IsNoOwner(_) | OwnersError::Nothing => {
            shown.with_help(format!("see `cargo marketplace owner list {package}`"))
        }
        OwnersError::Nobody => shown.with_help(format!(
            "add another one first: `cargo marketplace owner add {package} PUBLISHER --registry-dir DIR`"
        )),
        OwnersError::Threshold { count: 1, .. } => shown.with_help("`--threshold` may be 1 here"),
        OwnersError::Threshold { count, .. } => {
            shown.with_help(format!("`--threshold` may be from 1 to {count} here"))
        }
    }
}

/// How a package without an owner gets one.
#[must_use]
pub fn assign_help(package: &PackageName) -> String {
    format!(
        "the registry's operator gives it one: `cargo marketplace owner assign {package} PUBLISHER --registry-dir DIR`"
    )
}
