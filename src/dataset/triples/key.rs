//! Terms as numbers and as bytes. A small integer is its own number; every other term has bytes, one
//! form for each term, by which dictionaries are sorted.

use oxigraph::model::vocab::xsd;
use oxigraph::model::{BlankNode, Literal, NamedNode, Term, TermRef};

/// A term's number: below [`INLINE`] its place in the dictionaries of a chain, from there on a small
/// integer, and from [`OUTSIDE`] on a term that only a query knows.
pub(in crate::dataset) type TermId = u32;

/// The first number of integers.
pub(super) const INLINE: TermId = 1 << 31;
/// The first number of terms that the chain does not have.
pub(in crate::dataset) const OUTSIDE: TermId = 0b11 << 30;

const IRI: u8 = b'i';
const BLANK: u8 = b'b';
const STRING: u8 = b's';
const LANGUAGE: u8 = b'l';
const TYPED: u8 = b't';
/// Stands between a datatype or language and the value. Neither can hold it.
const SEPARATOR: u8 = 0;

/// Says whether the number is a place in the dictionaries of a chain.
pub(super) const fn is_of_chain(id: TermId) -> bool {
    id < INLINE
}

/// The integer that a number stands for.
pub(in crate::dataset) fn inline_integer(id: TermId) -> Option<u32> {
    (INLINE..OUTSIDE).contains(&id).then(|| id - INLINE)
}

/// The number of a term that needs no dictionary; for others, their bytes are written into `key`.
pub(super) fn encode(term: TermRef<'_>, key: &mut Vec<u8>) -> Option<TermId> {
    key.clear();
    match term {
        TermRef::NamedNode(node) => push(key, IRI, "", node.as_str()),
        TermRef::BlankNode(node) => push(key, BLANK, "", node.as_str()),
        TermRef::Literal(literal) => {
            let value = literal.value();
            if let Some(language) = literal.language() {
                push(key, LANGUAGE, language, value);
            } else if literal.datatype() == xsd::STRING {
                push(key, STRING, "", value);
            } else if let Some(integer) = small_integer(literal.datatype().as_str(), value) {
                return Some(INLINE | integer);
            } else {
                push(key, TYPED, literal.datatype().as_str(), value);
            }
        }
    }
    None
}

/// The term that bytes stand for.
pub(super) fn decode(key: &[u8]) -> Option<Term> {
    let (kind, rest) = key.split_first()?;
    let text = std::str::from_utf8(rest).ok()?;
    let qualified = || text.split_once(char::from(SEPARATOR));
    Some(match *kind {
        IRI => NamedNode::new_unchecked(text).into(),
        BLANK => BlankNode::new_unchecked(text).into(),
        STRING => Literal::new_simple_literal(text).into(),
        LANGUAGE => {
            let (language, value) = qualified()?;
            Literal::new_language_tagged_literal_unchecked(value, language).into()
        }
        TYPED => {
            let (datatype, value) = qualified()?;
            Literal::new_typed_literal(value, NamedNode::new_unchecked(datatype)).into()
        }
        _ => return None,
    })
}

/// The text of a plain string, which many expressions look at.
pub(super) fn decode_string(key: &[u8]) -> Option<&str> {
    let (kind, text) = key.split_first()?;
    std::str::from_utf8(text).ok().filter(|_| *kind == STRING)
}

fn push(key: &mut Vec<u8>, kind: u8, qualifier: &str, value: &str) {
    key.push(kind);
    if !matches!(kind, IRI | BLANK | STRING) {
        key.extend_from_slice(qualifier.as_bytes());
        key.push(SEPARATOR);
    }
    key.extend_from_slice(value.as_bytes());
}

/// An integer in its canonical form that has room in a number.
fn small_integer(datatype: &str, value: &str) -> Option<u32> {
    let is_canonical = value == "0" || value.starts_with(|c: char| ('1'..='9').contains(&c));
    if datatype != xsd::INTEGER.as_str() || !is_canonical {
        return None;
    }
    value.parse().ok().filter(|n| *n < OUTSIDE - INLINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_comes_back() {
        let date = NamedNode::new_unchecked("http://www.w3.org/2001/XMLSchema#date");
        let terms: [Term; 9] = [
            NamedNode::new_unchecked("https://registry.example.org/a").into(),
            BlankNode::new_unchecked("a").into(),
            Literal::new_simple_literal("").into(),
            Literal::new_simple_literal("a\0b").into(),
            Literal::new_language_tagged_literal_unchecked("a\0b", "en-GB").into(),
            Literal::new_typed_literal("2026-01-01", date).into(),
            Literal::new_typed_literal("007", xsd::INTEGER).into(),
            Literal::new_typed_literal("+7", xsd::INTEGER).into(),
            Literal::new_typed_literal("1073741824", xsd::INTEGER).into(),
        ];
        let mut key = Vec::new();
        for term in terms {
            assert_eq!(encode(term.as_ref(), &mut key), None, "{term}");
            assert_eq!(decode(&key).as_ref(), Some(&term));
        }
    }

    #[test]
    fn small_integers_are_their_own_number() {
        for integer in [0, 7, (1 << 30) - 1] {
            let literal = Literal::from(u64::from(integer));
            let id = encode(literal.as_ref().into(), &mut Vec::new()).unwrap();
            assert!(!is_of_chain(id));
            assert_eq!(inline_integer(id), Some(integer));
        }
        assert_eq!(inline_integer(OUTSIDE), None);
        assert_eq!(inline_integer(7), None);
    }

    #[test]
    fn junk_is_no_term() {
        for junk in [&b""[..], b"x", b"i\xff", b"lnone", b"tnone"] {
            assert_eq!(decode(junk), None);
        }
    }
}
