//! What the publishing commands share: which registry a release is for, what it may be called in
//! manifests, and the role keys that a change needs.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::CommandError;
use super::signing;
use crate::formats::manifest::Home;
use crate::formats::publisher::Publisher;
use crate::formats::submission::Submission;
use crate::install::archive::{Limits, agrees, derive};
use crate::model::{Body, Release};
use crate::publish::apply::{self, Applied, Authority, Proposal};
use crate::publish::folder::Folder;
use crate::publish::metadata::Lifetimes;

/// A registry folder that a command publishes to.
pub struct Destination {
    /// The folder.
    pub path: PathBuf,
    /// The index URLs that mean this registry in manifests: its canonical one, and those under
    /// which the user has added it.
    pub index_urls: Vec<String>,
}

impl Destination {
    /// Looks at a registry folder.
    pub fn new(context: &Context, path: &Path) -> Result<Self, CommandError> {
        let path = context.absolute(path);
        let mut folder = Folder::open(&path)?;
        let mut index_urls = vec![format!("sparse+{}", folder.policy()?.base)];
        for registry in context.config()?.registries()? {
            if registry.registry_id == folder.registry_id() {
                index_urls.extend(registry.url.cargo_index());
            }
        }
        Ok(Self { path, index_urls })
    }

    /// Locks the folder for a change.
    pub fn open(&self) -> Result<Folder, CommandError> {
        Ok(Folder::open(&self.path)?)
    }

    /// The release that an archive holds, as this registry lists it.
    pub fn derive(&self, bytes: &[u8]) -> Result<Release, CommandError> {
        let home = Home::Own {
            index_urls: self.index_urls.clone(),
        };
        Ok(derive(bytes, &home, &Limits::default())?)
    }

    /// Adds a submission and its archives to the registry.
    pub fn apply(
        &self,
        context: &Context,
        submissions: &[(Submission, Vec<Vec<u8>>)],
        register: &[Publisher],
    ) -> Result<Applied, CommandError> {
        let mut folder = self.open()?;
        let needed = signing::role_key_ids(&mut folder)?;
        let authority = Authority {
            keys: &signing::role_keys(context, &needed)?,
            now: context.now,
            lifetimes: Lifetimes::default(),
        };
        let proposals: Vec<Proposal> = submissions.iter().map(proposal).collect();
        Ok(apply::apply(folder, &proposals, register, &authority)?)
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
            agrees(&release, bytes, &self.index_urls, &Limits::default())?;
        }
        Ok(())
    }
}

fn is_archive(release: &Release, bytes: &[u8]) -> bool {
    crate::model::Sha256Digest::of(bytes) == release.checksum
}

fn proposal((submission, archives): &(Submission, Vec<Vec<u8>>)) -> Proposal {
    Proposal {
        package: submission.package.clone(),
        statements: submission.statements.clone(),
        archives: archives.clone(),
    }
}

/// The words for what a body does, as `release 0.3.1`.
#[must_use]
pub fn describe(body: &Body) -> String {
    match body {
        Body::Genesis { owners, .. } => {
            let owners: Vec<&str> = owners.iter().map(|owner| owner.as_str()).collect();
            format!("genesis, owned by {}", owners.join(", "))
        }
        Body::Release(release) => format!("release {}", release.version),
        Body::Yank { version, .. } => format!("yank {version}"),
        Body::Unyank { version } => format!("unyank {version}"),
        Body::Vouch { release, .. } => format!("vouch {}", release.version),
    }
}
