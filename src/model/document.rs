//! A package's document: its releases with what the registry says of each.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use semver::Version;

use super::{PackageName, Release, UtcTime, without_build};

/// The content of a package's v1 or v2 document; both formats hold the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The package.
    pub package: PackageName,
    /// Its releases, in the order in which they were accepted.
    pub entries: Vec<Entry>,
}

/// One release in a document: the publisher's statement and the registry's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the publisher stated.
    pub release: Release,
    /// When the registry took it in; absent where another registry did not say.
    pub accepted: Option<UtcTime>,
    /// Set when the release is not to be chosen any more.
    pub yanked: Option<Yank>,
    /// Who answers for the release; absent in a document of another registry.
    pub trust: Option<TrustState>,
}

/// A release that is not to be chosen any more; lock files that name it go on working.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Yank {
    /// Why, in the words of the one who yanked it.
    pub reason: Option<String>,
}

/// Who answers for a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustState {
    /// An owner of the package signed it.
    Signed,
    /// The registry's operator says that this archive is what its source served.
    Vouched,
    /// Nobody signed it; the registry only lists its checksum.
    Unsigned,
}

impl TrustState {
    /// The word for it in documents and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Vouched => "vouched",
            Self::Unsigned => "unsigned",
        }
    }

    /// The state that a word in a document names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Signed, Self::Vouched, Self::Unsigned]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

impl fmt::Display for TrustState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Document {
    /// The latest release: the highest version that is not yanked, a pre-release only if there is
    /// nothing else.
    #[must_use]
    pub fn latest(&self) -> Option<&Entry> {
        self.latest_that(|_| true)
    }

    /// The latest of those releases for which `fits` holds.
    #[must_use]
    pub fn latest_that(&self, fits: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.yanked.is_none() && fits(entry))
            .max_by(|a, b| {
                let (a, b) = (&a.release.version, &b.release.version);
                (a.pre.is_empty(), a).cmp(&(b.pre.is_empty(), b))
            })
    }

    /// Takes over what a later document, which may be only a part, says of its releases: those that are
    /// here change in their place, others follow.
    pub fn update(&mut self, later: Self) {
        let places = self.entries.iter().enumerate();
        let places: HashMap<Version, usize> = places
            .map(|(place, entry)| (without_build(&entry.release.version), place))
            .collect();
        for entry in later.entries {
            match places.get(&without_build(&entry.release.version)) {
                Some(place) => self.entries[*place] = entry,
                None => self.entries.push(entry),
            }
        }
    }

    /// Forgets releases.
    pub fn withdraw(&mut self, versions: &BTreeSet<Version>) {
        let gone: HashSet<Version> = versions.iter().map(without_build).collect();
        self.entries
            .retain(|entry| !gone.contains(&without_build(&entry.release.version)));
    }

    /// The entry of a version, build metadata ignored.
    #[must_use]
    pub fn entry(&self, version: &Version) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| super::same_release(&entry.release.version, version))
    }
}
