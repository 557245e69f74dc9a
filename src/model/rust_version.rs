//! The version of Rust that a release states.

use semver::Version;

/// Reads `1.74` or `1.74.1` as a version, and `1.74.1-nightly` as the release that it leads to.
#[must_use]
pub fn rust_version(text: &str) -> Option<Version> {
    let missing = 2_usize.saturating_sub(text.matches('.').count());
    let version: Version = (text.to_owned() + &".0".repeat(missing)).parse().ok()?;
    Some(Version::new(version.major, version.minor, version.patch))
}

/// Says whether a release states no Rust version, or one that is not above `rust`.
#[must_use]
pub fn builds_with(stated: Option<&str>, rust: &Version) -> bool {
    stated
        .and_then(rust_version)
        .is_none_or(|needed| needed <= *rust)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rust_versions() {
        for (text, version) in [
            ("1.85", Some(Version::new(1, 85, 0))),
            ("1.85.1", Some(Version::new(1, 85, 1))),
            ("1.85.0-nightly", Some(Version::new(1, 85, 0))),
            ("1.85.0-beta.3", Some(Version::new(1, 85, 0))),
            ("stable", None),
            ("1.x", None),
        ] {
            assert_eq!(rust_version(text), version, "{text}");
        }
    }
}
