//! Folders that cargo unpacked before. Cargo takes a folder in `$CARGO_HOME/registry/src` that has
//! its mark for what the archive holds, so whoever changes a file there runs code in the next
//! build. Here such a folder is removed, for cargo to unpack the archive anew.
//!
//! Nothing is removed but packages out of local registries, and no link is followed.

use std::path::{Path, PathBuf};

use super::archive::{self, ArchiveError, Limits};
use crate::disk::{self, Failure, failed, is_absent};
use crate::model::{Event, EventSink};
use crate::trust::{Archive, Verified};

/// The file that cargo locks, in its home, while it downloads and unpacks.
const PACKAGE_CACHE_LOCK: &str = ".package-cache";

/// Why the folders could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackedError {
    /// A folder could not be read or removed.
    #[error(transparent)]
    Disk(#[from] Failure),
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
    if changed_folders(archive, cargo_home, &[])?.is_empty() {
        return Ok(());
    }
    // A folder that another cargo is unpacking looks changed until all is there.
    let _lock = disk::lock(&cargo_home.join(PACKAGE_CACHE_LOCK))?;
    for (folder, path) in changed_folders(archive, cargo_home, &[])? {
        events.event(Event::Warning(format!(
            "`{}` was changed after cargo unpacked it (`{}`); unpacking the verified archive anew",
            folder.display(),
            path.display(),
        )));
        remove(&folder)?;
    }
    Ok(())
}

/// The folders that cargo unpacked for the archive's release and that hold something else, each with
/// the first file in which it does: those of local registries, and of registries on these hosts.
pub fn changed_folders(
    archive: &Verified<Archive>,
    cargo_home: &Path,
    hosts: &[String],
) -> Result<Vec<(PathBuf, PathBuf)>, UnpackedError> {
    let release = &archive.entry.release;
    let name = format!("{}-{}", release.name, release.version);
    let mut changed = Vec::new();
    for sources in folders_of_registries(cargo_home, hosts)? {
        let folder = sources.join(&name);
        if let Some(path) = difference(archive, &folder)? {
            changed.push((folder, path));
        }
    }
    Ok(changed)
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
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed("read", folder)(error))?,
    }
}

/// Where cargo unpacks packages of local registries: such a source has a URL without a host, and
/// the folder's name is host, `-`, digest. And where it unpacks those of registries on the hosts.
fn folders_of_registries(cargo_home: &Path, hosts: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let all = cargo_home.join("registry").join("src");
    let entries = disk::entries_if_there(&all)?.into_iter();
    Ok(entries
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_on = |host: &String| name.rsplit_once('-').is_some_and(|(on, _)| on == host);
            is_of_local_registry(&name) || hosts.iter().any(is_on)
        })
        .map(|entry| entry.path())
        .collect())
}

/// Says whether a folder in `registry/src` is that of a local registry.
pub(super) fn is_of_local_registry(name: &str) -> bool {
    name.starts_with('-')
}

fn remove(folder: &Path) -> Result<(), Failure> {
    let metadata = folder.symlink_metadata().map_err(failed("read", folder))?;
    if !metadata.is_dir() {
        return disk::remove(folder);
    }
    // Without its mark cargo unpacks the package again, even if we are cut off in between.
    disk::remove(&folder.join(".cargo-ok"))?;
    disk::remove_folder(folder)
}
