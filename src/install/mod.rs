//! The local side of installing: archives, the local registry, the hand-over to cargo, templates.

pub mod archive;
