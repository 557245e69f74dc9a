//! `package`: archives and release facts of a workspace. Runs cargo and so foreign code; must never see a key.

use std::path::{Path, PathBuf};
use std::slice;

use clap::Args;
use serde_json::json;

use super::arguments::PackagingArgs;
use super::context::Context;
use super::error::CommandError;
use super::handover::{self, Handover};
use super::publishing::Destination;
use super::signing;
use crate::install::Cargo;
use crate::install::handover::Session;
use crate::publish::package::{self, Member, PackageOptions, Selection, Workshop};
use crate::publish::staged::Staged;

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
    for packaged in packaging.package_all(&packaging.members()?)? {
        let member = packaged.member;
        let output = match &args.output {
            Some(output) => copy(&member.archive, &context.absolute(output))?,
            None => member.archive.clone(),
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

/// A member and its archive.
pub struct Packaged<'a> {
    /// The member.
    pub member: &'a Member,
    /// The bytes of the archive.
    pub bytes: Vec<u8>,
}

/// The packages of a workspace, and how they become archives.
pub struct Packaging<'a> {
    context: &'a Context,
    folder: PathBuf,
    cargo: Cargo,
    selection: Selection,
    options: PackageOptions,
    /// The registry that they are for, if they can name it.
    target: Option<(&'a Destination, Handover<'a>)>,
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
        if !args.no_verify {
            signing::warn_within_reach(context)?;
        }
        let manifest = manifest.map(|path| context.absolute(path));
        let folder = manifest.as_deref().and_then(Path::parent);
        let reading = destination.map(|it| it.reading(context)).transpose()?;
        let handover = reading
            .flatten()
            .map(|reading| Handover::new(context, reading))
            .transpose()?
            .map(|handover| handover.in_folder(folder.unwrap_or(&context.cwd)));
        Ok(Self {
            context,
            folder: folder.unwrap_or(&context.cwd).to_owned(),
            cargo: handover.as_ref().map_or_else(
                || handover::cargo(context),
                |handover| handover.cargo.clone(),
            ),
            selection: match (args.workspace, args.packages.is_empty()) {
                (true, _) => Selection::Workspace,
                (false, true) => Selection::Current,
                (false, false) => Selection::Named(args.packages.clone()),
            },
            options: PackageOptions {
                allow_dirty: args.allow_dirty,
                verify: !args.no_verify,
            },
            target: destination.zip(handover.map(Handover::at_public_address)),
        })
    }

    /// The packages, each after those that it depends on.
    pub fn members(&self) -> Result<Vec<Member>, CommandError> {
        let registry = self.target.as_ref().map(|(_, handover)| &handover.registry);
        Ok(package::members(
            self.workshop(None),
            registry,
            &self.selection,
        )?)
    }

    /// Packages members in their order. Each is built against those before it as if they were
    /// published.
    pub fn package_all<'b>(
        &self,
        members: &'b [Member],
    ) -> Result<Vec<Packaged<'b>>, CommandError> {
        let Some((destination, handover)) = &self.target else {
            package::package(self.workshop(None), members, self.options)?;
            return members.iter().map(|member| self.packaged(member)).collect();
        };
        let source = handover.source();
        let mut staged = Staged::above(&source);
        let mut all = Vec::new();
        for member in members {
            let workshop = self.workshop(Some(handover.session(&staged)));
            package::package(workshop, slice::from_ref(member), self.options)?;
            let packaged = self.packaged(member)?;
            staged.add(destination.derive(&packaged.bytes)?, packaged.bytes.clone());
            all.push(packaged);
        }
        Ok(all)
    }

    fn packaged<'b>(&self, member: &'b Member) -> Result<Packaged<'b>, CommandError> {
        let bytes = self.context.read(&member.archive)?;
        Ok(Packaged { member, bytes })
    }

    fn workshop<'b>(&'b self, session: Option<Session<'b>>) -> Workshop<'b> {
        Workshop {
            cargo: &self.cargo,
            folder: &self.folder,
            session,
        }
    }
}
