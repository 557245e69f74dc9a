//! What the offline keys list: all publishers, and the releases that need no signature.

use super::{Folder, FolderError};
use crate::formats::layout;
use crate::formats::publisher::Publisher;
use crate::formats::unsigned::{self, UnsignedList};

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
        let mut publishers = Vec::new();
        for id in paths.iter().filter_map(|path| layout::publisher_of(path)) {
            publishers.extend(self.publisher(&id)?);
        }
        Ok(publishers)
    }

    fn listed_paths(&mut self, role: &str) -> Result<Vec<String>, FolderError> {
        let targets = self.role(role)?["targets"].as_object();
        let paths = targets.into_iter().flat_map(|targets| targets.keys());
        Ok(paths.cloned().collect())
    }
}
