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
    /// The packs that hold everything, in the order in which they are to be taken, decompressed.
    pub fn packs<'a>(
        &self,
        index: &'a CatalogIndex,
        format: Format,
    ) -> Result<Vec<(&'a Pack, Vec<u8>)>, ClientError> {
        let packs = index.since(0, format).ok_or(ClientError::NoWay(format))?;
        let mut texts = Vec::new();
        let mut left = MAX_UNPACKED;
        for pack in packs {
            let digest = FileDigest {
                sha256: pack.sha256,
                length: pack.length,
            };
            let path = layout::pack(&pack.sha256, format);
            let bytes = self.files.named_by_digest(&path, &digest)?;
            let text = unpack(&bytes, pack, left).map_err(ClientError::Pack)?;
            left -= text.len() as u64;
            texts.push((pack, text));
        }
        let names: Vec<String> = Format::BOTH
            .into_iter()
            .flat_map(|format| {
                index
                    .packs(format)
                    .iter()
                    .map(move |p| layout::pack(&p.sha256, format))
            })
            .collect();
        self.files.prune("catalog", |file| {
            file == "index.json" || names.iter().any(|name| name.ends_with(file))
        })?;
        Ok(texts)
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
