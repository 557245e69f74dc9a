//! `package`: archives and release facts of a workspace. Runs cargo and so foreign code; must never see a key.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::handover::{self, Handover};
use super::publishing::Destination;
use crate::install::Cargo;
use crate::install::handover::Session;
use crate::publish::package::{self, Member, PackageOptions, Selection, Workshop};

/// Packages without signing: runs cargo, sees no key
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// What to package.
    #[command(flatten)]
    pub packaging: PackagingArgs,

    /// The workspace's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,

    /// The registry's folder: what the package depends on there is verified before it is built
    #[arg(long, value_name = "DIR")]
    pub registry_dir: Option<PathBuf>,

    /// Where to put the packages [default: target/marketplace]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: PackageArgs, context: &Context) -> Result<(), CommandError> {
    let destination = args.registry_dir.as_ref();
    let destination = destination
        .map(|path| Destination::new(context, path))
        .transpose()?;
    let manifest = args.manifest_path.as_deref();
    let packaging = Packaging::new(context, &args.packaging, manifest, destination.as_ref())?;
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
pub struct Packaging<'a> {
    context: &'a Context,
    folder: PathBuf,
    cargo: Cargo,
    selection: Selection,
    options: PackageOptions,
    destination: Option<&'a Destination>,
}

impl<'a> Packaging<'a> {
    /// Looks at what was asked for. Refuses where a key is within reach of foreign code.
    pub fn new(
        context: &'a Context,
        args: &PackagingArgs,
        manifest: Option<&Path>,
        destination: Option<&'a Destination>,
    ) -> Result<Self, CommandError> {
        let help = "run `cargo marketplace package` without it, then `cargo marketplace sign`";
        context.refuse_passphrase("packaging", help)?;
        let manifest = manifest.map(|path| context.absolute(path));
        let folder = manifest.as_deref().and_then(Path::parent);
        Ok(Self {
            context,
            folder: folder.unwrap_or(&context.cwd).to_owned(),
            cargo: handover::cargo(context),
            selection: match (args.workspace, args.packages.is_empty()) {
                (true, _) => Selection::Workspace,
                (false, true) => Selection::Current,
                (false, false) => Selection::Named(args.packages.clone()),
            },
            options: PackageOptions {
                allow_dirty: args.allow_dirty,
                verify: !args.no_verify,
            },
            destination,
        })
    }

    /// The packages, each after those that it depends on.
    pub fn members(&self) -> Result<Vec<Member>, CommandError> {
        let handover = self.handover()?;
        let registry = handover.as_ref().map(|handover| &handover.registry);
        Ok(package::members(
            self.workshop(None),
            registry,
            &self.selection,
        )?)
    }

    /// Packages one of them; returns where its archive lies. What it depends on in the registry is
    /// read anew, since the members before it may be there by now.
    pub fn package(&self, member: &Member) -> Result<PathBuf, CommandError> {
        let handover = self.handover()?;
        let source = handover.as_ref().map(Handover::source);
        let session = handover.as_ref().zip(source.as_ref());
        let session = session.map(|(handover, source)| handover.session(source));
        package::package(self.workshop(session), member, self.options)?;
        Ok(member.archive.clone())
    }

    fn handover(&self) -> Result<Option<Handover<'a>>, CommandError> {
        let reading = self
            .destination
            .map(|it| it.reading(self.context))
            .transpose()?;
        Ok(reading
            .flatten()
            .map(|reading| Handover::new(self.context, reading)))
    }

    fn workshop<'b>(&'b self, session: Option<Session<'b>>) -> Workshop<'b> {
        Workshop {
            cargo: &self.cargo,
            folder: &self.folder,
            session,
        }
    }
}
