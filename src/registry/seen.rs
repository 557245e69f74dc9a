//! How far each package's record was read on this machine: what a mirror cannot take back.

use super::files::{FileError, Files};
use crate::model::PackageName;
use crate::trust::{PackageState, Seen, Verified};

fn path(package: &PackageName) -> String {
    format!("seen/{}", package.index_path())
}

/// The last statement that was seen of a package.
pub fn load(files: &Files<'_>, package: &PackageName) -> Result<Option<Seen>, FileError> {
    let path = path(package);
    let Some(bytes) = files.kept(&path)? else {
        return Ok(None);
    };
    let seen = std::str::from_utf8(&bytes).ok().and_then(parse);
    // Taken for nothing, a damaged file would let a mirror turn the package back.
    let damaged = || FileError::Damaged {
        path: files.folder().join(&path),
    };
    seen.map(Some).ok_or_else(damaged)
}

/// Remembers the last statement of a record that was verified against what was seen `before`.
///
/// Returns what another process has seen meanwhile, if it is not the same: then nothing is written.
pub fn store(
    files: &Files<'_>,
    package: &PackageName,
    before: Option<Seen>,
    state: &Verified<PackageState>,
) -> Result<Option<Seen>, FileError> {
    let Some(seen) = state.seen().filter(|seen| Some(*seen) != before) else {
        return Ok(None);
    };
    let mut meanwhile = None;
    files.amend(&path(package), |kept| {
        let kept = kept.and_then(|kept| parse(std::str::from_utf8(kept).ok()?));
        meanwhile = kept.filter(|kept| Some(*kept) != before);
        let text = format!("{} {}\n", seen.sequence, seen.last);
        meanwhile.is_none().then(|| text.into_bytes())
    })?;
    Ok(meanwhile.filter(|other| *other != seen))
}

fn parse(text: &str) -> Option<Seen> {
    let (sequence, last) = text.trim_end().split_once(' ')?;
    Some(Seen {
        sequence: sequence.parse().ok()?,
        last: last.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256Digest;

    fn load_written(text: &[u8]) -> Result<Option<Seen>, FileError> {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned(), None);
        let package = "tide-table".parse().unwrap();
        files.keep(&path(&package), text).unwrap();
        load(&files, &package)
    }

    #[test]
    fn reads_what_it_writes() {
        let last = Sha256Digest::of(b"statement");
        let seen = load_written(format!("7 {last}\n").as_bytes()).unwrap();
        assert_eq!(seen, Some(Seen { sequence: 7, last }));
    }

    #[test]
    fn what_is_damaged_is_not_taken_for_nothing() {
        for text in ["", "7", "7 abc\n", "x 00\n", "\u{0}"] {
            let read = load_written(text.as_bytes());
            assert!(matches!(read, Err(FileError::Damaged { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_package_never_read_was_never_seen() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().to_owned(), None);
        assert_eq!(load(&files, &"tide".parse().unwrap()).unwrap(), None);
    }
}
