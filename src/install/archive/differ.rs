//! Is an unpacked folder still what the archive says? Cargo trusts a folder in `registry/src` that
//! is there already, so whoever writes to it runs code in the next build. Nothing is ever repaired
//! here, and no link is followed.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::ArchiveError;
use super::limits::Limits;
use super::stream::Content;
use super::walk::{Item, walk};
use crate::disk::{self, Failure, failed, is_absent};

/// Cargo's mark at the top of a folder that it has unpacked whole.
const CARGO_MARK: &str = ".cargo-ok";

/// Returns the first path (relative to `folder`) at which the folder is not what the archive says:
/// missing, extra, another content, a link, or a file that became a program. The folder itself is
/// the empty path.
pub fn differs(
    bytes: &[u8],
    folder: &Path,
    limits: &Limits,
) -> Result<Option<PathBuf>, ArchiveError> {
    let mut known = HashSet::from([PathBuf::new()]);
    let mut first: Option<PathBuf> = None;
    walk(bytes, limits, |item| {
        let (path, same) = match item {
            Item::Folder(path) => {
                let there = look(&folder.join(path))?;
                (path, there.is_some_and(|metadata| metadata.is_dir()))
            }
            Item::File {
                path,
                size,
                executable,
                content,
            } => {
                let same = first.is_some() || same_file(folder, path, size, executable, content)?;
                (path, same)
            }
        };
        known.extend(Path::new(path).ancestors().map(PathBuf::from));
        if !same {
            first = Some(path.into());
        }
        Ok(())
    })?;
    match first {
        Some(path) => Ok(Some(path)),
        None => extra(folder, Path::new(""), &known),
    }
}

/// Compares one file with its content in the archive.
fn same_file(
    folder: &Path,
    path: &str,
    size: u64,
    executable: bool,
    content: &mut Content<'_, '_>,
) -> Result<bool, ArchiveError> {
    let file = folder.join(path);
    let Some(metadata) = look(&file)? else {
        return Ok(false);
    };
    if !metadata.is_file() || metadata.len() != size || mode_differs(&metadata, executable) {
        return Ok(false);
    }
    let failed = failed("read", &file);
    let mut opened = File::open(&file).map_err(&failed)?;
    let (mut ours, mut theirs) = ([0; 8192], [0; 8192]);
    loop {
        let count = content.read(&mut ours)?;
        if count == 0 {
            return Ok(opened.read(&mut theirs).map_err(&failed)? == 0);
        }
        match opened.read_exact(&mut theirs[..count]) {
            Ok(()) if ours[..count] == theirs[..count] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(failed(error))?,
        }
    }
}

/// Looks for what is in the folder and not in the archive, and for folders that are none.
fn extra(
    root: &Path,
    below: &Path,
    known: &HashSet<PathBuf>,
) -> Result<Option<PathBuf>, ArchiveError> {
    // Joining an empty path would add a slash, and a slash follows a link.
    let folder = if below == Path::new("") {
        root.to_path_buf()
    } else {
        root.join(below)
    };
    // `symlink_metadata`: a link to a folder with the right content can be turned round later.
    if !look(&folder)?.is_some_and(|metadata| metadata.is_dir()) {
        return Ok(Some(below.into()));
    }
    for entry in disk::entries(&folder)? {
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(failed("read", &entry.path()))?;
        if kind.is_file() && path == Path::new(CARGO_MARK) {
            continue;
        }
        if !known.contains(&path) || kind.is_symlink() {
            return Ok(Some(path));
        }
        if kind.is_dir()
            && let Some(found) = extra(root, &path, known)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is at a path, no link followed; nothing if nothing is there.
fn look(path: &Path) -> Result<Option<Metadata>, Failure> {
    match path.symlink_metadata() {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Says whether a file became a program, or runs as its owner. A program that lost its mark does no
/// harm: some file systems have none.
#[cfg(unix)]
fn mode_differs(metadata: &Metadata, executable: bool) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode();
    mode & 0o7000 != 0 || (!executable && mode & 0o111 != 0)
}

#[cfg(not(unix))]
fn mode_differs(_: &Metadata, _: bool) -> bool {
    false
}
