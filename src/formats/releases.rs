//! What both formats check alike: a document that grows entry by entry and never holds a version
//! twice, and the form of a commit.

use std::collections::HashSet;

use semver::Version;

use crate::model::{Document, Entry, PackageName, without_build};

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
        if !self.versions.insert(without_build(&version)) {
            return Err(Unfit::Duplicate(version));
        }
        self.document.entries.push(entry);
        Ok(())
    }
}

/// Says whether a text is a git commit: the hexadecimal digits of a SHA-1 or SHA-256.
pub(super) fn is_commit(text: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    matches!(text.len(), 40 | 64) && text.bytes().all(hexadecimal)
}
