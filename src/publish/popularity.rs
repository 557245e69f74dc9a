//! Publishing how often packages were downloaded.

use super::apply::Authority;
use super::folder::{Folder, FolderError};
use super::journal::Change;
use crate::formats::layout;
use crate::formats::popularity::{self, Popularity};

/// Replaces what the registry says of downloads. No package changes, and neither does the serial. Returns
/// false if it said the same before.
pub fn publish(
    mut folder: Folder,
    popularity: &Popularity,
    authority: &Authority<'_>,
) -> Result<bool, FolderError> {
    let bytes = popularity::encode(popularity);
    if folder.target("catalog", layout::POPULARITY)?.as_ref() == Some(&bytes) {
        return Ok(false);
    }
    folder.set_target("catalog", layout::POPULARITY, &bytes)?;
    let mut change = Change::default();
    change.add_hashed(layout::POPULARITY, bytes);
    folder.commit(change, authority.keys, authority.now)?;
    Ok(true)
}
