//! The journal: a change of a registry folder happens whole or not at all.
//!
//! Every file of a change is first written to `.journal/` and synced; then a plan that names them
//! in their order is written, synced and renamed into place; only then are the files renamed to
//! where they belong. Without a plan nothing has happened, and what lies there is swept away; with a
//! plan the next command finishes the renames. It never decides what a change consists of.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::formats::layout;
use crate::model::Sha256Digest;

const FOLDER: &str = ".journal";
const PLAN: &str = "plan.json";
const LOCK: &str = "lock";

/// A file of a change: where it goes, and its bytes.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The path below the registry's root, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The files of one change, in the order in which they become visible (DESIGN, section 3).
#[derive(Debug, Default)]
pub struct Change {
    /// Named by their hash or version; nothing refers to them yet.
    pub immutable: Vec<NewFile>,
    /// Documents under their plain names, for people and stock cargo.
    pub plain: Vec<NewFile>,
    /// Versioned TUF metadata.
    pub metadata: Vec<NewFile>,
    /// `timestamp.json`, the commit point.
    pub timestamp: Option<NewFile>,
}

impl NewFile {
    /// A file below the registry's root.
    #[must_use]
    pub fn new(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            bytes,
        }
    }
}

impl Change {
    /// Adds a file under its plain name and, for good, under its digest.
    pub fn add_hashed(&mut self, path: &str, bytes: Vec<u8>) {
        let hashed = layout::hashed(path, &Sha256Digest::of(&bytes));
        self.immutable.push(NewFile::new(hashed, bytes.clone()));
        self.plain.push(NewFile::new(path, bytes));
    }
}

/// Why a change could not be written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// As `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The plan that a cut-off change left is not readable.
    #[error("the journal `{}` is damaged", path.display())]
    Plan {
        /// The plan.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The plan names a path outside the registry.
    #[error("the journal `{}` names `{found}`, which is not a path below the registry", path.display())]
    Outside {
        /// The plan.
        path: PathBuf,
        /// What it names.
        found: String,
    },
    /// The change is planned and on the disk, but not all of it is in its place.
    #[error("the change could not be brought to its end")]
    Unfinished(#[source] Box<Self>),
}

/// The right to change a registry folder, held by one process at a time.
#[derive(Debug)]
pub struct Journal {
    root: PathBuf,
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Plan {
    /// Staged file number N goes to the path at place N.
    paths: Vec<String>,
}

impl Journal {
    /// Waits for the lock of the registry folder at `root` and finishes or sweeps away what a
    /// cut-off change left.
    pub fn open(root: &Path) -> Result<Self, JournalError> {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(io_error("create", &path))?;
        lock.lock().map_err(io_error("lock", &path))?;
        let journal = Self {
            root: root.to_owned(),
            _lock: lock,
        };
        journal.recover()?;
        Ok(journal)
    }

    /// Waits until no change of the registry folder at `root` is under way, and keeps others from
    /// beginning one until the result is dropped. It writes nothing: a folder that nobody has ever
    /// changed here has no lock, and needs none.
    pub fn wait(root: &Path) -> Result<Option<File>, JournalError> {
        let path = root.join(FOLDER).join(LOCK);
        match File::open(&path) {
            Ok(lock) => {
                lock.lock_shared().map_err(io_error("lock", &path))?;
                Ok(Some(lock))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("open", &path)(error)),
        }
    }

    /// Says whether a cut-off change waits to be finished, without touching anything.
    #[must_use]
    pub fn has_pending_change(root: &Path) -> bool {
        root.join(FOLDER).join(PLAN).exists()
    }

    /// Writes a change, whole or not at all.
    pub fn commit(&self, change: Change) -> Result<(), JournalError> {
        let order = change.immutable.into_iter().chain(change.plain);
        let order = order.chain(change.metadata).chain(change.timestamp);
        let files: Vec<NewFile> = order.collect();
        let staged = self.stage(&files).and_then(|()| self.write_plan(&files));
        if let Err(error) = staged {
            // Best effort: the next command sweeps again, and the first error is the one to tell.
            let _ = self.sweep();
            return Err(error);
        }
        self.recover()
    }

    fn folder(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn staged(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.new"))
    }

    fn stage(&self, files: &[NewFile]) -> Result<(), JournalError> {
        files
            .par_iter()
            .enumerate()
            .try_for_each(|(number, file)| write_synced(&self.staged(number), &file.bytes))
    }

    fn write_plan(&self, files: &[NewFile]) -> Result<(), JournalError> {
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let bytes = serde_json::to_vec(&Plan { paths }).unwrap_or_default();
        let draft = self.folder().join("plan.new");
        write_synced(&draft, &bytes)?;
        let plan = self.folder().join(PLAN);
        fs::rename(&draft, &plan).map_err(io_error("rename", &plan))?;
        sync_folder(&self.folder())
    }

    /// Finishes a planned change, if there is one, and sweeps.
    fn recover(&self) -> Result<(), JournalError> {
        let path = self.folder().join(PLAN);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.sweep(),
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|source| JournalError::Plan {
            path: path.clone(),
            source,
        })?;
        if let Some(outside) = plan.paths.iter().find(|path| !is_below(path)) {
            return Err(JournalError::Outside {
                path,
                found: outside.clone(),
            });
        }
        self.finish(&plan)
            .map_err(|cause| JournalError::Unfinished(Box::new(cause)))?;
        self.sweep()
    }

    /// Puts every file of a plan in its place, the commit point last, and then forgets the plan.
    fn finish(&self, plan: &Plan) -> Result<(), JournalError> {
        let Some((last, others)) = plan.paths.split_last() else {
            return self.forget_plan();
        };
        for (number, target) in others.iter().enumerate() {
            self.put_in_place(number, target)?;
        }
        // What the commit point refers to is on the disk before it.
        self.sync_folders(others)?;
        self.put_in_place(others.len(), last)?;
        self.sync_folders(std::slice::from_ref(last))?;
        self.forget_plan()
    }

    fn forget_plan(&self) -> Result<(), JournalError> {
        let path = self.folder().join(PLAN);
        fs::remove_file(&path).map_err(io_error("remove", &path))
    }

    /// Makes the folders durable that lead to files, each once.
    fn sync_folders(&self, files: &[String]) -> Result<(), JournalError> {
        let folders = files
            .iter()
            .flat_map(|file| Path::new(file).ancestors().skip(1));
        let folders: BTreeSet<&Path> = folders.collect();
        let folders: Vec<&Path> = folders.into_iter().collect();
        folders
            .into_par_iter()
            .try_for_each(|folder| sync_folder(&self.root.join(folder)))
    }

    fn put_in_place(&self, number: usize, target: &str) -> Result<(), JournalError> {
        let target = self.root.join(target);
        let staged = self.staged(number);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(io_error("create", parent))?;
        }
        match fs::rename(&staged, &target) {
            Ok(()) => Ok(()),
            // Renamed before the cut.
            Err(error) if error.kind() == io::ErrorKind::NotFound && target.exists() => Ok(()),
            Err(error) => Err(io_error("rename", &target)(error)),
        }
    }

    /// Removes staged files that no plan names.
    fn sweep(&self) -> Result<(), JournalError> {
        let folder = self.folder();
        for entry in fs::read_dir(&folder).map_err(io_error("read", &folder))? {
            let path = entry.map_err(io_error("read", &folder))?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(&path).map_err(io_error("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// A registry folder may come from elsewhere, its journal with it: a plan reaches nothing outside.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let write = || -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_data()
    };
    write().map_err(io_error("write", path))
}

/// Makes renames in a folder durable; only Unix lets a folder be opened for that.
fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    if cfg!(unix) {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(io_error("sync", folder))?;
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(files: &[(&str, &str)]) -> Change {
        let file = |(path, text): &(&str, &str)| NewFile {
            path: (*path).into(),
            bytes: text.as_bytes().into(),
        };
        Change {
            immutable: files.iter().map(file).collect(),
            timestamp: Some(file(&("tuf/timestamp.json", "t"))),
            ..Change::default()
        }
    }

    fn read(root: &Path, path: &str) -> Option<String> {
        fs::read_to_string(root.join(path)).ok()
    }

    #[test]
    fn writes_every_file_of_a_change_and_leaves_nothing_staged() {
        let root = tempfile::tempdir().unwrap();
        Journal::open(root.path())
            .unwrap()
            .commit(change(&[("se/rd/serde", "line")]))
            .unwrap();
        assert_eq!(read(root.path(), "se/rd/serde").as_deref(), Some("line"));
        assert_eq!(
            read(root.path(), "tuf/timestamp.json").as_deref(),
            Some("t")
        );
        let left: Vec<_> = fs::read_dir(root.path().join(FOLDER)).unwrap().collect();
        assert_eq!(left.len(), 1, "only the lock: {left:?}");
    }

    #[test]
    fn sweeps_what_was_staged_without_a_plan() {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        journal.stage(&change(&[("a", "1")]).immutable).unwrap();
        drop(journal);
        Journal::open(root.path()).unwrap();
        assert_eq!(read(root.path(), "a"), None);
        assert!(!root.path().join(FOLDER).join("0.new").exists());
    }

    #[test]
    fn finishes_a_planned_change_from_every_point_of_the_cut() {
        for cut in 0..=3 {
            let root = tempfile::tempdir().unwrap();
            let journal = Journal::open(root.path()).unwrap();
            let files = change(&[("a", "1"), ("b/c", "2"), ("d", "3")]).immutable;
            journal.stage(&files).unwrap();
            journal.write_plan(&files).unwrap();
            for (number, file) in files.iter().enumerate().take(cut) {
                journal.put_in_place(number, &file.path).unwrap();
            }
            drop(journal);
            assert!(Journal::has_pending_change(root.path()));
            Journal::open(root.path()).unwrap();
            let found = ["a", "b/c", "d"].map(|path| read(root.path(), path).unwrap());
            assert_eq!(found, ["1", "2", "3"], "cut after {cut}");
            assert!(!Journal::has_pending_change(root.path()));
        }
    }

    #[test]
    fn a_plan_that_leads_outside_is_refused() {
        for path in ["../a", "/etc/a", "a/../../b", ""] {
            let root = tempfile::tempdir().unwrap();
            let journal = Journal::open(root.path()).unwrap();
            let files = change(&[(path, "1")]).immutable;
            journal.stage(&files).unwrap();
            journal.write_plan(&files).unwrap();
            drop(journal);
            let error = Journal::open(root.path()).unwrap_err();
            assert!(
                matches!(error, JournalError::Outside { .. }),
                "{path}: {error}"
            );
        }
    }

    #[test]
    fn a_change_that_cannot_be_staged_leaves_the_folder_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        // A folder where the second staged file should go stands for a disk that refuses.
        fs::create_dir(root.path().join(FOLDER).join("1.new")).unwrap();
        assert!(journal.commit(change(&[("a", "1"), ("b", "2")])).is_err());
        assert_eq!(read(root.path(), "a"), None);
        assert_eq!(read(root.path(), "tuf/timestamp.json"), None);
    }
}
