//! Which paths an archive may hold. A path passes only if it means the same file on every system
//! and file system; a fault is refused, never repaired.

use std::collections::HashMap;

use super::ArchiveError;
use super::error::{PathFault, shown};
use crate::model::is_device_name;

/// Bytes of a path, and parts of one; the longest of 1,400 real crates has 130 bytes and 11 parts.
const PATH: usize = 512;
const PARTS: usize = 64;
/// Bytes of one part: what common file systems hold.
const PART: usize = 255;

/// What Windows gives a meaning to (backslash and drive colon among them); cargo refuses to
/// package these, too.
const REFUSED: [char; 8] = ['\\', ':', '<', '>', '"', '|', '?', '*'];

/// The paths of an archive so far, by the form in which two of them collide.
pub(in crate::install) struct Paths {
    known: HashMap<String, Node>,
    folder: Option<String>,
    limit: usize,
}

struct Node {
    path: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A folder that only the path of something in it names so far.
    Implied,
}

impl Paths {
    /// No paths yet, and room for `limit` of them.
    pub(in crate::install) fn new(limit: usize) -> Self {
        Self {
            known: HashMap::new(),
            folder: None,
            limit,
        }
    }

    /// The one folder that everything is in.
    pub(super) fn into_folder(self) -> Option<String> {
        self.folder
    }

    /// Takes in the path of an entry and returns it relative to the package's folder; nothing for
    /// that folder itself.
    pub(in crate::install) fn add(
        &mut self,
        raw: &[u8],
        folder: bool,
    ) -> Result<Option<String>, ArchiveError> {
        let refuse = |fault| ArchiveError::Path {
            path: shown(raw),
            fault,
        };
        let path = check(raw).map_err(refuse)?;
        let (top, below) = match path.split_once('/') {
            Some((top, below)) => (top, Some(below)),
            None => (path, None),
        };
        if self.folder.get_or_insert_with(|| top.into()) != top || (below.is_none() && !folder) {
            return Err(refuse(PathFault::Outside));
        }
        let Some(below) = below else {
            return self.insert(path, Kind::Folder).map(|()| None);
        };
        let first = below.split('/').next().unwrap_or(below);
        if first.eq_ignore_ascii_case(".cargo-ok") {
            return Err(refuse(PathFault::Reserved));
        }
        for (slash, _) in path.match_indices('/') {
            self.insert(&path[..slash], Kind::Implied)?;
        }
        self.insert(path, if folder { Kind::Folder } else { Kind::File })?;
        Ok(Some(below.into()))
    }

    fn insert(&mut self, path: &str, kind: Kind) -> Result<(), ArchiveError> {
        let Some(node) = self.known.get_mut(&collision_key(path)) else {
            if self.known.len() >= self.limit {
                return Err(ArchiveError::TooManyEntries { limit: self.limit });
            }
            let path = path.to_owned();
            self.known.insert(collision_key(&path), Node { path, kind });
            return Ok(());
        };
        if node.path != path {
            return Err(ArchiveError::CaseCollision {
                first: node.path.clone(),
                second: path.into(),
            });
        }
        match (node.kind, kind) {
            (Kind::Folder | Kind::Implied, Kind::Implied) => Ok(()),
            (Kind::Implied, Kind::Folder) => {
                node.kind = Kind::Folder;
                Ok(())
            }
            (Kind::File, Kind::File) | (Kind::Folder, Kind::Folder) => {
                Err(ArchiveError::Duplicate { path: path.into() })
            }
            (Kind::File, Kind::Folder | Kind::Implied)
            | (Kind::Folder | Kind::Implied, Kind::File) => {
                Err(ArchiveError::FileAndFolder { path: path.into() })
            }
        }
    }
}

/// The form in which two paths collide. By way of upper case, since NTFS compares so: `ſ` is `S`.
fn collision_key(path: &str) -> String {
    path.to_uppercase().to_lowercase()
}

/// Checks one path by itself.
fn check(raw: &[u8]) -> Result<&str, PathFault> {
    if raw.len() > PATH {
        return Err(PathFault::TooLong);
    }
    let path = std::str::from_utf8(raw).map_err(|_| PathFault::Encoding)?;
    if path.starts_with('/') {
        return Err(PathFault::Absolute);
    }
    if let Some(found) = path.chars().find(|c| is_refused(*c)) {
        return Err(PathFault::Character(found));
    }
    if path.split('/').count() > PARTS {
        return Err(PathFault::TooLong);
    }
    path.split('/').try_for_each(check_part)?;
    Ok(path)
}

fn check_part(part: &str) -> Result<(), PathFault> {
    match part {
        "" => Err(PathFault::Empty),
        "." | ".." => Err(PathFault::Dots),
        _ if part.len() > PART => Err(PathFault::TooLong),
        _ if part.ends_with(['.', ' ']) => Err(PathFault::Ending),
        _ if is_device_name(part) => Err(PathFault::Device),
        _ => Ok(()),
    }
}

/// Control characters, those that turn the direction of text (a name would show as another one),
/// and those that mean something to a file system.
fn is_refused(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || REFUSED.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passes_what_real_crates_hold() {
        for good in [
            "a-1.0.0/src/lib.rs",
            "a-1.0.0/.github/x.yml",
            "a-1/é/ß.rs",
            "a-1/a b.rs",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(good));
        }
    }

    #[test]
    fn collides_as_ntfs_and_apfs_do() {
        for (a, b) in [
            ("Src", "src"),
            ("ÄRGER", "ärger"),
            ("\u{212a}", "k"),
            ("ſ", "S"),
        ] {
            assert_eq!(collision_key(a), collision_key(b));
        }
    }

    proptest! {
        #[test]
        fn a_path_that_passes_stays_below_its_folder(raw in proptest::collection::vec("[a./\\\\ :é]{0,4}|CON", 0..6)) {
            let raw = raw.join("/");
            if let Ok(path) = check(raw.as_bytes()) {
                let parts: Vec<_> = std::path::Path::new(path).components().collect();
                prop_assert!(parts.iter().all(|part| matches!(part, std::path::Component::Normal(_))));
                prop_assert_eq!(parts.len(), path.split('/').count());
            }
        }
    }
}
