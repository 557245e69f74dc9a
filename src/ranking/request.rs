//! What is asked of a search, and what it answers.

use semver::Version;

use super::filters::Filters;
use crate::model::{Entry, PackageName, TrustState};

/// What to look for.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// Words that must all match, but one of three; the last one as a prefix. They are looked for in the
    /// latest release of each package.
    pub words: Vec<String>,
    /// What the packages must be besides.
    pub filters: Filters,
    /// The most packages to return.
    pub limit: usize,
}

impl SearchRequest {
    /// Asks for words alone.
    #[must_use]
    pub fn new(words: Vec<String>, limit: usize) -> Self {
        Self {
            words,
            filters: Filters::default(),
            limit,
        }
    }
}

/// A package that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The release to show: its latest, of those that build with the Rust that was asked for.
    pub release: Shown,
    /// How it fits; higher is better, but for the package whose name was typed, which is first.
    pub score: f64,
}

/// What is shown of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What it is for.
    pub description: Option<String>,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// What stands behind it.
    pub trust: Option<TrustState>,
}

impl From<&Entry> for Shown {
    fn from(entry: &Entry) -> Self {
        let release = &entry.release;
        Self {
            name: release.name.clone(),
            version: release.version.clone(),
            description: release.description.clone(),
            keywords: release.keywords.clone(),
            trust: entry.trust,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits {
    /// The best, best first.
    pub best: Vec<Hit>,
    /// How many there are.
    pub total: usize,
    /// How many of them have every word.
    pub with_all_words: usize,
    /// Set when words one edit away were taken.
    pub tolerant: bool,
}
