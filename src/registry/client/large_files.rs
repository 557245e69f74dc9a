//! The large files of a registry: packs of documents, archives, and how often packages were downloaded.

use super::Client;
use crate::formats::catalog_index::{self, CatalogIndex, Pack};
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::popularity::{self, Popularity, Published};
use crate::formats::record::FileDigest;
use crate::model::{Entry, Event, Sha256Digest};
use crate::registry::error::ClientError;
use crate::registry::files::{FileError, part_of};
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
        fetched.collect()
    }

    /// The packs that hold everything. Their index is remembered, for when a later one or its packs do not
    /// come.
    pub fn whole<'a>(
        &self,
        index: &'a CatalogIndex,
        format: Format,
    ) -> Result<Vec<(&'a Pack, Vec<u8>)>, ClientError> {
        let packs = self.packs(index, 0, format)?;
        self.files.amend(&whole_index(format), |kept| {
            let earlier = kept.and_then(|kept| catalog_index::decode(kept).ok());
            let is_later = earlier.is_none_or(|earlier| earlier.serial < index.serial);
            is_later.then(|| catalog_index::encode(index))
        })?;
        Ok(packs)
    }

    /// The last index of which all packs were here.
    pub fn last_whole(&self, format: Format) -> Result<Option<CatalogIndex>, ClientError> {
        let kept = self.files.kept(&whole_index(format))?;
        Ok(kept.and_then(|kept| catalog_index::decode(&kept).ok()))
    }

    /// The packs that hold everything, decompressed.
    pub fn unpacked<'a>(
        &self,
        index: &'a CatalogIndex,
        format: Format,
    ) -> Result<Vec<(&'a Pack, Vec<u8>)>, ClientError> {
        let mut texts = Vec::new();
        let mut left = MAX_UNPACKED;
        for (pack, bytes) in self.whole(index, format)? {
            let text = unpack(&bytes, pack, left).map_err(ClientError::Pack)?;
            left -= text.len() as u64;
            texts.push((pack, text));
        }
        Ok(texts)
    }

    /// Forgets packs that neither the index nor the last one that is whole lists, and what has come of such;
    /// and how often packages were downloaded, where nothing is said of that any more.
    pub fn prune_packs(&self, index: &CatalogIndex) -> Result<(), ClientError> {
        let mut names = Vec::new();
        for format in Format::BOTH {
            let whole = self.last_whole(format)?;
            let packs = whole.iter().chain([index]);
            let packs = packs.flat_map(|index| index.packs(format));
            names.extend(packs.map(|pack| layout::pack(&pack.sha256, format)));
        }
        let is_counted = self.popularity_file()?.is_some();
        Ok(self.files.prune("catalog", |file| {
            let is_pack = |name: &String| name.ends_with(file) || part_of(name).ends_with(file);
            let is_index = file == "index.json" || file.starts_with("whole-");
            let is_popularity = layout::POPULARITY.strip_prefix("catalog/") == Some(file);
            is_index || (is_popularity && is_counted) || names.iter().any(is_pack)
        })?)
    }

    /// The SHA-256 of the file that says how often packages were downloaded; none where there is no file.
    pub fn popularity_file(&self) -> Result<Option<Sha256Digest>, ClientError> {
        let path = layout::POPULARITY;
        let Some(file) = self.find(path)? else {
            return Ok(None);
        };
        if file.length() > popularity::MAX_BYTES {
            let (path, limit) = (path.to_owned(), popularity::MAX_BYTES);
            return Err(FileError::TooLong { path, limit }.into());
        }
        let sha256 = file.sha256();
        let sha256 = sha256.ok_or_else(|| ClientError::NotListed(path.to_owned()))?;
        Ok(Some(sha256))
    }

    /// How often packages were downloaded, as far as the registry says. The file is fetched only if it is
    /// another one than the last time.
    pub fn popularity(&self) -> Result<Published, ClientError> {
        let file = self.popularity_file()?;
        let target = match file {
            Some(_) => self.target(layout::POPULARITY)?,
            None => None,
        };
        let counts = target.map(|target| popularity::decode(&target.bytes));
        Ok(Published {
            file,
            counts: counts.transpose()?.unwrap_or_default(),
        })
    }

    /// How often packages were downloaded, as the last file says that was here.
    pub fn last_popularity(&self) -> Result<Popularity, ClientError> {
        let kept = self.files.kept(layout::POPULARITY)?;
        let counts = kept.and_then(|kept| popularity::decode(&kept).ok());
        Ok(counts.unwrap_or_default())
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

/// Where the last index is kept of which all packs were here.
fn whole_index(format: Format) -> String {
    format!("catalog/whole-{}.json", format.as_str())
}
