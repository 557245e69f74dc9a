//! Where a query stops being SPARQL. The parser says what could stand there as a list of its own
//! tokens and character classes; only what is written for people is kept of it.

use oxigraph::sparql::SparqlSyntaxError;

/// The most characters that are shown of what comes next.
const SHOWN: usize = 30;

/// Why a query is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// The parser stopped at a place in the text.
    #[error("line {line}, column {column}: {what}")]
    At {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there, or what stands there.
        what: String,
    },
    /// It has no place.
    #[error("{0}")]
    Whole(String),
}

impl SyntaxError {
    pub(super) fn new(query: &str, error: &SparqlSyntaxError) -> Self {
        let message = error.to_string();
        place(query, &message).unwrap_or(Self::Whole(message))
    }
}

/// Reads `error at 3:2: expected one of "A", Prefix not found`, which is the parser's form.
fn place(query: &str, message: &str) -> Option<SyntaxError> {
    let (place, expected) = message.strip_prefix("error at ")?.split_once(": ")?;
    let (line, column) = place.split_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let text = query.split('\n').nth(line.checked_sub(1)?)?;
    let (before, rest) = text.split_at(byte_of(text, column.checked_sub(1)?));
    // The parser may stop within a word.
    let word = before.trim_end_matches(char::is_alphanumeric).len();
    let is_within = rest.starts_with(char::is_alphanumeric);
    let rest = if is_within { &text[word..] } else { rest };
    let what = match (reason(expected), rest.trim()) {
        (Some(reason), _) => reason,
        (None, "") => "the query ends too early or goes on wrongly here".to_owned(),
        (None, rest) => {
            let shown: String = rest.chars().take(SHOWN).collect();
            format!("`{shown}` cannot stand here")
        }
    };
    Some(SyntaxError::At { line, column, what })
}

/// Where a character begins, or the end.
fn byte_of(text: &str, character: usize) -> usize {
    let mut starts = text.char_indices().map(|(start, _)| start);
    starts.nth(character).unwrap_or(text.len())
}

/// A sentence among the parser's expectations, such as `Prefix not found`.
fn reason(expected: &str) -> Option<String> {
    let expected = expected.strip_prefix("expected ")?;
    let expected = expected.strip_prefix("one of ").unwrap_or(expected);
    let is_sentence = |part: &&str| {
        let words = part.split(' ').count() > 1;
        words && part.chars().all(|c| c.is_alphanumeric() || c == ' ')
    };
    let sentence = expected.split(", ").find(is_sentence)?;
    Some(sentence.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Query, QueryError};

    fn fault(query: &str) -> String {
        match Query::parse(query, oxigraph::sparql::CancellationToken::new()) {
            Err(QueryError::Syntax(error)) => error.to_string(),
            Err(error) => error.to_string(),
            Ok(_) => "valid".to_owned(),
        }
    }

    #[test]
    fn says_where_and_what() {
        for (query, said) in [
            ("SELECT * { ?a ?b ?c }", "valid"),
            (
                "SELECT ?x { ?x a foo:Bar }",
                "line 1, column 25: prefix not found",
            ),
            (
                "SELECT ?x {\n  ?x ?y ?z ?é ?e ?f }",
                "line 2, column 20: `}` cannot stand here",
            ),
            (
                "SELECT * {",
                "line 1, column 11: the query ends too early or goes on wrongly here",
            ),
            (
                "",
                "line 1, column 1: the query ends too early or goes on wrongly here",
            ),
        ] {
            assert_eq!(fault(query), said, "{query}");
        }
    }

    #[test]
    fn a_word_is_shown_from_its_start() {
        let error = place("DELETE WHERE { }", "error at 1:10: expected CONSTRUCT").unwrap();
        let said = "line 1, column 10: `WHERE { }` cannot stand here";
        assert_eq!(error.to_string(), said);
    }
}
