//! Triples made without a detour over Turtle. A proptest holds them against what a parser makes of it.

use oxrdf::vocab::rdf;
use oxrdf::{Literal, NamedNode, Term as Object, Triple};

use super::value::{Sink, Value, escaped};
use super::vocabulary::Term;

/// Triples that grow.
pub(super) struct Triples<'a> {
    base: &'a str,
    subject: NamedNode,
    all: Vec<Triple>,
}

impl<'a> Triples<'a> {
    /// Begins with none. IRIs are relative to the base.
    pub(super) fn new(base: &'a str) -> Self {
        Self {
            base,
            subject: named(base),
            all: Vec::new(),
        }
    }

    /// Those that came.
    pub(super) fn finish(self) -> Vec<Triple> {
        self.all
    }

    fn add(&mut self, predicate: NamedNode, object: impl Into<Object>) {
        let subject = self.subject.clone();
        self.all.push(Triple::new(subject, predicate, object));
    }

    /// A colon in the first segment ends a scheme (RFC 3986, section 4.2); all others of our IRIs lie below
    /// the base.
    fn resolved(&self, iri: &str) -> NamedNode {
        let first = iri.split(['/', '?', '#']).next().unwrap_or_default();
        match first.contains(':') {
            true => named(iri),
            false => NamedNode::new_unchecked([self.base, iri].concat()),
        }
    }

    fn object(&self, value: Value) -> Object {
        match value {
            Value::Iri(iri) => self.resolved(&iri).into(),
            Value::Term(term) => named(term.iri).into(),
            Value::Text(text) => Literal::new_simple_literal(text).into(),
            Value::Typed(value, datatype) | Value::Plain(value, datatype) => {
                Literal::new_typed_literal(value, named(datatype.iri)).into()
            }
        }
    }
}

impl Sink for Triples<'_> {
    fn node(&mut self, subject: &str, classes: &[Term]) {
        self.subject = self.resolved(&escaped(subject));
        for class in classes {
            self.add(rdf::TYPE.into_owned(), named(class.iri));
        }
    }

    fn property(&mut self, property: Term, values: impl IntoIterator<Item = Value>) {
        for value in values {
            let object = self.object(value);
            self.add(named(property.iri), object);
        }
    }

    fn end(&mut self) {}
}

fn named(iri: &str) -> NamedNode {
    NamedNode::new_unchecked(iri)
}
