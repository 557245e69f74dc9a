//! How close a word of a query is to a token of a text.
//!
//! An index can answer it from its dictionary: a token that is close to a word shares the word's
//! [`Word::start`], or lies one edit away.

use super::stem::stem;
use super::text::Field;

/// What a token counts that is the word itself, and less for one that is not.
const WHOLE: f64 = 1.0;
/// A token with the same stem.
const SAME_STEM: f64 = 0.1;
/// A token that is one edit away.
const ONE_EDIT: f64 = 0.1;
/// A token that starts with the word, times the share of it that was typed.
const PREFIX: f64 = 0.05;

/// The most characters that must be the same for any kind of closeness without an edit.
const START: usize = 3;

/// Words up to this many characters differ from every other: too many are one edit away.
const SHORT: usize = 3;

/// Words of more characters differ from every other: no name is as long, and what looks for neighbours grows
/// with the word.
const LONG: usize = 64;

/// Whether a token may be one edit away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// As typed.
    Nothing,
    /// One letter may be missing, too many, another one, or swapped with the next.
    OneEdit,
}

/// A word of a query.
#[derive(Debug, Clone)]
pub struct Word {
    text: String,
    stem: String,
    is_last: bool,
}

impl Word {
    pub(super) fn new(text: String, is_last: bool) -> Self {
        Self {
            stem: stem(&text),
            text,
            is_last,
        }
    }

    /// The word as it was typed, in lower case.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What every token starts with that is close without an edit: the first three characters.
    #[must_use]
    pub fn start(&self) -> &str {
        let end = self.text.char_indices().nth(START);
        &self.text[..end.map_or(self.text.len(), |(end, _)| end)]
    }

    /// How close a token of a field is, from 0 (not counted) to 1; none if it is another word.
    #[must_use]
    pub fn closeness(&self, token: &str, field: Field, tolerance: Tolerance) -> Option<f64> {
        if token == self.text {
            return Some(WHOLE);
        }
        let shared = token.starts_with(self.start());
        if shared && stem(token) == self.stem {
            return Some(SAME_STEM);
        }
        if tolerance == Tolerance::OneEdit && self.is_one_edit_from(token) {
            return Some(ONE_EDIT);
        }
        (shared && self.starts(token, field)).then(|| PREFIX * share(&self.text, token))
    }

    /// Says whether this is the last word, and long enough to be the start of a token in this field: a
    /// letter or two start too much in descriptions.
    fn starts(&self, token: &str, field: Field) -> bool {
        let least = match field {
            Field::Name | Field::Keywords => 1,
            Field::Description => 3,
        };
        self.is_last && token.starts_with(&self.text) && self.text.chars().count() >= least
    }

    fn is_one_edit_from(&self, token: &str) -> bool {
        self.has_neighbours() && is_within(1, &self.text, token)
    }

    /// Says whether one edit may help.
    pub(super) fn has_neighbours(&self) -> bool {
        has_neighbours(&self.text)
    }
}

/// Says whether a text may stand for one that is an edit away: none that is too short or too long does.
pub(super) fn has_neighbours(text: &str) -> bool {
    (SHORT + 1..=LONG).contains(&text.chars().count())
}

/// Says whether two texts are at most so many edits apart.
#[must_use]
pub fn is_within(edits: u8, one: &str, other: &str) -> bool {
    match edits {
        0 => one == other,
        1 => may_be_one_edit(one, other) && strsim::osa_distance(one, other) <= 1,
        more => strsim::osa_distance(one, other) <= usize::from(more),
    }
}

/// Says whether two texts differ in one place at most.
fn may_be_one_edit(one: &str, other: &str) -> bool {
    let (one_bytes, other_bytes) = (one.bytes(), other.bytes());
    let start = common(one_bytes.clone(), other_bytes.clone());
    let end = common(one_bytes.rev(), other_bytes.rev());
    // What lies between is two characters that were swapped, at most; the rest is known without a count.
    let most = if one.is_ascii() && other.is_ascii() {
        2
    } else {
        8
    };
    start + end + most >= one.len().max(other.len())
}

/// How many bytes two texts have in common from their start.
fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// The share of a token that is its prefix.
fn share(prefix: &str, token: &str) -> f64 {
    let length = |text: &str| f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    length(prefix) / length(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(word: &str, is_last: bool, token: &str, field: Field, tolerance: Tolerance) -> bool {
        let word = Word::new(word.into(), is_last);
        word.closeness(token, field, tolerance).is_some()
    }

    #[test]
    fn a_word_is_closest_to_itself_then_to_its_forms_then_to_others() {
        let word = Word::new("parse".into(), true);
        let closeness = |token| word.closeness(token, Field::Description, Tolerance::OneEdit);
        let order = ["parse", "parser", "purse", "parsec"].map(closeness);
        assert_eq!(order[0], Some(1.0));
        assert!(order[0] > order[1] && order[1] >= order[2] && order[2] >= order[3]);
        assert_eq!(closeness("paragraph"), None);
    }

    #[test]
    fn only_the_last_word_may_be_the_start_of_a_token() {
        let starts = |is_last, field| close("tab", is_last, "tableau", field, Tolerance::Nothing);
        assert!(starts(true, Field::Name) && starts(true, Field::Description));
        assert!(!starts(false, Field::Name));
    }

    #[test]
    fn short_words_start_nothing_in_descriptions() {
        let starts = |word, field| close(word, true, "table", field, Tolerance::Nothing);
        for (word, in_description) in [("t", false), ("ta", false), ("tab", true)] {
            assert!(
                starts(word, Field::Name) && starts(word, Field::Keywords),
                "{word}"
            );
            assert_eq!(starts(word, Field::Description), in_description, "{word}");
        }
    }

    #[test]
    fn one_edit_is_a_swap_a_drop_a_double_or_another_letter() {
        let near = |word, token| close(word, false, token, Field::Name, Tolerance::OneEdit);
        for typed in ["jsno-parser", "jso-parser", "jsonn-parser", "jsom-parser"] {
            assert!(near(typed, "json-parser"), "{typed}");
        }
        assert!(near("übergröße", "übergörße") && near("größe", "gröe"));
        assert!(!near("jsno", "sjon"));
        assert!(!near("rom", "ron"), "too short");
        assert!(!close(
            "jsom",
            false,
            "json",
            Field::Name,
            Tolerance::Nothing
        ));
    }

    #[test]
    fn long_words_have_no_neighbours() {
        let near = |length: usize| {
            let word = "a".repeat(length);
            close(
                &word,
                false,
                &format!("{word}b"),
                Field::Name,
                Tolerance::OneEdit,
            )
        };
        assert_eq!([3, 4, 64, 65].map(near), [false, true, true, false]);
    }

    #[test]
    fn the_start_never_cuts_a_character() {
        assert_eq!(Word::new("übergröße".into(), true).start(), "übe");
        assert_eq!(Word::new("os".into(), true).start(), "os");
    }
}
