//! `sign`: statements over what was packaged. Has the key; must never run cargo or any foreign code.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::publishing::Destination;
use super::signing::Publisher;
use crate::formats::submission::Submission;
use crate::model::Release;
use crate::publish::apply;
use crate::publish::bundle;
use crate::publish::keystore::KeyName;
use crate::publish::sign::{by_package, release_body, sign};

/// Signs what was packaged: runs no cargo
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What `package` wrote
    #[arg(required = true, value_name = "PACKAGED")]
    pub packaged: Vec<PathBuf>,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: PathBuf,

    /// The folder in which the submissions are written [default: that of the first archive]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: SignArgs, context: &Context) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.registry_dir)?;
    let packaged = read_all(&args.packaged, context)?;
    let key = destination.publisher_key(context, args.key.as_ref())?;
    let publisher = Publisher::load(context, &key)?;
    for (submission, archives) in submissions(&destination, packaged, &publisher)? {
        let beside = context.absolute(&args.packaged[0]);
        let beside = beside.parent().unwrap_or(&context.cwd);
        let name = format!("{}.submission", submission.package);
        let bundle = match &args.output {
            Some(output) => context.absolute(output).join(name),
            None => beside.join(name),
        };
        bundle::write(&bundle, &submission, &archives)?;
        let key = publisher.key.public().fingerprint();
        let object = format!("{} with {key}", submission.package);
        context.shell.status("Signed", &object);
        if context.shell.is_json() {
            let body = json!({"package": submission.package.as_str(), "path": bundle});
            context.shell.message("submission", body);
        } else {
            context.shell.line(&bundle.display().to_string());
        }
    }
    Ok(())
}

fn read_all(paths: &[PathBuf], context: &Context) -> Result<Vec<Vec<u8>>, CommandError> {
    paths.iter().map(|path| context.read(path)).collect()
}

/// A submission and the archives of its releases.
pub type Signed = (Submission, Vec<Vec<u8>>);

/// Signs the releases in archives, those of one package together.
pub fn submissions(
    destination: &Destination,
    archives: Vec<Vec<u8>>,
    publisher: &Publisher,
) -> Result<Vec<Signed>, CommandError> {
    let derive = |bytes: Vec<u8>| Ok((destination.derive(&bytes)?, bytes));
    let derived = archives.into_iter().map(derive);
    let packages = by_package(derived.collect::<Result<Vec<_>, CommandError>>()?)?;
    let mut folder = destination.open()?;
    let mut signed = Vec::new();
    for (package, found) in packages {
        let state = apply::state(&mut folder, &package)?;
        for (release, _) in &found {
            apply::check_new(&state, &release.version)?;
        }
        let (releases, archives): (Vec<Release>, Vec<Vec<u8>>) = found.into_iter().unzip();
        let bodies = releases
            .into_iter()
            .map(|r| release_body(r, &publisher.id))
            .collect();
        signed.push((sign(&state, bodies, publisher.signer())?, archives));
    }
    Ok(signed)
}
