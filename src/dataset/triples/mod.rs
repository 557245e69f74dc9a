//! Triples in files that are opened by mmap: a chain of immutable segments.
//!
//! A segment holds the terms that those before it do not have, sorted, and for each predicate the
//! pairs that it adds, in both directions, and those that it removes. A term is known by one number
//! in the whole chain. A triple is there if the last segment that mentions it adds it; a segment adds
//! only what is not there, and removes only what is. So a change costs what changed, and a chain that
//! has become long is merged, a few of its segments or all.

mod build;
mod chain;
mod footer;
mod key;
mod merge;
mod pairs;
mod segment;
mod write;

#[cfg(test)]
mod tests;

pub(in crate::dataset) use build::Builder;
pub(in crate::dataset) use chain::{Chain, Matches};
pub(in crate::dataset) use key::{OUTSIDE, TermId, inline_integer};
pub(in crate::dataset) use merge::{Sources, merge};
pub(in crate::dataset) use segment::Segment;
pub use write::WriteError;

/// What is in a file is not what was written there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dataset is damaged: {0}")]
pub struct Damaged(pub(in crate::dataset) &'static str);
