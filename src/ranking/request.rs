//! What is asked of a search, and what it answers.

use super::filters::Filters;
use crate::model::Entry;

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
    pub entry: Entry,
    /// How it fits; higher is better, but for the package whose name was typed, which is first.
    pub score: f64,
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
