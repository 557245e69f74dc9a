//! The catalog in memory: every document of a registry, and what is counted over all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::formats::popularity::Popularity;
use crate::formats::union::Union;
use crate::model::{CRATES_IO_INDEX, DependencySource, Document, Entry, PackageName};

/// The documents of a registry, sorted by package.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    documents: Vec<Document>,
    popularity: Popularity,
}

impl Catalog {
    /// Takes the documents of a registry's packs.
    #[must_use]
    pub fn new(union: Union) -> Self {
        Self {
            documents: union.into_documents().into_values().collect(),
            popularity: Popularity::default(),
        }
    }

    /// Takes over how often packages were downloaded, as far as the registry's operator says.
    #[must_use]
    pub fn with_popularity(self, popularity: Popularity) -> Self {
        Self { popularity, ..self }
    }

    /// How often packages were downloaded.
    #[must_use]
    pub const fn popularity(&self) -> &Popularity {
        &self.popularity
    }

    /// The documents, sorted by package.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The document of a package.
    #[must_use]
    pub fn document(&self, package: &PackageName) -> Option<&Document> {
        let place = self.documents.binary_search_by(|d| d.package.cmp(package));
        place.ok().map(|place| &self.documents[place])
    }

    /// The latest release of every package that has one which is not yanked.
    pub fn latest(&self) -> impl Iterator<Item = &Entry> {
        self.documents.iter().filter_map(Document::latest)
    }

    /// For each package of this registry, the packages whose latest release needs it to build or
    /// run, sorted.
    #[must_use]
    pub fn dependents(&self) -> BTreeMap<&PackageName, BTreeSet<&PackageName>> {
        let mut dependents: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for entry in self.latest() {
            for needed in entry.release.needs() {
                dependents
                    .entry(&needed.package)
                    .or_default()
                    .insert(&entry.release.name);
            }
        }
        dependents
    }
}

/// The word for where a dependency comes from, for people.
#[must_use]
pub fn source_word(source: &DependencySource) -> Option<&str> {
    match source {
        DependencySource::SameRegistry => None,
        DependencySource::Other(url) if url == CRATES_IO_INDEX => Some("crates.io"),
        DependencySource::Other(url) => Some(url),
    }
}
