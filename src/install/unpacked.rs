//! Folders that cargo unpacked before. Cargo takes a folder in `$CARGO_HOME/registry/src` that has
//! its mark for what the archive holds, so whoever changes a file there runs code in the next
//! build. Here such a folder is removed, for cargo to unpack the archive anew.
//!
//! Nothing is removed but packages out of local registries, and no link is followed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, ArchiveError, Limits};
use crate::model::{Event, EventSink};
use crate::trust::{Archive, Verified};

/// Why the folders could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackedError {
    /// A folder could not be read or removed.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The archive itself is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Removes each folder unpacked from a local registry that is named for the archive's release and
/// holds something else.
///
/// Which folder cargo takes for which local registry is its own business, so those of all local
/// registries are looked at. Another registry's package of the same name loses a folder that cargo
/// unpacks again.
pub(super) fn remove_changed(
    archive: &Verified<Archive>,
    cargo_home: &Path,
    events: &dyn EventSink,
) -> Result<(), UnpackedError> {
    let release = &archive.entry.release;
    let name = format!("{}-{}", release.name, release.version);
    for sources in folders_of_local_registries(cargo_home)? {
        let folder = sources.join(&name);
        let Some(path) = difference(archive, &folder)? else {
            continue;
        };
        events.event(Event::Warning(format!(
            "`{}` was changed after cargo unpacked it (`{}`); unpacking the verified archive anew",
            folder.display(),
            path.display(),
        )));
        remove(&folder)?;
    }
    Ok(())
}

/// Where a folder differs from its archive; `None` if it does not, or is not there.
fn difference(
    archive: &Verified<Archive>,
    folder: &Path,
) -> Result<Option<PathBuf>, UnpackedError> {
    match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let limits = Limits::default();
            Ok(archive::differs(&archive.bytes, folder, &limits)?)
        }
        // A link can be turned round once it was compared.
        Ok(_) => Ok(Some(PathBuf::from("."))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(UnpackedError::Io {
            action: "read",
            path: folder.into(),
            source,
        }),
    }
}

/// Where cargo unpacks packages of local registries: such a source has a URL without a host, and
/// the folder's name is host, `-`, digest.
fn folders_of_local_registries(cargo_home: &Path) -> Result<Vec<PathBuf>, UnpackedError> {
    let all = cargo_home.join("registry").join("src");
    let failed = |source| UnpackedError::Io {
        action: "read",
        path: all.clone(),
        source,
    };
    let entries = match fs::read_dir(&all) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if is_of_local_registry(&entry.file_name().to_string_lossy()) {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// Says whether a folder in `registry/src` is that of a local registry.
pub(super) fn is_of_local_registry(name: &str) -> bool {
    name.starts_with('-')
}

fn remove(folder: &Path) -> Result<(), UnpackedError> {
    let failed = |source| UnpackedError::Io {
        action: "remove",
        path: folder.into(),
        source,
    };
    let metadata = folder.symlink_metadata().map_err(failed)?;
    if !metadata.is_dir() {
        return fs::remove_file(folder).map_err(failed);
    }
    // Without its mark cargo unpacks the package again, even if we are cut off in between.
    let mark = folder.join(".cargo-ok");
    match fs::remove_file(&mark) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    fs::remove_dir_all(folder).map_err(failed)
}
