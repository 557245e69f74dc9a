//! A registry's files on this machine: fetched by digest, kept under their plain names, and checked
//! on every read. With the server gone or `--offline`, what was fetched before is still there.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::keeping::Refusal;
use super::transport::{Transport, TransportError};
use crate::disk::{self, Durability, Failure};
use crate::formats::layout;
use crate::formats::record::FileDigest;
use crate::trust::Verified;
use crate::trust::tuf::{Target, TargetFile, TargetMismatch};

/// The most bytes of any file but an archive, whatever the metadata says: who has stolen a key could
/// else have a server send for ever. A pack of all of crates.io has some 100 MiB.
const MAX_FILE: u64 = 1 << 30;
/// What is written before it has its name; one for all files, since who writes has the lock.
const DRAFT: &str = ".draft";
const LOCK: &str = ".lock";

/// Where the bytes of a registry's files come from: first the copy on this machine, then the
/// registry, if it may be asked.
pub struct Files<'a> {
    folder: PathBuf,
    transport: Option<Box<dyn Transport + 'a>>,
    /// The version of the snapshot by which files are looked up; 0 until it is known.
    pub(super) snapshot: AtomicU64,
    pub(super) refusal: Refusal,
}

/// Why a file is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The registry has no such file.
    #[error("`{path}` is not in the registry")]
    Missing {
        /// The file.
        path: String,
    },
    /// Not on this machine, and the registry may not be asked.
    #[error("`{path}` is not in the offline copy")]
    Offline {
        /// The file.
        path: String,
    },
    /// The registry could not be asked.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The bytes are not those that the signed metadata names.
    #[error("`{path}` is not what the signed metadata says")]
    Mismatch {
        /// The file.
        path: String,
        /// What it should be.
        expected: FileDigest,
        /// What was served.
        actual: FileDigest,
    },
    /// More bytes were served than belong to it, or than any file of its kind may have.
    #[error("`{path}` is longer than the {limit} bytes that it may have")]
    TooLong {
        /// The file.
        path: String,
        /// The most bytes that it may have.
        limit: u64,
    },
    /// The bytes are not those of the target that the signed metadata lists.
    #[error(transparent)]
    Target(#[from] TargetMismatch),
    /// What was remembered on this machine is not what this program wrote.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The copy on this machine cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
}

impl<'a> Files<'a> {
    /// Keeps copies below `folder`; without a transport, only those are read.
    #[must_use]
    pub fn new(folder: PathBuf, transport: Option<Box<dyn Transport + 'a>>) -> Self {
        Self {
            folder,
            transport,
            snapshot: AtomicU64::default(),
            refusal: Refusal::default(),
        }
    }

    /// Whether the registry may be asked.
    pub(super) fn is_online(&self) -> bool {
        self.transport.is_some()
    }

    /// The address of a file on the registry; its path alone, if the registry may not be asked.
    pub(super) fn address(&self, served: &str) -> String {
        let base = self.transport.as_ref().map(|transport| transport.base());
        base.map_or_else(|| served.to_owned(), |base| format!("{base}{served}"))
    }

    /// From now on only the copy is read: the registry does not answer.
    pub(super) fn go_offline(&mut self) {
        self.transport = None;
    }

    /// Returns the file that signed metadata lists: from the copy if that is it, else from the
    /// registry, where it stands under its hash-prefixed name.
    pub fn target(&self, file: &Verified<TargetFile>) -> Result<Verified<Target>, FileError> {
        if let Some(target) = self
            .kept(file.path())?
            .and_then(|bytes| file.verify(bytes).ok())
        {
            return Ok(target);
        }
        let bytes = self.ask(file.location(), file.length().min(MAX_FILE))?;
        let target = file.verify(bytes)?;
        self.keep_listed(file.path(), &target.bytes)?;
        Ok(target)
    }

    /// Returns a file that a verified record names by its digest (documents).
    pub fn document(&self, path: &str, expected: &FileDigest) -> Result<Vec<u8>, FileError> {
        self.get(path, &layout::hashed(path, &expected.sha256), expected)
    }

    /// Returns a file whose own name on the registry holds its digest (packs).
    pub fn named_by_digest(&self, path: &str, expected: &FileDigest) -> Result<Vec<u8>, FileError> {
        self.get(path, path, expected)
    }

    /// Returns the copy of `path` on this machine, whatever it is.
    pub fn kept(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        let path = self.folder.join(path);
        Ok(disk::read_if_there(&path, disk::LIMIT)?)
    }

    /// Keeps a file on this machine, whatever is there in its place.
    pub fn keep(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let _lock = disk::lock(&self.lock_file())?;
        self.put(path, bytes)
    }

    /// Writes a file, for who has the lock.
    pub(super) fn put(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let (path, draft) = (self.folder.join(path), self.folder.join(DRAFT));
        Ok(disk::replace_locked(
            &path,
            bytes,
            &draft,
            Durability::Synced,
        )?)
    }

    /// By which processes that write here know of one another.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.folder.join(LOCK)
    }

    /// Removes the copy of a file, if there is one.
    pub fn forget(&self, path: &str) -> Result<(), FileError> {
        Ok(disk::remove(&self.folder.join(path))?)
    }

    /// Removes all that was kept, as if the registry had never been read here.
    pub fn clear(&self) -> Result<(), FileError> {
        Ok(disk::remove_folder(&self.folder)?)
    }

    /// The folder of the copies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn get(&self, path: &str, served: &str, expected: &FileDigest) -> Result<Vec<u8>, FileError> {
        let is_expected = |bytes: &Vec<u8>| FileDigest::of(bytes) == *expected;
        if let Some(bytes) = self.kept(path)?.filter(is_expected) {
            return Ok(bytes);
        }
        let bytes = self.fetch(served, expected)?;
        self.keep_listed(path, &bytes)?;
        Ok(bytes)
    }

    /// Fetches a file by its name on the registry, and lets only the expected bytes through.
    pub fn fetch(&self, served: &str, expected: &FileDigest) -> Result<Vec<u8>, FileError> {
        let bytes = self.ask(served, expected.length.min(MAX_FILE))?;
        let actual = FileDigest::of(&bytes);
        if actual != *expected {
            return Err(FileError::Mismatch {
                path: served.to_owned(),
                expected: *expected,
                actual,
            });
        }
        Ok(bytes)
    }

    /// Asks the registry for a file of at most `limit` bytes that must be there.
    pub(super) fn ask(&self, served: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        self.ask_for(served, limit)?
            .ok_or_else(|| FileError::Missing {
                path: served.to_owned(),
            })
    }

    /// Asks the registry for a file of at most `limit` bytes; `None` where there is none. Nothing of
    /// it is kept.
    pub(super) fn ask_for(&self, served: &str, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
        let path = || served.to_owned();
        let transport = self.transport.as_deref();
        let transport = transport.ok_or_else(|| FileError::Offline { path: path() })?;
        transport.get(served, limit).map_err(|error| match error {
            // A fault of the server's bytes, not of the network: no copy may stand in for them.
            TransportError::TooLarge { limit, .. } => FileError::TooLong {
                path: path(),
                limit,
            },
            error => FileError::Transport(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::Silent;
    use crate::registry::transport::{self, Limits};

    /// A registry folder with one file, and a place for copies.
    struct Place {
        served: tempfile::TempDir,
        copies: tempfile::TempDir,
    }

    impl Place {
        fn new(path: &str, bytes: &[u8]) -> Self {
            let served = tempfile::tempdir().unwrap();
            let file = served.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
            let copies = tempfile::tempdir().unwrap();
            Self { served, copies }
        }

        fn online(&self) -> Files<'static> {
            let url = transport::BaseUrl::from_folder(self.served.path()).unwrap();
            let transport = transport::open(&url, Limits::default(), &Silent).unwrap();
            Files::new(self.copies.path().to_owned(), Some(transport))
        }

        fn offline(&self) -> Files<'static> {
            Files::new(self.copies.path().to_owned(), None)
        }
    }

    const PACK: &str = "catalog/pack";

    #[test]
    fn what_was_fetched_is_there_without_the_registry() {
        let place = Place::new(PACK, b"bytes");
        let expected = FileDigest::of(b"bytes");
        let missing = place.offline().named_by_digest(PACK, &expected);
        assert!(matches!(missing, Err(FileError::Offline { .. })));
        place.online().named_by_digest(PACK, &expected).unwrap();
        let kept = place.offline().named_by_digest(PACK, &expected).unwrap();
        assert_eq!(kept, b"bytes");
    }

    #[test]
    fn a_damaged_copy_is_fetched_anew() {
        let place = Place::new(PACK, b"bytes");
        let files = place.online();
        files.keep(PACK, b"other").unwrap();
        let expected = FileDigest::of(b"bytes");
        assert_eq!(files.named_by_digest(PACK, &expected).unwrap(), b"bytes");
        assert_eq!(files.kept(PACK).unwrap().unwrap(), b"bytes");
    }

    #[test]
    fn wrong_bytes_are_refused_and_not_kept() {
        let place = Place::new(PACK, b"other");
        let read = place
            .online()
            .named_by_digest(PACK, &FileDigest::of(b"bytes"));
        assert!(matches!(read, Err(FileError::Mismatch { .. })));
        assert_eq!(place.offline().kept(PACK).unwrap(), None);
    }

    #[test]
    fn more_bytes_than_signed_are_no_fault_of_the_network() {
        let place = Place::new(PACK, b"bytes and more");
        let read = place
            .online()
            .named_by_digest(PACK, &FileDigest::of(b"bytes"));
        let error = crate::registry::error::ClientError::from(read.unwrap_err());
        assert!(!error.is_network_fault());
        assert!(matches!(
            error,
            crate::registry::error::ClientError::File(FileError::TooLong { limit: 5, .. })
        ));
    }

    #[test]
    fn clears_all_and_only_what_is_its_own() {
        let place = Place::new(PACK, b"bytes");
        let files = Files::new(place.copies.path().join("one"), None);
        files.keep("tuf/root.json", b"{}").unwrap();
        place.offline().keep("other/root.json", b"{}").unwrap();
        files.clear().unwrap();
        files.clear().unwrap();
        assert_eq!(files.kept("tuf/root.json").unwrap(), None);
        assert!(place.offline().kept("other/root.json").unwrap().is_some());
    }
}
