//! Submission bundles on disk: a folder with `submission.json` and the archives beside it. They are
//! read as hostile: the names in them are not used as paths.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::{self, Durability, Failure, failed};
use crate::formats::submission::{self, Submission, SubmissionError};
use crate::install::archive::Limits;
use crate::model::Sha256Digest;

/// The most bytes of a `submission.json`.
const MAX_SUBMISSION: u64 = 16 << 20;

/// Why a bundle cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// `submission.json` is refused.
    #[error("`{}` is refused", path.display())]
    Submission {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SubmissionError,
    },
}

/// Writes a bundle as a new folder; what lies there is replaced file by file.
pub fn write(
    folder: &Path,
    submission: &Submission,
    archives: &[Vec<u8>],
) -> Result<(), BundleError> {
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    for bytes in archives {
        let path = folder.join(format!("{}.crate", Sha256Digest::of(bytes)));
        disk::write(&path, bytes)?;
    }
    let path = folder.join(submission::FILE);
    // It may hold signatures that others have added.
    let bytes = submission::encode(submission);
    Ok(disk::replace(&path, &bytes, Durability::Synced)?)
}

/// Reads a bundle: the submission, and every `.crate` file beside it.
pub fn read(folder: &Path) -> Result<(Submission, Vec<Vec<u8>>), BundleError> {
    let path = folder.join(submission::FILE);
    let bytes = disk::read(&path, MAX_SUBMISSION)?;
    let submission = submission::decode(&bytes);
    let submission = submission.map_err(|source| BundleError::Submission { path, source })?;
    let mut archives = Vec::new();
    for entry in disk::entries(folder)? {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "crate")
        {
            archives.push(disk::read(&path, Limits::default().archive_size)?);
        }
    }
    Ok((submission, archives))
}
