//! What is said of nodes, before it is Turtle or triples: both say the same, since both are made of this.

use std::fmt::Write as _;

use super::vocabulary::{BOOLEAN, INTEGER, Term};

/// Takes nodes with their properties, one after the other.
pub(super) trait Sink {
    /// Starts a node; the IRI may be relative to the base.
    fn node(&mut self, subject: &str, classes: &[Term]);

    /// Adds a property with its values, or nothing if there are none.
    fn property(&mut self, property: Term, values: impl IntoIterator<Item = Value>);

    /// Ends the node.
    fn end(&mut self);
}

/// A value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// An IRI, escaped; it may be relative to the base.
    Iri(String),
    /// One of our terms.
    Term(Term),
    /// A string.
    Text(String),
    /// A literal of another datatype.
    Typed(String, Term),
    /// A number or a boolean, which Turtle writes without quotes.
    Plain(String, Term),
}

/// An IRI; what cannot stand in one is escaped.
pub(super) fn iri(iri: &str) -> Value {
    Value::Iri(escaped(iri))
}

/// A string.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A literal of another datatype than string.
pub(super) fn typed(value: &str, datatype: Term) -> Value {
    Value::Typed(value.to_owned(), datatype)
}

/// A whole number.
pub(super) fn integer(number: impl ToString + Copy) -> Value {
    Value::Plain(number.to_string(), INTEGER)
}

/// True or false.
pub(super) fn boolean(is: bool) -> Value {
    Value::Plain(is.to_string(), BOOLEAN)
}

/// An IRI without what `<…>` cannot hold.
pub(super) fn escaped(iri: &str) -> String {
    let mut escaped = String::with_capacity(iri.len());
    for character in iri.chars() {
        match character {
            '\0'..=' ' | '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\' => {
                let _ = write!(escaped, "%{:02X}", u32::from(character));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
