//! Where the files of a dataset lie: a folder, from which they are mapped, or memory, where nothing may
//! be written. A file has a name of its own, is written once, and never changes.
//!
//! Tantivy writes here, too. What it would replace in place (its list of segments) is kept aside, and
//! goes with the rest into the manifest: so text and triples become a new dataset at one moment.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, RamDirectory,
    TerminatingWrite as _, WatchCallback, WatchHandle, WritePtr,
};

use super::DatasetError;
use crate::disk::{self, Durability, failed};

/// The files of a dataset.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    files: Box<dyn Directory>,
    /// None for memory.
    folder: Option<PathBuf>,
    /// What is written anew each time, by its name.
    aside: Arc<Mutex<HashMap<PathBuf, Vec<u8>>>>,
}

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Stamp {
    /// Its bytes.
    pub(super) length: u64,
    /// When it was written, in nanoseconds since 1970; 0 in memory.
    pub(super) modified: u64,
}

/// The name of the manifest.
const MANIFEST: &str = "dataset.json";

/// The name of the lock of those who write.
pub(super) const LOCK: &str = "dataset.lock";

/// The most bytes of a manifest that are read.
const MAX_MANIFEST: u64 = 4 << 20;

impl Shelf {
    /// A folder, which is made if there is none.
    pub(super) fn folder(path: &Path) -> Result<Self, DatasetError> {
        disk::create_folder(path)?;
        let files = MmapDirectory::open(path)
            .map_err(|error| failed("open", path)(io::Error::other(error)))?;
        Ok(Self::new(files, Some(path.to_owned())))
    }

    /// Memory, which is gone with the process.
    pub(super) fn memory() -> Self {
        Self::new(RamDirectory::create(), None)
    }

    fn new(files: impl Directory, folder: Option<PathBuf>) -> Self {
        Self {
            files: Box::new(files),
            folder,
            aside: Arc::default(),
        }
    }

    /// Reads the manifest.
    pub(super) fn manifest(&self) -> Result<Option<Vec<u8>>, DatasetError> {
        match &self.folder {
            Some(folder) => Ok(disk::read_if_there(&folder.join(MANIFEST), MAX_MANIFEST)?),
            None => Ok(self.aside().get(Path::new(MANIFEST)).cloned()),
        }
    }

    /// Replaces the manifest: from now on, this is the dataset.
    pub(super) fn publish(&self, manifest: &[u8]) -> Result<(), DatasetError> {
        match &self.folder {
            Some(folder) => disk::replace(&folder.join(MANIFEST), manifest, Durability::Synced)?,
            None => drop(self.aside().insert(MANIFEST.into(), manifest.to_vec())),
        }
        Ok(())
    }

    /// Removes the manifest: there is no dataset any more.
    pub(super) fn forget_manifest(&self) -> Result<(), DatasetError> {
        match &self.folder {
            Some(folder) => disk::remove(&folder.join(MANIFEST))?,
            None => drop(self.aside().remove(Path::new(MANIFEST))),
        }
        Ok(())
    }

    /// The bytes of a file, mapped; `None` if it is not there.
    pub(super) fn bytes(&self, name: &str) -> Result<Option<OwnedBytes>, DatasetError> {
        let read = self.files.open_read(Path::new(name));
        let bytes = read.map(|file| file.read_bytes());
        match bytes {
            Ok(bytes) => Ok(Some(
                bytes.map_err(|error| self.failed("read", name, error))?,
            )),
            Err(OpenReadError::FileDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed("read", name, io::Error::other(error))),
        }
    }

    /// Writes a file and brings it to the disk.
    pub(super) fn write<E: From<DatasetError>>(
        &self,
        name: &str,
        content: impl FnOnce(&mut WritePtr) -> Result<(), E>,
    ) -> Result<(), E> {
        let opened = self.open_write(Path::new(name)).map_err(io::Error::other);
        let mut file = opened.map_err(|error| self.failed("write", name, error))?;
        content(&mut file)?;
        let ended = file.flush().and_then(|()| file.terminate());
        Ok(ended.map_err(|error| self.failed("write", name, error))?)
    }

    /// What a file looks like; `None` if it is not there.
    pub(super) fn stamp(&self, name: &str) -> Result<Option<Stamp>, DatasetError> {
        if let Some(folder) = &self.folder {
            let stamp = disk::stamp_if_there(&folder.join(name))?;
            return Ok(stamp.map(|(length, modified)| Stamp { length, modified }));
        }
        let bytes = self.bytes(name)?;
        Ok(bytes.map(|bytes| Stamp {
            length: bytes.len() as u64,
            modified: 0,
        }))
    }

    /// Removes what is neither kept nor the manifest: what former datasets had, and what was begun and
    /// never became one.
    pub(super) fn sweep(&self, kept: &BTreeSet<&str>) -> Result<(), DatasetError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        for entry in disk::entries_if_there(folder)? {
            let name = entry.file_name();
            let is_kept = name
                .to_str()
                .is_some_and(|name| kept.contains(name) || [MANIFEST, LOCK].contains(&name));
            if !is_kept {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Keeps a file aside, as if it had been written.
    pub(super) fn keep_aside(&self, name: &str, content: &[u8]) {
        self.aside().insert(name.into(), content.to_vec());
    }

    fn aside(&self) -> MutexGuard<'_, HashMap<PathBuf, Vec<u8>>> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, action: &'static str, name: &str, error: io::Error) -> DatasetError {
        failed(action, &self.path(Path::new(name)))(error).into()
    }

    fn path(&self, name: &Path) -> PathBuf {
        let folder = self.folder.as_deref().unwrap_or(Path::new("memory"));
        folder.join(name)
    }
}

impl Directory for Shelf {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    /// Nothing is deleted before the new dataset is there; then [`Shelf::sweep`] does.
    fn delete(&self, _path: &Path) -> Result<(), DeleteError> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.aside().contains_key(path) || self.files.exists(path)?)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        disk::step("write", &self.path(path));
        self.files.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let kept = self.aside().get(path).cloned();
        kept.ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.aside().insert(path.to_owned(), data.to_vec());
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.files.sync_directory()
    }

    /// Who writes has a lock of ours.
    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
