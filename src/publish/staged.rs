//! Releases that are packaged together and not published yet, above what the registry holds: one
//! member of a workspace is built against another as if that were published already.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::install::{Source, SourceError};
use crate::model::{Document, Entry, PackageName, Release};
use crate::trust::{Archive, Verified, verify_archive, with_own_release};

/// A source, and above it the releases that were packaged on this machine a moment ago.
pub struct Staged<'a> {
    below: &'a dyn Source,
    releases: BTreeMap<PackageName, (Release, Vec<u8>)>,
}

impl<'a> Staged<'a> {
    /// Nothing but what `below` holds.
    #[must_use]
    pub fn above(below: &'a dyn Source) -> Self {
        Self {
            below,
            releases: BTreeMap::new(),
        }
    }

    /// Adds a release and its archive; of each package there is one.
    pub fn add(&mut self, release: Release, archive: Vec<u8>) {
        self.releases
            .insert(release.name.clone(), (release, archive));
    }
}

impl Source for Staged<'_> {
    fn may_choose(&self) -> Result<(), SourceError> {
        self.below.may_choose()
    }

    fn document(&self, name: &PackageName) -> Result<Option<Verified<Document>>, SourceError> {
        let published = self.below.document(name)?;
        Ok(match self.releases.get(name) {
            Some((release, _)) => Some(with_own_release(published, release.clone())),
            None => published,
        })
    }

    fn held_back(&self, document: &Document) -> Result<BTreeSet<Version>, SourceError> {
        self.below.held_back(document)
    }

    fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError> {
        match self.releases.get(&entry.release.name) {
            Some((own, bytes)) if *own == entry.release => {
                Ok(verify_archive(entry, bytes.clone())?)
            }
            _ => self.below.archive(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256Digest;

    /// A registry with one package in two versions, and no archive.
    struct Published;

    impl Source for Published {
        fn may_choose(&self) -> Result<(), SourceError> {
            Ok(())
        }

        fn document(&self, name: &PackageName) -> Result<Option<Verified<Document>>, SourceError> {
            let older = with_own_release(None, Release::sample("tide-table", "0.3.0"));
            let both = with_own_release(Some(older), Release::sample("tide-table", "0.3.1"));
            Ok((name.as_str() == "tide-table").then_some(both))
        }

        fn held_back(&self, _document: &Document) -> Result<BTreeSet<Version>, SourceError> {
            Ok(BTreeSet::new())
        }

        fn archive(&self, _entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError> {
            Err("published".into())
        }
    }

    fn own(name: &str, version: &str) -> (Release, Vec<u8>) {
        let bytes = b"packaged here".to_vec();
        let mut release = Release::sample(name, version);
        release.checksum = Sha256Digest::of(&bytes);
        (release, bytes)
    }

    fn versions(source: &dyn Source, name: &str) -> Vec<String> {
        let document = source.document(&name.parse().unwrap()).unwrap().unwrap();
        let entries = document.entries.iter();
        entries.map(|e| e.release.version.to_string()).collect()
    }

    #[test]
    fn what_was_packaged_stands_beside_what_is_published_and_before_its_like() {
        let mut staged = Staged::above(&Published);
        for (name, version, listed) in [
            ("tide-table", "0.4.0", &["0.3.0", "0.3.1", "0.4.0"][..]),
            ("tide-table", "0.3.1", &["0.3.0", "0.3.1"]),
            ("tide-cli", "1.0.0", &["1.0.0"]),
        ] {
            let (release, bytes) = own(name, version);
            staged.add(release.clone(), bytes.clone());
            assert_eq!(versions(&staged, name), listed);
            let document = staged.document(&release.name).unwrap().unwrap();
            let entries: Vec<_> = document.verified_entries().collect();
            let ours = entries.iter().find(|entry| entry.release == release);
            assert_eq!(staged.archive(ours.unwrap()).unwrap().bytes, bytes);
        }
    }

    #[test]
    fn other_archives_come_from_the_registry() {
        let mut staged = Staged::above(&Published);
        let (release, bytes) = own("tide-table", "0.4.0");
        staged.add(release, bytes);
        let document = staged.document(&"tide-table".parse().unwrap()).unwrap();
        let published = document.unwrap().verified_entries().next().unwrap();
        let error = staged.archive(&published).unwrap_err();
        assert_eq!(error.to_string(), "published");
    }
}
