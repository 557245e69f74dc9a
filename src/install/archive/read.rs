//! What an archive holds, and the content of the few files that the program looks into.

use std::collections::BTreeMap;

use super::ArchiveError;
use super::limits::Limits;
use super::walk::{Item, walk};

/// Files that are kept whole wherever an archive has them.
const KEPT: [&str; 4] = [
    "Cargo.toml",
    "Cargo.toml.orig",
    "Cargo.lock",
    ".cargo_vcs_info.json",
];

/// Files at the top whose names start so are kept, too, in any case.
const KEPT_STARTS: [&str; 4] = ["readme", "license", "licence", "copying"];

/// How many files are kept at most; further ones are read by [`read_file`].
const KEPT_FILES: usize = 16;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The one folder at the top: `name-version`.
    pub folder: String,
    /// All files in the archive's order.
    pub files: Vec<ArchiveFile>,
    kept: BTreeMap<String, Vec<u8>>,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it is marked as a program.
    pub executable: bool,
}

impl Contents {
    /// The content of a file that was kept: manifests, lock file, commit, readme and licenses at
    /// the top.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.kept.get(path).map(Vec::as_slice)
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }
}

/// Reads an archive from end to end.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Contents, ArchiveError> {
    let mut files = Vec::new();
    let mut kept = BTreeMap::new();
    let folder = walk(bytes, limits, |item| {
        let Item::File {
            path,
            size,
            executable,
            content,
        } = item
        else {
            return Ok(());
        };
        let named = KEPT.contains(&path);
        let fits = size <= limits.kept_size && kept.len() < KEPT_FILES;
        if named || (fits && is_readme_or_license(path)) {
            kept.insert(path.to_owned(), content.keep(path, limits.kept_size)?);
        }
        files.push(ArchiveFile {
            path: path.to_owned(),
            size,
            executable,
        });
        Ok(())
    })?;
    Ok(Contents {
        folder,
        files,
        kept,
    })
}

/// Reads one file of an archive, and the rest of the archive past it; nothing if it is not there.
pub fn read_file(
    bytes: &[u8],
    path: &str,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut found = None;
    walk(bytes, limits, |item| match item {
        Item::File {
            path: here,
            content,
            ..
        } if here == path => {
            found = Some(content.keep(path, limits.kept_size)?);
            Ok(())
        }
        Item::File { .. } | Item::Folder(_) => Ok(()),
    })?;
    Ok(found)
}

fn is_readme_or_license(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    !path.contains('/') && KEPT_STARTS.iter().any(|start| lower.starts_with(start))
}
