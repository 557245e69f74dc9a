//! Where the dataset of a registry is kept, and how processes share it: who reads takes no lock, and who
//! writes replaces one file at the end.

use std::path::{Path, PathBuf};

use super::DatasetError;
use super::compile::{self, Packed};
use super::shelf::{LOCK, Shelf};
use super::store::Dataset;
use crate::disk;
use crate::formats::popularity::Published;

/// The place of a registry's dataset.
#[derive(Debug)]
pub struct Place {
    shelf: Shelf,
    /// None in memory.
    lock: Option<PathBuf>,
    base: String,
}

impl Place {
    /// A folder, which is made if there is none. `base` is the registry's base IRI.
    pub fn folder(path: &Path, base: &str) -> Result<Self, DatasetError> {
        Ok(Self {
            shelf: Shelf::folder(path)?,
            lock: Some(path.join(LOCK)),
            base: base.to_owned(),
        })
    }

    /// Memory, for where nothing may be written.
    #[must_use]
    pub fn memory(base: &str) -> Self {
        Self {
            shelf: Shelf::memory(),
            lock: None,
            base: base.to_owned(),
        }
    }

    /// Opens the dataset. `None` if there is none, or one of another form or registry.
    pub fn open(&self) -> Result<Option<Dataset>, DatasetError> {
        Dataset::open(&self.shelf, &self.base)
    }

    /// Leads the dataset over packs to a serial and to what is said of downloads, unless another process has done so meanwhile. `None` if
    /// that has led it elsewhere, from where these packs do not lead on.
    pub fn advance(
        &self,
        packs: &[Packed<'_>],
        serial: u64,
        popularity: &Published,
    ) -> Result<Option<Dataset>, DatasetError> {
        let _lock = self.lock.as_deref().map(disk::lock).transpose()?;
        // What is damaged is built anew, from packs that begin at 0.
        let current = match self.open() {
            Err(DatasetError::Damaged(_)) => None,
            current => current?,
        };
        if current.as_ref().is_some_and(|current| {
            current.serial() == serial && current.popularity() == popularity.file
        }) {
            return Ok(current);
        }
        let at = current.as_ref().map_or(0, Dataset::serial);
        let leads_on = match packs.first() {
            Some(first) => first.pack.from == 0 || (first.pack.from..first.pack.to).contains(&at),
            None => at == serial,
        };
        if !leads_on {
            return Ok(None);
        }
        compile::advance(&self.shelf, current, &self.base, packs, popularity).map(Some)
    }

    /// Forgets the dataset, which was found to be damaged; the next one is built anew.
    pub fn forget(&self) -> Result<(), DatasetError> {
        let _lock = self.lock.as_deref().map(disk::lock).transpose()?;
        self.shelf.forget_manifest()
    }
}
