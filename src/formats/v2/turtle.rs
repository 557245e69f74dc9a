//! Turtle as text: nodes with their properties, one a line. Every value passes through here, so
//! that nothing in a release can end a literal early.

use std::fmt::Write as _;

use super::vocabulary::{PREFIXES, Term};

/// A Turtle document that grows.
pub(super) struct Turtle(String);

/// What a line should not grow beyond.
const WIDTH: usize = 100;

impl Turtle {
    /// Starts with the base, which also marks where a document begins in a pack, and the prefixes.
    pub(super) fn new(base: &str) -> Self {
        let mut text = format!("@base {} .\n", iri(base));
        for (prefix, namespace) in PREFIXES {
            let _ = writeln!(text, "@prefix {prefix}: <{namespace}> .");
        }
        Self(text)
    }

    /// Starts a node; the IRI may be relative to the base.
    pub(super) fn node(&mut self, subject: &str, classes: &[Term]) {
        let classes: Vec<_> = classes.iter().map(|class| class.short).collect();
        let _ = write!(self.0, "\n{} a {}", iri(subject), classes.join(", "));
    }

    /// Adds a property with its values, or nothing if there are none.
    pub(super) fn property(&mut self, property: Term, values: impl IntoIterator<Item = String>) {
        let values: Vec<_> = values.into_iter().collect();
        let width: usize = values.iter().map(String::len).sum();
        let comma = if width > WIDTH { ",\n        " } else { ", " };
        if !values.is_empty() {
            let _ = write!(self.0, " ;\n    {} {}", property.short, values.join(comma));
        }
    }

    /// Ends the node.
    pub(super) fn end(&mut self) {
        self.0.push_str(" .\n");
    }

    /// The document's text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// An IRI as a value; what `<…>` cannot hold is escaped.
pub(super) fn iri(iri: &str) -> String {
    let mut written = String::from("<");
    for character in iri.chars() {
        match character {
            '\0'..=' ' | '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\' => {
                let _ = write!(written, "%{:02X}", u32::from(character));
            }
            other => written.push(other),
        }
    }
    written + ">"
}

/// A string literal.
pub(super) fn text(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(literal, "\\u{:04X}", u32::from(control));
            }
            other => literal.push(other),
        }
    }
    literal + "\""
}

/// A literal of another datatype than string.
pub(super) fn typed(value: &str, datatype: Term) -> String {
    format!("{}^^{}", text(value), datatype.short)
}
