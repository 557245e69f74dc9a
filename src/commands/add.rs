//! `add`: dependencies in a manifest: chosen and verified by us, written by cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::{CooldownArgs, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::handover::Handover;
use crate::install::handover::{AddRequest, Addition, add};
use crate::model::PackageSpec;

/// Verifies packages and adds them to a manifest
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The packages: `name`, `name@1.2`, `registry/name`
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<PackageSpec>,

    /// The package of the workspace to change
    #[arg(short, long, value_name = "PACKAGE")]
    pub package: Option<String>,

    /// The manifest to change
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// Add a development dependency
    #[arg(long, conflicts_with = "build")]
    pub dev: bool,

    /// Add a build dependency
    #[arg(long)]
    pub build: bool,

    /// Make the dependency optional
    #[arg(long, conflicts_with = "dev")]
    pub optional: bool,

    /// Features to turn on, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,

    /// Leave the default features off
    #[arg(long)]
    pub no_default_features: bool,

    /// Call the dependency by another name
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,

    /// Choose releases that ask for a newer Rust, too
    #[arg(long)]
    pub ignore_rust_version: bool,

    /// Say what would be added, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// How old a release must be.
    #[command(flatten)]
    pub cooldown: CooldownArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: AddArgs, context: &Context) -> Result<(), CommandError> {
    let manifest = context.manifest(args.manifest_path.as_ref());
    let handover = Handover::open_for(context, &args.read, &args.specs, "add")?
        .with_cooldown(&args.cooldown, &args.specs)?;
    let (mut chosen, mut additions) = (Vec::new(), Vec::new());
    for spec in &args.specs {
        let entry = handover.choose(spec, args.ignore_rust_version)?;
        let release = &entry.release;
        context.shell.status(
            "Choosing",
            &format!("{} v{}", release.name, release.version),
        );
        chosen.push(json!({"name": release.name.as_str(), "version": release.version.to_string()}));
        additions.push(Addition {
            name: spec.name.clone(),
            requirement: match &spec.requirement {
                Some(requirement) => requirement.to_string(),
                None => release.version.to_string(),
            },
        });
    }
    if args.dry_run {
        for one in chosen {
            handover.message("chosen", one);
        }
        context
            .shell
            .warn("nothing was added, as this is a dry run");
        return Ok(());
    }
    let request = AddRequest {
        folder: manifest
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(&context.cwd),
        additions: &additions,
        arguments: &cargo_arguments(&args),
    };
    let source = handover.source();
    let summary = add(handover.session(&source), request)?;
    let registry = &handover.reading.registry;
    let exec = "`cargo marketplace exec -- build` builds what was verified";
    context.shell.note(&match registry.url.cargo_index() {
        Some(_) => format!(
            "plain `cargo build` asks `{}` itself; {exec}",
            registry.name
        ),
        None => format!("plain cargo does not know `{}`; {exec}", registry.name),
    });
    handover.tell(summary);
    let body = json!({
        "packages": chosen,
        "verified": summary.verified,
        "foreign": summary.foreign,
    });
    handover.message("added", body);
    Ok(())
}

/// What `cargo add` is told besides the packages.
fn cargo_arguments(args: &AddArgs) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut option = |name: &str, value: &str| arguments.extend([name.into(), value.into()]);
    if let Some(package) = &args.package {
        option("--package", package);
    }
    if let Some(rename) = &args.rename {
        option("--rename", rename);
    }
    for features in &args.features {
        option("--features", features);
    }
    let flags = [
        (args.dev, "--dev"),
        (args.build, "--build"),
        (args.optional, "--optional"),
        (args.no_default_features, "--no-default-features"),
        (args.ignore_rust_version, "--ignore-rust-version"),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    arguments.extend(set.map(|(_, flag)| flag.into()));
    arguments
}
