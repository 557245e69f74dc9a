//! The large files of a registry: packs of documents, and archives.

use super::Client;
use crate::formats::catalog_index::CatalogIndex;
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::record::FileDigest;
use crate::model::{Entry, Event};
use crate::registry::error::ClientError;
use crate::trust::{Archive, Verified, verify_archive};

/// The most bytes of an archive, whatever its release says.
const MAX_ARCHIVE: u64 = 128 << 20;

impl Client<'_> {
    /// The bytes of a pack, decompressed.
    pub fn pack(&self, index: &CatalogIndex, format: Format) -> Result<Vec<u8>, ClientError> {
        let packs = index.packs(format);
        let mut text = Vec::new();
        for pack in packs {
            let digest = FileDigest {
                sha256: pack.sha256,
                length: pack.length,
            };
            let bytes = self
                .files
                .named_by_digest(&layout::pack(&pack.sha256, format), &digest)?;
            let most = MAX_UNPACKED.saturating_sub(text.len() as u64);
            text.extend(unpack(&bytes, pack, most).map_err(ClientError::Pack)?);
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
        Ok(text)
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
