//! Values and small packages for the tests of this folder. Compiled for tests only.

use crate::model::{Document, Entry, Kinds, Release, Sha256Digest};

/// An entry of which only name and version matter.
pub(crate) fn entry(name: &str, version: &str) -> Entry {
    Entry {
        release: Release {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            dependencies: Vec::new(),
            checksum: Sha256Digest::of(format!("{name} {version}").as_bytes()),
            features: std::collections::BTreeMap::new(),
            links: None,
            rust_version: None,
            size: None,
            description: None,
            license: None,
            keywords: Vec::new(),
            categories: Vec::new(),
            repository: None,
            homepage: None,
            documentation: None,
            edition: None,
            kinds: Kinds::default(),
            publisher: None,
            commit: None,
            foreign: None,
        },
        accepted: None,
        yanked: None,
        trust: None,
    }
}

/// A document with these entries.
pub(crate) fn document(name: &str, entries: Vec<Entry>) -> Document {
    Document {
        package: name.parse().unwrap(),
        entries,
    }
}
