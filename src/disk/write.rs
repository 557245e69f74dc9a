//! Writing files: a reader sees the old content or the new, never a part, unless it says otherwise
//! here.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::step::{step, write_all};
use super::{Failure, create_folder, failed};

/// What becomes of a file when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is on the disk before it gets its name.
    Synced,
    /// It may be cut off: the next command writes it anew.
    Rebuilt,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner alone.
    Owner,
    /// All who may read what the process writes.
    All,
}

/// Writes `bytes` to `path`: to a new file beside it, then renamed. Makes the folders on the way.
///
/// A symbolic link at `path` stays, and what it points to is replaced; an existing file keeps its
/// permissions, a new one gets those that the process gives to any file.
pub fn replace(path: &Path, bytes: &[u8], durability: Durability) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    create_folder(folder_of(&target))?;
    let write = || -> io::Result<()> {
        let file = beside(&target, bytes, Readers::All)?;
        if let Ok(metadata) = fs::metadata(&target) {
            file.as_file().set_permissions(metadata.permissions())?;
        }
        if durability == Durability::Synced {
            step("sync", path);
            file.as_file().sync_all()?;
        }
        step("rename", path);
        file.persist(&target).map_err(|failed| failed.error)?;
        Ok(())
    };
    write().map_err(failed("write", path))
}

/// As [`replace`], for who has the lock of all that is written by way of `draft`: a write that is cut
/// off leaves no more than that one file, and the next write takes it.
pub fn replace_locked(
    path: &Path,
    bytes: &[u8],
    draft: &Path,
    durability: Durability,
) -> Result<(), Failure> {
    create_folder(folder_of(path))?;
    let write = || -> io::Result<()> {
        step("write", path);
        let mut file = File::create(draft)?;
        write_all(&mut file, bytes, path)?;
        if durability == Durability::Synced {
            step("sync", path);
            file.sync_all()?;
        }
        step("rename", path);
        fs::rename(draft, path)
    };
    write().map_err(failed("write", path))
}

/// Writes a file that must not be there yet, whole or not at all.
pub fn create(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let file = beside(path, bytes, readers)?;
        step("sync", path);
        file.as_file().sync_all()?;
        step("rename", path);
        file.persist_noclobber(path)
            .map_err(|failed| failed.error)?;
        Ok(())
    };
    write().map_err(failed("write", path))
}

/// Writes a file in its place and brings it to the disk. A part of it can be seen.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        step("write", path);
        let mut file = File::create(path)?;
        write_all(&mut file, bytes, path)?;
        step("sync", path);
        file.sync_data()
    };
    write().map_err(failed("write", path))
}

/// Removes a file, if there is one.
pub fn remove(path: &Path) -> Result<(), Failure> {
    step("remove", path);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// A new file in the same folder, under a name of its own. It has its permissions from the start.
fn beside(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".cargo-marketplace-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(
        match readers {
            Readers::Owner => 0o600,
            Readers::All => 0o666,
        },
    ));
    #[cfg(not(unix))]
    let _ = readers;
    step("write", path);
    let mut file = builder.tempfile_in(folder_of(path))?;
    write_all(file.as_file_mut(), bytes, path)?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn keeps_links_and_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).unwrap();
        symlink(&real, &link).unwrap();
        replace(&link, b"new", Durability::Synced).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
