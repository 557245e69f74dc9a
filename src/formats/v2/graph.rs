//! The triples of a v2 document, with limits on what a hostile one may cost.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use oxrdf::{NamedOrBlankNode, Term as Object, Triple};
use oxttl::TurtleParser;

use super::V2Error;
use super::scan::deepest_nesting;
use super::vocabulary::{SCHEMA, Term};
use super::write;

/// The most triples of one document.
const MAX_TRIPLES: usize = 2_000_000;

/// The longest IRI; short prefixed names could else stand for very long ones.
const MAX_IRI_BYTES: usize = 4 << 10;

/// The longest literal.
const MAX_LITERAL_BYTES: usize = 8 << 20;

/// What the terms of all triples may add up to.
const MAX_TERM_BYTES: usize = 512 << 20;

/// How deep brackets may stand in each other. Our own documents have none.
const MAX_NESTING: usize = 8;

/// The triples of a document in its order; none holds a blank node.
pub(super) struct Graph(Vec<Triple>);

impl Graph {
    /// Parses Turtle.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, V2Error> {
        if deepest_nesting(bytes) > MAX_NESTING {
            return Err(V2Error::Nesting { limit: MAX_NESTING });
        }
        let mut triples = Vec::new();
        let mut term_bytes = 0;
        for triple in TurtleParser::new().for_slice(bytes) {
            let triple = triple.map_err(|error| syntax(&error))?;
            term_bytes += measure(&triple)?;
            if term_bytes > MAX_TERM_BYTES || triples.len() == MAX_TRIPLES {
                return Err(V2Error::TooManyTriples { limit: MAX_TRIPLES });
            }
            triples.push(triple);
        }
        Ok(Self(triples))
    }

    /// Triples that were parsed before.
    pub(super) const fn new(triples: Vec<Triple>) -> Self {
        Self(triples)
    }

    /// Its triples.
    pub(super) fn into_triples(self) -> Vec<Triple> {
        self.0
    }

    /// Refuses documents of a schema that we do not know, whatever else they hold.
    pub(super) fn check_schema(&self) -> Result<(), V2Error> {
        let schemas = self
            .0
            .iter()
            .filter(|triple| triple.predicate.as_str() == SCHEMA.iri);
        for triple in schemas {
            let number = lexical(&triple.object).unwrap_or_default();
            if number != write::SCHEMA {
                return Err(V2Error::UnknownSchema(number.chars().take(40).collect()));
            }
        }
        Ok(())
    }

    /// The nodes by their IRI.
    pub(super) fn nodes(&self) -> HashMap<&str, Node<'_>> {
        let mut nodes: HashMap<&str, Node<'_>> = HashMap::new();
        // Most triples follow one of the same subject: look each subject up once.
        for triples in self.0.chunk_by(|a, b| a.subject == b.subject) {
            let Some(iri) = triples.first().and_then(subject) else {
                continue;
            };
            let node = nodes.entry(iri).or_insert_with(|| Node {
                iri,
                properties: Vec::with_capacity(triples.len()),
            });
            node.properties.extend(
                triples.iter().filter_map(|triple| {
                    Some((triple.predicate.as_str(), lexical(&triple.object)?))
                }),
            );
        }
        nodes
    }

    /// Says whether two documents say the same.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let other: HashSet<&Triple> = other.0.iter().collect();
        let this: HashSet<&Triple> = self.0.iter().collect();
        this == other
    }
}

/// A node and its properties.
pub(super) struct Node<'a> {
    /// Its IRI.
    pub(super) iri: &'a str,
    properties: Vec<(&'a str, &'a str)>,
}

impl<'a> Node<'a> {
    /// The values of a property, sorted, each once.
    pub(super) fn all(&self, property: Term) -> Vec<&'a str> {
        let mut values: Vec<_> = self
            .properties
            .iter()
            .filter(|(name, _)| *name == property.iri)
            .map(|(_, value)| *value)
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The one value of a property, if it has one.
    pub(super) fn optional(&self, property: Term) -> Result<Option<&'a str>, V2Error> {
        match self.all(property)[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(self.refused(property, "several")),
        }
    }

    /// The one value that a property must have.
    pub(super) fn one(&self, property: Term) -> Result<&'a str, V2Error> {
        self.optional(property)?
            .ok_or_else(|| self.refused(property, "none"))
    }

    /// The one value of a property, as a type that can be read from text.
    pub(super) fn parsed<T: FromStr>(&self, property: Term) -> Result<Option<T>, V2Error> {
        let value = self.optional(property)?;
        let parsed = value.map(|value| value.parse().map_err(|_| self.refused(property, value)));
        parsed.transpose()
    }

    /// As [`Node::parsed`], for a property that must be there.
    pub(super) fn parsed_one<T: FromStr>(&self, property: Term) -> Result<T, V2Error> {
        self.parsed(property)?
            .ok_or_else(|| self.refused(property, "none"))
    }

    /// The error for a value that a property cannot have.
    pub(super) fn refused(&self, property: Term, value: &str) -> V2Error {
        V2Error::Value {
            node: self.iri.to_owned(),
            property: property.short,
            value: value.chars().take(80).collect(),
        }
    }
}

fn syntax(error: &oxttl::TurtleSyntaxError) -> V2Error {
    let start = error.location().start;
    V2Error::Syntax {
        line: start.line + 1,
        column: start.column + 1,
        message: error.message().to_owned(),
    }
}

/// The IRI of what a triple is about.
fn subject(triple: &Triple) -> Option<&str> {
    match &triple.subject {
        NamedOrBlankNode::NamedNode(iri) => Some(iri.as_str()),
        NamedOrBlankNode::BlankNode(_) => None,
    }
}

/// The text of an IRI or literal.
fn lexical(object: &Object) -> Option<&str> {
    match object {
        Object::NamedNode(iri) => Some(iri.as_str()),
        Object::Literal(literal) => Some(literal.value()),
        Object::BlankNode(_) => None,
    }
}

/// The bytes of a triple's terms, if each is of a kind and length that we accept.
fn measure(triple: &Triple) -> Result<usize, V2Error> {
    let iri = |iri: &str| match iri.len() {
        length if length > MAX_IRI_BYTES => Err(V2Error::LongTerm {
            limit: MAX_IRI_BYTES,
        }),
        length => Ok(length),
    };
    let subject = subject(triple).ok_or(V2Error::BlankNode)?;
    let object = match &triple.object {
        Object::NamedNode(object) => iri(object.as_str())?,
        Object::Literal(literal) if literal.value().len() > MAX_LITERAL_BYTES => {
            return Err(V2Error::LongTerm {
                limit: MAX_LITERAL_BYTES,
            });
        }
        Object::Literal(literal) => literal.value().len() + iri(literal.datatype().as_str())?,
        Object::BlankNode(_) => return Err(V2Error::BlankNode),
    };
    Ok(iri(subject)? + iri(triple.predicate.as_str())? + object)
}
