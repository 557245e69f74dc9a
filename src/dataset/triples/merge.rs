//! Several segments as one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::Write;

use super::footer::Row;
use super::key::{self, TermId};
use super::pairs::{Change, sum};
use super::write::{SegmentWriter, WriteError};
use super::{Chain, Damaged, Segment};

/// What is merged.
#[derive(Debug, Clone, Copy)]
pub(in crate::dataset) enum Sources<'a> {
    /// The segments of a chain from this one on: they become one, upon those before.
    Top(&'a Chain, usize),
    /// Segments that know nothing of each other; each adds only.
    Independent(&'a [Segment]),
}

/// Writes the segment that stands for several. Returns the file.
pub(in crate::dataset) fn merge<W: Write>(sources: Sources<'_>, out: W) -> Result<W, WriteError> {
    let mut merge = Merge::new(sources);
    let is_used = merge.used_terms()?;
    let mut writer = SegmentWriter::new(out, merge.first_id);
    merge.terms(&is_used, &mut writer)?;
    writer.end_terms()?;
    for (predicate, rows) in merge.rows()? {
        let changes = merge.changes(&rows)?;
        if predicate != UNUSED {
            writer.predicate(predicate, changes)?;
        }
    }
    Ok(writer.finish()?)
}

/// Stands for a term that no triple needs any more.
const UNUSED: TermId = TermId::MAX;

struct Merge<'a> {
    segments: &'a [Segment],
    /// Terms below have the same numbers afterwards.
    first_id: TermId,
    /// Where each segment's numbers begin in `renumbered`, counted from `first_id`.
    starts: Vec<usize>,
    /// The new number for each old one.
    renumbered: Vec<TermId>,
}

/// Rows of one predicate: the place of the segment, and what that says.
type Rows<'a> = Vec<(usize, &'a Row)>;

impl<'a> Merge<'a> {
    fn new(sources: Sources<'a>) -> Self {
        let length = |segment: &Segment| (segment.end_id() - segment.first_id()) as usize;
        match sources {
            Sources::Top(chain, from) => {
                let segments = chain.segments().get(from..).unwrap_or_default();
                let first_id = segments.first().map_or(chain.next_id(), Segment::first_id);
                let total = segments.iter().map(length).sum();
                Self {
                    segments,
                    first_id,
                    starts: vec![0; segments.len()],
                    renumbered: (first_id..).take(total).collect(),
                }
            }
            Sources::Independent(segments) => {
                let mut total = 0;
                let mut starts = Vec::new();
                let mut renumbered = Vec::new();
                for segment in segments {
                    starts.push(total);
                    total += length(segment);
                    renumbered.extend(0..segment.end_id());
                }
                Self {
                    segments,
                    first_id: 0,
                    starts,
                    renumbered,
                }
            }
        }
    }

    /// Where the new number of a term stands, if it can change.
    fn place(&self, source: usize, id: TermId) -> Option<usize> {
        let may_change = key::is_of_chain(id) && id >= self.first_id;
        may_change.then(|| self.starts[source] + (id - self.first_id) as usize)
    }

    /// The new number of a term; at first, the old one.
    fn renumber(&self, source: usize, id: TermId) -> Result<TermId, Damaged> {
        let Some(place) = self.place(source, id) else {
            return Ok(id);
        };
        let number = self.renumbered.get(place).copied();
        number.ok_or(Damaged("a triple has a term that is not there"))
    }

    /// Which terms the triples need. Where nothing was removed, all of them are needed.
    fn used_terms(&self) -> Result<Vec<bool>, Damaged> {
        let mut rows = self.segments.iter().flat_map(Segment::rows);
        let removes = rows.any(|row| row.removed_count > 0);
        let mut is_used = vec![!removes; self.renumbered.len()];
        if !removes {
            return Ok(is_used);
        }
        for (predicate, rows) in self.rows()? {
            let mut changes = self.changes(&rows)?;
            sum(&mut changes);
            let terms = changes.iter().flat_map(|(pair, _)| *pair);
            let predicate = changes.first().map(|_| predicate);
            // Segments that remove are those of one chain: the first place is right for each.
            for place in terms.chain(predicate).filter_map(|id| self.place(0, id)) {
                is_used[place] = true;
            }
        }
        Ok(is_used)
    }

    /// Writes the terms of all segments in one order, and notes their new numbers.
    fn terms<W: Write>(
        &mut self,
        is_used: &[bool],
        writer: &mut SegmentWriter<W>,
    ) -> Result<(), WriteError> {
        let mut next = self.first_id;
        let mut last: Option<&[u8]> = None;
        let mut heap = BinaryHeap::new();
        let segments = self.segments;
        for (source, segment) in segments.iter().enumerate() {
            if segment.first_id() < segment.end_id() {
                let id = segment.first_id();
                heap.push(Reverse((segment.term(id)?, source, id)));
            }
        }
        while let Some(Reverse((key, source, id))) = heap.pop() {
            if let Some(place) = self.place(source, id) {
                self.renumbered[place] = match () {
                    () if !is_used[place] => UNUSED,
                    () if last == Some(key) => next - 1,
                    () => {
                        writer.term(key)?;
                        last = Some(key);
                        next += 1;
                        next - 1
                    }
                };
            }
            if id + 1 < segments[source].end_id() {
                heap.push(Reverse((segments[source].term(id + 1)?, source, id + 1)));
            }
        }
        Ok(())
    }

    /// The rows of all segments by predicate.
    fn rows(&self) -> Result<BTreeMap<TermId, Rows<'a>>, Damaged> {
        let mut by_predicate: BTreeMap<_, Rows<'a>> = BTreeMap::new();
        for (source, segment) in self.segments.iter().enumerate() {
            for row in segment.rows() {
                let predicate = self.renumber(source, row.predicate)?;
                by_predicate
                    .entry(predicate)
                    .or_default()
                    .push((source, row));
            }
        }
        Ok(by_predicate)
    }

    /// What the segments say under one predicate.
    fn changes(&self, rows: &Rows<'_>) -> Result<Vec<Change>, Damaged> {
        let count = |(_, row): &(usize, &Row)| (row.added_count + row.removed_count) as usize;
        let mut changes = Vec::with_capacity(rows.iter().map(count).sum());
        for (source, row) in rows {
            let segment = &self.segments[*source];
            let added = segment.by_subject(row).iter().map(|pair| (pair, 1));
            let removed = segment.removed(row).iter().map(|pair| (pair, -1));
            for ([subject, object], count) in added.chain(removed) {
                let subject = self.renumber(*source, *subject)?;
                let object = self.renumber(*source, *object)?;
                changes.push(([subject, object], count));
            }
        }
        Ok(changes)
    }
}
