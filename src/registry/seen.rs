//! How far each package's record was read on this machine: what a mirror cannot take back.

use super::files::{FileError, Files};
use crate::model::PackageName;
use crate::trust::{PackageState, Seen, Verified};

fn path(package: &PackageName) -> String {
    format!("seen/{}", package.index_path())
}

/// The last statement that was seen of a package.
pub fn load(files: &Files, package: &PackageName) -> Result<Option<Seen>, FileError> {
    let text = files.kept(&path(package))?;
    let text = text.and_then(|text| String::from_utf8(text).ok());
    Ok(text.as_deref().and_then(parse))
}

/// Remembers the last statement of a verified record, if it is a later one.
pub fn store(
    files: &Files,
    package: &PackageName,
    before: Option<Seen>,
    state: &Verified<PackageState>,
) -> Result<(), FileError> {
    match state.seen() {
        Some(seen) if Some(seen) != before => {
            let text = format!("{} {}\n", seen.sequence, seen.last);
            files.keep(&path(package), text.as_bytes())
        }
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Option<Seen> {
    let (sequence, last) = text.trim_end().split_once(' ')?;
    Some(Seen {
        sequence: sequence.parse().ok()?,
        last: last.parse().ok()?,
    })
}
