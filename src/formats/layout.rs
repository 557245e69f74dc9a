//! Where each file of a registry lies below its root. Both the reader and the writer ask here, so
//! that a path is spelled once.

use crate::model::{PackageName, PublisherId, Sha256Digest};

/// The folder of the TUF metadata.
pub const TUF: &str = "tuf";
/// What the paths of all claims begin with.
pub const CLAIMS: &str = "claimed/";
/// The folder of archives.
pub const ARCHIVES: &str = "crates";
/// The target that lists the catalog's packs.
pub const CATALOG_INDEX: &str = "catalog/index.json";
/// The target that says how often packages were downloaded.
pub const POPULARITY: &str = "catalog/popularity.csv";
/// The target that holds the registry's policy.
pub const POLICY: &str = "policy.json";
/// The target that lists the releases that need no signature.
pub const UNSIGNED: &str = "unsigned.json";
/// Cargo's own configuration of a registry.
pub const CONFIG: &str = "config.json";
/// The one mutable metadata file, and the commit point of every change.
pub const TIMESTAMP: &str = "tuf/timestamp.json";

/// The two index formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Cargo's JSON lines.
    V1,
    /// Turtle.
    V2,
}

impl Format {
    /// Both formats, v1 first.
    pub const BOTH: [Self; 2] = [Self::V1, Self::V2];

    /// The word for it on the command line, in records and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// What follows the sha256 in the name of a pack.
    const fn pack_suffix(self) -> &'static str {
        match self {
            Self::V1 => "jsonl.zst",
            Self::V2 => "ttl.zst",
        }
    }
}

/// The record of a package, its one TUF target: `se/rd/serde.json`.
#[must_use]
pub fn record(package: &PackageName) -> String {
    package.index_path() + ".json"
}

/// A package's document under its plain name, for people and stock cargo.
#[must_use]
pub fn document(package: &PackageName, format: Format) -> String {
    match format {
        Format::V1 => package.index_path(),
        Format::V2 => package.index_path() + ".ttl",
    }
}

/// The name under which a file stands for good: its sha256 before the last part of its path
/// (consistent snapshots, TUF 1.0, section 6.2).
#[must_use]
pub fn hashed(path: &str, digest: &Sha256Digest) -> String {
    match path.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/{digest}.{file}"),
        None => format!("{digest}.{path}"),
    }
}

/// The archive of a release: `crates/serde/<sha256>.crate`.
#[must_use]
pub fn archive(package: &PackageName, checksum: &Sha256Digest) -> String {
    format!("{ARCHIVES}/{package}/{checksum}.crate")
}

/// The `dl` template of Cargo's `config.json` that leads to [`archive`].
#[must_use]
pub fn download_template(base: &str) -> String {
    format!("{base}{ARCHIVES}/{{crate}}/{{sha256-checksum}}.crate")
}

/// The target by which the role `claimed` says whose a package is: the digest of the payload by which
/// its owners have it. No file lies there; the payload stands in the package's record.
#[must_use]
pub fn claim(package: &PackageName) -> String {
    format!("{CLAIMS}{}", package.as_str().to_ascii_lowercase())
}

/// A publisher's keys.
#[must_use]
pub fn publisher(id: &PublisherId) -> String {
    format!("publishers/{id}.json")
}

/// The publisher whose keys lie at a path, if it is such a path.
#[must_use]
pub fn publisher_of(path: &str) -> Option<PublisherId> {
    let id = path.strip_prefix("publishers/")?.strip_suffix(".json")?;
    let id: PublisherId = id.parse().ok()?;
    (publisher(&id) == path).then_some(id)
}

/// A pack of the catalog, named by the sha256 of its compressed bytes.
#[must_use]
pub fn pack(digest: &Sha256Digest, format: Format) -> String {
    format!("catalog/{digest}.{}", format.pack_suffix())
}

/// A versioned metadata file: `tuf/3.targets.json`.
#[must_use]
pub fn metadata(role: &str, version: u64) -> String {
    format!("{TUF}/{version}.{role}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_of_a_package_share_a_path() {
        let package: PackageName = "serde".parse().unwrap();
        let digest = Sha256Digest::of(b"");
        let mut paths = vec![
            record(&package),
            hashed(&record(&package), &digest),
            archive(&package, &digest),
        ];
        for format in [Format::V1, Format::V2] {
            paths.push(document(&package, format));
            paths.push(hashed(&document(&package, format), &digest));
        }
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count, "{paths:?}");
    }
}
