//! Reading files and folders. Never more of a file than the limit, and nothing that has no end.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::{Failure, failed, is_absent};

/// No file that is read whole is longer, whatever it is.
pub const LIMIT: u64 = 1 << 30;

/// Reads a regular file of at most `limit` bytes. The cause of a longer one has the kind
/// [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    read_file(path, limit).map_err(failed("read", path))
}

/// As [`read`]; `None` if there is no file.
pub fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match read(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if is_absent(&failure.source) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// As [`read`], for a text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Failure> {
    text(path, read(path, limit)?)
}

/// As [`read_text`]; `None` if there is no file.
pub fn read_text_if_there(path: &Path, limit: u64) -> Result<Option<String>, Failure> {
    let bytes = read_if_there(path, limit)?;
    bytes.map(|bytes| text(path, bytes)).transpose()
}

/// The first bytes of a file, `length` at most, and no more of it.
pub fn read_start(path: &Path, length: u64) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(failed("read", path))
}

/// How long a file is, and when it was last written, in nanoseconds since 1970; `None` if there is none.
pub fn stamp_if_there(path: &Path) -> Result<Option<(u64, u64)>, Failure> {
    let read = || -> io::Result<(u64, u64)> {
        let metadata = fs::metadata(path)?;
        let since = metadata.modified()?.duration_since(UNIX_EPOCH);
        let nanoseconds = since.map_or(0, |since| since.as_nanos());
        Ok((
            metadata.len(),
            u64::try_from(nanoseconds).unwrap_or(u64::MAX),
        ))
    };
    match read() {
        Ok(stamp) => Ok(Some(stamp)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// What lies in a folder, in no order.
pub fn entries(folder: &Path) -> Result<Vec<DirEntry>, Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect);
    entries.map_err(failed("read", folder))
}

/// As [`entries`]; nothing if there is no folder.
pub fn entries_if_there(folder: &Path) -> Result<Vec<DirEntry>, Failure> {
    match entries(folder) {
        Err(failure) if failure.source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries,
    }
}

fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Asked before opening: to open a pipe would wait for its writer, and a device has no end.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    // One piece of memory from the start: of a secret, no copies are left behind.
    let room = found.len().min(limit).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
    let file = File::open(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let reason = format!("it is longer than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|error| io::Error::other(error.utf8_error()));
    text.map_err(failed("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_as_long_as_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        let failure = read(&path, 3).unwrap_err();
        assert_eq!(failure.source.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_absent_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read_if_there(&path, 9).unwrap(), None);
        assert!(entries_if_there(&path).unwrap().is_empty());
        assert!(entries(&path).is_err());
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_if_there(&path.join("below"), 9).unwrap(), None);
        assert!(read_text_if_there(&path, 9).is_err());
        assert!(entries_if_there(&path).is_err());
        assert!(read_if_there(folder.path(), 9).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_not_read() {
        let failure = read(Path::new("/dev/zero"), LIMIT).unwrap_err();
        assert_eq!(failure.to_string(), "could not read `/dev/zero`");
    }
}
