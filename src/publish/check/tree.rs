//! The files of the folder that is checked: which there are, their bytes and digests. Links are not
//! followed, so that nothing outside of the folder is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::report::{Log, Problem};
use crate::disk::{self, Failure, failed};
use crate::formats::record::FileDigest;
use crate::model::Sha256Digest;

/// Archives are read in pieces.
const PIECE: usize = 1 << 16;

/// The files of a registry, listed once.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    /// By path below the root, with `/`; false for what is no regular file.
    files: BTreeMap<String, bool>,
}

impl Tree {
    /// Lists a folder. Hidden files are not part of a registry: no transport serves them.
    pub(super) fn list(root: &Path) -> Result<Self, Failure> {
        let mut files = BTreeMap::new();
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in disk::entries(&folder)? {
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type().map_err(failed("read", &entry.path()))?;
                if name.starts_with('.') {
                    continue;
                }
                let path = format!("{prefix}{name}");
                if kind.is_dir() {
                    folders.push((entry.path(), path + "/"));
                } else {
                    files.insert(path, kind.is_file());
                }
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    /// The paths of all files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The bytes of a file, one more than `limit` at the most.
    pub(super) fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let file = self.open(path)?;
        let mut file = file.take(limit.saturating_add(1));
        file.read_to_end(&mut bytes).map_err(Problem::Read)?;
        Ok(bytes)
    }

    /// The bytes of a file that must be these.
    pub(super) fn load(&self, path: &str, expected: &FileDigest) -> Result<Vec<u8>, Problem> {
        if expected.length > disk::LIMIT {
            return Err(Problem::TooLong(expected.length));
        }
        let bytes = self.read(path, disk::LIMIT)?;
        require(expected, FileDigest::of(&bytes))?;
        Ok(bytes)
    }

    /// The length and digest of a file, however long it is.
    pub(super) fn digest(&self, path: &str) -> Result<FileDigest, Problem> {
        let mut file = self.open(path)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut length = 0;
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&piece[..count]);
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Problem::Read(error)),
            }
        }
        Ok(FileDigest {
            sha256: Sha256Digest::from_bytes(hasher.finalize().into()),
            length,
        })
    }

    /// Checks that a file under a plain name is what stands for good under another.
    pub(super) fn check_copy(&self, plain: &str, good: &str, expected: &FileDigest, log: &mut Log) {
        log.refer(plain);
        match self.digest(plain) {
            Ok(actual) if actual == *expected => {}
            Ok(_) => log.find(plain, Problem::Copy(good.to_owned())),
            Err(problem) => log.find(plain, problem),
        }
    }

    fn open(&self, path: &str) -> Result<File, Problem> {
        match self.files.get(path) {
            None => Err(Problem::Missing),
            Some(false) => Err(Problem::Read(io::Error::other("it is no regular file"))),
            Some(true) => File::open(self.root.join(path)).map_err(Problem::Read),
        }
    }
}

/// Checks that a file is what it should be.
pub(super) fn require(expected: &FileDigest, actual: FileDigest) -> Result<(), Problem> {
    if actual == *expected {
        return Ok(());
    }
    Err(Problem::Digest {
        expected: *expected,
        actual,
    })
}
