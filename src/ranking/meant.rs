//! What was perhaps meant by a name that is not there: the nearest one, for "did you mean".

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use super::closeness::is_within;
use super::rank::Collection;
use super::score::reach;
use super::text::name_key;

/// The most edits between a name and the one that is meant by it.
const MOST: usize = 2;

/// How many edits are tried, in their order: one for every two characters, since a name of two letters is two
/// edits away from any other.
fn edits(key: &str) -> RangeInclusive<u8> {
    let most = (key.chars().count() / 2).min(MOST);
    0..=u8::try_from(most).unwrap_or_default()
}

/// The package that was perhaps meant by the name of another: the nearest one, of those the one with the
/// largest reach, then the first by name.
pub fn meant<C: Collection>(name: &str, collection: &C) -> Result<Option<usize>, C::Error> {
    let key = name_key(name);
    for edits in edits(&key) {
        let named = collection.named(&key, edits)?.into_iter();
        let named = named.map(|number| {
            let package = collection.package(number);
            (
                Reverse(reach(package.dependents, package.downloads)),
                number,
            )
        });
        let best = named.min_by(|(reach, one), (other_reach, other)| {
            let by_reach = reach.cmp(other_reach);
            by_reach.then_with(|| collection.compare_names(*one, *other))
        });
        if let Some((_, number)) = best {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// The nearest of `known` to what was typed, whatever stands between their words; the first by name.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let key = name_key(typed);
    let near = known.into_iter().filter_map(|name| {
        let other = name_key(name);
        let edits = edits(&key).find(|edits| is_within(*edits, &key, &other))?;
        Some((edits, name))
    });
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["tide-table", "tide-cli", "libm", "ab"];
        for (typed, meant) in [
            ("tide-tabel", Some("tide-table")),
            ("Tide_Table", Some("tide-table")),
            ("tide_cil", Some("tide-cli")),
            ("lib", Some("libm")),
            ("xy", None),
            ("serde", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }

    #[test]
    fn a_name_of_one_letter_stands_for_itself() {
        assert_eq!(nearest("A", ["ab", "b", "a"]), Some("a"));
        assert_eq!(nearest("a", ["ab", "b"]), None);
    }
}
