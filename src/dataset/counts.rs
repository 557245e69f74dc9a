//! What is counted of each package, by its number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::formats::popularity::Popularity;
use crate::model::{Document, PackageName};

/// What packages need, counted while they are numbered one after the other.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// Those that have a number, in its order.
    numbered: Vec<PackageName>,
    dependents: HashMap<PackageName, u32>,
}

impl Needed {
    /// How many packages were numbered.
    pub(super) fn len(&self) -> usize {
        self.numbered.len()
    }

    /// Gives a package the next number.
    pub(super) fn add(&mut self, document: &Document) {
        self.numbered.push(document.package.clone());
        for needed in needs(document) {
            match self.dependents.get_mut(needed) {
                Some(count) => *count += 1,
                None => drop(self.dependents.insert(needed.clone(), 1)),
            }
        }
    }

    /// How many packages need each that has a number.
    pub(super) fn counts(&self) -> Vec<u32> {
        let counts = self.numbered.iter();
        let counts = counts.map(|package| self.dependents.get(package).copied());
        counts.map(Option::unwrap_or_default).collect()
    }

    /// How often each that has a number was downloaded.
    pub(super) fn downloads(&self, popularity: &Popularity) -> Vec<u32> {
        let packages = self.numbered.iter();
        packages
            .map(|package| popularity.downloads(package))
            .collect()
    }
}

/// By how much the number of packages changes that need one, where documents are replaced by others.
pub(super) fn changed_counts<'a>(
    before: impl Iterator<Item = &'a Document>,
    after: impl Iterator<Item = &'a Document>,
) -> BTreeMap<&'a PackageName, i32> {
    let mut changes: BTreeMap<_, i32> = BTreeMap::new();
    for needed in before.flat_map(needs) {
        *changes.entry(needed).or_default() -= 1;
    }
    for needed in after.flat_map(needs) {
        *changes.entry(needed).or_default() += 1;
    }
    changes.retain(|_, change| *change != 0);
    changes
}

/// What a package's latest release needs, each once.
fn needs(document: &Document) -> BTreeSet<&PackageName> {
    let latest = document.latest().into_iter();
    let needs = latest.flat_map(|entry| entry.release.needs());
    needs.map(|needed| &needed.package).collect()
}
