//! The local side of installing: archives, the local registry, the hand-over to cargo, templates.
//!
//! Cargo resolves and builds. What happens here is that everything of ours that enters a build was
//! verified first, and that cargo is given nothing else.

pub mod archive;
mod cargo;
pub mod choose;
mod guard;
pub mod handover;
pub mod local_registry;
mod lock_file;
mod lock_graph;
mod replacement;
mod resolve;
mod source;
pub mod template;
mod temporary;
#[cfg(test)]
pub(crate) mod testing;
mod unpacked;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use cargo::{Cargo, CargoError};
pub use choose::{ChooseError, choose, nearest};
pub use guard::GuardError;
pub use local_registry::{LocalRegistry, LocalRegistryError};
pub use lock_file::LockFileError;
pub use lock_graph::{LockGraph, LockPackage};
pub use replacement::ReplacementError;
pub use resolve::ResolveError;
pub use source::{Source, SourceError};
pub use temporary::Scratch;
pub use unpacked::{UnpackedError, changed_folders};

use crate::disk::Failure;
use crate::model::RegistryName;

/// A registry as cargo and this folder see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// What the user calls it.
    pub name: RegistryName,
    /// The index URL that the name means in manifests and that lock files keep:
    /// `sparse+https://…/`.
    pub index: String,
    /// Further index URLs under which packages may name the registry: its canonical one, if it is
    /// read from elsewhere.
    pub other_indexes: Vec<String>,
    /// Other registries that the user has added, with their index URLs. One at a time is verified; of
    /// the others it is said.
    pub siblings: Vec<(RegistryName, String)>,
    /// The folder that holds what is known of it on this machine, in cargo's home. Its path never
    /// changes: cargo names folders by it.
    pub state: PathBuf,
}

impl Registry {
    /// All its index URLs, each once.
    pub fn indexes(&self) -> impl Iterator<Item = &String> {
        let others = self.other_indexes.iter().filter(|url| **url != self.index);
        std::iter::once(&self.index).chain(others)
    }

    /// Says whether a source in a lock file or in metadata is this registry.
    #[must_use]
    pub fn is_index(&self, source: &str) -> bool {
        self.indexes().any(|index| index == source)
    }

    /// The names that the configuration which cargo reads in a folder gives it, a project's too.
    pub fn names_in(
        &self,
        folder: &Path,
        cargo_home: &Path,
    ) -> Result<BTreeSet<String>, GuardError> {
        let files = guard::read_all(folder, cargo_home)?;
        Ok(guard::given_names(&files, self))
    }

    /// The folder of its local registry.
    #[must_use]
    pub fn local(&self) -> PathBuf {
        self.state.join("local")
    }

    /// Makes a folder for one command.
    pub fn scratch(&self, prefix: &str) -> Result<Scratch, Failure> {
        Scratch::new(&self.temporary(), prefix)
    }

    /// Where files of one command lie. Below cargo's home, and not in the system's folder for
    /// temporary files: cargo reads configuration from every folder above the one it runs in, and
    /// there anybody could put one.
    fn temporary(&self) -> PathBuf {
        self.state.join("tmp")
    }
}
