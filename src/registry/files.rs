//! A registry's files on this machine: fetched by digest, kept under their plain names, and checked
//! on every read. With the server gone or `--offline`, what was fetched before is still there.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::ClientError;
use super::keeping::Refusal;
use super::mirrors::Mirrors;
use super::transport::{BaseUrl, TransportError};
use crate::disk::{self, Durability, Failure, Part};
use crate::formats::layout;
use crate::formats::policy::{self, Policy};
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
    mirrors: Option<Mirrors<'a>>,
    reach: Mutex<Reach>,
    /// The version of the snapshot by which files are looked up; 0 until it is known.
    pub(super) snapshot: AtomicU64,
    pub(super) refusal: Refusal,
}

/// Whether the registry is asked for what the copy does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It is.
    Online,
    /// Not yet: the copy is recent, and may do.
    Resting,
    /// Not any more: it does not answer.
    Silent,
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
    /// Keeps copies below `folder`; without a place to ask, only those are read.
    #[must_use]
    pub fn new(folder: PathBuf, mirrors: Option<Mirrors<'a>>) -> Self {
        Self {
            folder,
            mirrors,
            reach: Mutex::new(Reach::Online),
            snapshot: AtomicU64::default(),
            refusal: Refusal::default(),
        }
    }

    /// Whether the registry may be asked.
    pub(super) fn is_online(&self) -> bool {
        self.mirrors().is_some()
    }

    /// Where the registry may be asked.
    pub(super) fn mirrors(&self) -> Option<&Mirrors<'a>> {
        let is_asked = *self.reach() == Reach::Online;
        self.mirrors.as_ref().filter(|_| is_asked)
    }

    /// Whether the registry is not asked, and could be.
    pub(super) fn is_resting(&self) -> bool {
        *self.reach() == Reach::Resting
    }

    /// Adds the mirrors that the registry named when its policy was last verified: its own address
    /// may be gone since.
    pub(super) fn add_mirrors_of_copy(&mut self) -> Result<(), FileError> {
        let kept = self.kept(layout::POLICY)?;
        if let Some(Ok(policy)) = kept.map(|kept| policy::decode(&kept)) {
            self.add_mirrors(&policy);
        }
        Ok(())
    }

    /// Adds the mirrors that a registry names itself. They are on the net: a registry may not send
    /// its users to files and servers of their own machines, unless it is there, too.
    pub(super) fn add_mirrors(&mut self, policy: &Policy) {
        let Some(mirrors) = &mut self.mirrors else {
            return;
        };
        let is_local = !mirrors.base().is_https();
        let urls = policy.mirrors.iter().filter_map(|url| url.parse().ok());
        let urls =
            urls.filter(|url: &BaseUrl| url.is_https() || (is_local && url.is_loopback_http()));
        let urls: Vec<BaseUrl> = urls.collect();
        mirrors.add(&urls);
    }

    /// From now on only the copy is read: the registry does not answer.
    pub(super) fn go_offline(&self) {
        *self.reach() = Reach::Silent;
    }

    /// From now on only the copy is read, until [`Files::wake`].
    pub(super) fn rest(&self) {
        *self.reach() = Reach::Resting;
    }

    /// From now on the registry is asked.
    pub(super) fn wake(&self) {
        *self.reach() = Reach::Online;
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the file that signed metadata lists: from the copy if that is it, else from the
    /// registry, where it stands under its hash-prefixed name.
    pub fn target(&self, file: &Verified<TargetFile>) -> Result<Verified<Target>, ClientError> {
        if let Some(target) = self
            .kept(file.path())?
            .and_then(|bytes| file.verify(bytes).ok())
        {
            return Ok(target);
        }
        let limit = file.length().min(MAX_FILE);
        let target = self.ask(file.location(), limit, |_, bytes| {
            Ok(file.verify(bytes).map_err(FileError::from)?)
        })?;
        self.keep_listed(file.path(), &target.bytes)?;
        Ok(target)
    }

    /// Returns a file that a verified record names by its digest (documents).
    pub fn document(&self, path: &str, expected: &FileDigest) -> Result<Vec<u8>, ClientError> {
        let served = layout::hashed(path, &expected.sha256);
        let limit = expected.length.min(MAX_FILE);
        self.get(path, expected, || {
            self.ask(&served, limit, |_, bytes| {
                require(&served, expected, &bytes)?;
                Ok(bytes)
            })
        })
    }

    /// Returns a file whose own name on the registry holds its digest (packs). It may be long: what has come of
    /// it when it is cut off stays, and is gone on with.
    pub fn named_by_digest(
        &self,
        path: &str,
        expected: &FileDigest,
    ) -> Result<Vec<u8>, ClientError> {
        let limit = expected.length.min(MAX_FILE);
        self.get(path, expected, || {
            let mirrors = self.asked(path)?;
            let mut part = Part::at(&self.folder.join(part_of(path)), limit);
            let judge = |bytes: &[u8]| require(path, expected, bytes);
            // The whole may have come, and its process have ended before it was kept.
            if judge(part.bytes()).is_err() {
                mirrors.rest(path, limit, &mut part, judge)?;
            }
            Ok(part.into_whole())
        })
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

    fn get(
        &self,
        path: &str,
        expected: &FileDigest,
        fetch: impl FnOnce() -> Result<Vec<u8>, ClientError>,
    ) -> Result<Vec<u8>, ClientError> {
        let is_expected = |bytes: &Vec<u8>| FileDigest::of(bytes) == *expected;
        if let Some(bytes) = self.kept(path)?.filter(is_expected) {
            return Ok(bytes);
        }
        let bytes = fetch()?;
        self.keep_listed(path, &bytes)?;
        Ok(bytes)
    }

    /// Asks the registry and its mirrors for a file of at most `limit` bytes that must be there, until
    /// `judge` lets one through.
    pub(super) fn ask<T>(
        &self,
        served: &str,
        limit: u64,
        mut judge: impl FnMut(&BaseUrl, Vec<u8>) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.asked(served)?
            .first(served, limit, |url, bytes| match bytes {
                Some(bytes) => judge(url, bytes),
                None => Err(FileError::Missing {
                    path: served.to_owned(),
                }
                .into()),
            })
    }

    /// Where a file that is not here is asked for.
    pub(super) fn asked(&self, path: &str) -> Result<&Mirrors<'a>, FileError> {
        let path = || path.to_owned();
        self.mirrors()
            .ok_or_else(|| FileError::Offline { path: path() })
    }
}

/// Where what has come of a file lies, beside the file.
pub(super) fn part_of(path: &str) -> String {
    format!("{path}.part")
}

/// Lets only the expected bytes through.
fn require(path: &str, expected: &FileDigest, bytes: &[u8]) -> Result<(), FileError> {
    let actual = FileDigest::of(bytes);
    match actual == *expected {
        true => Ok(()),
        false => Err(FileError::Mismatch {
            path: path.to_owned(),
            expected: *expected,
            actual,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::Silent;
    use crate::registry::transport::Network;

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
            let url = BaseUrl::from_folder(self.served.path()).unwrap();
            let mirrors = Mirrors::open(&url, Network::default(), None, &Silent);
            Files::new(self.copies.path().to_owned(), Some(mirrors))
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
        assert!(matches!(
            missing,
            Err(ClientError::File(FileError::Offline { .. }))
        ));
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
        assert!(matches!(
            read,
            Err(ClientError::File(FileError::Mismatch { .. }))
        ));
        assert_eq!(place.offline().kept(PACK).unwrap(), None);
    }

    #[test]
    fn more_bytes_than_signed_are_no_fault_of_the_network() {
        let place = Place::new(PACK, b"bytes and more");
        let read = place
            .online()
            .named_by_digest(PACK, &FileDigest::of(b"bytes"));
        let error = read.unwrap_err();
        assert!(!error.is_network_fault());
        assert!(matches!(
            error,
            ClientError::File(FileError::TooLong { limit: 5, .. })
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
