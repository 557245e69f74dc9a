//! The text index, opened: what a word is close to, and where that stands.

use std::cmp::Ordering;

use tantivy::columnar::{Column as Numbers, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field as Place, IndexRecordOption};
use tantivy::{DocId, TantivyDocument, TantivyError, Term};

use super::column::{Column, Columns};
use super::schema::{Fields, LENGTHS, NUMBER, PACKAGE, schema, unpack};
use super::write::open;
use crate::dataset::shelf::Shelf;
use crate::model::PackageName;
use crate::ranking::{
    Collection, Condition, Field, Filters, Match, Package, PerField, Shown, Tolerance, Word,
};

/// An index that can be searched. A document has a place: the documents of its segments stand one after
/// the other.
pub(in crate::dataset) struct TextIndex {
    segments: Vec<Segment>,
    fields: Fields,
    size: usize,
    columns: Columns,
}

struct Segment {
    /// The place of its first document.
    start: usize,
    reader: SegmentReader,
    names: StrColumn,
    lengths: Numbers<u64>,
    numbers: Numbers<u64>,
}

/// A word that was found: the place, the field, and how close it is there.
type Found = (usize, Field, f64);

impl TextIndex {
    /// Opens the index with these segments.
    pub(in crate::dataset) fn open(
        shelf: &Shelf,
        segments: &str,
        columns: Columns,
    ) -> Result<Self, TantivyError> {
        let index = open(shelf, segments)?;
        let (mut opened, mut start, mut size) = (Vec::new(), 0, 0);
        for segment in index.searchable_segments()? {
            let segment = Segment::open(SegmentReader::open(&segment)?, start)?;
            start += segment.reader.max_doc() as usize;
            size += segment.reader.num_docs() as usize;
            opened.push(segment);
        }
        Ok(Self {
            segments: opened,
            fields: schema().1,
            size,
            columns,
        })
    }

    /// The name of the package at a place.
    pub(in crate::dataset) fn name(&self, place: usize) -> Result<String, TantivyError> {
        let (segment, document) = self.at(place);
        let mut name = String::new();
        if let Some(number) = segment.names.term_ords(document).next() {
            segment.names.ord_to_str(number, &mut name)?;
        }
        Ok(name)
    }

    /// What is shown of the package at a place; none if that cannot be read.
    pub(in crate::dataset) fn shown(&self, place: usize) -> Result<Option<Shown>, TantivyError> {
        let (segment, document) = self.at(place);
        let store = segment.reader.get_store_reader(0)?;
        let document: TantivyDocument = store.get(document)?;
        Ok(self.fields.shown(&document))
    }

    /// The number of a package, if it has a document.
    pub(in crate::dataset) fn number(
        &self,
        package: &PackageName,
    ) -> Result<Option<usize>, TantivyError> {
        let term = self.fields.package(package);
        let place = self.with_term(&term)?.into_iter().next();
        Ok(place.map(|place| self.number_at(place)))
    }

    /// How many packages need each, by number.
    pub(in crate::dataset) const fn dependents(&self) -> &Column {
        &self.columns.dependents
    }

    /// How often each package was downloaded, by number.
    pub(in crate::dataset) const fn downloads(&self) -> &Column {
        &self.columns.downloads
    }

    /// A count for each package, by number, made of their names.
    pub(in crate::dataset) fn by_number(
        &self,
        count: impl Fn(&str) -> u32,
    ) -> Result<Vec<u32>, TantivyError> {
        let mut counts = vec![0; self.columns.dependents.len()];
        for segment in &self.segments {
            let by_name = segment.by_name(&count)?;
            for document in segment.reader.doc_ids_alive() {
                let ordinal = segment.names.term_ords(document).next();
                let ordinal = ordinal.and_then(|ordinal| usize::try_from(ordinal).ok());
                let number = self.number_at(segment.start + document as usize);
                if let Some(place) = counts.get_mut(number) {
                    let count = ordinal.and_then(|ordinal| by_name.get(ordinal));
                    *place = count.copied().unwrap_or_default();
                }
            }
        }
        Ok(counts)
    }

    /// The places of what passes filters, in order. None if there are no filters.
    pub(in crate::dataset) fn passing(
        &self,
        filters: &Filters,
    ) -> Result<Option<Vec<usize>>, TantivyError> {
        let mut passing: Option<Vec<usize>> = None;
        for condition in filters.conditions() {
            let fitting = self.fitting(&condition)?;
            passing = Some(match passing {
                None => fitting,
                Some(mut passing) => {
                    passing.retain(|place| fitting.binary_search(place).is_ok());
                    passing
                }
            });
        }
        Ok(passing)
    }

    fn fitting(&self, condition: &Condition<'_>) -> Result<Vec<usize>, TantivyError> {
        let mut places = Vec::new();
        for segment in &self.segments {
            let labels = segment.reader.inverted_index(self.fields.labels)?;
            for info in starting(&labels, condition.start(), |label| condition.fits(label))? {
                segment.places(&labels, &info, |place| places.push(place))?;
            }
        }
        Ok(in_order(places))
    }

    /// The places of the documents that have a term.
    fn with_term(&self, term: &Term) -> Result<Vec<usize>, TantivyError> {
        let mut places = Vec::new();
        for segment in &self.segments {
            let index = segment.reader.inverted_index(term.field())?;
            if let Some(info) = index.get_term_info(term)? {
                segment.places(&index, &info, |place| places.push(place))?;
            }
        }
        Ok(places)
    }

    fn number_at(&self, place: usize) -> usize {
        let (segment, document) = self.at(place);
        let number = segment.numbers.first(document).unwrap_or(u64::MAX);
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    fn at(&self, place: usize) -> (&Segment, DocId) {
        let after = self.segments.partition_point(|one| one.start <= place);
        let segment = &self.segments[after.saturating_sub(1)];
        // Tantivy counts a segment's documents in 32 bits.
        let document = DocId::try_from(place - segment.start).unwrap_or(DocId::MAX);
        (segment, document)
    }
}

impl Segment {
    fn open(reader: SegmentReader, start: usize) -> Result<Self, TantivyError> {
        let columns = reader.fast_fields();
        let names = columns.str(PACKAGE)?;
        let (lengths, numbers) = (columns.u64(LENGTHS)?, columns.u64(NUMBER)?);
        Ok(Self {
            start,
            names: names.ok_or_else(|| TantivyError::FieldNotFound(PACKAGE.to_owned()))?,
            lengths,
            numbers,
            reader,
        })
    }

    /// A count for each name, in the order of the names.
    fn by_name(&self, count: impl Fn(&str) -> u32) -> Result<Vec<u32>, TantivyError> {
        let mut counts = Vec::with_capacity(self.names.num_terms());
        let mut names = self.names.dictionary().stream()?;
        while names.advance() {
            counts.push(str::from_utf8(names.key()).map_or(0, &count));
        }
        Ok(counts)
    }

    /// Calls for the place of every document that has a term and was not replaced since.
    fn places(
        &self,
        index: &InvertedIndexReader,
        info: &TermInfo,
        mut found: impl FnMut(usize),
    ) -> Result<(), TantivyError> {
        let option = IndexRecordOption::Basic;
        let mut block = index.read_block_postings_from_terminfo(info, option)?;
        let alive = self.reader.alive_bitset();
        while !block.docs().is_empty() {
            for document in block.docs() {
                if alive.is_none_or(|alive| alive.is_alive(*document)) {
                    found(self.start + *document as usize);
                }
            }
            block.advance();
        }
        Ok(())
    }

    /// Adds where a word is found in a field.
    fn find(
        &self,
        (field, place): (Field, Place),
        word: &Word,
        tolerance: Tolerance,
        found: &mut Vec<Found>,
    ) -> Result<(), TantivyError> {
        let index = self.reader.inverted_index(place)?;
        let mut close = Vec::new();
        let mut take = |term: &str| {
            let closeness = word.closeness(term, field, tolerance);
            close.extend(closeness);
            closeness.is_some()
        };
        let mut terms = starting(&index, word.start(), &mut take)?;
        if tolerance == Tolerance::OneEdit {
            let elsewhere = |term: &str| !term.starts_with(word.start()) && take(term);
            terms.extend(near(&index, (place, word.text()), 1, elsewhere)?);
        }
        for (info, closeness) in terms.iter().zip(close) {
            self.places(&index, info, |place| found.push((place, field, closeness)))?;
        }
        Ok(())
    }
}

/// The terms with this start that are taken.
fn starting(
    index: &InvertedIndexReader,
    start: &str,
    mut take: impl FnMut(&str) -> bool,
) -> Result<Vec<TermInfo>, TantivyError> {
    let mut terms = Vec::new();
    let mut stream = index.terms().range().ge(start).into_stream()?;
    while stream.advance() && stream.key().starts_with(start.as_bytes()) {
        if str::from_utf8(stream.key()).is_ok_and(&mut take) {
            terms.push(stream.value().clone());
        }
    }
    Ok(terms)
}

/// The terms of a field at most so many edits from a text that are taken.
fn near(
    index: &InvertedIndexReader,
    (place, text): (Place, &str),
    edits: u8,
    mut take: impl FnMut(&str) -> bool,
) -> Result<Vec<TermInfo>, TantivyError> {
    let query = FuzzyTermQuery::new(Term::from_field_text(place, text), edits, true);
    let mut terms = Vec::new();
    let mut stream = index.terms().search(query.automaton()?).into_stream()?;
    while stream.advance() {
        if str::from_utf8(stream.key()).is_ok_and(&mut take) {
            terms.push(stream.value().clone());
        }
    }
    Ok(terms)
}

/// Each place once, in order.
fn in_order(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}

impl Collection for TextIndex {
    type Error = TantivyError;

    fn size(&self) -> usize {
        self.size
    }

    fn matches(&self, word: &Word, tolerance: Tolerance) -> Result<Vec<Match>, TantivyError> {
        let mut found = Vec::new();
        for segment in &self.segments {
            for field in Field::ALL {
                let place = *self.fields.tokens.get(field);
                segment.find((field, place), word, tolerance, &mut found)?;
            }
        }
        found.sort_by_key(|(place, _, _)| *place);
        let of_one = found.chunk_by(|one, other| one.0 == other.0);
        let matches = of_one.map(|found| {
            let mut closest: PerField<f64> = PerField::default();
            for (_, field, closeness) in found {
                let closest = closest.get_mut(*field);
                *closest = closest.max(*closeness);
            }
            (found[0].0, closest)
        });
        Ok(matches.collect())
    }

    fn named(&self, key: &str, edits: u8) -> Result<Vec<usize>, TantivyError> {
        let place = self.fields.key;
        if edits == 0 {
            return self.with_term(&Term::from_field_text(place, key));
        }
        let mut places = Vec::new();
        for segment in &self.segments {
            let index = segment.reader.inverted_index(place)?;
            for info in &near(&index, (place, key), edits, |_| true)? {
                segment.places(&index, info, |place| places.push(place))?;
            }
        }
        Ok(in_order(places))
    }

    fn all(&self) -> Vec<usize> {
        let of = |segment: &Segment| {
            let start = segment.start;
            let alive = segment.reader.doc_ids_alive();
            alive
                .map(move |document| start + document as usize)
                .collect::<Vec<_>>()
        };
        self.segments.iter().flat_map(of).collect()
    }

    fn package(&self, place: usize) -> Package {
        let (segment, document) = self.at(place);
        let lengths = segment.lengths.first(document).unwrap_or(0);
        let number = self.number_at(place);
        Package {
            lengths: unpack(lengths),
            dependents: self.columns.dependents.get(number),
            downloads: self.columns.downloads.get(number),
        }
    }

    fn compare_names(&self, one: usize, other: usize) -> Ordering {
        let (segment, document) = self.at(one);
        let (other_segment, other_document) = self.at(other);
        if segment.start == other_segment.start {
            let ordinal = |document| segment.names.term_ords(document).next();
            return ordinal(document).cmp(&ordinal(other_document));
        }
        let name = |place| self.name(place).unwrap_or_default();
        name(one).cmp(&name(other))
    }
}
