//! Which target paths a delegation is for: globs, hash prefixes, hash bins (TUF 1.0, section 4.5;
//! TAP 15).

use crate::model::Sha256Digest;

/// Says whether a path fits a pattern. `*` and `?` stand for anything within one part between
/// slashes, never for a slash.
#[must_use]
pub fn glob(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if fits(pattern, part) => {}
            _ => return false,
        }
    }
}

/// Matches one part without recursion: the last `*` takes one character more after each failure,
/// so that no pattern takes more than quadratic time.
fn fits(pattern: &str, part: &str) -> bool {
    let (pattern, part): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), part.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < part.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == part[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Says whether the digest of a path, in hexadecimal, starts with a prefix.
pub(super) fn has_hash_prefix(prefix: &str, path: &str) -> bool {
    Sha256Digest::of(path.as_bytes())
        .to_string()
        .starts_with(prefix)
}

/// The name of the bin that a path falls in, of `2^bits` bins.
#[must_use]
pub fn bin_name(prefix: &str, bits: u32, path: &str) -> String {
    let digest = Sha256Digest::of(path.as_bytes());
    let first = digest.as_bytes()[..4].iter();
    let first = first.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    numbered_bin(prefix, bits, first >> (32 - bits.min(32)))
}

/// The name of the bin with that number (TAP 15).
#[must_use]
pub fn numbered_bin(prefix: &str, bits: u32, number: u64) -> String {
    let width = bits.div_ceil(4) as usize;
    format!("{prefix}-{number:0width$x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stay_between_slashes() {
        for (pattern, path, fits) in [
            ("policy.json", "policy.json", true),
            ("*.json", "policy.json", true),
            ("*", "policy.json", true),
            ("*", "a/b", false),
            ("?/*.json", "1/a.json", true),
            ("?/*.json", "3/a/abc.json", false),
            ("??/??/*.json", "se/rd/serde.json", true),
            ("??/??/*.json", "se/rd/x/serde.json", false),
            ("*.tgz", "a.tgz.sig", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("**", "", true),
            ("?", "", false),
            ("[ab]", "a", false),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let pattern = "a*".repeat(500) + "b";
        assert!(!glob(&pattern, &"a".repeat(5_000)));
    }

    #[test]
    fn bins_are_named_as_in_tap_15() {
        // The sha256 of "se/rd/serde.json" starts with these bits.
        let path = "se/rd/serde.json";
        let digest = Sha256Digest::of(path.as_bytes()).to_string();
        assert_eq!(
            bin_name("packages", 4, path),
            format!("packages-{}", &digest[..1])
        );
        assert_eq!(bin_name("p", 16, path), format!("p-{}", &digest[..4]));
        assert_eq!(bin_name("p", 32, path), format!("p-{}", &digest[..8]));
        let first = u32::from_str_radix(&digest[..1], 16).unwrap();
        assert_eq!(bin_name("p", 3, path), format!("p-{:x}", first >> 1));
        assert_eq!(bin_name("p", 1, path), format!("p-{:x}", first >> 3));
        assert_eq!(bin_name("p", 5, path).len(), "p-00".len());
    }

    #[test]
    fn hash_prefixes_are_those_of_the_path() {
        let digest = Sha256Digest::of(b"a").to_string();
        assert!(has_hash_prefix(&digest[..3], "a") && !has_hash_prefix(&digest[..3], "b"));
    }
}
