//! Submission bundles on disk: a folder with `submission.json` and the archives beside it. They are
//! read as hostile: the names in them are not used as paths.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::formats::submission::{self, Submission, SubmissionError};
use crate::install::archive::Limits;
use crate::model::Sha256Digest;

/// The most bytes of a `submission.json`.
const MAX_SUBMISSION: u64 = 16 << 20;

/// Why a bundle cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file system refused.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// As `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is larger than what is read.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
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
        fs::write(&path, bytes).map_err(failed("write", &path))?;
    }
    let path = folder.join(submission::FILE);
    fs::write(&path, submission::encode(submission)).map_err(failed("write", &path))
}

/// Reads a bundle: the submission, and every `.crate` file beside it.
pub fn read(folder: &Path) -> Result<(Submission, Vec<Vec<u8>>), BundleError> {
    let path = folder.join(submission::FILE);
    let bytes = read_file(&path, MAX_SUBMISSION)?;
    let submission = submission::decode(&bytes);
    let submission = submission.map_err(|source| BundleError::Submission { path, source })?;
    let mut archives = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let path = entry.map_err(failed("read", folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "crate")
        {
            archives.push(read_file(&path, Limits::default().archive_size)?);
        }
    }
    Ok((submission, archives))
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    // Asked before opening: to open a pipe would wait for its writer.
    let read = |found: fs::Metadata| {
        if !found.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let file = fs::File::open(path)?;
        file.take(limit + 1).read_to_end(&mut bytes)
    };
    fs::metadata(path)
        .and_then(read)
        .map_err(failed("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(BundleError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BundleError {
    let path = path.to_owned();
    move |source| BundleError::Io {
        action,
        path,
        source,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let error = read_file(Path::new("/dev/zero"), 1 << 30).unwrap_err();
        assert!(matches!(error, BundleError::Io { .. }), "{error}");
    }
}
