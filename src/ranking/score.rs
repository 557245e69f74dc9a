//! What a package's matches add up to. The constants were measured: see `benches/relevance.py`.

use std::cmp::Ordering;

use super::text::PerField;

/// What a match in the name counts, divided by the number of words in the name.
const NAME: f64 = 0.7;
/// What a match in the keywords counts.
const KEYWORDS: f64 = 0.8;
/// What a match in the description counts.
const DESCRIPTION: f64 = 1.0;

/// How soon more of the same adds little, as `k1` of BM25.
const SATURATION: f64 = 1.5;
/// The number of tokens of a text that is neither short nor long.
const USUAL_LENGTH: f64 = 12.0;

/// How many downloads weigh as much as a dependent.
const DOWNLOADS_OF_A_DEPENDENT: u64 = 10;
/// What the logarithm of a package's reach is set against.
const REACH: f64 = 8.0;

/// How well a package fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The query is one word, and it is the package's name.
    pub is_name: bool,
    /// Whether the text has each word of the query.
    pub has_all_words: bool,
    /// Its rank among the others; higher is better.
    pub points: f64,
}

impl Score {
    /// Puts the better one first.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let names = other.is_name.cmp(&self.is_name);
        names.then(other.points.total_cmp(&self.points))
    }
}

/// How much more a package is to be expected than one that nobody is known to use: 1 and above.
pub(super) fn prior(dependents: u32, downloads: u32) -> f64 {
    (1.0 + float(reach(dependents, downloads)).ln_1p() / REACH).powi(3)
}

/// How many use a package, in downloads.
pub(super) fn reach(dependents: u32, downloads: u32) -> u64 {
    u64::from(dependents)
        .saturating_mul(DOWNLOADS_OF_A_DEPENDENT)
        .saturating_add(u64::from(downloads))
}

/// How much a word says: the rarer, the more.
pub(super) fn weight(packages: usize, frequency: usize) -> f64 {
    let (packages, frequency) = (size(packages), size(frequency));
    ((packages - frequency + 0.5) / (frequency + 0.5)).ln_1p()
}

/// What a word counts in a text, from 0 to 1, by its closeness in each field.
pub(super) fn share(closeness: &PerField<f64>, lengths: PerField<u8>) -> f64 {
    let found = NAME * closeness.name / f64::from(lengths.name.max(1))
        + KEYWORDS * closeness.keywords
        + DESCRIPTION * closeness.description;
    let length = [lengths.name, lengths.keywords, lengths.description].map(f64::from);
    let length = length.iter().sum::<f64>() / USUAL_LENGTH;
    found / (found + SATURATION * f64::midpoint(1.0, length))
}

fn size(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts below 2^53, of which a logarithm is taken"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_counts_by_its_magnitude() {
        assert!((prior(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!(prior(1, 0) > prior(0, 5));
        assert!(prior(0, 1000) > prior(1, 0));
        assert!(prior(1000, 0) < 20.0);
        assert!(prior(u32::MAX, u32::MAX).is_finite());
    }

    #[test]
    fn rare_words_say_more() {
        assert!(weight(1000, 1) > weight(1000, 100));
        assert!(weight(1, 1) > 0.0 && weight(0, 0) > 0.0);
    }

    #[test]
    fn a_short_text_says_more_than_a_long_one() {
        let closeness = PerField {
            description: 1.0,
            ..PerField::default()
        };
        let text = |description| PerField {
            description,
            ..PerField::default()
        };
        assert!(share(&closeness, text(4)) > share(&closeness, text(40)));
    }
}
