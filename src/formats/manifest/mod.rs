//! A release from an archive's manifest: what `cargo publish` and crates.io make of a `Cargo.toml`,
//! derived anew. Pure; it never guesses: what a manifest leaves to its workspace is refused.

mod commit;
mod dependencies;
mod error;
mod kinds;
mod package;
mod table;
#[cfg(test)]
mod tests;

use toml::Table;

pub use commit::commit;
pub use error::ManifestError;

use crate::model::{Release, Sha256Digest};
use table::Section;

/// Bytes of a manifest; the largest of 1,400 real ones has 150,000.
const MANIFEST_SIZE: usize = 2 << 20;

/// What is known of an archive beside its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// The sha256 of the archive.
    pub checksum: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The commit that it was packaged from; see [`commit()`].
    pub commit: Option<String>,
}

/// The registry that the release is for. A dependency without registry means crates.io, and that is
/// the same registry only in a mirror of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// A registry with packages of its own.
    Own {
        /// The index URLs under which manifests may name it, as `sparse+https://…/`.
        index_urls: Vec<String>,
    },
    /// A mirror of crates.io.
    Mirror,
}

/// Derives a release from the manifest of an archive and the paths of its files, relative to the
/// package's folder. The publisher is not known from there.
pub fn release(
    manifest_text: &str,
    files: &[&str],
    facts: ArchiveFacts,
    home: &Home,
) -> Result<Release, ManifestError> {
    if manifest_text.len() > MANIFEST_SIZE {
        return Err(ManifestError::TooLarge {
            limit: MANIFEST_SIZE,
        });
    }
    let table: Table = manifest_text
        .parse()
        .map_err(|error| ManifestError::Toml(Box::new(error)))?;
    let root = Section::root(&table);
    // `[project]` is how manifests began before 2014; cargo reads it until edition 2024.
    let package = match root.section("package")? {
        Some(package) => package,
        None => root.section("project")?.ok_or(ManifestError::Missing {
            field: "package".into(),
        })?,
    };
    package.refuse_inherited(&["metadata"])?;
    root.refuse_inherited(&["workspace"])?;
    let mut release = package::package(&package, facts)?;
    release.kinds = kinds::kinds(&root, &package, release.name.as_str(), files)?;
    release.features = package::features(&root)?;
    release.dependencies = dependencies::dependencies(&root, home)?;
    Ok(release)
}
