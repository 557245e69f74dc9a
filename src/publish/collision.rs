//! Names that look alike: two packages may not differ only in case, or in `-` and `_`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::disk::{self, Failure};
use crate::formats::layout;
use crate::model::PackageName;

/// Why a new name is refused.
#[derive(Debug, thiserror::Error)]
pub enum CollisionError {
    /// Another package has a name that differs only in case or sign.
    #[error("`{name}` collides with `{taken}`")]
    Taken {
        /// The new name.
        name: PackageName,
        /// The other package, as its record's file is called.
        taken: String,
    },
    /// The registry's folder cannot be read.
    #[error(transparent)]
    Disk(#[from] Failure),
}

/// Looks for names that collide with each other.
pub fn check_among<'a>(names: impl Iterator<Item = &'a PackageName>) -> Result<(), CollisionError> {
    let mut taken: BTreeMap<String, &PackageName> = BTreeMap::new();
    for name in names {
        if let Some(other) = taken.insert(name.collision_key(), name) {
            check_place(other, name)?;
        }
    }
    Ok(())
}

/// Makes sure that what stands in a package's place is its own: names that differ only in case
/// share their place.
pub fn check_place(taken: &PackageName, name: &PackageName) -> Result<(), CollisionError> {
    if taken == name {
        return Ok(());
    }
    Err(CollisionError::Taken {
        name: name.clone(),
        taken: taken.to_string(),
    })
}

/// Looks for another package whose name collides with a new one, in the few index folders where it
/// could be.
pub fn check(root: &Path, name: &PackageName) -> Result<(), CollisionError> {
    let key = name.collision_key();
    for folder in folders(name) {
        for taken in records(&root.join(folder))? {
            let is_same = taken
                .parse::<PackageName>()
                .is_ok_and(|n| n.collision_key() == key);
            if is_same {
                return Err(CollisionError::Taken {
                    name: name.clone(),
                    taken,
                });
            }
        }
    }
    Ok(())
}

/// The index folders of all names that collide with `name`: only the first four letters count.
fn folders(name: &PackageName) -> BTreeSet<PathBuf> {
    let mut spellings = vec![String::new()];
    for letter in name.collision_key().chars() {
        let is_sign = letter == '-' && spellings[0].len() < 4;
        let with = |letter: char| spellings.iter().map(move |s| format!("{s}{letter}"));
        spellings = match is_sign {
            true => with('-').chain(with('_')).collect(),
            false => with(letter).collect(),
        };
    }
    let names = spellings
        .iter()
        .filter_map(|spelling| spelling.parse::<PackageName>().ok());
    let paths = names.map(|name| PathBuf::from(layout::record(&name)));
    paths
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect()
}

/// The packages whose records lie in an index folder, as their files are called.
fn records(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in disk::entries_if_there(folder)? {
        let file = entry.file_name();
        // Names under a digest have a second dot.
        let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
        names.extend(name.filter(|name| !name.contains('.')).map(str::to_owned));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn taken(existing: &str, new: &str) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let existing: PackageName = existing.parse().unwrap();
        let path = root.path().join(layout::record(&existing));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
        match check(root.path(), &new.parse().unwrap()) {
            Ok(()) => None,
            Err(CollisionError::Taken { taken, .. }) => Some(taken),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn finds_names_that_differ_in_case_or_sign() {
        for (existing, new) in [
            ("tide-table", "tide_table"),
            ("tide_table", "Tide-Table"),
            ("a-b-c-d", "a_b-c_d"),
            ("x-y", "x_y"),
            ("serde", "Serde"),
        ] {
            assert_eq!(taken(existing, new), Some(existing.to_lowercase()), "{new}");
        }
    }

    #[test]
    fn lets_other_names_through() {
        for (existing, new) in [
            ("tide-table", "tidetable"),
            ("tide", "tides"),
            ("a-b", "a-c"),
        ] {
            assert_eq!(taken(existing, new), None, "{new}");
        }
    }
}
