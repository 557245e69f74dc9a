//! Turtle as text: nodes with their properties, one a line. Every value passes through here, so
//! that nothing in a release can end a literal early.

use std::fmt::Write as _;

use super::value::{Sink, Value, iri};
use super::vocabulary::{PREFIXES, Term};

/// A Turtle document that grows.
pub(super) struct Turtle(String);

/// What a line should not grow beyond.
const WIDTH: usize = 100;

impl Turtle {
    /// Starts with the base, which also marks where a document begins in a pack, and the prefixes.
    pub(super) fn new(base: &str) -> Self {
        let mut text = format!("@base {} .\n", written(iri(base)));
        for (prefix, namespace) in PREFIXES {
            let _ = writeln!(text, "@prefix {prefix}: <{namespace}> .");
        }
        Self(text)
    }

    /// The document's text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Sink for Turtle {
    fn node(&mut self, subject: &str, classes: &[Term]) {
        let classes: Vec<_> = classes.iter().map(|class| class.short).collect();
        let _ = write!(
            self.0,
            "\n{} a {}",
            written(iri(subject)),
            classes.join(", ")
        );
    }

    fn property(&mut self, property: Term, values: impl IntoIterator<Item = Value>) {
        let values: Vec<_> = values.into_iter().map(written).collect();
        let width: usize = values.iter().map(String::len).sum();
        let comma = if width > WIDTH { ",\n        " } else { ", " };
        if values.is_empty() {
            return;
        }
        self.0.extend([" ;\n    ", property.short]);
        let mut before = " ";
        for value in values {
            self.0.extend([before, &value]);
            before = comma;
        }
    }

    fn end(&mut self) {
        self.0.push_str(" .\n");
    }
}

fn written(value: Value) -> String {
    match value {
        Value::Iri(iri) => ["<", &iri, ">"].concat(),
        Value::Term(term) => term.short.to_owned(),
        Value::Text(text) => quoted(&text),
        Value::Typed(value, datatype) => [&quoted(&value), "^^", datatype.short].concat(),
        Value::Plain(value, _) => value,
    }
}

/// A string literal.
fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
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
    literal.push('"');
    literal
}
