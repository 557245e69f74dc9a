//! `package`: archives and release facts of a workspace. Runs cargo and so foreign code; must never see a key.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::shell::Verbosity;
use crate::model::RegistryName;
use crate::publish::package::{self, Cargo, Member, PackageOptions, Selection};

/// Packages without signing: runs cargo, sees no key
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// What to package.
    #[command(flatten)]
    pub packaging: PackagingArgs,

    /// The workspace's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// The registry that the package is for; needed only where several are known
    #[arg(long, value_name = "NAME")]
    pub registry: Option<RegistryName>,

    /// The registry's folder, where it lies on this machine
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub registry_dir: Option<PathBuf>,

    /// Where to put the packages [default: target/marketplace]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: PackageArgs, context: &Context) -> Result<(), CommandError> {
    let packaging = Packaging::new(context, &args.packaging, args.manifest_path.as_deref())?;
    let members = packaging.members()?;
    for member in &members {
        let archive = packaging.package(member)?;
        let output = match &args.output {
            Some(output) => copy(&archive, &context.absolute(output))?,
            None => archive,
        };
        if context.shell.is_json() {
            let (name, version) = (&member.name, member.version.to_string());
            let body = json!({"name": name, "version": version, "path": output});
            context.shell.message("packaged", body);
        } else {
            context.shell.line(&output.display().to_string());
        }
    }
    Ok(())
}

fn copy(archive: &Path, folder: &Path) -> Result<PathBuf, CommandError> {
    let output = folder.join(archive.file_name().unwrap_or_default());
    let copied = std::fs::create_dir_all(folder).and_then(|()| std::fs::copy(archive, &output));
    copied.map_err(|error| {
        let failed = CommandError::failure(format!("cannot write `{}`", output.display()));
        failed.caused_by(Some(&error))
    })?;
    Ok(output)
}

/// The packages of a workspace, and how they become archives.
pub struct Packaging {
    cargo: Cargo,
    selection: Selection,
    options: PackageOptions,
}

impl Packaging {
    /// Looks at what was asked for. Refuses where a key is within reach of foreign code.
    pub fn new(
        context: &Context,
        args: &PackagingArgs,
        manifest: Option<&Path>,
    ) -> Result<Self, CommandError> {
        if context.passphrase().is_some() {
            let text = "a passphrase is in the environment, and packaging runs foreign code";
            let error = CommandError::failure(text).with_note("a build script could read it");
            return Err(error.with_help(
                "run `cargo marketplace package` without it, then `cargo marketplace sign`",
            ));
        }
        let folder = manifest.map(|path| context.absolute(path));
        let folder = folder
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(&context.cwd);
        let selection = match (args.workspace, args.packages.is_empty()) {
            (true, _) => Selection::Workspace,
            (false, true) => Selection::Current,
            (false, false) => Selection::Named(args.packages.clone()),
        };
        Ok(Self {
            cargo: Cargo {
                program: context.cargo.clone().into(),
                folder: folder.to_owned(),
                config: None,
                offline: context.offline,
            },
            selection,
            options: PackageOptions {
                allow_dirty: args.allow_dirty,
                verify: !args.no_verify,
                quiet: context.shell.verbosity() == Verbosity::Quiet,
            },
        })
    }

    /// The packages, each after those that it depends on.
    pub fn members(&self) -> Result<Vec<Member>, CommandError> {
        Ok(package::members(&self.cargo, &self.selection)?)
    }

    /// Packages one of them; returns where its archive lies.
    pub fn package(&self, member: &Member) -> Result<PathBuf, CommandError> {
        package::package(&self.cargo, member, self.options)?;
        Ok(member.archive.clone())
    }
}
