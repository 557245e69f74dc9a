//! Publishing how often packages were downloaded.

use std::collections::BTreeSet;

use super::apply::Authority;
use super::folder::{Folder, FolderError};
use super::journal::Change;
use crate::disk;
use crate::formats::layout;
use crate::formats::popularity::{self, Popularity};
use crate::model::PackageName;

/// The role that lists the file.
const ROLE: &str = "catalog";

/// Leaves out of counts what is no package of the registry. Returns what was left out.
pub fn leave_out_unknown(
    folder: &mut Folder,
    counts: &mut Popularity,
) -> Result<BTreeSet<PackageName>, FolderError> {
    let mut unknown = BTreeSet::new();
    for package in counts.packages() {
        let record = folder.record(package)?;
        // Names that differ only in case have one record.
        if record.is_none_or(|record| record.package != *package) {
            unknown.insert(package.clone());
        }
    }
    counts.leave_out(&unknown);
    Ok(unknown)
}

/// Says whether the registry says anything else of downloads; no counts mean nothing at all, and that no
/// file is left where the last change was cut off.
pub fn is_new(folder: &mut Folder, counts: Option<&Popularity>) -> Result<bool, FolderError> {
    let published = folder.target(ROLE, layout::POPULARITY)?;
    let is_left = counts.is_none() && folder.root().join(layout::POPULARITY).exists();
    Ok(is_left || published != counts.map(popularity::encode))
}

/// Replaces what the registry says of downloads; without counts it says nothing any more. No package
/// changes, and neither does the serial.
pub fn publish(
    mut folder: Folder,
    counts: Option<&Popularity>,
    authority: &Authority<'_>,
) -> Result<(), FolderError> {
    let path = layout::POPULARITY;
    let plain = folder.root().join(path);
    let mut change = Change::default();
    let Some(counts) = counts else {
        if folder.remove_target(ROLE, path)? {
            folder.commit(change, authority.keys, authority.now)?;
        }
        // The file under its name for good stays: clients may be reading it.
        return Ok(disk::remove(&plain)?);
    };
    if !folder.delegates(ROLE, path)? {
        return Err(FolderError::NotDelegated { role: ROLE, path });
    }
    let bytes = popularity::encode(counts);
    folder.set_target(ROLE, path, &bytes)?;
    change.add_hashed(path, bytes);
    folder.commit(change, authority.keys, authority.now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::init::tests::opened;

    #[test]
    fn clients_look_for_the_file_in_one_role() {
        let folder = tempfile::tempdir().unwrap();
        let mut folder = opened(folder.path());
        for (role, path, expected) in [
            (ROLE, layout::POPULARITY, true),
            (ROLE, layout::CATALOG_INDEX, true),
            (ROLE, layout::POLICY, false),
            ("rollout", layout::POPULARITY, false),
            ("none", layout::POPULARITY, false),
        ] {
            assert_eq!(
                folder.delegates(role, path).unwrap(),
                expected,
                "{role} {path}"
            );
        }
    }
}
