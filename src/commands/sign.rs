//! `sign`: statements over what was packaged, and signatures on what others signed before. Has the
//! key; must never run cargo or any foreign code.

use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::error::CommandError;
use super::publishing::{Destination, describe};
use super::signing::Publisher;
use crate::formats::submission::Submission;
use crate::model::Release;
use crate::publish::apply;
use crate::publish::bundle;
use crate::publish::keystore::KeyName;
use crate::publish::sign::{by_package, cosign, release_body, sign};

/// Signs what was packaged, or what others signed before: runs no cargo
#[derive(Debug, Args)]
pub struct SignArgs {
    /// What `package` wrote; or submissions, to which a signature is added
    #[arg(required = true, value_name = "PACKAGED|SUBMISSION")]
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
    let paths = args.packaged.iter().map(|path| context.absolute(path));
    let (bundles, packaged): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let archives = read_all(&packaged, context)?;
    let publisher = destination.publisher(context, args.key.as_ref())?;
    for bundle in &bundles {
        cosign_bundle(&destination, bundle, &publisher, context)?;
    }
    let output = match (&args.output, packaged.first()) {
        (Some(output), _) => context.absolute(output),
        (None, Some(first)) => first.parent().unwrap_or(&context.cwd).to_owned(),
        (None, None) => return Ok(()),
    };
    for (submission, archives) in submissions(&destination, archives, &publisher)? {
        signed(&submission, &publisher, context);
        destination.write(context, &submission, &archives, &output)?;
    }
    Ok(())
}

fn signed(submission: &Submission, publisher: &Publisher, context: &Context) {
    let key = publisher.key.public().fingerprint();
    let object = format!("{} with {key}", submission.package);
    context.shell.status("Signed", &object);
}

/// Adds a signature to a submission, in its place. What is signed is shown, and is what the archives
/// hold.
fn cosign_bundle(
    destination: &Destination,
    bundle: &Path,
    publisher: &Publisher,
    context: &Context,
) -> Result<(), CommandError> {
    let (mut submission, archives) = bundle::read(bundle)?;
    destination.check_archives(&submission, &archives)?;
    let bodies = apply::bodies(&submission.package, &submission.statements)?;
    let signing = destination.signing(context, &submission)?;
    let may_sign: Vec<bool> = signing
        .iter()
        .map(|one| one.may_sign.contains(&publisher.id))
        .collect();
    if !may_sign.contains(&true) {
        let text = format!("`{}` has nothing to sign here", publisher.id);
        return Err(CommandError::failure(text).with_note("nothing was written"));
    }
    for (body, _) in bodies.iter().zip(&may_sign).filter(|(_, may)| **may) {
        let text = format!("{}: {}", submission.package, describe(body));
        context.shell.status("Signing", &text);
    }
    cosign(&mut submission, publisher.signer(), may_sign)?;
    bundle::write(bundle, &submission, &[])?;
    signed(&submission, publisher, context);
    destination.tell(context, &submission, bundle)
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
