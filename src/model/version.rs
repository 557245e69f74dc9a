//! Versions: what `SemVer` leaves to us, which is sorting as text and ignoring build metadata.

use semver::{BuildMetadata, Version};

/// Says whether two versions name the same release; build metadata does not count (Cargo's rule).
#[must_use]
pub fn same_release(a: &Version, b: &Version) -> bool {
    a.cmp_precedence(b).is_eq()
}

/// The version by which a release is known: without build metadata.
#[must_use]
pub fn without_build(version: &Version) -> Version {
    Version {
        build: BuildMetadata::EMPTY,
        ..version.clone()
    }
}

/// Returns a text whose order by code point is the precedence order of `SemVer` 2.0, since SPARQL
/// can compare strings but no versions.
///
/// Each number is written as a letter for its count of digits (`a` for one) and the digits; a
/// pre-release follows after `-`, its identifiers closed by `!`; a release proper ends in `~`,
/// which sorts behind.
#[must_use]
pub fn sort_key(version: &Version) -> String {
    let mut key = [version.major, version.minor, version.patch]
        .map(|n| sortable_number(&n.to_string()))
        .concat();
    if version.pre.is_empty() {
        key.push('~');
        return key;
    }
    key.push('-');
    for identifier in version.pre.split('.') {
        if identifier.bytes().all(|b| b.is_ascii_digit()) {
            key.push('0');
            key.push_str(&sortable_number(identifier));
        } else {
            key.push('1');
            key.push_str(identifier);
        }
        key.push('!');
    }
    key
}

/// Prefixes a number without leading zeros by its length; past 26 digits the letters are doubled.
fn sortable_number(digits: &str) -> String {
    let mut rest = digits.len();
    let mut key = String::new();
    while rest > 25 {
        key.push('z');
        rest -= 25;
    }
    key.push(char::from(
        b'a' + u8::try_from(rest.saturating_sub(1)).unwrap_or(25),
    ));
    key + digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sorts_the_examples_of_the_semver_specification() {
        let ordered = [
            "0.0.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.9",
            "1.0.10",
            "1.2.0",
            "11.0.0",
        ];
        let keys: Vec<_> = ordered
            .iter()
            .map(|v| sort_key(&v.parse().unwrap()))
            .collect();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(keys, sorted);
    }

    fn version() -> impl Strategy<Value = Version> {
        let number = prop_oneof![0..12_u64, any::<u64>()];
        let identifier = prop_oneof!["0|[1-9][0-9]{0,30}", "[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,3}"];
        let pre = proptest::collection::vec(identifier, 0..4).prop_map(|parts| parts.join("."));
        (number.clone(), number.clone(), number, pre).prop_map(|(a, b, c, pre)| {
            let text = if pre.is_empty() {
                format!("{a}.{b}.{c}")
            } else {
                format!("{a}.{b}.{c}-{pre}")
            };
            text.parse().unwrap()
        })
    }

    proptest! {
        #[test]
        fn orders_as_semver_does(a in version(), b in version()) {
            prop_assert_eq!(sort_key(&a).cmp(&sort_key(&b)), a.cmp_precedence(&b));
        }
    }
}
