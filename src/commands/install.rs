//! `install`: binary packages: chosen and verified by us, built and installed by cargo.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{CooldownArgs, FeatureArgs, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::handover::Handover;
use crate::install::handover::{BinaryRequest, Lock, install};
use crate::model::PackageSpec;

/// Verifies binary packages and installs them with cargo
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The packages: `name`, `name@1.2.3`, `registry/name`
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<PackageSpec>,

    /// Install into this folder, as `cargo install --root`
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// Only these binaries; may be repeated
    #[arg(long = "bin", value_name = "NAME")]
    pub bins: Vec<String>,

    /// Replace what is installed
    #[arg(short, long)]
    pub force: bool,

    /// Build without optimisation
    #[arg(long)]
    pub debug: bool,

    /// Resolve anew in place of using the lock file that the package ships
    #[arg(long)]
    pub ignore_lock: bool,

    /// Choose releases that ask for a newer Rust, too
    #[arg(long)]
    pub ignore_rust_version: bool,

    /// Say what would be installed, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Features.
    #[command(flatten)]
    pub features: FeatureArgs,

    /// How old a release must be.
    #[command(flatten)]
    pub cooldown: CooldownArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: InstallArgs, context: &Context) -> Result<(), CommandError> {
    if !args.dry_run {
        context.refuse_passphrase("building", "unset CARGO_MARKETPLACE_KEY_PASSPHRASE")?;
    }
    let handover = Handover::open_for(context, &args.read, &args.specs, "install")?
        .with_cooldown(&args.cooldown, &args.specs)?;
    let source = handover.source();
    let arguments = cargo_arguments(&args, context);
    // All are chosen before the first is built.
    let chosen = args
        .specs
        .iter()
        .map(|spec| handover.choose(spec, args.ignore_rust_version));
    for entry in chosen.collect::<Result<Vec<_>, _>>()? {
        let release = &entry.release;
        let package = format!("{} v{}", release.name, release.version);
        if args.dry_run {
            context.shell.status("Choosing", &package);
            let (name, version) = (release.name.as_str(), release.version.to_string());
            handover.message("chosen", json!({"name": name, "version": version}));
            continue;
        }
        let request = BinaryRequest {
            entry: &entry,
            lock: if args.ignore_lock {
                Lock::Newest
            } else {
                Lock::AsShipped
            },
            arguments: &arguments,
        };
        let summary = install(handover.session(&source), request)?;
        handover.tell(summary);
        let body = json!({
            "name": release.name.as_str(),
            "version": release.version.to_string(),
            "verified": summary.verified,
            "foreign": summary.foreign,
        });
        handover.message("installed", body);
    }
    if args.dry_run {
        context
            .shell
            .warn("nothing was installed, as this is a dry run");
    }
    Ok(())
}

/// What `cargo install` is told besides the package.
fn cargo_arguments(args: &InstallArgs, context: &Context) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = args.features.to_cargo();
    if let Some(root) = &args.root {
        // Cargo runs in a folder of ours.
        arguments.extend(["--root".into(), context.absolute(root).into()]);
    }
    for bin in &args.bins {
        arguments.extend(["--bin".into(), bin.into()]);
    }
    let flags = [
        (args.force, "--force"),
        (args.debug, "--debug"),
        (args.ignore_rust_version, "--ignore-rust-version"),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    arguments.extend(set.map(|(_, flag)| flag.into()));
    arguments
}
