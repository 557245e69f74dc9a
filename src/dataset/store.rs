//! A compiled dataset: opened, checked, and made the one that readers see.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Formatter};

use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;
use tantivy::directory::{OwnedBytes, WritePtr};

use super::manifest::{Manifest, Sealed, Text};
use super::shelf::Shelf;
use super::text::{self, Column, Columns, TextIndex};
use super::triples::{Chain, Damaged, Segment, WriteError};
use super::{DatasetError, documents};
use crate::model::{Document, PackageName, Sha256Digest};

/// A registry's triples and texts at one serial.
pub struct Dataset {
    manifest: Manifest,
    chain: Chain,
    /// None where other triples are joined to it.
    text: Option<TextIndex>,
}

/// How often a reader looks again when another process replaces the dataset meanwhile.
const ATTEMPTS: usize = 5;

impl Dataset {
    /// Opens the dataset that lies there. `None` if there is none, or one of another form or registry.
    pub(super) fn open(shelf: &Shelf, base: &str) -> Result<Option<Self>, DatasetError> {
        for _ in 0..ATTEMPTS {
            let Some(bytes) = shelf.manifest()? else {
                return Ok(None);
            };
            let Some(manifest) = Manifest::decode(&bytes)? else {
                return Ok(None);
            };
            if manifest.base != base {
                return Ok(None);
            }
            if let Some(dataset) = Self::of(shelf, manifest)? {
                return Ok(Some(dataset));
            }
        }
        Err(Damaged("its files are not there").into())
    }

    /// What a manifest lists; `None` if a file of it is not there any more.
    fn of(shelf: &Shelf, manifest: Manifest) -> Result<Option<Self>, DatasetError> {
        let mut segments = Vec::new();
        for name in &manifest.segments {
            let Some(bytes) = shelf.bytes(name)? else {
                return Ok(None);
            };
            segments.push(Segment::open(bytes)?);
        }
        let Some(text) = open_text(shelf, &manifest.text)? else {
            return Ok(None);
        };
        for (name, sealed) in &manifest.files {
            match shelf.stamp(name)? {
                None => return Ok(None),
                Some(stamp) if stamp == sealed.stamp => {}
                Some(_) => check(shelf, name, sealed)?,
            }
        }
        let chain = Chain::new(segments)?;
        Ok(Some(Self {
            manifest,
            chain,
            text: Some(text),
        }))
    }

    /// The registry's serial to which it belongs.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.manifest.serial
    }

    /// The SHA-256 of the registry's file that says how often packages were downloaded; none where it says
    /// nothing.
    #[must_use]
    pub fn popularity(&self) -> Option<Sha256Digest> {
        let downloads = self.manifest.text.downloads.as_ref();
        downloads.and_then(|downloads| downloads.file.parse().ok())
    }

    /// What it consists of.
    pub(super) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The texts; none where other triples are joined to it.
    pub(super) const fn text(&self) -> Option<&TextIndex> {
        self.text.as_ref()
    }

    /// The texts of a dataset that was opened, which has them.
    pub(super) fn texts(&self) -> Result<&TextIndex, Damaged> {
        self.text().ok_or(Damaged("it has no texts"))
    }

    /// The names of its files.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.manifest.files.keys().map(String::as_str).collect()
    }

    /// The triples.
    pub(super) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The same at this serial with other triples, which lie in memory, and without its texts, which would not
    /// know of them.
    pub(super) fn with_chain(&self, chain: Chain) -> Self {
        Self {
            manifest: self.manifest.clone(),
            chain,
            text: None,
        }
    }

    /// The document of a package, if there is one.
    pub fn document(&self, package: &PackageName) -> Result<Option<Document>, DatasetError> {
        documents::read(&self.chain, package, &self.manifest.base)
    }
}

impl Debug for Dataset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

/// The texts; `None` if a file of theirs is not there any more.
fn open_text(shelf: &Shelf, text: &Text) -> Result<Option<TextIndex>, DatasetError> {
    let Some(dependents) = shelf.bytes(&text.dependents)? else {
        return Ok(None);
    };
    let downloads = match &text.downloads {
        Some(downloads) => shelf.bytes(&downloads.column)?,
        None => Some(OwnedBytes::empty()),
    };
    let Some(downloads) = downloads else {
        return Ok(None);
    };
    let columns = Columns {
        dependents: Column::new(dependents),
        downloads: Column::new(downloads),
    };
    match TextIndex::open(shelf, &text.segments, columns) {
        Ok(text) => Ok(Some(text)),
        Err(TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_))) => Ok(None),
        Err(_) => Err(Damaged("its text cannot be read").into()),
    }
}

/// A file that does not look as it did may still be what it was: one that was copied, say.
fn check(shelf: &Shelf, name: &str, sealed: &Sealed) -> Result<(), DatasetError> {
    let bytes = shelf.bytes(name)?;
    match bytes.map(|bytes| crc32fast::hash(&bytes)) {
        Some(checksum) if checksum == sealed.checksum => Ok(()),
        Some(_) => Err(Damaged("a file has other bytes than were written").into()),
        None => Err(Damaged("a file is not there").into()),
    }
}

/// Writes a segment and opens it.
pub(super) fn write(
    shelf: &Shelf,
    name: &str,
    content: impl FnOnce(&mut WritePtr) -> Result<(), WriteError>,
) -> Result<Segment, DatasetError> {
    shelf.write(name, |out| content(out).map_err(DatasetError::from))?;
    let bytes = shelf.bytes(name)?;
    Ok(Segment::open(bytes.ok_or(Damaged("a file is not there"))?)?)
}

/// Writes counts. Returns the name of the file.
pub(super) fn write_column(
    shelf: &Shelf,
    name: String,
    counts: &[u32],
) -> Result<String, DatasetError> {
    shelf.write(&name, |out| {
        Column::write(counts, out).map_err(|error| DatasetError::Write(error.into()))
    })?;
    Ok(name)
}

/// Makes what a manifest lists the dataset, and removes the rest.
pub(super) fn publish(shelf: &Shelf, mut manifest: Manifest) -> Result<Dataset, DatasetError> {
    let mut names = manifest.segments.clone();
    names.push(manifest.text.dependents.clone());
    let downloads = manifest.text.downloads.iter();
    names.extend(downloads.map(|downloads| downloads.column.clone()));
    names.extend(text::files(shelf, &manifest.text.segments)?);
    let sealed = names.into_iter().map(|name| {
        let sealed = sealed(shelf, &name, &manifest)?;
        Ok((name, sealed))
    });
    manifest.files = sealed.collect::<Result<_, DatasetError>>()?;
    shelf.publish(&manifest.encode())?;
    let dataset = Dataset::of(shelf, manifest)?;
    let dataset = dataset.ok_or(Damaged("a file is not there"))?;
    shelf.sweep(&dataset.files())?;
    Ok(dataset)
}

/// A file as it is, without a look into it if it was there before.
fn sealed(shelf: &Shelf, name: &str, manifest: &Manifest) -> Result<Sealed, DatasetError> {
    if let Some(sealed) = manifest.files.get(name) {
        return Ok(*sealed);
    }
    let bytes = shelf.bytes(name)?.ok_or(Damaged("a file is not there"))?;
    let stamp = shelf.stamp(name)?;
    Ok(Sealed {
        stamp: stamp.ok_or(Damaged("a file is not there"))?,
        checksum: crc32fast::hash(&bytes),
    })
}
