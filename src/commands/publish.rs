//! `publish`: package, sign and apply in one go. Cargo, and with it foreign code, runs as a process
//! of its own, and ends before the secret half of a key is read.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::package::{Packaged, Packaging};
use super::publishing::{self, Destination};
use super::sign::submissions;
use super::signing;
use super::submitting::HandedIn;
use crate::formats::{v1, v2};
use crate::model::PublisherId;
use crate::publish::apply::{self, Preview};
use crate::publish::keystore::KeyName;
use crate::publish::package::Member;
use crate::publish::sign::check_owner;

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
    pub registry_dir: PathBuf,

    /// The key to sign with [default: the only one]
    #[arg(short, long, value_name = "NAME")]
    pub key: Option<KeyName>,

    /// Where to put what other owners must sign, too [default: beside the archives]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Show the lines, the Turtle and the statement that would be added, and add nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: PublishArgs, context: &Context) -> Result<(), CommandError> {
    let destination = Destination::new(context, &args.registry_dir)?;
    let manifest = args.manifest_path.as_deref();
    let packaging = Packaging::new(context, &args.packaging, manifest, Some(&destination))?;
    let members = packaging.members()?;
    // Known before anything is built, so that a missing key is told at once.
    let key = destination.publisher_key(context, args.key.as_ref())?;
    let id = destination.publisher_of(&key)?;
    check_new(&destination, &members, &id)?;
    let packaged = packaging.package_all(&members)?;
    // Only now that cargo has ended.
    let publisher = signing::Publisher::load(context, id, &key)?;
    let fingerprint = key.public.fingerprint();
    for Packaged { member, .. } in &packaged {
        let object = format!("{} v{} with {fingerprint}", member.name, member.version);
        context.shell.status("Signing", &object);
    }
    let archives = packaged.into_iter().map(|packaged| packaged.bytes);
    let signed = submissions(&destination, archives.collect(), &publisher)?;
    if !args.dry_run {
        let beside = members.first().and_then(|member| member.archive.parent());
        let output = match &args.output {
            Some(output) => context.absolute(output),
            None => beside.unwrap_or(&context.cwd).to_owned(),
        };
        if let HandedIn::Applied(_) = destination.hand_in(context, signed, &output)? {
            tell_machines(&members, context);
        }
        return Ok(());
    }
    let intake = publishing::intake(signed);
    let previews = destination.preview(context, intake.clone())?;
    for (preview, proposal) in previews.iter().zip(&intake.proposals) {
        show(preview, context);
        publishing::print_statements(&proposal.package, &proposal.statements, context);
    }
    let text = "nothing was written, as this is a dry run";
    context.shell.warn(text);
    Ok(())
}

fn tell_machines(members: &[Member], context: &Context) {
    if !context.shell.is_json() {
        return;
    }
    for Member { name, version, .. } in members {
        let body = json!({"name": name, "version": version.to_string()});
        context.shell.message("published", body);
    }
}

/// A version is released once, by an owner. Looked at before the first is built: a workspace is not to
/// be published by half.
fn check_new(
    destination: &Destination,
    members: &[Member],
    publisher: &PublisherId,
) -> Result<(), CommandError> {
    let mut folder = destination.open()?;
    for member in members {
        // Cargo says what is wrong with a name that is none of ours.
        let Ok(name) = member.name.parse() else {
            continue;
        };
        let state = apply::state(&mut folder, &name)?;
        apply::check_new(&state, &member.version)?;
        check_owner(&state, publisher)?;
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

/// The nodes that go (`-`) and come (`+`), each whole, in the order of the documents. A line means
/// something only within its node, so that lines are not compared one by one.
fn difference(old: &str, new: &str) -> Vec<String> {
    let nodes = |text: &str| -> Vec<String> {
        let nodes = text.trim_end().split("\n\n").map(str::to_owned);
        nodes.collect()
    };
    let (old, new) = (nodes(old), nodes(new));
    let only = |these: &[String], others: &[String]| {
        let only = these.iter().filter(|node| !others.contains(node));
        only.cloned().collect::<Vec<_>>().join("\n\n")
    };
    let (gone, come) = (only(&old, &new), only(&new, &old));
    let gone = gone.lines().map(|line| format!("-{line}"));
    gone.chain(come.lines().map(|line| format!("+{line}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_node_is_shown_whole_though_another_has_the_same_lines() {
        let old = "@base .\n\npackage ;\nlatest 1 .\n\nrelease 1 ;\nyanked false .\n";
        let new = "@base .\n\npackage ;\nlatest 2 .\n\nrelease 1 ;\nyanked false .\n\nrelease 2 ;\nyanked false .\n";
        assert_eq!(
            difference(old, new),
            [
                "-package ;",
                "-latest 1 .",
                "+package ;",
                "+latest 2 .",
                "+",
                "+release 2 ;",
                "+yanked false .",
            ]
        );
        assert!(difference(new, new).is_empty());
        assert_eq!(difference("", "one\n"), ["+one"]);
    }
}
