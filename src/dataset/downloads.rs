//! How often packages were downloaded, as the registry says: a column of counts, and the file of the registry
//! of which it was made. When that is another one, the column is written anew, and nothing else.

use std::collections::BTreeMap;

use super::manifest::Downloads;
use super::shelf::Shelf;
use super::store::{Dataset, publish, write_column};
use super::text::TextIndex;
use super::triples::Damaged;
use super::{DatasetError, UNREADABLE};
use crate::formats::popularity::Published;
use crate::model::PackageName;

/// How many digits of the file's digest a column has in its name.
const DIGITS: usize = 16;

/// Writes the counts for a serial, if the registry says anything.
pub(super) fn write(
    shelf: &Shelf,
    serial: u64,
    popularity: &Published,
    counts: impl FnOnce() -> Result<Vec<u32>, DatasetError>,
) -> Result<Option<Downloads>, DatasetError> {
    let Some(file) = popularity.file.map(|file| file.to_string()) else {
        return Ok(None);
    };
    let name = format!("{serial}-{}.downloads", &file[..DIGITS]);
    let column = write_column(shelf, name, &counts()?)?;
    Ok(Some(Downloads { column, file }))
}

/// The counts of a dataset's packages and of those that change, by their numbers, of which there are so many.
pub(super) fn updated(
    current: &Dataset,
    popularity: &Published,
    changed: &BTreeMap<&PackageName, usize>,
    size: usize,
) -> Result<Vec<u32>, DatasetError> {
    let text = current.texts()?;
    let mut counts = match current.popularity() == popularity.file {
        true => text.downloads().to_vec(),
        false => counted(text, popularity)?,
    };
    counts.resize(size, 0);
    for (package, number) in changed {
        if let Some(count) = counts.get_mut(*number) {
            *count = popularity.counts.downloads(package);
        }
    }
    Ok(counts)
}

/// A dataset with what the registry says now.
pub(super) fn renewed(
    shelf: &Shelf,
    current: Dataset,
    popularity: &Published,
) -> Result<Dataset, DatasetError> {
    if current.popularity() == popularity.file {
        return Ok(current);
    }
    let mut manifest = current.manifest().clone();
    let text = current.texts()?;
    manifest.text.downloads = write(shelf, manifest.serial, popularity, || {
        Ok(counted(text, popularity)?)
    })?;
    publish(shelf, manifest)
}

fn counted(text: &TextIndex, popularity: &Published) -> Result<Vec<u32>, Damaged> {
    let by_name = |name: &str| {
        let name = name.parse();
        name.map_or(0, |name| popularity.counts.downloads(&name))
    };
    text.by_number(by_name).map_err(|_| UNREADABLE)
}
