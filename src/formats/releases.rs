//! A document that grows entry by entry and never holds a version twice. Shared by both formats.

use std::collections::HashSet;

use semver::{BuildMetadata, Version};

use crate::model::{Document, Entry, PackageName};

/// The most releases that one package may have.
pub(super) const MAX_RELEASES: usize = 100_000;

/// Why an entry does not fit into a document.
pub(super) enum Unfit {
    /// There are too many already.
    TooMany,
    /// The version stands there already, build metadata ignored.
    Duplicate(Version),
}

/// A document under construction.
pub(super) struct Releases {
    pub(super) document: Document,
    versions: HashSet<Version>,
}

impl Releases {
    pub(super) fn of(package: PackageName) -> Self {
        Self {
            document: Document {
                package,
                entries: Vec::new(),
            },
            versions: HashSet::new(),
        }
    }

    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Unfit> {
        if self.document.entries.len() == MAX_RELEASES {
            return Err(Unfit::TooMany);
        }
        let version = entry.release.version.clone();
        let without_build = Version {
            build: BuildMetadata::EMPTY,
            ..version.clone()
        };
        if !self.versions.insert(without_build) {
            return Err(Unfit::Duplicate(version));
        }
        self.document.entries.push(entry);
        Ok(())
    }
}
