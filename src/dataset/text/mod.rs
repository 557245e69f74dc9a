//! The text of a dataset: Tantivy as a dictionary with lists of documents and columns. What fits how
//! well is the matter of [`crate::ranking`]; nothing that Tantivy scores is used, since its statistics
//! depend on what was deleted when.
//!
//! There is a document for each package that has a release to show, made of its latest one. It keeps its
//! number when it changes, and what is counted of it stands under that in columns of ours.

mod column;
mod read;
mod schema;
mod write;

pub(super) use column::{Column, Columns};
pub(super) use read::TextIndex;
pub(super) use write::{Builder as TextBuilder, Change, files, update};

/// The name of the file in which Tantivy lists its segments; it is kept in the manifest.
pub(super) const SEGMENTS: &str = "meta.json";
