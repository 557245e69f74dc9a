//! A segment, opened. Nothing in it is believed beyond what was looked at: numbers out of place and text
//! that is none are damage, said as such.

use bytemuck::{Pod, pod_read_unaligned, try_cast_slice};
use tantivy::directory::OwnedBytes;

use super::Damaged;
use super::footer::{FOOTER_LENGTH, Footer, Row};
use super::key::TermId;
use super::pairs::Pair;

/// A segment of a chain.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct Segment {
    bytes: OwnedBytes,
    footer: Footer,
    first_id: TermId,
    end_id: TermId,
}

impl Segment {
    /// Opens the bytes of a segment file. It looks at the footer and at the rows, so that all that
    /// these point to is there.
    pub(in crate::dataset) fn open(bytes: OwnedBytes) -> Result<Self, Damaged> {
        let footer: Footer = match bytes.last_chunk::<FOOTER_LENGTH>() {
            Some(footer) => pod_read_unaligned(footer),
            None => return Err(Damaged("a segment is cut off")),
        };
        if !footer.is_sealed() {
            return Err(Damaged("a segment has no footer"));
        }
        let end_id = footer.first_id.saturating_add(footer.terms);
        let id = |number: u64| TermId::try_from(number).map_err(|_| Damaged("too many terms"));
        let segment = Self {
            first_id: id(footer.first_id)?,
            end_id: id(end_id)?,
            bytes,
            footer,
        };
        let parts = [
            segment.part::<u8>(0, footer.terms_length).is_some(),
            segment
                .part::<u32>(footer.ends_start, footer.terms.saturating_add(1))
                .is_some(),
            segment
                .part::<Pair>(footer.pairs_start, footer.pairs)
                .is_some(),
            segment
                .part::<Row>(footer.rows_start, footer.rows)
                .is_some(),
        ];
        if parts.contains(&false) {
            return Err(Damaged("a segment is cut off"));
        }
        let pairs = segment.pairs().len();
        let is_there = |start: u32, count: u64| u64::from(start) + count <= pairs as u64;
        let row_is_there = |row: &Row| {
            is_there(row.added, 2 * u64::from(row.added_count))
                && is_there(row.removed, u64::from(row.removed_count))
        };
        match segment.rows().iter().all(row_is_there) {
            true => Ok(segment),
            false => Err(Damaged("a segment points beyond its end")),
        }
    }

    /// The number of its first own term.
    pub(super) const fn first_id(&self) -> TermId {
        self.first_id
    }

    /// The number after its last own term.
    pub(super) const fn end_id(&self) -> TermId {
        self.end_id
    }

    /// How many pairs it adds and removes.
    pub(in crate::dataset) fn changes(&self) -> u64 {
        let count = |row: &Row| u64::from(row.added_count) + u64::from(row.removed_count);
        self.rows().iter().map(count).sum()
    }

    /// The bytes of a term of its own.
    pub(super) fn term(&self, id: TermId) -> Result<&[u8], Damaged> {
        let ends = self.ends();
        let bytes = id.checked_sub(self.first_id).and_then(|place| {
            let place = place as usize;
            let (start, end) = (*ends.get(place)?, *ends.get(place + 1)?);
            self.terms().get(start as usize..end as usize)
        });
        bytes.ok_or(Damaged("a term is not where it should be"))
    }

    /// The number of a term, if it is one of its own.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<TermId>, Damaged> {
        let (mut low, mut high) = (self.first_id, self.end_id);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.term(middle)?.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// What it says under each predicate.
    pub(super) fn rows(&self) -> &[Row] {
        self.believed(self.footer.rows_start, self.footer.rows)
    }

    /// What it says under a predicate.
    pub(super) fn row(&self, predicate: TermId) -> Option<&Row> {
        let rows = self.rows();
        let place = rows.binary_search_by_key(&predicate, |row| row.predicate);
        place.ok().map(|place| &rows[place])
    }

    /// The pairs that a row adds, sorted by subject.
    pub(super) fn by_subject(&self, row: &Row) -> &[Pair] {
        self.slice(row.added as usize, row.added_count)
    }

    /// The pairs that a row adds, turned round and sorted by object.
    pub(super) fn by_object(&self, row: &Row) -> &[Pair] {
        self.slice(
            row.added as usize + row.added_count as usize,
            row.added_count,
        )
    }

    /// The pairs that a row removes, sorted by subject.
    pub(super) fn removed(&self, row: &Row) -> &[Pair] {
        self.slice(row.removed as usize, row.removed_count)
    }

    fn slice(&self, start: usize, count: u32) -> &[Pair] {
        let pairs = self.pairs().get(start..start + count as usize);
        pairs.unwrap_or_default()
    }

    fn terms(&self) -> &[u8] {
        self.believed(0, self.footer.terms_length)
    }

    fn ends(&self) -> &[u32] {
        self.believed(self.footer.ends_start, self.footer.terms.saturating_add(1))
    }

    fn pairs(&self) -> &[Pair] {
        self.believed(self.footer.pairs_start, self.footer.pairs)
    }

    /// A part that was looked at when the segment was opened.
    fn believed<T: Pod>(&self, start: u64, count: u64) -> &[T] {
        self.part(start, count).unwrap_or_default()
    }

    fn part<T: Pod>(&self, start: u64, count: u64) -> Option<&[T]> {
        let start = usize::try_from(start).ok()?;
        let length = usize::try_from(count).ok()?.checked_mul(size_of::<T>())?;
        let bytes = self.bytes.get(start..start.checked_add(length)?)?;
        try_cast_slice(bytes).ok()
    }

    #[cfg(test)]
    pub(super) const fn footer(&self) -> &Footer {
        &self.footer
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
