//! Files by which processes know of one another. A lock is held until the file is dropped.

use std::fs::File;
use std::path::Path;
#[cfg(unix)]
use std::{fs::Metadata, io::ErrorKind};

use super::{Failure, create_folder, failed};

/// Opens a file to be locked, and makes the folders on the way; never empties it, whatever came in its
/// place.
pub fn open_lock(path: &Path) -> Result<File, Failure> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let file = File::options().create(true).append(true).open(path);
    file.map_err(failed("open", path))
}

/// Waits for other processes that have the lock, and keeps them away.
pub fn lock(path: &Path) -> Result<File, Failure> {
    loop {
        let file = open_lock(path)?;
        file.lock().map_err(failed("lock", path))?;
        if stands_at(&file, path) {
            return Ok(file);
        }
    }
}

/// Whoever had the lock may have removed its file: then it keeps nobody away any more.
#[cfg(unix)]
fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let place = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(own), Ok(there)) => place(own) == place(there),
        (_, there) => !there.is_err_and(|error| error.kind() == ErrorKind::NotFound),
    }
}

/// Here no file is removed that somebody has open.
#[cfg(not(unix))]
const fn stands_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_whose_file_was_removed_keeps_nobody_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below").join(".lock");
        let first = open_lock(&path).unwrap();
        assert!(stands_at(&first, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!stands_at(&first, &path));
        let second = lock(&path).unwrap();
        assert!(!stands_at(&first, &path) && stands_at(&second, &path));
    }

    #[test]
    fn who_waited_for_a_lock_that_is_gone_has_the_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let first = lock(&path).unwrap();
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || lock(&path).unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        drop(first);
        let second = waiting.join().unwrap();
        assert!(stands_at(&second, &path));
    }
}
