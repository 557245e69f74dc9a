//! Writing the text index: once from all packages, then by what changed.

use std::path::Path;

use tantivy::index::{SegmentComponent, SegmentId};
use tantivy::indexer::NoMergePolicy;
use tantivy::{
    Directory as _, Index, IndexWriter, SegmentMeta, SingleSegmentIndexWriter, TantivyError,
};

use super::SEGMENTS;
use super::schema::{Fields, schema, tokenizers};
use crate::dataset::shelf::Shelf;
use crate::dataset::{DatasetError, tiers};
use crate::model::{Document, PackageName};

/// What a writer may keep in memory before it writes, in bytes.
const MEMORY: usize = 48 << 20;

/// As many triples as a document weighs when it is decided what is merged.
const WEIGHT: u64 = 16;

/// What a segment may consist of, besides what was deleted of it.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Terms,
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
    SegmentComponent::Store,
];

/// An index from nothing.
pub(in crate::dataset) struct Builder {
    writer: SingleSegmentIndexWriter,
    fields: Fields,
}

/// What happens to a package in the index.
pub(in crate::dataset) struct Change<'a> {
    /// The package.
    pub(in crate::dataset) package: &'a PackageName,
    /// What it is now, and its number; none if it is there no more.
    pub(in crate::dataset) now: Option<(&'a Document, usize)>,
}

impl Builder {
    /// Begins an index.
    pub(in crate::dataset) fn new(shelf: &Shelf) -> Result<Self, DatasetError> {
        let (schema, fields) = schema();
        let index = Index::builder().schema(schema).tokenizers(tokenizers());
        let writer = index.single_segment_index_writer(shelf.clone(), MEMORY)?;
        Ok(Self { writer, fields })
    }

    /// Adds a package under a number, if it has a release to show. Says whether it has.
    pub(in crate::dataset) fn add(
        &mut self,
        package: &Document,
        number: usize,
    ) -> Result<bool, DatasetError> {
        let Some(latest) = package.latest() else {
            return Ok(false);
        };
        let document = self.fields.document(package, latest, number);
        self.writer.add_document(document)?;
        Ok(true)
    }

    /// Ends it. Returns the list of its segments.
    pub(in crate::dataset) fn finish(self) -> Result<String, DatasetError> {
        let index = self.writer.finalize()?;
        list(&index)
    }
}

/// Changes packages in the index with these segments. Returns the list of the new ones.
pub(in crate::dataset) fn update<'a>(
    shelf: &Shelf,
    segments: &str,
    changes: impl Iterator<Item = Change<'a>>,
) -> Result<String, DatasetError> {
    let (_, fields) = schema();
    let index = open(shelf, segments)?;
    let mut writer: IndexWriter = index.writer_with_num_threads(1, MEMORY)?;
    writer.set_merge_policy(Box::new(NoMergePolicy));
    for change in changes {
        writer.delete_term(fields.package(change.package));
        if let Some((package, number)) = change.now
            && let Some(latest) = package.latest()
        {
            writer.add_document(fields.document(package, latest, number))?;
        }
    }
    writer.commit()?;
    let merged = to_merge(&index)?;
    if !merged.is_empty() {
        writer.merge(&merged).wait()?;
    }
    writer.wait_merging_threads()?;
    list(&index)
}

/// Opens the index with these segments.
pub(super) fn open(shelf: &Shelf, segments: &str) -> Result<Index, TantivyError> {
    shelf.keep_aside(SEGMENTS, segments.as_bytes());
    let mut index = Index::open(shelf.clone())?;
    index.set_tokenizers(tokenizers());
    Ok(index)
}

fn list(index: &Index) -> Result<String, DatasetError> {
    let list = index.directory().atomic_read(Path::new(SEGMENTS));
    let list = list.map_err(TantivyError::from)?;
    Ok(String::from_utf8_lossy(&list).into_owned())
}

/// The files of an index with these segments.
pub(in crate::dataset) fn files(
    shelf: &Shelf,
    segments: &str,
) -> Result<Vec<String>, DatasetError> {
    let index = open(shelf, segments)?;
    let mut files = Vec::new();
    for segment in index.searchable_segment_metas()? {
        let deleted = segment.has_deletes().then_some(SegmentComponent::Delete);
        for component in COMPONENTS.into_iter().chain(deleted) {
            let path = segment.relative_path(component);
            if index
                .directory()
                .exists(&path)
                .map_err(TantivyError::from)?
            {
                files.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(files)
}

fn to_merge(index: &Index) -> Result<Vec<SegmentId>, DatasetError> {
    let mut segments = index.searchable_segment_metas()?;
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.max_doc()));
    let sizes = segments.iter();
    let sizes: Vec<u64> = sizes.map(|one| u64::from(one.max_doc()) * WEIGHT).collect();
    let from = tiers::merge_from(&sizes).unwrap_or(sizes.len());
    Ok(segments[from..].iter().map(SegmentMeta::id).collect())
}
