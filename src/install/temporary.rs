//! The folder for temporary files: whose it is. What a command that was interrupted left there goes
//! when the next one begins, and never while another is at work.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::disk::{self, Failure, failed};

/// The file by which commands know of one another.
const LOCK: &str = ".lock";

/// A folder of one command: it is gone when the value is dropped, and if the command is cut off, when
/// the next one begins.
#[derive(Debug)]
pub struct Scratch {
    // Dropped in this order: the folder goes while it is still claimed.
    folder: TempDir,
    _claim: File,
}

impl Scratch {
    /// Makes one in the folder for temporary files.
    pub(super) fn new(temporary: &Path, prefix: &str) -> Result<Self, Failure> {
        // Claimed first: whoever claims, sweeps.
        let claim = claim(temporary)?;
        let folder = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir_in(temporary);
        Ok(Self {
            folder: folder.map_err(failed("create a folder in", temporary))?,
            _claim: claim,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes the folder, and says that a command is at work in it until the value is dropped. What lies
/// there goes, unless another command is at work.
pub(super) fn claim(folder: &Path) -> Result<File, Failure> {
    disk::create_folder(folder)?;
    let path = folder.join(LOCK);
    let lock = disk::open_lock(&path)?;
    if lock.try_lock().is_ok() {
        for entry in disk::entries(folder)? {
            if entry.file_name() != LOCK {
                // What stays costs room and nothing else.
                disk::step("remove", &entry.path());
                let _ = remove(&entry.path());
            }
        }
        lock.unlock().map_err(failed("unlock", &path))?;
    }
    lock.lock_shared().map_err(failed("lock", &path))?;
    Ok(lock)
}

/// Removes a folder or file; a link is not followed.
fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clears_what_nobody_uses_any_more() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tmp");
        let first = claim(&folder).unwrap();
        fs::create_dir(folder.join("install-1")).unwrap();
        fs::write(folder.join("install-1/file"), "").unwrap();
        let second = claim(&folder).unwrap();
        assert!(folder.join("install-1/file").exists());
        drop(first);
        let third = claim(&folder).unwrap();
        assert!(folder.join("install-1/file").exists());
        drop((second, third));
        let _last = claim(&folder).unwrap();
        assert!(!folder.join("install-1").exists());
    }

    #[test]
    fn a_folder_of_a_command_stays_as_long_as_the_command() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(root.path(), "package-").unwrap();
        let path = scratch.path().to_owned();
        drop(claim(root.path()).unwrap());
        assert!(path.exists());
        drop(scratch);
        assert!(!path.exists());
    }
}
