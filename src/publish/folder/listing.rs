//! What a registry lists: all publishers, all records, and the releases that need no signature. Costs
//! as much as there is, so it is for what is done seldom.

use super::{Folder, FolderError, is_bin};
use crate::formats::layout;
use crate::formats::publisher::Publisher;
use crate::formats::record::{self, Record};
use crate::formats::unsigned::{self, UnsignedList};
use crate::model::PublisherId;

impl Folder {
    /// The releases that need no signature.
    pub fn unsigned(&mut self) -> Result<UnsignedList, FolderError> {
        match self.target("policy", layout::UNSIGNED)? {
            Some(bytes) => Ok(unsigned::decode(&bytes)?),
            None => Ok(UnsignedList::default()),
        }
    }

    /// Every publisher who is registered.
    pub fn publishers(&mut self) -> Result<Vec<Publisher>, FolderError> {
        let paths = self.listed_paths("targets")?;
        let ids = paths.iter().filter_map(|path| {
            let id: PublisherId = path
                .strip_prefix("publishers/")?
                .strip_suffix(".json")?
                .parse()
                .ok()?;
            (layout::publisher(&id) == *path).then_some(id)
        });
        let mut publishers = Vec::new();
        for id in ids {
            publishers.extend(self.publisher(&id)?);
        }
        Ok(publishers)
    }

    /// Every record.
    pub fn records(&mut self) -> Result<Vec<Record>, FolderError> {
        let mut records = Vec::new();
        for bin in self.listed_roles().into_iter().filter(|role| is_bin(role)) {
            for path in self.listed_paths(&bin)? {
                let bytes = self.target(&bin, &path)?.unwrap_or_default();
                let record = record::decode(&bytes);
                records.push(record.map_err(|_| FolderError::Mismatch { path })?);
            }
        }
        Ok(records)
    }

    fn listed_paths(&mut self, role: &str) -> Result<Vec<String>, FolderError> {
        let targets = self.role(role)?["targets"].as_object();
        let paths = targets.into_iter().flat_map(|targets| targets.keys());
        Ok(paths.cloned().collect())
    }
}
