//! `Verified<T>`: a value whose origin was checked. Only this folder builds one, and what installs
//! accepts nothing else.

use std::ops::Deref;

use crate::model::{Document, Entry, Release, Sha256Digest, same_release};

/// A value that `trust` checked against signatures and digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Marks a value as checked. For the code in `trust` that has just done so.
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }

    /// Marks a value as checked without a check, for the tests of those who take verified values.
    #[cfg(test)]
    pub(crate) const fn for_tests(value: T) -> Self {
        Self(value)
    }

    /// Gives the value up, and the mark with it.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Verified<Document> {
    /// The verified entries of a verified document.
    pub fn verified_entries(&self) -> impl Iterator<Item = Verified<Entry>> + '_ {
        self.entries.iter().cloned().map(Verified)
    }
}

/// Adds a release that was packaged on this machine a moment ago to its package's document, in the
/// place of one with its version. Nobody has signed it yet: it is worth what the workspace is worth
/// from which it was packaged, and is for building that workspace only.
pub fn with_own_release(
    published: Option<Verified<Document>>,
    release: Release,
) -> Verified<Document> {
    let mut document = published.map_or_else(
        || Document {
            package: release.name.clone(),
            entries: Vec::new(),
        },
        Verified::into_inner,
    );
    let others = |entry: &Entry| !same_release(&entry.release.version, &release.version);
    document.entries.retain(others);
    document.entries.push(Entry {
        release,
        accepted: None,
        yanked: None,
        trust: None,
    });
    Verified(document)
}

/// An archive whose length and sha256 are those of a verified release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The release it is the archive of.
    pub entry: Entry,
    /// The bytes of the `.crate` file.
    pub bytes: Vec<u8>,
}

/// The bytes are not those of the release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "checksum mismatch for `{package}`: expected {expected}{}, got {actual} ({actual_size} bytes)",
    in_bytes(*expected_size)
)]
pub struct ArchiveMismatch {
    /// As `name 1.2.3`.
    pub package: String,
    /// The digest that the release states.
    pub expected: Sha256Digest,
    /// The length that the release states, if it does.
    pub expected_size: Option<u64>,
    /// The digest of the bytes.
    pub actual: Sha256Digest,
    /// Their number.
    pub actual_size: u64,
}

fn in_bytes(size: Option<u64>) -> String {
    size.map(|size| format!(" ({size} bytes)"))
        .unwrap_or_default()
}

/// Checks that `bytes` are the archive of a verified release.
pub fn verify_archive(
    entry: &Verified<Entry>,
    bytes: Vec<u8>,
) -> Result<Verified<Archive>, ArchiveMismatch> {
    let release = &entry.release;
    let actual = Sha256Digest::of(&bytes);
    let actual_size = bytes.len() as u64;
    if actual != release.checksum || release.size.is_some_and(|size| size != actual_size) {
        return Err(ArchiveMismatch {
            package: format!("{} {}", release.name, release.version),
            expected: release.checksum,
            expected_size: release.size,
            actual,
            actual_size,
        });
    }
    Ok(Verified(Archive {
        entry: (**entry).clone(),
        bytes,
    }))
}
