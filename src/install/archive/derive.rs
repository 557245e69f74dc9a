//! A release from the bytes of an archive alone.

use super::error::ArchiveError;
use super::limits::Limits;
use super::read::read;
use crate::formats::manifest::{self, ArchiveFacts, Home, ManifestError};
use crate::model::{Release, Sha256Digest};

/// Why an archive gives no release.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The archive itself is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive has no manifest.
    #[error("`{folder}/Cargo.toml` is missing in the archive")]
    NoManifest {
        /// The archive's folder.
        folder: String,
    },
    /// The manifest is not UTF-8.
    #[error("`{folder}/Cargo.toml` in the archive is not UTF-8")]
    Encoding {
        /// The archive's folder.
        folder: String,
    },
    /// The manifest is refused.
    #[error("the manifest of `{folder}` is refused")]
    Manifest {
        /// The archive's folder.
        folder: String,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// The folder in the archive is not named for the package in the manifest.
    #[error("the archive holds the folder `{folder}`, but its manifest is that of `{manifest}`")]
    Folder {
        /// The archive's folder.
        folder: String,
        /// `name-version` from the manifest.
        manifest: String,
    },
}

/// Derives the release that an archive holds, as the registry `home` lists it.
pub fn derive(bytes: &[u8], home: &Home, limits: &Limits) -> Result<Release, DeriveError> {
    let contents = read(bytes, limits)?;
    let folder = contents.folder.clone();
    let Some(manifest) = contents.file("Cargo.toml") else {
        return Err(DeriveError::NoManifest { folder });
    };
    let Ok(manifest) = std::str::from_utf8(manifest) else {
        return Err(DeriveError::Encoding { folder });
    };
    let facts = ArchiveFacts {
        checksum: Sha256Digest::of(bytes),
        size: bytes.len() as u64,
        commit: contents
            .file(".cargo_vcs_info.json")
            .and_then(manifest::commit),
    };
    let files: Vec<&str> = contents.paths().collect();
    let release = match manifest::release(manifest, &files, facts, home) {
        Ok(release) => release,
        Err(source) => return Err(DeriveError::Manifest { folder, source }),
    };
    let manifest = format!("{}-{}", release.name, release.version);
    if folder != manifest {
        return Err(DeriveError::Folder { folder, manifest });
    }
    Ok(release)
}
