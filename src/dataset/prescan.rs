//! A look at a query's text before any parser sees it: length, nesting, chains, and words that reach out.
//!
//! The parser, the optimizer and the evaluator recurse, and a process whose stack is used up is
//! aborted; so depth is bounded here, on the text, where strings, IRIs and comments do not count.
//! What is counted must never be less than what the parser will see: a text that can be cut into
//! tokens in two ways is refused, or counted in both.

/// The longest query that is read, in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// The deepest nesting of brackets, and of prefix operators, that is let through.
const MAX_DEPTH: usize = 100;
/// The most links of chains: each may make the algebra one level deeper. [`STACK_SIZE`] is for these.
const MAX_LINKS: usize = 2_000;
/// A stack on which every query that is let through can be parsed and evaluated, in bytes. Measured
/// without optimization: 38 KiB a link (`1+1+1…`), 20 KiB a triple, of which a link can make four (a
/// collection in a collection), and 50 KiB a bracket within brackets (`STR(STR(…`): 165 MiB at most.
pub const STACK_SIZE: usize = 256 << 20;
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
    /// Too many operators, triples or groups.
    #[error("the query has more than {MAX_LINKS} operators, separators and brackets")]
    TooManyLinks,
    /// What may be an IRI or two comparisons, or an escape that may end a string.
    #[error("the query has a `{0}` that can be read in two ways")]
    Ambiguous(&'static str),
    /// A word that reaches beyond the local dataset.
    #[error("the query uses `{0}`, which is refused")]
    ReachesOut(&'static str),
}

/// Lets a query through to the parser. Returns the variables in the order of their first appearance
/// if `SELECT *` may stand for them, which is when none comes before the pattern.
pub(super) fn prescan(query: &str) -> Result<Vec<String>, PrescanError> {
    if query.len() > MAX_LENGTH {
        return Err(PrescanError::TooLong(query.len()));
    }
    let mut scanner = Scanner {
        rest: query,
        open: Vec::new(),
        prefix_operators: 0,
        links: 0,
        after_operand: false,
        pattern_began: false,
        select_all: true,
        variables: Vec::new(),
    };
    while !scanner.rest.is_empty() {
        scanner.step()?;
    }
    let variables = scanner.variables.into_iter();
    Ok(variables.map(str::to_owned).collect())
}

struct Scanner<'a> {
    rest: &'a str,
    open: Vec<char>,
    prefix_operators: usize,
    links: usize,
    /// Whether the last token may end a term or an expression.
    after_operand: bool,
    pattern_began: bool,
    select_all: bool,
    variables: Vec<&'a str>,
}

impl Scanner<'_> {
    fn step(&mut self) -> Result<(), PrescanError> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(());
        };
        match first {
            ' ' | '\t' | '\n' | '\r' => self.skip(1),
            '#' => self.skip(self.rest.find(['\n', '\r']).unwrap_or(self.rest.len())),
            '"' | '\'' => return self.operand(string_length(self.rest, first)?),
            '<' => return self.less(),
            '?' | '$' => return self.variable(),
            '{' | '(' | '[' => {
                self.pattern_began |= first == '{';
                self.open.push(first);
                bound(self.open.len())?;
                return self.operator(1);
            }
            '}' | ')' | ']' => {
                self.open.pop();
                self.skip(1);
                self.after_operand = true;
            }
            // Unary, and there may be many in a row.
            '!' | '^' => {
                self.prefix_operators += 1;
                bound(self.prefix_operators)?;
                self.skip(1);
                self.after_operand = false;
            }
            '-' | '+' => {
                self.prefix_operators += 1;
                bound(self.prefix_operators)?;
                return self.operator(1);
            }
            // Arguments and the members of an IN list are not chained; objects are.
            ',' if self.open.last() == Some(&'(') => {
                self.skip(1);
                self.after_operand = false;
            }
            '&' | '|' => {
                let is_double = self.rest[1..].starts_with(first);
                return self.operator(if is_double { 2 } else { 1 });
            }
            '*' | '/' | '.' | ';' | ',' => return self.operator(1),
            c if is_word(c) => return self.word(),
            c => {
                self.skip(c.len_utf8());
                self.after_operand = false;
            }
        }
        Ok(())
    }

    fn variable(&mut self) -> Result<(), PrescanError> {
        let rest = self.rest;
        let end = rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1);
        let name = &rest[1..=end];
        if !self.pattern_began {
            self.select_all = false;
        } else if self.select_all && !self.variables.contains(&name) {
            self.variables.push(name);
        }
        self.prefix_operators = 0;
        self.operand(1 + end)
    }

    /// An IRI or a comparison. The parser knows which by the rule that it is in.
    fn less(&mut self) -> Result<(), PrescanError> {
        let Some(length) = iri_length(self.rest) else {
            self.skip(1);
            self.after_operand = false;
            return Ok(());
        };
        // Comparisons stand within round brackets, after an operand; `a://` is none.
        let scheme = self.rest[1..length].split_once("://");
        let has_scheme =
            scheme.is_some_and(|(scheme, _)| scheme.chars().all(char::is_alphanumeric));
        if self.after_operand && self.open.last() == Some(&'(') && !has_scheme {
            return Err(PrescanError::Ambiguous("<"));
        }
        self.prefix_operators = 0;
        self.operand(length)
    }

    /// A keyword, a number, or the prefix and local part of a name.
    fn word(&mut self) -> Result<(), PrescanError> {
        self.prefix_operators = 0;
        let word = &self.rest[..word_length(self.rest)];
        let pieces = word.split(['-', '.', '\\']);
        let is_refused = |refused: &&&str| pieces.clone().any(|piece| ends_with(piece, refused));
        if let (false, Some(refused)) = (word.contains(':'), REFUSED.iter().find(is_refused)) {
            return Err(PrescanError::ReachesOut(refused));
        }
        // `1-1` is no name, nor is all of `true.a:b`.
        let prefix = word.split(':').next().unwrap_or(word);
        let hidden = prefix.matches('-').count() + word.matches('.').count();
        self.link(hidden)?;
        let length = word.len();
        self.operand(length)
    }

    /// A term. Those that follow one another may be members of a collection, or be described.
    fn operand(&mut self, bytes: usize) -> Result<(), PrescanError> {
        let may_chain = matches!(self.open.last(), None | Some('('));
        if self.after_operand && may_chain {
            self.link(1)?;
        }
        self.skip(bytes);
        self.after_operand = true;
        Ok(())
    }

    fn operator(&mut self, bytes: usize) -> Result<(), PrescanError> {
        self.skip(bytes);
        self.after_operand = false;
        self.link(1)
    }

    const fn link(&mut self, links: usize) -> Result<(), PrescanError> {
        self.links += links;
        if self.links > MAX_LINKS {
            return Err(PrescanError::TooManyLinks);
        }
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }
}

const fn bound(depth: usize) -> Result<(), PrescanError> {
    if depth > MAX_DEPTH {
        return Err(PrescanError::TooDeep);
    }
    Ok(())
}

/// Beyond ASCII there is no punctuation in SPARQL.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// `1SERVICE` is a number and a keyword.
fn ends_with(text: &str, keyword: &str) -> bool {
    let start = text.len().checked_sub(keyword.len());
    let end = start.and_then(|start| text.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(keyword))
}

/// The length of the word at the start of `text`; what is escaped belongs to it, as in `a:b\(`.
fn word_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            ':' | '-' | '.' | '%' => {}
            c if is_word(c) => {}
            _ => return at,
        }
    }
    text.len()
}

/// The length of the string at the start of `text`, its quotes included; one that is never closed
/// reaches to the end, and the parser will say so.
///
/// Where the parser finds no long string it takes its first two quotes for an empty one. It finds
/// none if an escape is wrong; so there are only those that cannot be.
fn string_length(text: &str, quote: char) -> Result<usize, PrescanError> {
    let triple: String = [quote; 3].iter().collect();
    let is_long = text.starts_with(&triple);
    let open = if is_long { 3 } else { 1 };
    let close = &triple[..open];
    let mut may_be_wrong = false;
    let mut at = open;
    while at < text.len() {
        if text[at..].starts_with(close) {
            return match may_be_wrong {
                true => Err(PrescanError::Ambiguous("\\")),
                false => Ok(at + open),
            };
        }
        let mut rest = text[at..].chars();
        let escaped = rest.next() == Some('\\');
        at = text.len() - rest.as_str().len();
        if escaped {
            let next = rest.next();
            may_be_wrong |= is_long && !next.is_some_and(|c| "tbnrf\"'\\".contains(c));
            at += next.map_or(0, char::len_utf8);
        }
    }
    Ok(if is_long { 2 } else { text.len() })
}

/// The length of the IRI at the start of `text`; `<` can also be an operator. A backslash begins an
/// escape, which the parser takes, too.
fn iri_length(text: &str) -> Option<usize> {
    let stop = text[1..].find(|c: char| c <= ' ' || "<>\"{}|^`".contains(c))? + 1;
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
            assert!(prescan(query).is_ok(), "{query}");
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
            "SELECT * { ?s ?p 1SERVICE <http://x/> {} }",
            "SELECT * { ?s ?p true.SERVICE <http://x/> {} }",
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
    fn refuses_long_chains() {
        for (before, link, after) in CHAINS {
            let chain = |links| [before, &link.repeat(links), after].concat();
            assert!(prescan(&chain(500)).is_ok(), "{link}");
            let long = prescan(&chain(2001));
            assert_eq!(long, Err(PrescanError::TooManyLinks), "{link}");
        }
    }

    const CHAINS: [(&str, &str, &str); 20] = [
        ("SELECT (1", "+1", " AS ?x) {}"),
        ("SELECT (1", "-1", " AS ?x) {}"),
        ("SELECT (1", " *?x", " AS ?x) {}"),
        ("SELECT (true", "-true", " AS ?x) {}"),
        ("SELECT * { FILTER(1=1", "&&1=1", ") }"),
        ("SELECT * { FILTER(?x", "||?x", ") }"),
        ("SELECT * { ", "?s ?p ?o.", " }"),
        ("SELECT * { ", "a:a a:a a:a.", " }"),
        ("SELECT * { ", "true.a:a a:a ", " }"),
        ("SELECT * { ?s ?p ?o", ";?p ?o", " }"),
        ("SELECT * { ?s ?p ?o", ",?o", " }"),
        ("SELECT * { ?s ?p [?p ?o", ",?o", "] }"),
        ("SELECT * { ?s ?p (", "1 ", ") }"),
        ("SELECT * { ?s <a:a>", "/<a:a>", " ?o }"),
        ("SELECT * { ?s a", "|a", " ?o }"),
        ("SELECT * { {}", "UNION{}", " }"),
        ("SELECT * { ?s ?p ?o ", "OPTIONAL{?s ?p ?o}", " }"),
        ("SELECT * { ", "BIND(1 AS ?x)", " }"),
        ("SELECT * { ?s ?p ?o } GROUP BY ?s HAVING", "(1)", ""),
        ("DESCRIBE", "<a:a>", ""),
    ];

    #[test]
    fn lists_that_are_no_chains_may_be_long() {
        for (before, item, after) in [
            ("SELECT * { VALUES ?x {", "\"a-b.c\" ", "} }"),
            ("SELECT * { VALUES ?x {", "<http://x/a-b.c> ", "} }"),
            ("SELECT * { FILTER(?x IN (1", ",\"a\"", ")) }"),
            ("SELECT (CONCAT(\"a\"", ", \"a\"", ") AS ?x) {}"),
        ] {
            let list = [before, &item.repeat(3000), after].concat();
            assert!(prescan(&list).is_ok(), "{item}");
        }
    }

    #[test]
    fn nothing_hides_what_follows() {
        let deep = "(".repeat(200) + "1";
        for hiding in [
            // The parser takes all of these for one token, or for none that goes on.
            "SELECT * { ?s ?p a:b\\# . FILTER",
            "SELECT * { ?s ?p a:b\\' . FILTER",
            "SELECT * { ?s ?p <a\\u0062#> . FILTER",
            "SELECT * { ?s ?p 'a' FILTER",
            "SELECT * { ?s ?p ('''a' ",
        ] {
            let query = format!("{hiding}{deep}");
            assert_eq!(prescan(&query), Err(PrescanError::TooDeep), "{hiding}");
        }
        let wrong = prescan("SELECT * { ?s ?p ('''a' ((1)) '\\q''') }");
        assert_eq!(wrong, Err(PrescanError::Ambiguous("\\")));
        let closed = "(1+a:b\\)*".repeat(200);
        let query = format!("SELECT ({closed}1 AS ?x) {{}}");
        assert_eq!(prescan(&query), Err(PrescanError::TooDeep));
    }

    #[test]
    fn refuses_what_can_be_an_iri_or_comparisons() {
        for query in [
            "SELECT * { FILTER(?a<?b&&?c>?d) }",
            "SELECT * { FILTER(1<(1+1+1+1)&&1>1) }",
            "SELECT * { FILTER(1<'>'+1+'') }",
            "SELECT * { FILTER(STR(1)<'>'+1+'') }",
            "SELECT * { FILTER(a:b\\(<'>'+1+'') }",
        ] {
            assert_eq!(prescan(query), Err(PrescanError::Ambiguous("<")), "{query}");
        }
        for query in [
            "SELECT * { FILTER(?a < ?b && ?c > ?d) }",
            "SELECT * { FILTER(?a<?b) ?a <a:b> ?c }",
            "SELECT * { VALUES (?a ?b) { (1 <http://x/#y>) } ?s (<a>/<b>)* ?o }",
        ] {
            assert!(prescan(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn lets_two_hundred_triples_through() {
        let triple = "?package mp:latest-release / mp:depends-on ?release . FILTER(?a < 1.5) ";
        let query = format!("SELECT * {{ {} }}", triple.repeat(200));
        assert!(prescan(&query).is_ok());
    }

    #[test]
    fn knows_in_which_order_all_variables_appear() {
        let order = |query| prescan(query).unwrap().join(" ");
        assert_eq!(order("SELECT * { ?s ?p ?o . $o ?p2 '?x' }"), "s p o p2");
        assert_eq!(order("SELECT (?o AS ?a) ?s { ?s ?p ?o }"), "");
    }

    #[test]
    fn a_string_that_is_never_closed_ends_with_the_query() {
        for query in ["'", "\"\"\"a", "'\\", "\"é\\é"] {
            assert!(prescan(query).is_ok(), "{query}");
        }
    }
}
