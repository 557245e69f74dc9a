//! Segments, one upon the other, as one set of triples.

use oxigraph::model::{NamedNode, Term, TermRef, Triple, TripleRef};

use super::footer::Row;
use super::key::{self, TermId};
use super::pairs::{Pair, starting};
use super::{Damaged, Segment};

/// The segments of a dataset, the oldest first.
#[derive(Debug, Clone, Default)]
pub(in crate::dataset) struct Chain(Vec<Segment>);

/// A triple as the numbers of its terms.
pub(in crate::dataset) type Numbers = [TermId; 3];

impl Chain {
    /// Puts segments one upon the other. Each continues the numbers of those before.
    pub(in crate::dataset) fn new(segments: Vec<Segment>) -> Result<Self, Damaged> {
        let mut next = 0;
        for segment in &segments {
            if segment.first_id() != next {
                return Err(Damaged("a segment does not continue the one before"));
            }
            next = segment.end_id();
        }
        Ok(Self(segments))
    }

    /// The segments.
    pub(in crate::dataset) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The number that a new term would get.
    pub(super) fn next_id(&self) -> TermId {
        self.0.last().map_or(0, Segment::end_id)
    }

    /// The number of a term, if it has one.
    pub(in crate::dataset) fn id(&self, term: TermRef<'_>) -> Result<Option<TermId>, Damaged> {
        let mut key = Vec::new();
        match key::encode(term, &mut key) {
            Some(id) => Ok(Some(id)),
            None => self.find(&key),
        }
    }

    /// The number of the term with these bytes.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<TermId>, Damaged> {
        for segment in &self.0 {
            if let Some(id) = segment.find(key)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The term of a number.
    pub(in crate::dataset) fn term(&self, id: TermId) -> Result<Term, Damaged> {
        if let Some(integer) = key::inline_integer(id) {
            return Ok(oxigraph::model::Literal::from(i64::from(integer)).into());
        }
        key::decode(self.bytes(id)?).ok_or(Damaged("a term cannot be read"))
    }

    /// The IRI of a number that stands for one.
    pub(in crate::dataset) fn named(&self, id: TermId) -> Result<NamedNode, Damaged> {
        match self.term(id)? {
            Term::NamedNode(iri) => Ok(iri),
            _ => Err(Damaged("a subject or a predicate is no IRI")),
        }
    }

    /// The triple of three numbers.
    pub(in crate::dataset) fn triple(
        &self,
        [subject, predicate, object]: Numbers,
    ) -> Result<Triple, Damaged> {
        let (subject, predicate) = (self.named(subject)?, self.named(predicate)?);
        Ok(Triple::new(subject, predicate, self.term(object)?))
    }

    /// Says whether a triple is there.
    pub(in crate::dataset) fn contains(&self, triple: TripleRef<'_>) -> Result<bool, Damaged> {
        let subject = self.id(triple.subject.into())?;
        let predicate = self.id(triple.predicate.into())?;
        let object = self.id(triple.object)?;
        let is_known = subject.is_some() && predicate.is_some() && object.is_some();
        Ok(is_known && self.matching(subject, predicate, object).next().is_some())
    }

    /// The text of a plain string, `None` for any other term.
    pub(in crate::dataset) fn string(&self, id: TermId) -> Result<Option<&str>, Damaged> {
        match key::is_of_chain(id) {
            true => Ok(key::decode_string(self.bytes(id)?)),
            false => Ok(None),
        }
    }

    fn bytes(&self, id: TermId) -> Result<&[u8], Damaged> {
        let place = self.0.partition_point(|segment| segment.end_id() <= id);
        let segment = self.0.get(place).ok_or(Damaged("there is no such term"))?;
        segment.term(id)
    }

    /// The triples of a pattern.
    pub(in crate::dataset) fn matching(
        &self,
        subject: Option<TermId>,
        predicate: Option<TermId>,
        object: Option<TermId>,
    ) -> Matches<'_> {
        Matches {
            pattern: (subject, predicate, object),
            waiting: &self.0,
            current: None,
            rows: &[],
            pairs: &[],
            predicate: 0,
            is_turned: false,
        }
    }
}

/// The triples of a pattern, each once.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct Matches<'a> {
    pattern: (Option<TermId>, Option<TermId>, Option<TermId>),
    /// The segments upon the current one.
    waiting: &'a [Segment],
    current: Option<&'a Segment>,
    /// Its rows that are still to be read.
    rows: &'a [Row],
    /// Pairs of `predicate` that are still to be read.
    pairs: &'a [Pair],
    predicate: TermId,
    /// The pairs stand by object.
    is_turned: bool,
}

impl<'a> Matches<'a> {
    /// Takes up the pairs of a row.
    fn enter(&mut self, segment: &'a Segment, row: &'a Row) {
        let (subject, _, object) = self.pattern;
        self.predicate = row.predicate;
        self.is_turned = subject.is_none() && object.is_some();
        self.pairs = match (subject, object) {
            (Some(subject), object) => starting(segment.by_subject(row), subject, object),
            (None, Some(object)) => starting(segment.by_object(row), object, None),
            (None, None) => segment.by_subject(row),
        };
    }

    /// Says whether a segment upon the current one removes a triple.
    fn is_removed(&self, [subject, predicate, object]: Numbers) -> bool {
        self.waiting.iter().any(|newer| {
            let row = newer.row(predicate);
            let removed = row.map(|row| newer.removed(row)).unwrap_or_default();
            removed.binary_search(&[subject, object]).is_ok()
        })
    }
}

impl Iterator for Matches<'_> {
    type Item = Numbers;

    fn next(&mut self) -> Option<Numbers> {
        loop {
            if let Some((&[first, second], rest)) = self.pairs.split_first() {
                self.pairs = rest;
                let triple = match self.is_turned {
                    true => [second, self.predicate, first],
                    false => [first, self.predicate, second],
                };
                if !self.is_removed(triple) {
                    return Some(triple);
                }
            } else if let (Some(segment), Some((row, rest))) =
                (self.current, self.rows.split_first())
            {
                self.rows = rest;
                self.enter(segment, row);
            } else {
                let (segment, rest) = self.waiting.split_first()?;
                self.waiting = rest;
                self.current = Some(segment);
                self.rows = match self.pattern.1 {
                    Some(predicate) => segment.row(predicate).map_or(&[], std::slice::from_ref),
                    None => segment.rows(),
                };
            }
        }
    }
}
