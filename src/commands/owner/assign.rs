//! `owner assign`: the operator gives a package owners: it had none, or they lost their keys.

use std::path::PathBuf;

use clap::Args;

use super::change::refused;
use crate::commands::arguments::whole_package;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::publishing::{Destination, describe};
use crate::commands::signing::Publisher;
use crate::commands::submitting::output_folder;
use crate::model::{Body, PackageSpec, PublisherId};
use crate::publish::apply;
use crate::publish::keystore::KeyName;
use crate::publish::owners::assigned;
use crate::publish::sign::submission;

/// Gives a package owners, as its registry's operator: it had none, or they lost their keys
///
/// Needs a recovery key. Writes a submission, which each new owner signs, too (`sign`), and `registry
/// apply` takes in. Owners that there were have no say from then on.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// The package: `name`, `registry/name`
    #[arg(value_parser = whole_package)]
    pub package: PackageSpec,

    /// All owners that it is to have
    #[arg(value_name = "PUBLISHER", required = true)]
    pub publishers: Vec<PublisherId>,

    /// How many of them must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threshold: u32,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// The key of a new owner, if it is here; may be repeated
    #[arg(short, long = "key", value_name = "NAME")]
    pub keys: Vec<KeyName>,

    /// The folder in which the submission is written [default: the working folder]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: AssignArgs, context: &Context) -> Result<(), CommandError> {
    let package = &args.package.name;
    let destination = Destination::new(context, &args.registry_dir)?;
    destination.check_registry_of(context, &args.package)?;
    let mut folder = destination.open()?;
    let state = apply::state(&mut folder, package)?;
    let recovery = folder.policy()?.recovery;
    drop(folder);
    let next = assigned(&state, args.publishers, args.threshold);
    let next = next.map_err(|error| refused(&error, package))?;
    let mut signers = Vec::new();
    for key in &args.keys {
        let signer = destination.publisher(context, Some(key))?;
        if !next.publishers.contains(&signer.id) {
            let text = format!("`{}` is not one of the new owners", signer.id);
            return Err(CommandError::usage(text));
        }
        signers.push(signer);
    }
    let body = Body::Assign(next);
    let text = format!("{package}: {}", describe(&body));
    context.shell.status("Signing", &text);
    if let Some(owners) = &state.owners {
        let owners = owners.publishers.iter().map(PublisherId::as_str);
        let owners: Vec<&str> = owners.collect();
        let text = format!("this takes `{package}` from {}", owners.join(", "));
        context.shell.warn(&text);
    }
    let operator = destination.operator_key(context, &body, &recovery)?;
    let signers: Vec<_> = signers.iter().map(Publisher::signer).collect();
    let submission = submission(&state, [body], &signers, Some(&operator))?;
    let output = output_folder(context, args.output.as_ref());
    destination.write(context, &submission, &[], &output)
}
