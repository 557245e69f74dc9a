//! What the publishing commands share: which registry a release is for, what it may be called in
//! manifests, and the role keys that a change needs.

use std::path::{Path, PathBuf};

use semver::Version;
use serde_json::json;

use super::context::Context;
use super::error::CommandError;
use super::reading::{self, Reading};
use super::sign::Signed;
use super::signing;
use crate::formats::layout;
use crate::formats::manifest::Home;
use crate::formats::statement::Envelope;
use crate::formats::submission::Submission;
use crate::install::archive::{Limits, agrees, derive};
use crate::model::{
    Body, DependencySource, Owners, PackageName, PackageSpec, PublicKey, PublisherId, Release,
};
use crate::publish::apply::{self, Applied, Authority, Intake, Preview, Proposal};
use crate::publish::folder::Folder;
use crate::publish::keystore::{KeyName, StoredKey};
use crate::publish::sign::submission;
use crate::trust::{PackageState, SecretKey};

/// A registry folder that a command publishes to.
pub struct Destination {
    /// The folder.
    pub path: PathBuf,
    /// The index URL that means this registry in manifests.
    index: String,
    /// Others under which the user has added it, which nobody else need know.
    private: Vec<String>,
}

/// The version of the one release that a spec must name.
pub fn exact_version(spec: &PackageSpec) -> Result<Version, CommandError> {
    spec.exact.clone().ok_or_else(|| {
        let error = CommandError::usage(format!("`{spec}` does not name one release"));
        error.with_help(format!("as `{}@1.2.3`", spec.name))
    })
}

impl Destination {
    /// Looks at a registry folder.
    pub fn new(context: &Context, path: &Path) -> Result<Self, CommandError> {
        let path = context.absolute(path);
        let mut folder = Folder::open(&path)?;
        let index = format!("sparse+{}", folder.policy()?.base);
        let mut private = Vec::new();
        for registry in context.config()?.registries()? {
            if registry.registry_id == folder.registry_id() {
                private.extend(registry.url.cargo_index().filter(|url| *url != index));
            }
        }
        Ok(Self {
            path,
            index,
            private,
        })
    }

    /// The folder as a registry to read, under the name that it has in manifests; nothing, if the
    /// user has not added it: then no manifest can name it. Its state is kept apart from that of the
    /// published registry, which may lag behind.
    pub fn reading<'a>(&self, context: &'a Context) -> Result<Option<Reading<'a>>, CommandError> {
        let folder = self.open()?;
        let registries = context.config()?.registries()?;
        let mut registries = registries.into_iter();
        let Some(added) = registries.find(|r| r.registry_id == folder.registry_id()) else {
            return Ok(None);
        };
        drop(folder);
        let root = std::fs::read(self.path.join(layout::metadata("root", 1)));
        let root = root.map_err(|error| {
            CommandError::failure("cannot read the registry's root").caused_by(Some(&error))
        })?;
        reading::folder(context, &self.path, &root, added).map(Some)
    }

    /// Checks that the user knows the registry in the folder by the name that a spec begins with, if it
    /// does.
    pub fn check_registry_of(
        &self,
        context: &Context,
        spec: &PackageSpec,
    ) -> Result<(), CommandError> {
        let Some(name) = &spec.registry else {
            return Ok(());
        };
        let registries = context.config()?.registries()?;
        let Some(named) = registries.iter().find(|known| known.name == *name) else {
            let error = CommandError::usage(format!("no registry is called `{name}`"));
            return Err(error.with_help("see `cargo marketplace registry list`"));
        };
        if named.registry_id == self.open()?.registry_id() {
            return Ok(());
        }
        let path = self.path.display();
        let text = format!("`{name}` is not the registry in `{path}`");
        Err(CommandError::usage(text).with_help("name the package without a registry"))
    }

    /// Locks the folder for a change.
    pub fn open(&self) -> Result<Folder, CommandError> {
        Ok(Folder::open(&self.path)?)
    }

    /// The release that an archive holds, as this registry lists it.
    pub fn derive(&self, bytes: &[u8]) -> Result<Release, CommandError> {
        let home = Home::Own {
            index_urls: self.index_urls(),
        };
        let release = derive(bytes, &home, &Limits::default())?;
        self.check_public(&release)?;
        Ok(release)
    }

    fn index_urls(&self) -> Vec<String> {
        vec![self.index.clone()]
    }

    /// What names the registry by an address of this machine would fit nobody else's.
    fn check_public(&self, release: &Release) -> Result<(), CommandError> {
        let dependencies = release.dependencies.iter();
        let mut private = dependencies.filter_map(|dependency| match &dependency.source {
            DependencySource::Other(url) if self.private.contains(url) => Some(url),
            DependencySource::Other(_) | DependencySource::SameRegistry => None,
        });
        let Some(url) = private.next() else {
            return Ok(());
        };
        let (name, version) = (&release.name, &release.version);
        let text = format!("the archive of `{name}` {version} names the registry by `{url}`");
        let help = "package it with `cargo marketplace package --registry-dir DIR`";
        Err(CommandError::failure(text)
            .with_code("MP0606")
            .with_note(format!("its public address is `{}`", self.index))
            .with_help(help))
    }

    /// Takes something into the registry, in one change.
    pub fn apply(&self, context: &Context, intake: Intake) -> Result<Applied, CommandError> {
        let needed = signing::needed_key_ids(&mut self.open()?, &intake)?;
        // Nobody has to wait while a passphrase is typed: the registry is read anew for the change.
        let authority = Authority {
            keys: &signing::role_keys(context, &needed)?,
            now: context.now,
        };
        let applied = apply::apply(self.open()?, intake, &authority)?;
        warn_of_age(&mut self.open()?, context)?;
        Ok(applied)
    }

    /// Says what `apply` would do, and fails where it would.
    pub fn preview(&self, context: &Context, intake: Intake) -> Result<Vec<Preview>, CommandError> {
        Ok(apply::preview(self.open()?, intake, context.now)?)
    }

    /// The key of the publisher who signs: the one that was named, or the only one that is no role
    /// key here.
    pub fn publisher_key(
        &self,
        context: &Context,
        key: Option<&KeyName>,
    ) -> Result<StoredKey, CommandError> {
        let mut folder = self.open()?;
        let mut role_keys = signing::role_key_ids(&mut folder)?;
        role_keys.extend(folder.policy()?.vouchers.iter().map(PublicKey::id));
        drop(folder);
        signing::publisher_key(context, key, |id| role_keys.contains(id))
    }

    /// The publisher whose key it is.
    pub fn publisher_of(&self, key: &StoredKey) -> Result<PublisherId, CommandError> {
        signing::publisher_of(&mut self.open()?, key)
    }

    /// The publisher of the key that was named, or of the only one, ready to sign.
    pub fn publisher(
        &self,
        context: &Context,
        key: Option<&KeyName>,
    ) -> Result<signing::Publisher, CommandError> {
        let key = self.publisher_key(context, key)?;
        signing::Publisher::load(context, self.publisher_of(&key)?, &key)
    }

    /// The publishers of the keys that were named, or of the only one.
    pub fn publishers(
        &self,
        context: &Context,
        keys: &[KeyName],
    ) -> Result<Vec<signing::Publisher>, CommandError> {
        if keys.is_empty() {
            return Ok(vec![self.publisher(context, None)?]);
        }
        let publishers = keys.iter().map(|key| self.publisher(context, Some(key)));
        publishers.collect()
    }

    /// A statement about a package without an owner, signed by one who may vouch.
    pub fn vouched(
        &self,
        context: &Context,
        state: &PackageState,
        body: Body,
    ) -> Result<Submission, CommandError> {
        let vouchers = self.open()?.policy()?.vouchers;
        self.by_operator(context, state, body, &vouchers)
    }

    /// A statement of the operator's, signed with the first of these keys that is at hand.
    pub fn by_operator(
        &self,
        context: &Context,
        state: &PackageState,
        body: Body,
        keys: &[PublicKey],
    ) -> Result<Submission, CommandError> {
        let key = self.operator_key(context, &body, keys)?;
        Ok(submission(state, [body], &[], Some(&key))?)
    }

    /// The first of these keys of the operator's that is at hand, to sign a statement with.
    pub fn operator_key(
        &self,
        context: &Context,
        body: &Body,
        keys: &[PublicKey],
    ) -> Result<SecretKey, CommandError> {
        signing::first_at_hand(context, keys)?.ok_or_else(|| signing::no_operator(body))
    }

    /// Checks that each archive holds what its signed statement says.
    pub fn check_archives(
        &self,
        submission: &Submission,
        archives: &[Vec<u8>],
    ) -> Result<(), CommandError> {
        for release in apply::releases(&submission.package, &submission.statements)? {
            let bytes = archives.iter().find(|bytes| is_archive(&release, bytes));
            let bytes = bytes.ok_or_else(|| {
                let package = format!("`{}` {}", release.name, release.version);
                CommandError::failure(format!("the archive of {package} is missing"))
            })?;
            agrees(&release, bytes, &self.index_urls(), &Limits::default())?;
        }
        Ok(())
    }
}

fn is_archive(release: &Release, bytes: &[u8]) -> bool {
    crate::model::Sha256Digest::of(bytes) == release.checksum
}

/// What submissions and their archives propose.
#[must_use]
pub fn intake(signed: Vec<Signed>) -> Intake {
    let proposal = |(submission, archives): Signed| Proposal {
        package: submission.package,
        statements: submission.statements,
        archives,
        publishers: submission.publishers,
    };
    let proposals: Vec<Proposal> = signed.into_iter().map(proposal).collect();
    proposals.into()
}

/// What the statements of a proposal say, a line each.
pub fn describe_all(proposal: &Proposal) -> Result<Vec<String>, CommandError> {
    let bodies = apply::bodies(&proposal.package, &proposal.statements)?;
    Ok(bodies.iter().map(describe).collect())
}

/// Prints the statements of a proposal: what was signed, byte for byte, a line each.
pub fn print_statements(package: &PackageName, statements: &[Envelope], context: &Context) {
    for envelope in statements {
        if context.shell.is_json() {
            let text = String::from_utf8_lossy(&envelope.payload);
            let body = json!({"package": package.as_str(), "statement": text});
            context.shell.message("statement-preview", body);
            continue;
        }
        // Canonical JSON is one line.
        context.shell.bytes(&envelope.payload);
        context.shell.bytes(b"\n");
    }
}

/// Warns of roles that no change of a package signs anew and that expire soon.
pub fn warn_of_age(folder: &mut Folder, context: &Context) -> Result<(), CommandError> {
    for ageing in folder.ageing(context.now)? {
        context.shell.warn(&ageing.to_string());
    }
    Ok(())
}

/// Says that a change is part of the registry.
pub fn finished(applied: &Applied, context: &Context) {
    let Applied { serial, files } = applied;
    match files {
        0 => context.shell.status(
            "Unchanged",
            &format!("all of it is in the registry already; serial {serial}"),
        ),
        _ => context.shell.status(
            "Finished",
            &format!("serial {serial}, {files} files written"),
        ),
    }
    if context.shell.is_json() {
        context
            .shell
            .message("applied", json!({"serial": serial, "files": files}));
    }
}

/// Owners, as `harbour, quay (2 of 2 must sign)`.
#[must_use]
pub fn describe_owners(owners: &Owners) -> String {
    let publishers = owners.publishers.iter().map(PublisherId::as_str);
    let (names, count) = (publishers.collect::<Vec<_>>(), owners.publishers.len());
    let (names, threshold) = (names.join(", "), owners.threshold);
    format!("{names} ({threshold} of {count} must sign)")
}

/// What a statement says, as `release 0.3.1`.
#[must_use]
pub fn describe(body: &Body) -> String {
    let kind = body.kind();
    match body {
        Body::Genesis(owners) | Body::Owners(owners) | Body::Assign(owners) => {
            format!("{kind} owned by {}", describe_owners(owners))
        }
        Body::Release(release) | Body::Vouch { release, .. } | Body::Unsigned { release, .. } => {
            format!("{kind} {}", release.version)
        }
        Body::Yank { version, reason } | Body::Withdraw { version, reason } => {
            let reason = reason.as_ref().map(|reason| format!(" \"{reason}\""));
            format!("{kind} {version}{}", reason.unwrap_or_default())
        }
        Body::Unyank { version } => format!("{kind} {version}"),
    }
}
