//! Tar headers: the few kinds that `cargo package` writes (checked on 1,400 real archives), and a
//! refusal for all others. Extended (pax) headers are never read: readers disagree on what they
//! override, so an archive could be two things at once.

use tar::{EntryType, Header};

use super::error::{ArchiveError, shown};
use super::stream::{Content, Stream};

/// The unit of a tar file.
const BLOCK: usize = 512;

/// Bytes of a path that has a header of its own (GNU long name).
const LONG_NAME: u64 = 1024;

/// One file or folder, before its content.
pub(super) struct Entry {
    /// The path as it stands in the archive.
    pub(super) path: Vec<u8>,
    /// Whether it is a folder; else a regular file.
    pub(super) folder: bool,
    /// Bytes of content.
    pub(super) size: u64,
    /// Whether its owner may run it. No other bit of a mode is looked at.
    pub(super) executable: bool,
}

/// Reads the next header with its long name, if it has one; nothing at the end mark.
pub(super) fn next(stream: &mut Stream<'_>) -> Result<Option<Entry>, ArchiveError> {
    let Some(header) = block(stream)? else {
        return Ok(None);
    };
    let known = header.as_gnu().is_some() || header.as_ustar().is_some();
    if !(known && header.entry_type().is_gnu_longname()) {
        return entry(&header, header.path_bytes().into_owned()).map(Some);
    }
    let path = long_name(stream, &header)?;
    match block(stream)? {
        Some(header) => entry(&header, path).map(Some),
        None => Err(ArchiveError::Truncated),
    }
}

/// Passes over the zeros that fill a file's last block.
pub(super) fn padding(stream: &mut Stream<'_>, size: u64, path: &str) -> Result<(), ArchiveError> {
    let used = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if used == 0 {
        return Ok(());
    }
    let mut fill = [0; BLOCK];
    stream.fill(&mut fill[used..])?;
    if fill.iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::Hidden {
            place: format!("`{path}`"),
        });
    }
    Ok(())
}

/// Reads one block as a header; nothing if it is the first half of the end mark, whose second half
/// is then read, too.
fn block(stream: &mut Stream<'_>) -> Result<Option<Header>, ArchiveError> {
    let mut header = Header::new_old();
    stream.fill(header.as_mut_bytes())?;
    if header.as_bytes().iter().all(|byte| *byte == 0) {
        let mut second = [0; BLOCK];
        stream.fill(&mut second)?;
        if second.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::Hidden {
                place: "its end".into(),
            });
        }
        return Ok(None);
    }
    if header.cksum().ok() != Some(checksum(&header)) {
        return Err(ArchiveError::Header { field: "checksum" });
    }
    Ok(Some(header))
}

/// The sum of a header's bytes, its own field counted as spaces (POSIX.1-1988, ustar).
fn checksum(header: &Header) -> u32 {
    let bytes = header.as_bytes().iter().enumerate();
    bytes
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum()
}

/// The path that a GNU long-name entry holds for the entry after it.
fn long_name(stream: &mut Stream<'_>, header: &Header) -> Result<Vec<u8>, ArchiveError> {
    const FAULT: ArchiveError = ArchiveError::Header { field: "long name" };
    let size = header.entry_size().map_err(|_| FAULT)?;
    if size > LONG_NAME {
        return Err(FAULT);
    }
    let mut path = Content::new(stream, size).keep("a long name", LONG_NAME)?;
    padding(stream, size, "a long name")?;
    if path.last() == Some(&0) {
        path.pop();
    }
    Ok(path)
}

/// Takes what we need from the header of a file or folder.
fn entry(header: &Header, mut path: Vec<u8>) -> Result<Entry, ArchiveError> {
    let folder = match header.entry_type() {
        EntryType::Regular => false,
        EntryType::Directory => true,
        other => {
            return Err(ArchiveError::EntryKind {
                path: shown(&path),
                kind: kind_name(other),
            });
        }
    };
    let size = header
        .entry_size()
        .map_err(|_| ArchiveError::Header { field: "size" })?;
    let mode = header
        .mode()
        .map_err(|_| ArchiveError::Header { field: "mode" })?;
    if folder && size != 0 {
        return Err(ArchiveError::Header { field: "size" });
    }
    // A folder's path may end in one slash; a file's may not, for old readers make a folder of it.
    if folder && path.last() == Some(&b'/') {
        path.pop();
    }
    Ok(Entry {
        path,
        folder,
        size,
        executable: mode & 0o100 != 0,
    })
}

/// The name of a kind of entry that is refused.
fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a named pipe",
        EntryType::GNUSparse => "a sparse file",
        EntryType::GNULongName | EntryType::GNULongLink => "a stray long name",
        EntryType::XHeader | EntryType::XGlobalHeader => "an extended header",
        _ => "of an unknown kind",
    }
}
