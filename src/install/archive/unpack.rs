//! Unpacking an archive: all or nothing. Files are created by us, below a fresh folder that nobody
//! else knows, with modes of our own; the folder gets its name only when it is whole and on disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::ArchiveError;
use super::limits::Limits;
use super::stream::Content;
use super::walk::{Item, walk};
use crate::disk::{self, Failure, failed};

/// Unpacks an archive's files into the folder `into`, which must not exist; its parent must.
/// On error nothing has changed.
pub fn unpack(bytes: &[u8], into: &Path, limits: &Limits) -> Result<(), ArchiveError> {
    if into.symlink_metadata().is_ok() {
        return Err(ArchiveError::Exists(into.into()));
    }
    // First without writing: a refused archive leaves no trace, not even for a moment.
    walk(bytes, limits, |_| Ok(()))?;
    let parent = match into.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let staging = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(parent)
        .map_err(failed("create a folder in", parent))?;
    let root = staging.path().join("package");
    create_folder(&root)?;
    walk(bytes, limits, |item| match item {
        Item::Folder(path) => Ok(create_folders(&root, Path::new(path))?),
        Item::File {
            path,
            executable,
            content,
            ..
        } => create_file(&root, Path::new(path), executable, content),
    })?;
    sync_folders(&root)?;
    disk::rename(&root, into)?;
    Ok(disk::sync_folder(parent)?)
}

/// Creates a file with the content; the path was checked by the walk.
fn create_file(
    root: &Path,
    path: &Path,
    executable: bool,
    content: &mut Content<'_, '_>,
) -> Result<(), ArchiveError> {
    if let Some(parent) = path.parent() {
        create_folders(root, parent)?;
    }
    let path = root.join(path);
    let write = failed("write", &path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    disk::step("write", &path);
    let mut file = options.open(&path).map_err(&write)?;
    let mut buffer = [0; 8192];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count]).map_err(&write)?;
    }
    disk::step("sync", &path);
    Ok(file.sync_all().map_err(write)?)
}

/// Creates each folder of a path that is not there yet.
fn create_folders(root: &Path, path: &Path) -> Result<(), Failure> {
    let mut folder = root.to_path_buf();
    for part in path.components() {
        folder.push(part);
        if !folder.is_dir() {
            create_folder(&folder)?;
        }
    }
    Ok(())
}

fn create_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(folder).map_err(failed("create", folder))
}

/// Brings the names in a folder, and in the folders below it, to disk.
fn sync_folders(folder: &Path) -> Result<(), Failure> {
    for entry in disk::entries(folder)? {
        let kind = entry.file_type().map_err(failed("read", folder))?;
        if kind.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    disk::sync_folder(folder)
}
