//! What the offline keys list: all publishers, and the releases that need no signature.

use super::{Folder, FolderError};
use crate::formats::layout;
use crate::formats::publisher::{self, Publisher};
use crate::formats::unsigned::{self, UnsignedList};
use crate::model::PublisherId;
use crate::publish::journal::Change;

impl Folder {
    /// The releases that need no signature.
    pub fn unsigned(&mut self) -> Result<UnsignedList, FolderError> {
        match self.target("policy", layout::UNSIGNED)? {
            Some(bytes) => Ok(unsigned::decode(&bytes)?),
            None => Ok(UnsignedList::default()),
        }
    }

    /// A publisher, if they are registered, as they will be when the change is made.
    pub fn publisher(&mut self, id: &PublisherId) -> Result<Option<Publisher>, FolderError> {
        let file = self.publisher_file(id)?;
        file.map(|bytes| Ok(publisher::decode(&bytes)?)).transpose()
    }

    /// The bytes of a publisher's file, as those that a change of keys names by their digest.
    pub fn publisher_file(&mut self, id: &PublisherId) -> Result<Option<Vec<u8>>, FolderError> {
        match self.publishers.get(id) {
            Some(unwritten) => Ok(Some(unwritten.clone())),
            None => self.target("targets", &layout::publisher(id)),
        }
    }

    /// Lists a new version of a publisher's file, by which everything is judged from now on.
    pub fn set_publisher(
        &mut self,
        publisher: &Publisher,
        change: &mut Change,
    ) -> Result<(), FolderError> {
        let path = layout::publisher(&publisher.id);
        let bytes = publisher::encode(publisher);
        self.set_target("targets", &path, &bytes)?;
        self.publishers.insert(publisher.id.clone(), bytes.clone());
        change.add_hashed(&path, bytes);
        Ok(())
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

    /// Whether `targets` has clients look for a path in a role.
    pub fn delegates(&mut self, role: &str, path: &str) -> Result<bool, FolderError> {
        let delegated = self.role("targets")?["delegations"]["roles"].as_array();
        let mut delegated = delegated.into_iter().flatten();
        let role = delegated.find(|delegated| delegated["name"] == role);
        let paths = role.and_then(|role| role["paths"].as_array());
        Ok(paths.is_some_and(|paths| paths.iter().any(|listed| listed == path)))
    }

    fn listed_paths(&mut self, role: &str) -> Result<Vec<String>, FolderError> {
        let targets = self.role(role)?["targets"].as_object();
        let paths = targets.into_iter().flat_map(|targets| targets.keys());
        Ok(paths.cloned().collect())
    }
}
