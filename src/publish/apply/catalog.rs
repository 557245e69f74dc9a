//! The catalog's part of a change: a pack of what it changed, and packs merged anew.

use super::ApplyError;
use crate::formats::catalog_index::{self, CatalogIndex, Pack, Withdrawn};
use crate::formats::layout::{self, Format};
use crate::formats::record::FileDigest;
use crate::formats::v1;
use crate::model::{Document, Entry, PackageName};
use crate::publish::folder::Folder;
use crate::publish::journal::{Change, NewFile};
use crate::publish::packs::{self, Codec, Contents, PackError, Plan};

/// What a change does to the releases of the packages that it touches.
#[derive(Default)]
pub(super) struct Touched {
    /// Of each document the releases that are new or different.
    changed: Vec<Document>,
    withdrawn: Withdrawn,
}

impl Touched {
    /// Takes note of a package's document as it was and as it is to be.
    pub(super) fn compare(&mut self, before: &Document, after: &Document) {
        let is_new = |entry: &&Entry| before.entry(&entry.release.version) != Some(*entry);
        let entries: Vec<Entry> = after.entries.iter().filter(is_new).cloned().collect();
        if !entries.is_empty() {
            let package = after.package.clone();
            self.changed.push(Document { package, entries });
        }
        let versions = before.entries.iter().map(|entry| &entry.release.version);
        let gone = versions.filter(|version| after.entry(version).is_none());
        for version in gone {
            let package = self.withdrawn.entry(after.package.clone()).or_default();
            package.insert(version.clone());
        }
    }

    fn contents(&self, codec: &Codec<'_>) -> Contents {
        let documents = self.changed.iter();
        let encoded = |document: &Document| {
            let bytes = codec.encode(document)?;
            Some((document.package.clone(), bytes))
        };
        Contents {
            documents: documents.filter_map(encoded).collect(),
            withdrawn: self.withdrawn.clone(),
        }
    }
}

/// The document of a package as it lies in the registry; empty if there is none.
pub(super) fn document(folder: &mut Folder, package: &PackageName) -> Result<Document, ApplyError> {
    let record = folder.record(package)?;
    let Some(digest) = record.and_then(|record| record.documents.v1) else {
        let (package, entries) = (package.clone(), Vec::new());
        return Ok(Document { package, entries });
    };
    let bytes = folder.file(&layout::document(package, Format::V1), &digest)?;
    Ok(v1::decode(package, &bytes).map_err(PackError::V1)?)
}

/// Adds the packs and the index to the change. Returns the new serial.
pub(super) fn renew(
    folder: &mut Folder,
    touched: &Touched,
    base: &str,
    change: &mut Change,
) -> Result<u64, ApplyError> {
    let mut index = index(folder)?;
    index.serial += 1;
    for format in Format::BOTH {
        let codec = Codec { format, base };
        let packs = renewed(folder, &index, touched, &codec, change)?;
        *index.packs_mut(format) = packs;
    }
    let bytes = catalog_index::encode(&index);
    folder.set_target("catalog", layout::CATALOG_INDEX, &bytes)?;
    change.add_hashed(layout::CATALOG_INDEX, bytes);
    Ok(index.serial)
}

/// The packs of a format, with the change.
fn renewed(
    folder: &Folder,
    index: &CatalogIndex,
    touched: &Touched,
    codec: &Codec<'_>,
    change: &mut Change,
) -> Result<Vec<Pack>, ApplyError> {
    let new = touched.contents(codec);
    let Plan {
        with_change,
        merged,
        kept,
    } = packs::plan(index.packs(codec.format), new.size());
    let mut packs = kept;
    let mut add = |contents, range| -> Result<(), ApplyError> {
        let (bytes, pack) = packs::make(contents, range)?;
        let path = layout::pack(&pack.sha256, codec.format);
        change.immutable.push(NewFile::new(path, bytes));
        packs.push(pack);
        Ok(())
    };
    if let [first, .., last] = &merged[..] {
        let contents = joined(folder, &merged, codec)?;
        add(contents, (first.from, last.to))?;
    }
    let from = with_change
        .first()
        .map_or(index.serial - 1, |first| first.from);
    let before = joined(folder, &with_change, codec)?;
    add(before.followed_by(new, codec)?, (from, index.serial))?;
    packs.sort_by_key(|pack| (pack.from, pack.to));
    Ok(packs)
}

/// What packs say together that follow on each other.
fn joined(folder: &Folder, packs: &[Pack], codec: &Codec<'_>) -> Result<Contents, ApplyError> {
    let mut all = Contents::default();
    for pack in packs {
        let digest = FileDigest {
            sha256: pack.sha256,
            length: pack.length,
        };
        let bytes = folder.file(&layout::pack(&pack.sha256, codec.format), &digest)?;
        all = all.followed_by(packs::split(&bytes, pack, codec.format)?, codec)?;
    }
    Ok(all)
}

/// The registry's serial.
pub(super) fn serial(folder: &mut Folder) -> Result<u64, ApplyError> {
    Ok(index(folder)?.serial)
}

/// The catalog's index; before the first change there is none.
fn index(folder: &mut Folder) -> Result<CatalogIndex, ApplyError> {
    match folder.target("catalog", layout::CATALOG_INDEX)? {
        Some(bytes) => Ok(catalog_index::decode(&bytes)?),
        None => Ok(CatalogIndex::default()),
    }
}
