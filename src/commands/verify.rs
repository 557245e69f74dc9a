//! `verify`: whether packages are what their publishers signed.

mod workspace;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::handover::Handover;
use super::reading::no_release;
use crate::formats::manifest::Home;
use crate::install::archive::{Limits, derive};
use crate::install::handover::{FetchRequest, HandoverError, WriteConfig, fetch};
use crate::model::{Entry, PackageSpec, SpecError, TrustState, same_release};
use crate::trust::{Archive, verify_archive};

/// Verifies a project's packages, one package, or an archive
///
/// Without a subject: what the project takes from a registry, made ready and compared with what cargo
/// resolves. With `--workspace`, the lock file alone, for all registries at once, without cargo.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A package (`name@1.2.3`) or an archive (`FILE.crate`)
    #[arg(value_name = "SPEC|FILE.crate")]
    pub subject: Option<String>,

    /// The whole lock file: every package of every registry that you have added, against its record
    #[arg(long, conflicts_with_all = ["subject", "registry"])]
    pub workspace: bool,

    /// Look into the archives, too, and into the folders to which cargo unpacked them
    #[arg(long)]
    pub deep: bool,

    /// The project's manifest
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    pub manifest_path: Option<PathBuf>,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: VerifyArgs, context: &Context) -> Result<(), CommandError> {
    match &args.subject {
        None if args.workspace => workspace::run(&args, context),
        None => verify_project(&args, context),
        Some(subject) if Path::new(subject).extension().is_some_and(|e| e == "crate") => {
            verify_file(&args, Path::new(subject), context)
        }
        Some(subject) => {
            let spec: PackageSpec = subject.parse().map_err(|error: SpecError| {
                let text = format!("`{subject}` is neither a package nor a `.crate` file");
                CommandError::usage(text).caused_by(Some(&error))
            })?;
            verify_package(&args, &spec, context)
        }
    }
}

/// Every package of the registry that the project's lock file names.
fn verify_project(args: &VerifyArgs, context: &Context) -> Result<(), CommandError> {
    let manifest = context.manifest(args.manifest_path.as_ref());
    let handover = Handover::open(context, &args.read, None)?;
    let source = handover.source();
    let request = FetchRequest {
        folder: &context.cwd,
        manifest: manifest.as_deref(),
        locked: true,
        write_config: WriteConfig::No,
    };
    let (summary, _) = fetch(handover.session(&source), request).map_err(|error| {
        let is_read_only = matches!(error, HandoverError::ReadOnly { .. });
        let shown = CommandError::from(error);
        match is_read_only {
            true => shown.with_help(
                "`cargo marketplace verify --workspace` writes nothing; what cargo resolves needs a home that can be written",
            ),
            false => shown,
        }
    })?;
    handover.tell(summary);
    let body = json!({"verified": summary.verified, "foreign": summary.foreign});
    handover.message("project-verified", body);
    Ok(())
}

/// One release: its record, its document, its archive.
fn verify_package(
    args: &VerifyArgs,
    spec: &PackageSpec,
    context: &Context,
) -> Result<(), CommandError> {
    let handover = Handover::open_for(context, &args.read, std::slice::from_ref(spec), "verify")?;
    let entry = match &spec.exact {
        // A yanked release can be verified, too.
        Some(version) => {
            let document = handover.document(&spec.name)?;
            let mut entries = document.verified_entries();
            let found = entries.find(|entry| same_release(&entry.release.version, version));
            found.ok_or_else(|| no_release(&spec.name, version))?
        }
        None => handover.choose(spec, true)?,
    };
    let archive = handover.archive(&entry)?;
    let changed = match args.deep {
        true => workspace::changed_folders(&archive, &handover.reading.registry, context)?,
        false => Vec::new(),
    };
    tell(&entry, &archive, context);
    match changed.first() {
        None => Ok(()),
        Some(changed) => Err(changed.clone()),
    }
}

/// An archive on this machine: is it what the registry lists under its name and version?
fn verify_file(args: &VerifyArgs, path: &Path, context: &Context) -> Result<(), CommandError> {
    let bytes = context.read(path)?;
    let claimed = derive(&bytes, &Home::Mirror, &Limits::default()).map_err(|error| {
        let failed = CommandError::failure(format!("`{}` is no intact archive", path.display()));
        failed.with_code("MP0407").caused_by(Some(&error))
    })?;
    let handover = Handover::open(context, &args.read, None)?;
    let document = handover.document(&claimed.name)?;
    let mut entries = document.verified_entries();
    let found = entries.find(|entry| entry.release.version == claimed.version);
    let entry = found.ok_or_else(|| no_release(&claimed.name, &claimed.version))?;
    let archive = verify_archive(&entry, bytes)?;
    tell(&entry, &archive, context);
    Ok(())
}

fn tell(entry: &Entry, archive: &Archive, context: &Context) {
    let release = &entry.release;
    let trust = entry.trust.map(TrustState::as_str).unwrap_or_default();
    if context.shell.is_json() {
        let body = json!({
            "name": release.name.as_str(),
            "version": release.version.to_string(),
            "sha256": release.checksum.to_string(),
            "size": archive.bytes.len(),
            "trust": trust,
            "yanked": entry.yanked.is_some(),
        });
        context.shell.message("verified", body);
    }
    let package = format!("{} v{}", release.name, release.version);
    context.shell.status(
        "Verified",
        &format!("{package}: checksum, manifest, {trust}"),
    );
    if entry.yanked.is_some() {
        context.shell.warn(&format!("{package} is yanked"));
    }
}
