//! The union of a catalog's packs: what each says of the releases, later ones in place of earlier ones.

use std::collections::BTreeMap;

use super::catalog_index::Pack;
use crate::model::{Document, PackageName};

/// The documents of the packs that were taken so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Union(BTreeMap<PackageName, Document>);

impl Union {
    /// Takes the documents of a pack, which may be parts: the releases that changed. A pack that starts
    /// at 0 holds all that there was, and says nothing of what had gone.
    pub fn take(&mut self, pack: &Pack, documents: Vec<Document>) {
        if pack.from == 0 {
            self.0.clear();
        }
        for (package, versions) in &pack.withdrawn {
            if let Some(document) = self.0.get_mut(package) {
                document.withdraw(versions);
            }
        }
        for later in documents {
            match self.0.get_mut(&later.package) {
                Some(document) => document.update(later),
                None => drop(self.0.insert(later.package.clone(), later)),
            }
        }
        for package in pack.withdrawn.keys() {
            if self
                .0
                .get(package)
                .is_some_and(|document| document.entries.is_empty())
            {
                self.0.remove(package);
            }
        }
    }

    /// The documents by package, none of them empty.
    #[must_use]
    pub fn into_documents(self) -> BTreeMap<PackageName, Document> {
        self.0
    }
}

/// Of documents of different packages.
impl FromIterator<Document> for Union {
    fn from_iter<I: IntoIterator<Item = Document>>(documents: I) -> Self {
        let documents = documents.into_iter();
        Self(documents.map(|one| (one.package.clone(), one)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::catalog_index::Withdrawn;
    use crate::model::{Entry, Release, Sha256Digest, Yank};

    fn document(name: &str, versions: &[&str]) -> Document {
        let entry = |version: &&str| Entry {
            release: Release::sample(name, version),
            accepted: None,
            yanked: None,
            trust: None,
        };
        Document {
            package: name.parse().unwrap(),
            entries: versions.iter().map(entry).collect(),
        }
    }

    fn pack(withdrawn: &[(&str, &str)]) -> Pack {
        let mut all = Withdrawn::new();
        for (package, version) in withdrawn {
            let versions = all.entry(package.parse().unwrap()).or_default();
            versions.insert(version.parse().unwrap());
        }
        Pack {
            from: 1,
            to: 2,
            sha256: Sha256Digest::of(b""),
            length: 0,
            uncompressed: 0,
            withdrawn: all,
        }
    }

    #[test]
    fn later_releases_take_the_place_of_the_same_versions_and_others_follow() {
        let mut union = Union::default();
        union.take(&pack(&[]), vec![document("a", &["1.0.0", "2.0.0+x"])]);
        let mut later = document("a", &["2.0.0+y", "3.0.0"]);
        later.entries[0].yanked = Some(Yank { reason: None });
        union.take(&pack(&[]), vec![later.clone(), document("b", &["1.0.0"])]);
        let documents = union.into_documents();
        let a = &documents[&"a".parse().unwrap()].entries;
        let versions: Vec<_> = a.iter().map(|e| e.release.version.to_string()).collect();
        assert_eq!(versions, ["1.0.0", "2.0.0+y", "3.0.0"]);
        assert_eq!(a[1..], later.entries);
        assert_eq!(documents.len(), 2);
    }

    #[test]
    fn what_was_withdrawn_goes_and_so_does_a_package_of_which_nothing_is_left() {
        let mut union = Union::default();
        let packages = vec![
            document("a", &["1.0.0", "2.0.0"]),
            document("b", &["1.0.0"]),
        ];
        union.take(&pack(&[]), packages);
        let withdrawn = pack(&[("a", "1.0.0"), ("b", "1.0.0"), ("c", "1.0.0")]);
        union.take(&withdrawn, vec![document("a", &["3.0.0"])]);
        let left: Vec<_> = union.into_documents().into_values().collect();
        assert_eq!(left, [document("a", &["2.0.0", "3.0.0"])]);
    }

    #[test]
    fn a_pack_of_everything_takes_the_place_of_everything() {
        let mut union: Union = [document("a", &["1.0.0"])].into_iter().collect();
        let whole = Pack {
            from: 0,
            ..pack(&[])
        };
        union.take(&whole, vec![document("b", &["1.0.0"])]);
        let left: Vec<_> = union.into_documents().into_values().collect();
        assert_eq!(left, [document("b", &["1.0.0"])]);
    }
}
