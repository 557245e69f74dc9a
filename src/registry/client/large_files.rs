//! The large files of a registry: packs of documents, and archives.

use super::Client;
use crate::formats::catalog_index::{CatalogIndex, Pack};
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::record::FileDigest;
use crate::model::{Entry, Event};
use crate::registry::error::ClientError;
use crate::trust::{Archive, Verified, verify_archive};

/// The most bytes of an archive, whatever its release says.
const MAX_ARCHIVE: u64 = 128 << 20;

impl Client<'_> {
    /// The packs that lead from a serial to the present, in the order in which they are to be taken, as
    /// they are served.
    pub fn packs<'a>(
        &self,
        index: &'a CatalogIndex,
        serial: u64,
        format: Format,
    ) -> Result<Vec<(&'a Pack, Vec<u8>)>, ClientError> {
        let packs = index.since(serial, format);
        let packs = packs.ok_or(ClientError::NoWay(format))?;
        let fetched = packs.into_iter().map(|pack| {
            let digest = FileDigest {
                sha256: pack.sha256,
                length: pack.length,
            };
            let path = layout::pack(&pack.sha256, format);
            Ok((pack, self.files.named_by_digest(&path, &digest)?))
        });
        let fetched = fetched.collect::<Result<_, ClientError>>()?;
        self.prune_packs(index)?;
        Ok(fetched)
    }

    /// The packs that hold everything, decompressed.
    pub fn unpacked<'a>(
        &self,
        index: &'a CatalogIndex,
        format: Format,
    ) -> Result<Vec<(&'a Pack, Vec<u8>)>, ClientError> {
        let mut texts = Vec::new();
        let mut left = MAX_UNPACKED;
        for (pack, bytes) in self.packs(index, 0, format)? {
            let text = unpack(&bytes, pack, left).map_err(ClientError::Pack)?;
            left -= text.len() as u64;
            texts.push((pack, text));
        }
        Ok(texts)
    }

    /// Forgets packs that the index does not list any more.
    fn prune_packs(&self, index: &CatalogIndex) -> Result<(), ClientError> {
        let packs = |format: Format| {
            let packs = index.packs(format).iter();
            packs.map(move |pack| layout::pack(&pack.sha256, format))
        };
        let names: Vec<String> = Format::BOTH.into_iter().flat_map(packs).collect();
        Ok(self.files.prune("catalog", |file| {
            file == "index.json" || names.iter().any(|name| name.ends_with(file))
        })?)
    }

    /// Fetches the archive of a release, checked against it. It is not kept here.
    pub fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, ClientError> {
        let release = &entry.release;
        let path = layout::archive(&release.name, &release.checksum);
        let limit = release.size.unwrap_or(MAX_ARCHIVE).min(MAX_ARCHIVE);
        if self.files.is_online() {
            self.events.event(Event::Downloading {
                name: release.name.clone(),
                version: release.version.clone(),
                size: release.size,
            });
        }
        self.files.ask(&path, limit, |url, bytes| {
            verify_archive(entry, bytes).map_err(|source| ClientError::Archive {
                url: format!("{url}{path}"),
                source,
            })
        })
    }
}
