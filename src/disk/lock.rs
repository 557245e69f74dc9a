//! Files by which processes know of one another. A lock is held until the file is dropped.

use std::fs::File;
use std::path::Path;

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
    let file = open_lock(path)?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}
