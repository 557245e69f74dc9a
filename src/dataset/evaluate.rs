//! A chain of triples as what Oxigraph's evaluator asks.

use std::cell::RefCell;
use std::collections::HashMap;

use oxigraph::model::Term;
use spareval::{ExpressionTerm, InternalQuad, QueryableDataset};

use super::matches::{Hits, Searches, score_of};
use super::store::Dataset;
use super::triples::{Chain, Damaged, Matches, OUTSIDE, TermId, inline_integer};
use crate::formats::v2::MATCHES;

/// A chain, the terms that only the query at hand knows, and what it searches for. There is but the
/// default graph.
pub(super) struct View<'a> {
    chain: &'a Chain,
    outside: RefCell<Outside>,
    /// None where there is no text.
    search: Option<(&'a Dataset, Searches)>,
}

/// Why the dataset does not answer a pattern.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatternError {
    /// Its files are not what was written.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// `mp:matches` without words.
    #[error("`mp:matches` finds packages for words, and there are none where it stands")]
    NoWords,
    /// `mp:matches` where there is no text.
    #[error("`mp:matches` finds packages where there is a text")]
    NoText,
}

/// Terms that the chain does not have, by their number from [`OUTSIDE`] on.
#[derive(Default)]
struct Outside {
    terms: Vec<Term>,
    ids: HashMap<Term, TermId>,
}

impl<'a> View<'a> {
    /// A view for one query.
    pub(super) fn new(chain: &'a Chain) -> Self {
        Self {
            chain,
            outside: RefCell::default(),
            search: None,
        }
    }

    /// A view for one query, which may search.
    pub(super) fn with_text(dataset: &'a Dataset, searches: Searches) -> Self {
        searches.bind(dataset.chain());
        Self {
            search: Some((dataset, searches)),
            ..Self::new(dataset.chain())
        }
    }

    /// What fits a text, if the predicate asks for that.
    fn found(
        &self,
        predicate: TermId,
        words: Option<TermId>,
    ) -> Option<Result<(Hits, TermId), PatternError>> {
        let (dataset, searches) = self.search.as_ref()?;
        let term = self.outside.borrow().term(predicate)?;
        if !matches!(term, Term::NamedNode(iri) if iri.as_str() == MATCHES) {
            return None;
        }
        let Some(words) = words else {
            return Some(Err(PatternError::NoWords));
        };
        let Some(index) = dataset.text() else {
            return Some(Err(PatternError::NoText));
        };
        let hits = self.externalize_term(words).and_then(|text| match text {
            Term::Literal(text) => Ok(searches.hits(text.value(), dataset, index)?),
            Term::NamedNode(_) | Term::BlankNode(_) => Err(PatternError::NoWords),
        });
        Some(hits.map(|hits| (hits, words)))
    }
}

impl Outside {
    fn term(&self, id: TermId) -> Option<Term> {
        let place = id.checked_sub(OUTSIDE)?;
        self.terms.get(place as usize).cloned()
    }

    fn id(&mut self, term: Term) -> Result<TermId, Damaged> {
        if let Some(id) = self.ids.get(&term) {
            return Ok(*id);
        }
        let place = TermId::try_from(self.terms.len()).ok();
        let id = place.and_then(|place| OUTSIDE.checked_add(place));
        let id = id.ok_or(Damaged("a query has more terms than numbers"))?;
        self.terms.push(term.clone());
        self.ids.insert(term, id);
        Ok(id)
    }
}

/// The quads of a pattern.
enum Quads<'a> {
    /// None at all.
    None,
    /// Of the chain.
    Chain(Matches<'a>),
    /// Packages that fit a text, from a place on.
    Found {
        hits: Hits,
        next: usize,
        /// Predicate and object.
        rest: (TermId, TermId),
    },
    /// The text cannot be searched.
    Failed(Option<PatternError>),
}

impl Iterator for Quads<'_> {
    type Item = Result<InternalQuad<TermId>, PatternError>;

    fn next(&mut self) -> Option<Self::Item> {
        let [subject, predicate, object] = match self {
            Self::None => None,
            Self::Chain(matches) => matches.next(),
            Self::Found { hits, next, rest } => {
                let hit = hits.get(*next);
                *next += 1;
                hit.map(|(package, _)| [*package, rest.0, rest.1])
            }
            Self::Failed(error) => return error.take().map(Err),
        }?;
        Some(Ok(InternalQuad {
            subject,
            predicate,
            object,
            graph_name: None,
        }))
    }
}

/// The packages that fit, of which one may be asked for.
fn found<'a>(hits: Hits, subject: Option<TermId>, rest: (TermId, TermId)) -> Quads<'a> {
    let hits = match subject {
        Some(subject) if score_of(&hits, subject).is_some() => [(subject, 0.0)].into(),
        Some(_) => return Quads::None,
        None => hits,
    };
    Quads::Found {
        hits,
        next: 0,
        rest,
    }
}

impl<'a> QueryableDataset<'a> for View<'a> {
    type InternalTerm = TermId;
    type Error = PatternError;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&TermId>,
        predicate: Option<&TermId>,
        object: Option<&TermId>,
        graph_name: Option<Option<&TermId>>,
    ) -> impl Iterator<Item = Result<InternalQuad<TermId>, PatternError>> + use<'a> {
        let (subject, predicate, object) = (subject.copied(), predicate.copied(), object.copied());
        if graph_name != Some(None) {
            return Quads::None;
        }
        if let Some(predicate) = predicate
            && let Some(searched) = self.found(predicate, object)
        {
            return match searched {
                Ok((hits, words)) => found(hits, subject, (predicate, words)),
                Err(error) => Quads::Failed(Some(error)),
            };
        }
        Quads::Chain(self.chain.matching(subject, predicate, object))
    }

    fn internal_named_graphs(
        &self,
    ) -> impl Iterator<Item = Result<TermId, PatternError>> + use<'a> {
        std::iter::empty()
    }

    fn contains_internal_graph_name(&self, _: &TermId) -> Result<bool, PatternError> {
        Ok(false)
    }

    fn internalize_term(&self, term: Term) -> Result<TermId, PatternError> {
        match self.chain.id(term.as_ref())? {
            Some(id) => Ok(id),
            None => Ok(self.outside.borrow_mut().id(term)?),
        }
    }

    fn externalize_term(&self, id: TermId) -> Result<Term, PatternError> {
        match id < OUTSIDE {
            true => Ok(self.chain.term(id)?),
            false => {
                let term = self.outside.borrow().term(id);
                Ok(term.ok_or(Damaged("there is no such term"))?)
            }
        }
    }

    fn externalize_expression_term(&self, id: TermId) -> Result<ExpressionTerm, PatternError> {
        if let Some(integer) = inline_integer(id) {
            return Ok(ExpressionTerm::IntegerLiteral(i64::from(integer).into()));
        }
        match self.chain.string(id)? {
            Some(text) => Ok(ExpressionTerm::StringLiteral(text.to_owned())),
            None => Ok(self.externalize_term(id)?.into()),
        }
    }
}
