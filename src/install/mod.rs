//! The local side of installing: archives, the local registry, the hand-over to cargo, templates.
//!
//! Cargo resolves and builds. What happens here is that everything of ours that enters a build was
//! verified first, and that cargo is given nothing else.

pub mod archive;
pub mod choose;
pub mod local_registry;
mod source;
#[cfg(test)]
pub(crate) mod testing;

pub use choose::{ChooseError, choose};
pub use local_registry::{LocalRegistry, LocalRegistryError};
pub use source::{Source, SourceError};
