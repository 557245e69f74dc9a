//! Folders, and the names in them.

use std::fs::{self, File};
use std::path::Path;

use super::step::step;
use super::{Failure, failed, is_absent};

/// Makes a folder and those above it, where they are not there yet.
pub fn create_folder(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    step("create", folder);
    fs::create_dir_all(folder).map_err(failed("create", folder))
}

/// Removes a folder and all that is in it, if there is one.
pub fn remove_folder(folder: &Path) -> Result<(), Failure> {
    step("remove", folder);
    match fs::remove_dir_all(folder) {
        Err(error) if !is_absent(&error) => Err(failed("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// Gives a file or folder another name, in place of what has it.
pub fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    step("rename", to);
    fs::rename(from, to).map_err(failed("rename", to))
}

/// Brings the names in a folder to the disk; only Unix lets a folder be opened for that.
pub fn sync_folder(folder: &Path) -> Result<(), Failure> {
    if cfg!(unix) {
        step("sync", folder);
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(failed("sync", folder))?;
    }
    Ok(())
}
