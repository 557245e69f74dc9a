//! The local registry: a folder of verified archives and index lines in the form that stock cargo
//! reads as `local-registry`. One folder per registry id, at a path that never changes, since cargo
//! names its folder of unpacked packages by it.
//!
//! It only grows. An archive that is there is never replaced: cargo does not unpack a package
//! again whose folder it has, so two contents under one name could not be told apart. Nothing that
//! is not `Verified` gets in. Safe for many processes; the lock is held for writes only.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use semver::Version;

use crate::disk::{self, Durability, Failure, failed};
use crate::formats::v1;
use crate::model::{Document, Entry, PackageName, Yank};
use crate::trust::{Archive, ArchiveMismatch, Verified, verify_archive};

/// A folder in the form of cargo's local registries.
#[derive(Debug, Clone)]
pub struct LocalRegistry {
    folder: PathBuf,
}

/// Why the local registry could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LocalRegistryError {
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// The folder holds another release of the same name and version.
    #[error("`{}` holds another `{package}` {version} than the one verified now", path.display())]
    Conflict {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The file that has the other one.
        path: PathBuf,
    },
    /// An archive in the folder is not what was put there.
    #[error("`{}` was changed after it was verified", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// How.
        #[source]
        source: ArchiveMismatch,
    },
}

impl LocalRegistry {
    /// Opens the local registry in a folder and creates it if there is none.
    pub fn open(folder: &Path) -> Result<Self, LocalRegistryError> {
        let index = folder.join("index");
        disk::create_folder(&index)?;
        // Cargo is told this path, and must not take it as relative to a configuration file.
        let folder = fs::canonicalize(folder).map_err(failed("find", folder))?;
        Ok(Self { folder })
    }

    /// The folder, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lists a package's releases, whether their archives are there or not: cargo can then choose
    /// among all of them but those that are held back, which it takes for yanked. Lines of releases
    /// that the document does not have stay, and are no choice either.
    pub fn list(
        &self,
        document: &Verified<Document>,
        held_back: &BTreeSet<Version>,
    ) -> Result<(), LocalRegistryError> {
        let path = self
            .folder
            .join("index")
            .join(document.package.index_path());
        let document = without(document, held_back);
        let new = v1::encode(&document);
        if read(&path)?.is_some_and(|old| old == new) {
            return Ok(());
        }
        let _lock = self.lock()?;
        let merged = match read(&path)? {
            // A line that cannot be read was cut off; the verified ones take its place.
            Some(old) => merge(v1::decode(&document.package, &old).ok(), &document, &path)?,
            None => new,
        };
        Ok(self.write(&path, &merged, Durability::Rebuilt)?)
    }

    /// The archive of a release, if it is there.
    pub fn archive(
        &self,
        entry: &Verified<Entry>,
    ) -> Result<Option<Verified<Archive>>, LocalRegistryError> {
        let path = self.path(entry);
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        verify_archive(entry, bytes)
            .map(Some)
            .map_err(|source| LocalRegistryError::Changed { path, source })
    }

    /// Puts an archive in; does nothing if it is there already.
    pub fn put(&self, archive: &Verified<Archive>) -> Result<(), LocalRegistryError> {
        let path = self.path(&archive.entry);
        let _lock = self.lock()?;
        match read(&path)? {
            Some(bytes) if bytes == archive.bytes => Ok(()),
            Some(_) => Err(LocalRegistryError::Conflict {
                package: archive.entry.release.name.clone(),
                version: archive.entry.release.version.clone(),
                path,
            }),
            None => Ok(self.write(&path, &archive.bytes, Durability::Synced)?),
        }
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        let release = &entry.release;
        self.folder
            .join(format!("{}-{}.crate", release.name, release.version))
    }

    /// Writes a file, for who has the lock.
    fn write(&self, path: &Path, bytes: &[u8], durability: Durability) -> Result<(), Failure> {
        disk::replace_locked(path, bytes, &self.folder.join(".draft"), durability)
    }

    /// Waits for other processes that write here, and keeps them away until dropped.
    fn lock(&self) -> Result<File, Failure> {
        disk::lock(&self.folder.join(".lock"))
    }
}

/// The document with some releases out of choice.
fn without(document: &Document, held_back: &BTreeSet<Version>) -> Document {
    let mut document = document.clone();
    for entry in &mut document.entries {
        if held_back.contains(&entry.release.version) {
            entry.yanked = Some(Yank::default());
        }
    }
    document
}

/// The new lines, and after them the old ones of releases that the new document does not have. Those were
/// withdrawn, and are no choice any more; or another process knows more than we do, and lists them again
/// when it needs them.
fn merge(
    old: Option<Document>,
    new: &Document,
    path: &Path,
) -> Result<Vec<u8>, LocalRegistryError> {
    let mut merged = new.clone();
    for entry in old.into_iter().flat_map(|old| old.entries) {
        match new.entry(&entry.release.version) {
            None => merged.entries.push(Entry {
                yanked: Some(Yank::default()),
                ..entry
            }),
            Some(known) if known.release.checksum == entry.release.checksum => {}
            Some(_) => {
                return Err(LocalRegistryError::Conflict {
                    package: new.package.clone(),
                    version: entry.release.version,
                    path: path.into(),
                });
            }
        }
    }
    Ok(v1::encode(&merged))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    disk::read_if_there(path, disk::LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{document, entry};
    use crate::model::Sha256Digest;

    fn archive(bytes: &[u8]) -> (Verified<Entry>, Verified<Archive>) {
        let mut entry = entry("tide-table", "0.3.1+x");
        entry.release.checksum = Sha256Digest::of(bytes);
        entry.release.size = Some(bytes.len() as u64);
        let entry = Verified::for_tests(entry);
        let archive = verify_archive(&entry, bytes.to_vec()).unwrap();
        (entry, archive)
    }

    fn open() -> (tempfile::TempDir, LocalRegistry) {
        let folder = tempfile::tempdir().unwrap();
        let local = LocalRegistry::open(&folder.path().join("local")).unwrap();
        (folder, local)
    }

    fn listed(local: &LocalRegistry) -> Vec<String> {
        let path = local.folder().join("index/ti/de/tide-table");
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn never_replaces_an_archive() {
        let (_folder, local) = open();
        let (entry, first) = archive(b"one");
        assert_eq!(local.archive(&entry).unwrap(), None);
        local.put(&first).unwrap();
        local.put(&first).unwrap();
        assert_eq!(local.archive(&entry).unwrap(), Some(first));
        let (other, second) = archive(b"two");
        let error = local.put(&second).unwrap_err();
        assert!(matches!(error, LocalRegistryError::Conflict { .. }));
        assert!(matches!(
            local.archive(&other),
            Err(LocalRegistryError::Changed { .. })
        ));
        assert!(local.archive(&entry).unwrap().is_some());
    }

    #[test]
    fn lists_what_it_has_no_archive_of_and_what_is_gone_as_yanked() {
        let (_folder, local) = open();
        let list = |versions: &[&str]| {
            let entries = versions.iter().map(|v| entry("tide-table", v)).collect();
            local.list(
                &Verified::for_tests(document("tide-table", entries)),
                &BTreeSet::new(),
            )
        };
        list(&["0.3.0", "0.3.1"]).unwrap();
        list(&["0.3.0"]).unwrap();
        let lines = listed(&local);
        let yanked = [false, true].map(|is| format!("\"yanked\":{is}"));
        assert_eq!(lines.len(), 2);
        assert!(
            lines
                .iter()
                .zip(yanked)
                .all(|(line, is)| line.contains(&is)),
            "{lines:?}"
        );
        let mut yanked = entry("tide-table", "0.3.0");
        yanked.yanked = Some(Yank::default());
        let document = document("tide-table", vec![yanked]);
        local
            .list(&Verified::for_tests(document), &BTreeSet::new())
            .unwrap();
        let lines = listed(&local);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains(r#""yanked":true"#));
    }

    #[test]
    fn what_is_held_back_is_listed_as_yanked_until_it_is_not() {
        let (_folder, local) = open();
        let entries = ["0.3.0", "0.3.1"].map(|version| entry("tide-table", version));
        let document = Verified::for_tests(document("tide-table", entries.to_vec()));
        let yanked = || {
            listed(&local)
                .iter()
                .map(|line| line.contains(r#""yanked":true"#))
                .collect::<Vec<_>>()
        };
        local
            .list(&document, &BTreeSet::from(["0.3.1".parse().unwrap()]))
            .unwrap();
        assert_eq!(yanked(), [false, true]);
        local.list(&document, &BTreeSet::new()).unwrap();
        assert_eq!(yanked(), [false, false]);
    }

    #[test]
    fn refuses_another_checksum_under_a_listed_version() {
        let (_folder, local) = open();
        let mut changed = entry("tide-table", "0.3.0");
        local
            .list(
                &Verified::for_tests(document("tide-table", vec![changed.clone()])),
                &BTreeSet::new(),
            )
            .unwrap();
        changed.release.checksum = Sha256Digest::of(b"other");
        let error = local
            .list(
                &Verified::for_tests(document("tide-table", vec![changed])),
                &BTreeSet::new(),
            )
            .unwrap_err();
        assert!(matches!(error, LocalRegistryError::Conflict { .. }));
    }

    #[test]
    fn writers_do_not_disturb_one_another() {
        let (_folder, local) = open();
        std::thread::scope(|scope| {
            for version in 0..8 {
                let local = &local;
                scope.spawn(move || {
                    let entry = entry("tide-table", &format!("1.{version}.0"));
                    local.list(
                        &Verified::for_tests(document("tide-table", vec![entry])),
                        &BTreeSet::new(),
                    )
                });
            }
        });
        assert_eq!(listed(&local).len(), 8);
    }
}
