//! A look at a query's text before any parser sees it: length, nesting, and words that reach out.
//!
//! The parser recurses, and a process whose stack is used up is aborted; so depth is bounded here,
//! on the text, where strings, IRIs and comments do not count.

/// The longest query that is read, in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The deepest nesting of brackets, and of prefix operators, that is let through. Some 3,000 are
/// known to end the process.
const MAX_DEPTH: usize = 100;
/// Words that would make the evaluator look beyond the dataset, or that begin an update.
const REFUSED: [&str; 8] = [
    "SERVICE", "FROM", "LOAD", "INSERT", "DELETE", "CLEAR", "CREATE", "DROP",
];

/// Why a query is refused before it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrescanError {
    /// Too many bytes.
    #[error("the query has {0} bytes, more than {MAX_LENGTH}")]
    TooLong(usize),
    /// Brackets nested too deeply.
    #[error("the query nests more than {MAX_DEPTH} brackets")]
    TooDeep,
    /// A word that reaches beyond the local dataset.
    #[error("the query uses `{0}`, which is refused")]
    ReachesOut(&'static str),
}

/// Lets a query through to the parser.
pub(super) fn prescan(query: &str) -> Result<(), PrescanError> {
    if query.len() > MAX_LENGTH {
        return Err(PrescanError::TooLong(query.len()));
    }
    let mut scanner = Scanner {
        rest: query,
        depth: 0,
        prefix_operators: 0,
    };
    while !scanner.rest.is_empty() {
        scanner.step()?;
    }
    Ok(())
}

struct Scanner<'a> {
    rest: &'a str,
    depth: usize,
    prefix_operators: usize,
}

impl Scanner<'_> {
    fn step(&mut self) -> Result<(), PrescanError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(());
        };
        match first {
            '#' => self.skip(self.rest.find(['\n', '\r']).unwrap_or(self.rest.len())),
            '"' | '\'' => self.skip(string_length(self.rest, first)),
            '<' => self.skip(iri_length(self.rest).unwrap_or(1)),
            '?' | '$' => {
                self.prefix_operators = 0;
                let name = self.rest[1..].find(|c: char| !is_word(c));
                self.skip(1 + name.unwrap_or(self.rest.len() - 1));
            }
            '{' | '(' | '[' => {
                self.depth += 1;
                Self::bound(self.depth)?;
                self.skip(1);
            }
            '}' | ')' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.skip(1);
            }
            // `!!!!…?x` and `^^^^…p` recurse in the parser, too.
            '!' | '-' | '+' | '^' => {
                self.prefix_operators += 1;
                Self::bound(self.prefix_operators)?;
                self.skip(1);
            }
            c if is_word(c) => return self.word(),
            c => self.skip(c.len_utf8()),
        }
        Ok(())
    }

    /// A keyword, or the prefix and local part of a name.
    fn word(&mut self) -> Result<(), PrescanError> {
        self.prefix_operators = 0;
        let in_name = |c: char| !(is_word(c) || matches!(c, ':' | '-' | '.' | '%' | '\\'));
        let end = self.rest.find(in_name).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        let keyword = word.split(['-', '.', '\\']).next().unwrap_or(word);
        let is_refused = |refused: &&&str| refused.eq_ignore_ascii_case(keyword);
        if let (false, Some(refused)) = (word.contains(':'), REFUSED.iter().find(is_refused)) {
            return Err(PrescanError::ReachesOut(refused));
        }
        self.skip(end);
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    const fn bound(depth: usize) -> Result<(), PrescanError> {
        if depth > MAX_DEPTH {
            return Err(PrescanError::TooDeep);
        }
        Ok(())
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the string at the start of `text`, its quotes included; one that is never closed
/// reaches to the end, and the parser will say so.
fn string_length(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let open = if text.starts_with(&triple) { 3 } else { 1 };
    let close = &triple[..open];
    let mut at = open;
    while at < text.len() {
        if text[at..].starts_with(close) {
            return at + open;
        }
        let mut rest = text[at..].chars();
        let escaped = rest.next() == Some('\\');
        at = text.len() - rest.as_str().len();
        if escaped {
            at += rest.next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the IRI at the start of `text`; `<` can also be an operator.
fn iri_length(text: &str) -> Option<usize> {
    let stop = text[1..].find(|c: char| c <= ' ' || "<>\"{}|^`\\".contains(c))? + 1;
    text[stop..].starts_with('>').then_some(stop + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_ordinary_queries_through() {
        for query in [
            "SELECT * { ?s ?p ?o }",
            "SELECT ?service ?from { ?service mp:load ?from . ?x ex:service \"SERVICE {((\" }",
            "ASK { <http://x/FROM> ?p 'it\\'s { [ (' } # SERVICE {{{",
            "SELECT * { ?a ?b ?c FILTER(?a < 3 && ?b > 4 || !bound(?c)) }",
            "SELECT * { ?a ?b \"\"\"quote \" and { FROM\"\"\" }",
        ] {
            assert_eq!(prescan(query), Ok(()), "{query}");
        }
    }

    #[test]
    fn refuses_what_reaches_out() {
        for query in [
            "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }",
            "select * from <http://x/> { ?s ?p ?o }",
            "SELECT * { service silent <http://x/> {} }",
            "SELECT * FROM NAMED <http://x/> {}",
            "delete where { ?s ?p ?o }",
            "DROP ALL",
        ] {
            assert!(
                matches!(prescan(query), Err(PrescanError::ReachesOut(_))),
                "{query}"
            );
        }
    }

    #[test]
    fn refuses_what_would_use_up_the_stack() {
        let deep = |open: &str| format!("SELECT * {{ {} }}", open.repeat(3000));
        for open in ["{", "(", "[ ", "!", "{ OPTIONAL "] {
            assert_eq!(prescan(&deep(open)), Err(PrescanError::TooDeep), "{open}");
        }
        assert!(matches!(
            prescan(&" ".repeat(70_000)),
            Err(PrescanError::TooLong(70_000))
        ));
    }

    #[test]
    fn a_string_that_is_never_closed_ends_with_the_query() {
        for query in ["'", "\"\"\"a", "'\\", "\"é\\é"] {
            assert_eq!(prescan(query), Ok(()), "{query}");
        }
    }
}
