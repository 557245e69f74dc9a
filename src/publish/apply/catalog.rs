//! The catalog's part of a change: packs made anew with the documents that were touched.

use super::ApplyError;
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::layout::{self, Format};
use crate::formats::record::FileDigest;
use crate::publish::folder::Folder;
use crate::publish::journal::{Change, NewFile};
use crate::publish::packs::{self, Documents};

/// The documents of the packages that a change touches, in both formats; empty ones of packages of
/// which every release was withdrawn.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) v1: Documents,
    pub(super) v2: Documents,
}

/// Makes the packs anew with what was touched. Returns the new serial.
pub(super) fn renew(
    folder: &mut Folder,
    touched: Touched,
    change: &mut Change,
) -> Result<u64, ApplyError> {
    let index = index(folder)?;
    let serial = index.serial + 1;
    let mut pack = |format, touched: Documents| -> Result<_, ApplyError> {
        let mut documents = Documents::new();
        for pack in index.packs(format) {
            let digest = FileDigest {
                sha256: pack.sha256,
                length: pack.length,
            };
            let bytes = folder.file(&layout::pack(&pack.sha256, format), &digest)?;
            documents.extend(packs::split(&bytes, pack, format)?);
        }
        let (kept, gone): (Documents, Documents) = touched
            .into_iter()
            .partition(|(_, document)| !document.is_empty());
        documents.extend(kept);
        documents.retain(|package, _| !gone.contains_key(package));
        let (bytes, pack) = packs::make(&documents, serial)?;
        let path = layout::pack(&pack.sha256, format);
        change.immutable.push(NewFile::new(path, bytes));
        Ok(vec![pack])
    };
    let index = CatalogIndex {
        serial,
        v1: pack(Format::V1, touched.v1)?,
        v2: pack(Format::V2, touched.v2)?,
    };
    let bytes = catalog_index::encode(&index);
    folder.set_target("catalog", layout::CATALOG_INDEX, &bytes)?;
    change.add_hashed(layout::CATALOG_INDEX, bytes);
    Ok(serial)
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
