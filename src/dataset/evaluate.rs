//! A chain of triples as what Oxigraph's evaluator asks.

use std::cell::RefCell;
use std::collections::HashMap;

use oxigraph::model::Term;
use spareval::{ExpressionTerm, InternalQuad, QueryableDataset};

use super::triples::{Chain, Damaged, Matches, OUTSIDE, TermId, inline_integer};

/// A chain, and the terms that only the query at hand knows. There is but the default graph.
pub(super) struct View<'a> {
    chain: &'a Chain,
    outside: RefCell<Outside>,
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
        }
    }
}

impl Outside {
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
struct Quads<'a>(Option<Matches<'a>>);

impl Iterator for Quads<'_> {
    type Item = Result<InternalQuad<TermId>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        let [subject, predicate, object] = self.0.as_mut()?.next()?;
        Some(Ok(InternalQuad {
            subject,
            predicate,
            object,
            graph_name: None,
        }))
    }
}

impl<'a> QueryableDataset<'a> for View<'a> {
    type InternalTerm = TermId;
    type Error = Damaged;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&TermId>,
        predicate: Option<&TermId>,
        object: Option<&TermId>,
        graph_name: Option<Option<&TermId>>,
    ) -> impl Iterator<Item = Result<InternalQuad<TermId>, Damaged>> + use<'a> {
        let is_default_graph = graph_name == Some(None);
        let pattern = || {
            self.chain
                .matching(subject.copied(), predicate.copied(), object.copied())
        };
        Quads(is_default_graph.then(pattern))
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<TermId, Damaged>> + use<'a> {
        std::iter::empty()
    }

    fn contains_internal_graph_name(&self, _: &TermId) -> Result<bool, Damaged> {
        Ok(false)
    }

    fn internalize_term(&self, term: Term) -> Result<TermId, Damaged> {
        match self.chain.id(term.as_ref())? {
            Some(id) => Ok(id),
            None => self.outside.borrow_mut().id(term),
        }
    }

    fn externalize_term(&self, id: TermId) -> Result<Term, Damaged> {
        if id < OUTSIDE {
            return self.chain.term(id);
        }
        let outside = self.outside.borrow();
        let term = outside.terms.get((id - OUTSIDE) as usize).cloned();
        term.ok_or(Damaged("there is no such term"))
    }

    fn externalize_expression_term(&self, id: TermId) -> Result<ExpressionTerm, Damaged> {
        if let Some(integer) = inline_integer(id) {
            return Ok(ExpressionTerm::IntegerLiteral(i64::from(integer).into()));
        }
        match self.chain.string(id)? {
            Some(text) => Ok(ExpressionTerm::StringLiteral(text.to_owned())),
            None => Ok(self.externalize_term(id)?.into()),
        }
    }
}
