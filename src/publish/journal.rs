//! The journal: a change of a registry folder happens whole or not at all.
//!
//! Every file of a change is first written to `.journal/` and synced; then a plan that names them
//! in their order is written, synced and renamed into place; only then are the files renamed to
//! where they belong. Without a plan nothing has happened, and what lies there is swept away; with a
//! plan the next command finishes the renames. It never decides what a change consists of.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::disk::{self, Failure, failed, sync_folder};
use crate::formats::layout;
use crate::model::Sha256Digest;

const FOLDER: &str = ".journal";
const PLAN: &str = "plan.json";
const LOCK: &str = "lock";
/// How many files are being written at a time.
const WRITERS: usize = 16;

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
    /// A new root, from which on other keys may count.
    pub root: Option<NewFile>,
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
    #[error(transparent)]
    Disk(#[from] Failure),
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
    /// A folder or file of the registry is a link, or nothing that holds bytes.
    #[error("`{}` is a link, or neither a file nor a folder", .0.display())]
    Link(PathBuf),
    /// A name that stands for the same bytes for good stands for others already: the folder was published
    /// further than its timestamp says.
    #[error("`{}` is there already with other bytes: the registry was published further than this state of it", .0.display())]
    Taken(PathBuf),
    /// A file whose name is the hash of its bytes has others: nobody can have written it so.
    #[error("`{}` is damaged: its bytes are not those that its name says", .0.display())]
    Damaged(PathBuf),
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
        refuse_link(&folder)?;
        disk::create_folder(&folder)?;
        let path = folder.join(LOCK);
        refuse_link(&path)?;
        let journal = Self {
            root: root.to_owned(),
            _lock: disk::lock(&path)?,
        };
        journal.recover()?;
        Ok(journal)
    }

    /// Waits until no change of the registry folder at `root` is under way, and keeps others from
    /// beginning one until the result is dropped. It writes nothing: a folder that nobody has ever
    /// changed here has no lock, and needs none.
    pub fn wait(root: &Path) -> Result<Option<File>, JournalError> {
        let path = root.join(FOLDER).join(LOCK);
        refuse_link(&path)?;
        match File::open(&path) {
            Ok(lock) => {
                lock.lock_shared().map_err(failed("lock", &path))?;
                Ok(Some(lock))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", &path)(error))?,
        }
    }

    /// Says whether a cut-off change waits to be finished, without touching anything.
    #[must_use]
    pub fn has_pending_change(root: &Path) -> bool {
        root.join(FOLDER).join(PLAN).exists()
    }

    /// Writes a change, whole or not at all. The lock is held until the journal is dropped.
    ///
    /// # Errors
    ///
    /// [`JournalError::Unfinished`] if the change is planned: [`Journal::open`] then finishes it. With
    /// any other error nothing has changed.
    pub fn commit(&self, change: Change) -> Result<(), JournalError> {
        let for_good = change.immutable.iter().chain(&change.metadata);
        self.refuse_taken(for_good.chain(&change.root))?;
        let order = change.immutable.into_iter().chain(change.plain);
        let order = order.chain(change.metadata).chain(change.root);
        let order = order.chain(change.timestamp);
        let files: Vec<NewFile> = order.collect();
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let plan = Plan { paths };
        self.refuse_links(&plan)?;
        let planned = self.stage(&files).and_then(|()| self.write_plan(&plan));
        match planned {
            Ok(()) => self.finish(&plan),
            Err(error) if self.may_have_plan() => Err(JournalError::Unfinished(Box::new(error))),
            Err(error) => {
                // Best effort: the next command sweeps again, and the first error is the one to tell.
                let _ = self.sweep();
                Err(error)
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn plan(&self) -> PathBuf {
        self.folder().join(PLAN)
    }

    /// What a plan names is not swept; nor is it where the disk does not say.
    fn may_have_plan(&self) -> bool {
        !matches!(self.plan().try_exists(), Ok(false))
    }

    fn staged(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.new"))
    }

    fn stage(&self, files: &[NewFile]) -> Result<(), JournalError> {
        let write = || {
            let files = files.par_iter().enumerate();
            files.try_for_each(|(number, file)| disk::write(&self.staged(number), &file.bytes))
        };
        // The threads wait for the disk, not for the processor; a file system that hears of many
        // files at once brings them out together.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(WRITERS).build();
        match pool {
            Ok(pool) => pool.install(write)?,
            // No more threads to be had: those that there are do it as well.
            Err(_) => write()?,
        }
        Ok(())
    }

    /// Puts a plan in its place, after the names of the files that it counts on.
    fn write_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        sync_folder(&self.folder())?;
        let bytes = serde_json::to_vec(plan).expect("a list of texts has a form in JSON");
        let draft = self.folder().join("plan.new");
        disk::write(&draft, &bytes)?;
        let plan = self.plan();
        Ok(disk::rename(&draft, &plan)?)
    }

    /// Finishes a planned change, if there is one, and sweeps.
    fn recover(&self) -> Result<(), JournalError> {
        if let Some(plan) = self.read_plan()? {
            (0..plan.paths.len()).try_for_each(|number| refuse_link(&self.staged(number)))?;
            self.refuse_links(&plan)?;
            self.finish(&plan)?;
        }
        self.sweep()
    }

    fn read_plan(&self) -> Result<Option<Plan>, JournalError> {
        let path = self.plan();
        let Some(bytes) = disk::read_if_there(&path, disk::LIMIT)? else {
            return Ok(None);
        };
        let plan: Plan = match serde_json::from_slice(&bytes) {
            Ok(plan) => plan,
            Err(source) => return Err(JournalError::Plan { path, source }),
        };
        match plan.paths.iter().find(|path| !is_below(path)) {
            Some(outside) => Err(JournalError::Outside {
                path,
                found: outside.clone(),
            }),
            None => Ok(Some(plan)),
        }
    }

    fn finish(&self, plan: &Plan) -> Result<(), JournalError> {
        self.carry_out(plan)
            .map_err(|cause| JournalError::Unfinished(Box::new(cause)))
    }

    /// Puts every file of a plan in its place, the commit point last, and then forgets the plan.
    fn carry_out(&self, plan: &Plan) -> Result<(), JournalError> {
        // The plan is on the disk before anything is done by it.
        sync_folder(&self.folder())?;
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

    /// Removes the plan for good: after a power cut it would take the next change's files for its own.
    fn forget_plan(&self) -> Result<(), JournalError> {
        disk::remove(&self.plan())?;
        Ok(sync_folder(&self.folder())?)
    }

    /// Makes the folders durable that lead to files, each once.
    fn sync_folders(&self, files: &[String]) -> Result<(), JournalError> {
        let folders = files
            .iter()
            .flat_map(|file| Path::new(file).ancestors().skip(1));
        let folders: BTreeSet<&Path> = folders.collect();
        let folders: Vec<&Path> = folders.into_iter().collect();
        let folders = folders.into_par_iter();
        Ok(folders.try_for_each(|folder| sync_folder(&self.root.join(folder)))?)
    }

    fn put_in_place(&self, number: usize, target: &str) -> Result<(), JournalError> {
        let target = self.root.join(target);
        let staged = self.staged(number);
        if let Some(parent) = target.parent() {
            disk::create_folder(parent)?;
        }
        match disk::rename(&staged, &target) {
            // Renamed before the cut.
            Err(failure) if failure.source.kind() == io::ErrorKind::NotFound && target.exists() => {
                Ok(())
            }
            renamed => Ok(renamed?),
        }
    }

    /// Makes sure that no folder on the way to a file is a link, which could lead out of the
    /// registry. The registry's own folder may be one: that is how the user calls it.
    fn refuse_links(&self, plan: &Plan) -> Result<(), JournalError> {
        let paths = plan.paths.iter().map(Path::new);
        let folders = paths.flat_map(|path| path.ancestors().skip(1));
        let folders: BTreeSet<&Path> = folders.filter(|path| *path != Path::new("")).collect();
        let mut folders = folders.into_iter();
        folders.try_for_each(|folder| refuse_link(&self.root.join(folder)))
    }

    /// Makes sure that no file which is never to change would: clients and caches have it.
    fn refuse_taken<'a>(
        &self,
        mut files: impl Iterator<Item = &'a NewFile>,
    ) -> Result<(), JournalError> {
        files.try_for_each(|file| {
            let path = self.root.join(&file.path);
            if !path.is_file() {
                return Ok(());
            }
            match disk::read_if_there(&path, disk::LIMIT)? {
                Some(bytes) if bytes != file.bytes => Err(match is_named_by_hash(file) {
                    true => JournalError::Damaged(path),
                    false => JournalError::Taken(path),
                }),
                _ => Ok(()),
            }
        })
    }

    /// Removes staged files that no plan names.
    fn sweep(&self) -> Result<(), JournalError> {
        for entry in disk::entries(&self.folder())? {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                disk::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// A registry folder may come from elsewhere, its journal with it: a plan reaches nothing outside,
/// and nothing hidden, as the hooks of the checkout's own `.git`.
fn is_below(path: &str) -> bool {
    let is_plain = |part| match part {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    };
    !path.is_empty() && Path::new(path).components().all(is_plain)
}

/// Whether the name of a file says which bytes it has, as [`layout::hashed`] gives it.
fn is_named_by_hash(file: &NewFile) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let digest = Sha256Digest::of(&file.bytes).to_string();
    name.starts_with(&digest)
}

/// Refuses what is there and is neither a file nor a folder itself.
pub(super) fn refuse_link(path: &Path) -> Result<(), JournalError> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() && !found.is_dir() => Err(JournalError::Link(path.into())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
