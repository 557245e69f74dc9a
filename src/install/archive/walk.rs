//! The one walk over an archive that reading, unpacking and comparing share: all checks are here.

use super::error::{ArchiveError, shown};
use super::header;
use super::limits::Limits;
use super::path::Paths;
use super::stream::{Content, Stream};

/// What the walk comes by; paths are relative to the package's folder.
pub(super) enum Item<'w, 's, 'a> {
    /// A folder that has an entry of its own.
    Folder(&'w str),
    /// A regular file. What the visitor leaves of its content is passed over.
    File {
        path: &'w str,
        size: u64,
        executable: bool,
        content: &'w mut Content<'s, 'a>,
    },
}

/// Walks an archive from end to end and returns the name of its one folder. What was visited before
/// an error must be thrown away.
pub(super) fn walk(
    bytes: &[u8],
    limits: &Limits,
    mut visit: impl FnMut(Item<'_, '_, '_>) -> Result<(), ArchiveError>,
) -> Result<String, ArchiveError> {
    let mut stream = Stream::new(bytes, limits)?;
    let mut paths = Paths::new(limits.entries);
    while let Some(entry) = header::next(&mut stream)? {
        if entry.size > limits.file_size {
            return Err(ArchiveError::TooLarge {
                what: format!("`{}`", shown(&entry.path)),
                limit: limits.file_size,
            });
        }
        let Some(path) = paths.add(&entry.path, entry.folder)? else {
            continue;
        };
        if entry.folder {
            visit(Item::Folder(&path))?;
            continue;
        }
        let mut content = Content::new(&mut stream, entry.size);
        visit(Item::File {
            path: &path,
            size: entry.size,
            executable: entry.executable,
            content: &mut content,
        })?;
        content.skip()?;
        header::padding(&mut stream, entry.size, &path)?;
    }
    stream.finish()?;
    paths.into_folder().ok_or(ArchiveError::Empty)
}
