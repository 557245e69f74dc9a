//! A word without its English ending, so that `parser`, `parses` and `parsing` meet. A rule of our own,
//! small and fixed: with another one, an index and the scan of an older build would differ.

/// Endings that make nouns and forms of verbs, longer ones first.
const ENDINGS: [&str; 14] = [
    "ization", "ation", "ating", "ated", "izer", "ator", "ate", "ion", "ing", "ize", "ise", "er",
    "or", "ed",
];

/// Endings before which a plural has `es`.
const SIBILANTS: [&str; 5] = ["sses", "xes", "ches", "shes", "zes"];

/// What is kept of a word, at least.
const LEAST: usize = 3;

/// What is kept of a word that ends as a doer does: `color` and `user` do not.
const LEAST_OF_A_DOER: usize = 4;

/// The stem of a lower-case word; words that are short or not of `a` to `z` are their own.
pub(super) fn stem(word: &str) -> String {
    if word.len() <= LEAST || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut stem = american(&singular(word));
    if let Some(rest) = ENDINGS.iter().find_map(|ending| without(&stem, ending)) {
        stem.truncate(rest);
    }
    if let Some(rest) = without(&stem, "e") {
        stem.truncate(rest);
    }
    undouble(&mut stem);
    if let Some(rest) = without(&stem, "y") {
        stem.truncate(rest);
        stem.push('i');
    }
    stem
}

/// The length of a word without an ending, if enough is left.
fn without(word: &str, ending: &str) -> Option<usize> {
    let rest = word.strip_suffix(ending)?.len();
    let least = match ending {
        "er" | "or" => LEAST_OF_A_DOER,
        _ => LEAST,
    };
    (rest >= least).then_some(rest)
}

fn singular(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies") {
        return format!("{rest}y");
    }
    if SIBILANTS.iter().any(|ending| word.ends_with(ending)) {
        return word[..word.len() - 2].to_owned();
    }
    let is_plural = word.ends_with('s') && !["ss", "us", "is"].iter().any(|e| word.ends_with(e));
    let end = word.len() - usize::from(is_plural);
    word[..end].to_owned()
}

/// `colour` as `color`, `normalisation` as `normalization`.
fn american(word: &str) -> String {
    let word = word
        .replace("colour", "color")
        .replace("isation", "ization");
    match word.strip_suffix("our") {
        Some(rest) if rest.len() >= LEAST => format!("{rest}or"),
        _ => word,
    }
}

/// Leaves one of two equal consonants at the end: `stopp` as `stop`, but `pass` and `call` as they are.
fn undouble(stem: &mut String) {
    let mut ends = stem.bytes().rev();
    if let (Some(last), Some(before)) = (ends.next(), ends.next())
        && last == before
        && !b"lsz".contains(&last)
        && stem.len() > LEAST
    {
        stem.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["parse", "parser", "parsers", "parses", "parsing", "parsed"][..],
            &["convert", "converter", "converting", "converts"],
            &["validate", "validator", "validation", "validates"],
            &["color", "colour", "colors", "colours", "colored"],
            &["query", "queries"],
            &["directory", "directories"],
            &["stop", "stopped", "stopping", "stops"],
            &["minimize", "minimise", "minimizer", "minimization"],
            &["box", "boxes"],
            &["serve", "server", "serves"],
        ] {
            for form in forms {
                assert_eq!(stem(form), stem(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn short_and_foreign_words_stay() {
        for word in ["os", "gas", "ssh", "x86", "über", "http2"] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn different_words_stay_apart() {
        for (one, other) in [("class", "clash"), ("status", "state"), ("news", "newton")] {
            assert_ne!(stem(one), stem(other));
        }
    }
}
