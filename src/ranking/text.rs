//! What a text is made of: words, and the fields that they stand in.

use crate::model::Release;

/// A part of a package's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The package's name.
    Name,
    /// Its keywords, taken together.
    Keywords,
    /// Its description.
    Description,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 3] = [Self::Name, Self::Keywords, Self::Description];
}

/// One value for each field.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PerField<T> {
    /// For the name.
    pub name: T,
    /// For the keywords.
    pub keywords: T,
    /// For the description.
    pub description: T,
}

impl<T> PerField<T> {
    /// The value for a field.
    #[must_use]
    pub const fn get(&self, field: Field) -> &T {
        match field {
            Field::Name => &self.name,
            Field::Keywords => &self.keywords,
            Field::Description => &self.description,
        }
    }

    /// The value for a field, to be changed.
    pub const fn get_mut(&mut self, field: Field) -> &mut T {
        match field {
            Field::Name => &mut self.name,
            Field::Keywords => &mut self.keywords,
            Field::Description => &mut self.description,
        }
    }
}

/// The tokens of a release in each field.
#[must_use]
pub fn texts(release: &Release) -> PerField<Vec<String>> {
    let description = release.description.as_deref().unwrap_or_default();
    PerField {
        name: tokens(release.name.as_str()).collect(),
        keywords: release.keywords.iter().flat_map(|k| tokens(k)).collect(),
        description: tokens(description).collect(),
    }
}

/// How many tokens there are in each field; 255 stands for more, too.
#[must_use]
pub fn lengths(tokens: &PerField<Vec<String>>) -> PerField<u8> {
    let mut lengths = PerField::default();
    for field in Field::ALL {
        let length = tokens.get(field).len();
        *lengths.get_mut(field) = u8::try_from(length).unwrap_or(u8::MAX);
    }
    lengths
}

/// Lower-case runs of letters and digits.
pub fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(str::to_lowercase)
}

/// The form in which a name is compared with the words of a query: its words with `-` between them.
#[must_use]
pub fn name_key(name: &str) -> String {
    tokens(name).collect::<Vec<_>>().join("-")
}

/// Says whether a word says nothing of what a package is for.
pub(super) fn is_filler(word: &str) -> bool {
    const FILLERS: [&str; 25] = [
        "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "into", "is", "it",
        "of", "on", "or", "that", "the", "this", "to", "when", "which", "with", "your",
    ];
    FILLERS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_all_but_letters_and_digits() {
        let found: Vec<_> = tokens("Parses Node.js' UTF-8 über_all").collect();
        assert_eq!(found, ["parses", "node", "js", "utf", "8", "über", "all"]);
        assert_eq!(name_key("Tide_Table"), "tide-table");
        assert_eq!(name_key(""), "");
    }

    #[test]
    fn fillers_are_found() {
        for word in ["a", "of", "your", "when"] {
            assert!(is_filler(word), "{word}");
        }
        assert!(!is_filler("parse"));
    }
}
