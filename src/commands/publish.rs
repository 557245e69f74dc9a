//! `publish`: package, sign and apply in one go, each in its own process.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::package::Packaging;
use super::publishing::{self, Destination, needs_folder};
use super::sign::submissions;
use crate::formats::publisher::Publisher;
use crate::formats::{v1, v2};
use crate::publish::apply::{self, ApplyError, Preview};
use crate::publish::keystore::KeyName;
use crate::publish::package::Member;

/// Packages, signs and hands in
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// What to package.
    #[command(flatten)]
    pub packaging: PackagingArgs,

    /// The workspace's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// The registry's folder on this machine
    #[arg(long, value_name = "DIR")]
    pub registry_dir: Option<PathBuf>,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// Show the lines, the Turtle and the statement that would be added, and add nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: PublishArgs, context: &Context) -> Result<(), CommandError> {
    let Some(folder) = &args.registry_dir else {
        return Err(needs_folder("publish"));
    };
    let destination = Destination::new(context, folder)?;
    let manifest = args.manifest_path.as_deref();
    let packaging = Packaging::new(context, &args.packaging, manifest, Some(&destination))?;
    let members = packaging.members()?;
    // Asked for before anything is built.
    let publisher = destination.publisher(context, args.key.as_ref())?;
    check_new(&destination, &members)?;
    for member in &members {
        let archive = packaging.package(member)?;
        let bytes = std::fs::read(&archive).map_err(|error| {
            let failed = CommandError::failure(format!("cannot read `{}`", archive.display()));
            failed.caused_by(Some(&error))
        })?;
        let signed = submissions(&destination, vec![bytes], &publisher)?;
        let package = format!("{} v{}", member.name, member.version);
        let key = publisher.key.public().fingerprint();
        context
            .shell
            .status("Signing", &format!("{package} with {key}"));
        let register: Vec<Publisher> = signed.iter().map(|(s, _)| s.publisher.clone()).collect();
        if args.dry_run {
            for preview in destination.preview(context, &signed, &register)? {
                show(&preview, context);
            }
            for (submission, _) in &signed {
                publishing::print_statements(submission, context);
            }
        } else {
            let applied = destination.apply(context, &signed, &register)?;
            publishing::finished(&applied, context);
        }
    }
    if args.dry_run {
        context
            .shell
            .warn("nothing was written, as this is a dry run");
    }
    Ok(())
}

/// A version is released once. Looked at before the first is built: a workspace is not to be
/// published by half.
fn check_new(destination: &Destination, members: &[Member]) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    for member in members {
        // Cargo says what is wrong with a name that is none of ours.
        let Ok(name) = member.name.parse() else {
            continue;
        };
        let state = apply::state(&mut folder, &name)?;
        if state.document.entry(&member.version).is_some() {
            let version = member.version.clone();
            return Err(ApplyError::Published { name, version }.into());
        }
    }
    Ok(())
}

/// Shows what a change adds to both documents: the v1 lines, and the Turtle as a difference.
fn show(preview: &Preview, context: &Context) {
    let Preview {
        before,
        after,
        base,
    } = preview;
    let added = &after.entries[before.entries.len()..];
    let lines: Vec<String> = added.iter().map(v1::encode_line).collect();
    let old = match before.entries.is_empty() {
        true => Vec::new(),
        false => v2::encode(before, base),
    };
    let new = v2::encode(after, base);
    let turtle = difference(
        &String::from_utf8_lossy(&old),
        &String::from_utf8_lossy(&new),
    );
    if context.shell.is_json() {
        let body = json!({"package": after.package.as_str(), "v1": lines, "v2": turtle});
        context.shell.message("document-preview", body);
        return;
    }
    for line in lines.iter().chain(&turtle) {
        context.shell.bytes(format!("{line}\n").as_bytes());
    }
}

/// The lines that go (`-`) and come (`+`), in the order of the documents.
fn difference(old: &str, new: &str) -> Vec<String> {
    let gone = old
        .lines()
        .filter(|line| !new.lines().any(|other| other == *line));
    let come = new
        .lines()
        .filter(|line| !old.lines().any(|other| other == *line));
    let gone = gone.map(|line| format!("-{line}"));
    gone.chain(come.map(|line| format!("+{line}"))).collect()
}
