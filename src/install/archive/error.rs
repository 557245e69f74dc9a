//! Why an archive is refused. Names from the archive are shown escaped and cut: they are hostile.

use std::io;
use std::path::PathBuf;

use crate::disk::Failure;

/// Why an archive was refused or could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something is larger than [`Limits`](super::Limits) allow.
    #[error("{what} is over the limit of {limit} bytes")]
    TooLarge {
        /// What: `the archive`, `its content`, or the path of a file.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// More files and folders than allowed.
    #[error("the archive holds more than {limit} files and folders")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// It unpacks to so much more than itself that it can only be meant to harm.
    #[error("the archive unpacks to more than {limit} times its size")]
    Ratio {
        /// The limit.
        limit: u64,
    },
    /// No gzip file, or a damaged one.
    #[error("the archive is not a valid gzip file")]
    Gzip(#[source] io::Error),
    /// Bytes follow the one gzip member.
    #[error("{count} bytes follow the end of the gzip file")]
    AfterGzip {
        /// How many.
        count: usize,
    },
    /// It ends within an entry or without an end mark.
    #[error("the archive is cut off")]
    Truncated,
    /// Something other than zeros follows the end mark or the end of a file.
    #[error("the archive hides bytes after {place}")]
    Hidden {
        /// `its end`, or the path of a file.
        place: String,
    },
    /// A tar header that does not add up.
    #[error("the archive has a header with a wrong {field}")]
    Header {
        /// `checksum`, `size`, `mode`, `long name`.
        field: &'static str,
    },
    /// Neither a regular file nor a folder.
    #[error("`{path}` in the archive is {kind}; only files and folders are allowed")]
    EntryKind {
        /// Where.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A name that is not safe on every system.
    #[error("`{path}` in the archive {fault}")]
    Path {
        /// The path, escaped.
        path: String,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// The same path twice.
    #[error("`{path}` is in the archive twice")]
    Duplicate {
        /// Which.
        path: String,
    },
    /// Two paths that are one on a system that ignores case.
    #[error("`{first}` and `{second}` in the archive differ only in case")]
    CaseCollision {
        /// The one that came first.
        first: String,
        /// The other.
        second: String,
    },
    /// A path is a file and a folder.
    #[error("`{path}` in the archive is both a file and a folder")]
    FileAndFolder {
        /// Which.
        path: String,
    },
    /// No file at all.
    #[error("the archive is empty")]
    Empty,
    /// The target of unpacking exists.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] Failure),
}

/// What is wrong with a path in an archive; completes "`path` in the archive ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// Nothing between two slashes, or no name at all.
    #[error("has an empty part")]
    Empty,
    /// It starts at the root.
    #[error("is an absolute path")]
    Absolute,
    /// `.` or `..`.
    #[error("has a `.` or `..` part")]
    Dots,
    /// A character that some system gives a meaning of its own.
    #[error("has the character {0:?}, which is not allowed in names")]
    Character(char),
    /// Not UTF-8.
    #[error("is not UTF-8")]
    Encoding,
    /// Windows drops what a name ends in.
    #[error("has a part that ends in a dot or a space")]
    Ending,
    /// `aux`, `com1.txt`.
    #[error("has a part that Windows reserves for a device")]
    Device,
    /// Longer, or deeper, than every system can hold.
    #[error("is too long")]
    TooLong,
    /// Not below the one folder `name-version`.
    #[error("is outside of the package's folder")]
    Outside,
    /// `.cargo-ok` marks a folder that cargo has unpacked; an archive that brings one lies.
    #[error("is a mark that only cargo may write")]
    Reserved,
}

/// A name from an archive as it may be shown: escaped, and cut after 120 characters.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect()
}
