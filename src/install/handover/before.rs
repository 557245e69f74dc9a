//! Files of a project that cargo changes for us: as they were before, if what follows fails.

use std::path::PathBuf;

use crate::disk::{self, Durability, Failure};

/// Files as they were, or that they were not.
pub(super) struct Before(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Before {
    pub(super) fn read(files: impl IntoIterator<Item = PathBuf>) -> Result<Self, Failure> {
        let read = |path: PathBuf| {
            let bytes = disk::read_if_there(&path, disk::LIMIT)?;
            Ok((path, bytes))
        };
        files
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn restore(self) -> Result<(), Failure> {
        for (path, bytes) in self.0 {
            match bytes {
                bytes if disk::read_if_there(&path, disk::LIMIT)? == bytes => {}
                Some(bytes) => disk::replace(&path, &bytes, Durability::Synced)?,
                None => disk::remove(&path)?,
            }
        }
        Ok(())
    }
}
