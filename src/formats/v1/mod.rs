//! v1 documents: Cargo's own sparse index lines, each with our extra key `marketplace`.
//!
//! Lines of other registries are read and written again with the same JSON value; what we wrote
//! comes back byte for byte. A line that we do not understand in full is refused, never skipped.

mod foreign;
mod read;
mod statement;
mod wire;
mod write;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use semver::Version;

use super::releases::{MAX_RELEASES, Releases, Unfit};
use crate::model::{Document, Entry, PackageName};

pub use read::LineError;
pub use statement::{release_from_json, release_to_json};
pub use write::encode_line;

/// The most bytes that one document may have.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// The most bytes that a catalog pack may have, unpacked.
pub const MAX_PACK_BYTES: u64 = 4 << 30;

/// Why a v1 document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum V1Error {
    /// More bytes than we read.
    #[error("the document has {length} bytes, more than {limit}")]
    TooLarge {
        /// Its length.
        length: u64,
        /// What we read at most.
        limit: u64,
    },
    /// More releases of one package than we read.
    #[error("`{0}` has more than {MAX_RELEASES} releases")]
    TooManyReleases(PackageName),
    /// One line is refused.
    #[error("line {number}: {cause}")]
    Line {
        /// Its number, from 1.
        number: usize,
        /// Why.
        cause: Box<LineError>,
    },
    /// A line is of another package.
    #[error("line {number} is of `{found}`, not of `{expected}`")]
    WrongPackage {
        /// Its number, from 1.
        number: usize,
        /// The package that the line names.
        found: PackageName,
        /// The package whose document this is.
        expected: PackageName,
    },
    /// A version stands twice, build metadata ignored.
    #[error("`{package}` has the version {version} twice")]
    DuplicateVersion {
        /// The package.
        package: PackageName,
        /// The version, when it came up again.
        version: Version,
    },
    /// A pack names a package again after others.
    #[error("the lines of `{0}` do not stand together")]
    Scattered(PackageName),
    /// The release in a statement is refused.
    #[error("release in a statement: {0}")]
    Release(Box<LineError>),
}

/// Returns the document's lines, in the order of acceptance, each ended by a newline.
#[must_use]
pub fn encode(document: &Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in &document.entries {
        bytes.extend_from_slice(encode_line(entry).as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

/// Reads the document of one package.
pub fn decode(package: &PackageName, bytes: &[u8]) -> Result<Document, V1Error> {
    check_length(bytes, MAX_DOCUMENT_BYTES)?;
    let mut releases = Releases::of(package.clone());
    for (number, entry) in entries(bytes) {
        let entry = entry?;
        if entry.release.name != *package {
            return Err(V1Error::WrongPackage {
                number,
                found: entry.release.name,
                expected: package.clone(),
            });
        }
        push(&mut releases, entry)?;
    }
    Ok(releases.document)
}

/// Reads a catalog pack: the documents of many packages, one after the other.
pub fn decode_pack(bytes: &[u8]) -> Result<Vec<Document>, V1Error> {
    check_length(bytes, MAX_PACK_BYTES)?;
    let mut seen = HashSet::new();
    let mut packages: Vec<Releases> = Vec::new();
    for (_, entry) in entries(bytes) {
        let entry = entry?;
        let name = &entry.release.name;
        if packages
            .last()
            .is_none_or(|last| last.document.package != *name)
        {
            if !seen.insert(name.clone()) {
                return Err(V1Error::Scattered(name.clone()));
            }
            packages.push(Releases::of(name.clone()));
        }
        if let Some(last) = packages.last_mut() {
            push(last, entry)?;
        }
    }
    Ok(packages
        .into_iter()
        .map(|package| package.document)
        .collect())
}

fn check_length(bytes: &[u8], limit: u64) -> Result<(), V1Error> {
    let length = bytes.len() as u64;
    if length > limit {
        return Err(V1Error::TooLarge { length, limit });
    }
    Ok(())
}

/// The lines with their numbers; empty ones are skipped, as Cargo does.
fn entries(bytes: &[u8]) -> impl Iterator<Item = (usize, Result<Entry, V1Error>)> {
    bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(place, line)| {
            let number = place + 1;
            let entry = read::decode_line(line).map_err(|cause| V1Error::Line {
                number,
                cause: Box::new(cause),
            });
            (number, entry)
        })
}

/// Adds an entry to the document of its package.
fn push(releases: &mut Releases, entry: Entry) -> Result<(), V1Error> {
    releases.push(entry).map_err(|unfit| {
        let package = releases.document.package.clone();
        match unfit {
            Unfit::TooMany => V1Error::TooManyReleases(package),
            Unfit::Duplicate(version) => V1Error::DuplicateVersion { package, version },
        }
    })
}
