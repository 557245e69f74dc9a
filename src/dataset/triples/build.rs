//! Triples that come and go, as a segment upon a chain.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use oxigraph::model::{TermRef, TripleRef};
use rayon::prelude::*;

use super::key::{self, TermId};
use super::pairs::Change;
use super::write::{SegmentWriter, WriteError};
use super::{Chain, Damaged};

/// Collects the changes of a segment.
pub(in crate::dataset) struct Builder<'a> {
    below: &'a Chain,
    first_id: TermId,
    ids: HashMap<Box<[u8]>, TermId>,
    /// How many of `ids` the chain below does not have.
    own: TermId,
    changes: BTreeMap<TermId, Vec<Change>>,
    key: Vec<u8>,
}

impl<'a> Builder<'a> {
    /// Begins a segment upon a chain.
    pub(in crate::dataset) fn new(below: &'a Chain) -> Self {
        Self {
            below,
            first_id: below.next_id(),
            ids: HashMap::new(),
            own: 0,
            changes: BTreeMap::new(),
            key: Vec::new(),
        }
    }

    /// Adds a triple, which must not be there.
    pub(in crate::dataset) fn add(&mut self, triple: TripleRef<'_>) -> Result<(), Damaged> {
        self.change(triple, 1)
    }

    /// Removes a triple, which must be there.
    pub(in crate::dataset) fn remove(&mut self, triple: TripleRef<'_>) -> Result<(), Damaged> {
        self.change(triple, -1)
    }

    fn change(&mut self, triple: TripleRef<'_>, count: i32) -> Result<(), Damaged> {
        let subject = self.id(triple.subject.into())?;
        let predicate = self.id(triple.predicate.into())?;
        let object = self.id(triple.object)?;
        let changes = self.changes.entry(predicate).or_default();
        changes.push(([subject, object], count));
        Ok(())
    }

    fn id(&mut self, term: TermRef<'_>) -> Result<TermId, Damaged> {
        if let Some(id) = key::encode(term, &mut self.key) {
            return Ok(id);
        }
        if let Some(id) = self.ids.get(self.key.as_slice()) {
            return Ok(*id);
        }
        let id = match self.below.find(&self.key)? {
            Some(id) => id,
            None => {
                self.own += 1;
                self.first_id + self.own - 1
            }
        };
        self.ids.insert(self.key.as_slice().into(), id);
        Ok(id)
    }

    /// Writes the segment. Returns the file.
    pub(in crate::dataset) fn finish<W: Write>(self, out: W) -> Result<W, WriteError> {
        let first_id = self.first_id;
        let is_own = |id: TermId| key::is_of_chain(id) && id >= first_id;
        let mut terms: Vec<_> = self.ids.into_iter().filter(|(_, id)| is_own(*id)).collect();
        terms.par_sort_unstable();
        let mut writer = SegmentWriter::new(out, first_id);
        let mut sorted = vec![0; terms.len()];
        for (id, (key, number)) in (first_id..).zip(&terms) {
            writer.term(key)?;
            sorted[(number - first_id) as usize] = id;
        }
        drop(terms);
        writer.end_terms()?;
        let renumber = |id: TermId| match is_own(id) {
            true => sorted[(id - first_id) as usize],
            false => id,
        };
        let changes = self.changes.into_iter();
        let by_predicate: BTreeMap<_, _> = changes
            .map(|(id, changes)| (renumber(id), changes))
            .collect();
        for (predicate, mut changes) in by_predicate {
            for (pair, _) in &mut changes {
                *pair = pair.map(renumber);
            }
            writer.predicate(predicate, changes)?;
        }
        Ok(writer.finish()?)
    }
}
