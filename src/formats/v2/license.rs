//! The licenses that an SPDX expression names, for queries; the expression itself says how they
//! combine.
//!
//! Only the text decides, never a list of known licenses: such lists grow, and two versions of this
//! program must derive the same triples from the same release.

/// Returns the license ids in an expression, sorted; none if it is no expression.
///
/// Deprecated GNU ids become what they stand for: `GPL-3.0+` is `GPL-3.0-or-later`.
pub(super) fn license_ids(expression: &str) -> Vec<String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced
        .split_whitespace()
        .filter(|word| !matches!(*word, "(" | ")"));
    let mut ids = Vec::new();
    loop {
        match words.next() {
            Some(id) if is_id(id) => ids.push(id),
            _ => return Vec::new(),
        }
        let mut joint = words.next();
        if joint.is_some_and(|word| is_word(word, "WITH")) {
            if words.next().is_none() {
                return Vec::new();
            }
            joint = words.next();
        }
        match joint {
            Some(word) if is_word(word, "AND") || is_word(word, "OR") => {}
            Some(_) => return Vec::new(),
            None => break,
        }
    }
    let references = |id: &&str| !id.starts_with("LicenseRef-") && !id.starts_with("DocumentRef-");
    let mut ids: Vec<_> = ids.into_iter().filter(references).map(current).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn is_word(word: &str, operator: &str) -> bool {
    word.eq_ignore_ascii_case(operator)
}

fn is_id(word: &str) -> bool {
    let body = word.strip_suffix('+').unwrap_or(word);
    let operator = ["AND", "OR", "WITH"]
        .iter()
        .any(|operator| is_word(word, operator));
    !operator
        && body.starts_with(|c: char| c.is_ascii_alphanumeric())
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

fn current(id: &str) -> String {
    let (body, later) = match id.strip_suffix('+') {
        Some(body) => (body, true),
        None => (id, false),
    };
    let gnu = ["GPL-", "LGPL-", "AGPL-", "GFDL-"]
        .iter()
        .any(|family| body.starts_with(family));
    match (gnu && body.ends_with(|c: char| c.is_ascii_digit()), later) {
        (true, true) => format!("{body}-or-later"),
        (true, false) => format!("{body}-only"),
        (false, _) => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_license_once() {
        for (expression, ids) in [
            ("MIT OR Apache-2.0", vec!["Apache-2.0", "MIT"]),
            ("MIT/Apache-2.0", vec!["Apache-2.0", "MIT"]),
            (
                "(MIT OR Apache-2.0) AND Unicode-3.0 AND MIT",
                vec!["Apache-2.0", "MIT", "Unicode-3.0"],
            ),
            (
                "Apache-2.0 WITH LLVM-exception or mit",
                vec!["Apache-2.0", "mit"],
            ),
            ("GPL-3.0+", vec!["GPL-3.0-or-later"]),
            ("LGPL-2.1", vec!["LGPL-2.1-only"]),
            ("LicenseRef-ours AND MPL-2.0+", vec!["MPL-2.0"]),
        ] {
            assert_eq!(license_ids(expression), ids, "{expression}");
        }
    }

    #[test]
    fn finds_nothing_in_other_texts() {
        for text in [
            "",
            "see LICENSE",
            "MIT OR",
            "OR MIT",
            "MIT Apache-2.0",
            "MIT WITH",
            "<x>",
            "MIT OR é",
        ] {
            assert!(license_ids(text).is_empty(), "{text}");
        }
    }
}
