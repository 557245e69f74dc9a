//! What several processes remember of one registry: what one has learnt, no other takes back. One lock
//! for each registry, held from a comparison to a write and never over the network.
//!
//! Where nothing may be written, as in many a container, reading goes on; that nothing is remembered,
//! and so nothing guarded, is said. It never decides what is trusted.

use std::fs::File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::files::{FileError, Files};
use crate::disk::{self, Failure};
use crate::model::{Event, EventSink, RegistryName};
use crate::trust::tuf::Change;

/// The folder of the kept metadata; `root.json` in it is the trusted root.
pub(super) const METADATA: &str = "tuf";
/// The kept snapshot: what it lists is what the other copies should be.
const SNAPSHOT: &str = "tuf/snapshot.json";

/// That nothing may be written, once that is known.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    cause: OnceLock<Failure>,
    is_told: AtomicBool,
}

impl Files<'_> {
    /// Carries out changes of the kept metadata, unless another process has kept something as new in
    /// place of `read`, from which they were made.
    pub(super) fn change(&self, changes: &[Change], read: Option<&[u8]>) -> Result<(), FileError> {
        // What is removed makes room for what is written after it.
        let Some(Change::Write { name, bytes }) = changes.last() else {
            return Ok(());
        };
        let is_newer = |kept: &[u8]| Some(kept) != read && version(kept) >= version(bytes);
        let Some(_lock) = self.lock()? else {
            return Ok(());
        };
        if self.is_kept(&metadata(name), is_newer)? {
            return Ok(());
        }
        for change in changes {
            match change {
                Change::Write { name, bytes } => self.put(&metadata(name), bytes)?,
                Change::Remove { name } => self.forget(&metadata(name))?,
            }
        }
        Ok(())
    }

    /// Keeps what is made of a file that is kept already, if there is one, and of nothing else; nothing
    /// is written where nothing is made.
    pub(super) fn amend(
        &self,
        path: &str,
        amended: impl FnOnce(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<(), FileError> {
        let Some(_lock) = self.lock()? else {
            return Ok(());
        };
        match amended(self.kept(path)?.as_deref()) {
            Some(bytes) => self.put(path, &bytes),
            None => Ok(()),
        }
    }

    /// Keeps a file that the snapshot lists, unless there is one that may be of a newer snapshot.
    pub(super) fn keep_listed(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let Some(_lock) = self.lock()? else {
            return Ok(());
        };
        match self.is_behind()? && self.is_kept(path, |_| true)? {
            true => Ok(()),
            false => self.put(path, bytes),
        }
    }

    /// Removes the copies in a folder that `is_wanted` does not name. Whoever knows a newer snapshot
    /// knows better what is wanted.
    pub(super) fn prune(
        &self,
        folder: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(), FileError> {
        let Some(_lock) = self.lock()? else {
            return Ok(());
        };
        if self.is_behind()? {
            return Ok(());
        }
        for entry in disk::entries_if_there(&self.folder().join(folder))? {
            if !is_wanted(&entry.file_name().to_string_lossy()) {
                // Best effort: what stays costs only room.
                let _ = disk::remove(&entry.path());
            }
        }
        Ok(())
    }

    /// Says, once, that nothing can be kept, if that is so.
    pub(super) fn tell_refusal(&self, registry: &RegistryName, events: &dyn EventSink) {
        let Some(Failure { path, source, .. }) = self.refusal.cause.get() else {
            return;
        };
        if self.refusal.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = format!(
            "nothing can be kept in `{}` ({source}): what is learnt of `{registry}` now is forgotten, \
             so that the next command does not notice if the registry goes back to an older state",
            path.parent().unwrap_or(path).display()
        );
        events.event(Event::Warning(text));
    }

    /// Waits for other processes that write here, and keeps them away until dropped. None where nothing
    /// may be written.
    pub fn lock(&self) -> Result<Option<File>, FileError> {
        match disk::lock(&self.lock_file()) {
            Err(failure) if disk::is_read_only(&failure.source) => {
                // The first one is told.
                let _ = self.refusal.cause.set(failure);
                Ok(None)
            }
            lock => Ok(Some(lock?)),
        }
    }

    fn is_kept(&self, path: &str, is_it: impl FnOnce(&[u8]) -> bool) -> Result<bool, FileError> {
        Ok(self.kept(path)?.is_some_and(|kept| is_it(&kept)))
    }

    /// Says by which snapshot files are looked up from now on.
    pub(super) fn look_up_by(&self, snapshot: Option<u64>) {
        self.snapshot
            .store(snapshot.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Whether another process works with a newer snapshot than this one.
    pub(super) fn is_behind(&self) -> Result<bool, FileError> {
        let own = self.snapshot.load(Ordering::Relaxed);
        self.is_kept(SNAPSHOT, |kept| version(kept) > Some(own))
    }
}

fn metadata(name: &str) -> String {
    format!("{METADATA}/{name}")
}

/// The version that a metadata file gives itself; none, if it is damaged.
fn version(bytes: &[u8]) -> Option<u64> {
    let file: Value = serde_json::from_slice(bytes).ok()?;
    file["signed"]["version"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMESTAMP: &str = "timestamp.json";

    /// Two processes that know one registry.
    fn two() -> (tempfile::TempDir, [Files<'static>; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let files = || Files::new(folder.path().to_owned(), None);
        let both = [files(), files()];
        (folder, both)
    }

    fn of_version(version: u64, text: &str) -> Vec<u8> {
        format!(r#"{{"signed":{{"version":{version},"text":"{text}"}}}}"#).into_bytes()
    }

    fn write(version: u64, text: &str) -> [Change; 1] {
        [Change::Write {
            name: TIMESTAMP.into(),
            bytes: of_version(version, text),
        }]
    }

    #[test]
    fn newer_metadata_of_another_process_stays() {
        let (_folder, [slow, fast]) = two();
        let kept = || slow.kept(&metadata(TIMESTAMP)).unwrap().unwrap();
        slow.change(&write(1, ""), None).unwrap();
        let read = kept();
        fast.change(&write(3, ""), Some(&read)).unwrap();
        slow.change(&write(2, ""), Some(&read)).unwrap();
        assert_eq!(kept(), of_version(3, ""));
        slow.change(&write(3, "another"), Some(&read)).unwrap();
        assert_eq!(kept(), of_version(3, ""));
        slow.change(&write(4, ""), Some(&read)).unwrap();
        assert_eq!(kept(), of_version(4, ""));
    }

    #[test]
    fn what_was_read_and_refused_is_replaced_whatever_its_version_is() {
        let (_folder, [files, _]) = two();
        for refused in [of_version(1000, "by a thief"), b"no metadata".to_vec()] {
            files.keep(&metadata(TIMESTAMP), &refused).unwrap();
            files.change(&write(2, ""), Some(&refused)).unwrap();
            let kept = files.kept(&metadata(TIMESTAMP)).unwrap();
            assert_eq!(kept, Some(of_version(2, "")));
        }
    }

    #[test]
    fn what_a_new_root_forgets_is_forgotten_once() {
        let (_folder, [slow, fast]) = two();
        let root = |version| Change::Write {
            name: "root.json".into(),
            bytes: of_version(version, ""),
        };
        let rotation = [
            Change::Remove {
                name: TIMESTAMP.into(),
            },
            root(2),
        ];
        fast.change(&write(1000, "by a thief"), None).unwrap();
        fast.change(&rotation, None).unwrap();
        assert_eq!(fast.kept(&metadata(TIMESTAMP)).unwrap(), None);
        fast.change(&write(5, ""), None).unwrap();
        slow.change(&rotation, None).unwrap();
        let kept = slow.kept(&metadata(TIMESTAMP)).unwrap();
        assert_eq!(kept, Some(of_version(5, "")));
    }

    #[test]
    fn files_of_a_newer_snapshot_stay() {
        let (_folder, [slow, fast]) = two();
        slow.look_up_by(Some(1));
        fast.look_up_by(Some(2));
        slow.keep(SNAPSHOT, &of_version(1, "")).unwrap();
        slow.keep_listed("catalog/index.json", b"one").unwrap();
        fast.keep(SNAPSHOT, &of_version(2, "")).unwrap();
        fast.keep_listed("catalog/index.json", b"two").unwrap();
        slow.keep_listed("catalog/index.json", b"one").unwrap();
        slow.prune("catalog", |_| false).unwrap();
        let kept = slow.kept("catalog/index.json").unwrap();
        assert_eq!(kept.as_deref(), Some(&b"two"[..]));
        // Where nothing is, there is nothing to lose.
        slow.keep_listed("policy.json", b"one").unwrap();
        assert!(fast.kept("policy.json").unwrap().is_some());
        fast.prune("catalog", |_| false).unwrap();
        assert_eq!(slow.kept("catalog/index.json").unwrap(), None);
    }

    #[test]
    fn a_write_that_was_cut_off_leaves_nothing_behind_the_next_one() {
        let (folder, [files, _]) = two();
        std::fs::write(folder.path().join(".draft"), "a half").unwrap();
        files.keep("policy.json", b"whole").unwrap();
        assert_eq!(
            files.kept("policy.json").unwrap().as_deref(),
            Some(&b"whole"[..])
        );
        let names = disk::entries(folder.path()).unwrap().into_iter();
        let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "policy.json"]);
    }
}
