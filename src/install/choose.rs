//! Which release of a package a request means: requirement, yanks, pre-releases, Rust version. A
//! pure choice among the releases of one document; what the release depends on is cargo's to choose.

use std::collections::BTreeSet;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

use crate::model::{Document, Entry, PackageName, Requirement, builds_with, same_release};

/// Why no release is chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChooseError {
    /// The version that was asked for is yanked, or all that fit the requirement are; then it is the
    /// highest of these.
    #[error("`{package}` {version} is yanked{}", reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default())]
    Yanked {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// Why, in the words of the one who yanked it.
        reason: Option<String>,
        /// The version to take in its place.
        nearest: Option<Version>,
    },
    /// No release fits the requirement.
    #[error("no version of `{package}` matches `{requirement}`")]
    NoMatch {
        /// The package.
        package: PackageName,
        /// What was asked for; `*` if nothing was.
        requirement: String,
        /// The highest version that is not yanked, pre-releases included.
        newest: Option<Version>,
    },
    /// No version was asked for, and there are but pre-releases, which nobody gets unasked.
    #[error("`{package}` has no release but pre-releases")]
    OnlyPreReleases {
        /// The package.
        package: PackageName,
        /// The highest one.
        newest: Version,
    },
    /// Every release that fits is younger than the cooldown.
    #[error(
        "every version of `{package}` that matches `{requirement}` is younger than the cooldown"
    )]
    TooYoung {
        /// The package.
        package: PackageName,
        /// What was asked for; `*` if nothing was.
        requirement: String,
        /// The highest of them.
        highest: Version,
    },
    /// Every release that fits needs a newer Rust.
    #[error(
        "no version of `{package}` that matches `{requirement}` is compatible with rustc {rustc}"
    )]
    RustVersion {
        /// The package.
        package: PackageName,
        /// What was asked for; `*` if nothing was.
        requirement: String,
        /// The Rust at hand.
        rustc: Version,
        /// The highest version that fits, and the Rust that it needs.
        needs: (Version, String),
        /// The highest version of any that the Rust at hand builds.
        compatible: Option<Version>,
    },
}

/// Chooses the highest release of a document that fits. A yanked release is never chosen, a
/// pre-release only if the requirement names one of that version, none that is held back, and with
/// `rustc` given none that states to need a newer Rust.
///
/// # Errors
///
/// As the variants of [`ChooseError`] say.
pub fn choose<'a>(
    document: &'a Document,
    requirement: Option<&Requirement>,
    rustc: Option<&Version>,
    held_back: &BTreeSet<Version>,
) -> Result<&'a Entry, ChooseError> {
    let matcher = requirement.map_or(VersionReq::STAR, Requirement::matcher);
    let any = || not_yanked(document).filter(|entry| matcher.matches(&entry.release.version));
    let fitting = || any().filter(|entry| !held_back.contains(&entry.release.version));
    let Some(highest) = highest(fitting()) else {
        return Err(match self::highest(any()) {
            Some(young) => ChooseError::TooYoung {
                package: document.package.clone(),
                requirement: text(requirement),
                highest: version(young),
            },
            None => nothing_fits(document, requirement, &matcher),
        });
    };
    let Some(rustc) = rustc else {
        return Ok(highest);
    };
    // As in cargo, a nightly is taken for the release that it leads to.
    let stable = Version::new(rustc.major, rustc.minor, rustc.patch);
    let builds = |entry: &&Entry| builds_with(entry.release.rust_version.as_deref(), &stable);
    self::highest(fitting().filter(builds)).ok_or_else(|| ChooseError::RustVersion {
        package: document.package.clone(),
        requirement: text(requirement),
        rustc: rustc.clone(),
        needs: (
            highest.release.version.clone(),
            highest.release.rust_version.clone().unwrap_or_default(),
        ),
        compatible: self::highest(
            not_yanked(document)
                .filter(|entry| entry.release.version.pre.is_empty())
                .filter(builds),
        )
        .map(version),
    })
}

fn nothing_fits(
    document: &Document,
    requirement: Option<&Requirement>,
    matcher: &VersionReq,
) -> ChooseError {
    let package = document.package.clone();
    // An exact version means its release whatever its build metadata is.
    let exact = exact_version(matcher).and_then(|exact| document.entry(&exact));
    let fitting = || {
        let entries = document.entries.iter();
        entries.filter(|entry| matcher.matches(&entry.release.version))
    };
    if let Some(entry) = exact.or_else(|| highest(fitting()))
        && let Some(yank) = &entry.yanked
    {
        return ChooseError::Yanked {
            package,
            nearest: nearest(document, &entry.release.version),
            version: entry.release.version.clone(),
            reason: yank.reason.clone(),
        };
    }
    let newest = highest(not_yanked(document)).map(version);
    // Were there a release beside them, it would fit, or be yanked.
    if requirement.is_none()
        && let Some(newest) = newest
    {
        return ChooseError::OnlyPreReleases { package, newest };
    }
    ChooseError::NoMatch {
        package,
        requirement: text(requirement),
        newest,
    }
}

/// The version that serves best in place of a yanked one: the next compatible one above it, else
/// the next below, else the latest of all.
#[must_use]
pub fn nearest(document: &Document, yanked: &Version) -> Option<Version> {
    let caret = VersionReq {
        comparators: vec![comparator(
            Op::Caret,
            &Version::new(
                yanked.major,
                if yanked.major == 0 { yanked.minor } else { 0 },
                0,
            ),
        )],
    };
    let compatible = || {
        not_yanked(document)
            .map(version)
            .filter(|version| caret.matches(version) && !same_release(version, yanked))
    };
    let above = compatible().filter(|version| version > yanked).min();
    let below = || compatible().filter(|version| version < yanked).max();
    above
        .or_else(below)
        .or_else(|| document.latest().map(version))
}

fn comparator(op: Op, version: &Version) -> Comparator {
    Comparator {
        op,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    }
}

/// The version of a requirement `=1.2.3`.
fn exact_version(requirement: &VersionReq) -> Option<Version> {
    let [only] = requirement.comparators.as_slice() else {
        return None;
    };
    let (Op::Exact, Some(minor), Some(patch)) = (only.op, only.minor, only.patch) else {
        return None;
    };
    let mut version = Version::new(only.major, minor, patch);
    version.pre = Prerelease::clone(&only.pre);
    Some(version)
}

fn not_yanked(document: &Document) -> impl Iterator<Item = &Entry> {
    document
        .entries
        .iter()
        .filter(|entry| entry.yanked.is_none())
}

fn highest<'a>(entries: impl Iterator<Item = &'a Entry>) -> Option<&'a Entry> {
    entries.max_by(|a, b| a.release.version.cmp_precedence(&b.release.version))
}

fn version(entry: &Entry) -> Version {
    entry.release.version.clone()
}

fn text(requirement: Option<&Requirement>) -> String {
    requirement.map_or_else(|| "*".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::testing::{document, entry};
    use crate::model::Yank;

    fn chosen(versions: &[&str], requirement: &str) -> Result<String, ChooseError> {
        let entries = versions.iter().map(|version| {
            let (version, yanked) = match version.strip_prefix('!') {
                Some(version) => (version, true),
                None => (*version, false),
            };
            let (version, rust) = version.split_once(" rust ").unwrap_or((version, ""));
            let mut entry = entry("tide-table", version);
            entry.release.rust_version = (!rust.is_empty()).then(|| rust.into());
            entry.yanked = yanked.then(|| Yank {
                reason: Some("wrong datum".into()),
            });
            entry
        });
        let document = document("tide-table", entries.collect());
        let requirement = (requirement != "*").then(|| requirement.parse().unwrap());
        choose(
            &document,
            requirement.as_ref(),
            Some(&Version::new(1, 95, 0)),
            &BTreeSet::new(),
        )
        .map(|entry| entry.release.version.to_string())
    }

    #[test]
    fn takes_the_highest_that_fits() {
        let all = ["0.9.0", "!2.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"];
        for (requirement, version) in [
            ("*", "1.10.0"),
            ("^1", "1.10.0"),
            ("1.9", "1.10.0"),
            ("~1.9", "1.9.0"),
            ("=0.9.0", "0.9.0"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
        ] {
            assert_eq!(
                chosen(&all, requirement).as_deref(),
                Ok(version),
                "{requirement}"
            );
        }
    }

    #[test]
    fn takes_no_pre_release_unasked() {
        let all = ["1.0.0-rc.1", "1.0.0-rc.2", "!1.0.0-rc.3"];
        let error = chosen(&all, "*").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`tide-table` has no release but pre-releases"
        );
        let ChooseError::OnlyPreReleases { newest, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(newest.to_string(), "1.0.0-rc.2");
        assert!(chosen(&all, &format!("={newest}")).is_ok());
        let error = chosen(&all, "^1").unwrap_err();
        assert!(
            matches!(
                error,
                ChooseError::NoMatch {
                    newest: Some(_),
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn tells_why_an_exact_version_is_yanked_and_what_is_nearest() {
        for (others, expected) in [
            (&["!0.3.0", "0.3.1", "0.3.2", "0.4.0"][..], Some("0.3.1")),
            (&["!0.3.0", "0.2.9", "0.4.0"], Some("0.4.0")),
            (&["0.3.0-rc.1", "!0.3.0"], Some("0.3.0-rc.1")),
            (&["!0.3.0"], None),
        ] {
            let error = chosen(others, "=0.3.0").unwrap_err();
            assert_eq!(
                error.to_string(),
                "`tide-table` 0.3.0 is yanked: \"wrong datum\""
            );
            let ChooseError::Yanked { nearest, .. } = error else {
                panic!("{error}")
            };
            let nearest = nearest.map(|version| version.to_string());
            assert_eq!(nearest.as_deref(), expected, "{others:?}");
        }
    }

    #[test]
    fn tells_that_all_that_fits_is_yanked() {
        for requirement in ["*", "^0.3", "<1"] {
            let error = chosen(&["!0.3.0", "!0.3.1", "1.0.0-rc.1"], requirement).unwrap_err();
            assert_eq!(
                error.to_string(),
                "`tide-table` 0.3.1 is yanked: \"wrong datum\""
            );
        }
        let error = chosen(&["!0.3.0", "1.0.0"], "^2").unwrap_err();
        assert!(matches!(error, ChooseError::NoMatch { .. }), "{error}");
    }

    #[test]
    fn passes_over_what_needs_a_newer_rust() {
        let all = ["1.0.0 rust 1.60", "1.1.0 rust 1.95", "1.2.0 rust 1.96.0"];
        assert_eq!(chosen(&all, "*").as_deref(), Ok("1.1.0"));
        let error = chosen(&all, "=1.2.0").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no version of `tide-table` that matches `=1.2.0` is compatible with rustc 1.95.0"
        );
        let ChooseError::RustVersion {
            needs, compatible, ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(needs, (Version::new(1, 2, 0), "1.96.0".into()));
        assert_eq!(compatible, Some(Version::new(1, 1, 0)));
    }

    #[test]
    fn a_nightly_counts_as_the_release_it_leads_to() {
        let mut release = entry("a", "1.0.0");
        release.release.rust_version = Some("1.97".into());
        let document = document("a", vec![release]);
        let nightly = "1.97.0-nightly".parse().unwrap();
        let chosen =
            |rustc: Option<&Version>| choose(&document, None, rustc, &BTreeSet::new()).map(|_| ());
        assert!(chosen(Some(&nightly)).is_ok());
        assert!(chosen(Some(&Version::new(1, 96, 0))).is_err());
        assert!(chosen(None).is_ok());
    }

    #[test]
    fn passes_over_what_is_held_back() {
        let entries = ["1.0.0", "1.1.0"].map(|version| entry("a", version));
        let document = document("a", entries.to_vec());
        let held = |versions: &[&str]| {
            let held = versions
                .iter()
                .map(|version| version.parse().unwrap())
                .collect();
            choose(&document, None, None, &held).map(|entry| entry.release.version.to_string())
        };
        assert_eq!(held(&[]).as_deref(), Ok("1.1.0"));
        assert_eq!(held(&["1.1.0"]).as_deref(), Ok("1.0.0"));
        let error = held(&["1.0.0", "1.1.0"]).unwrap_err();
        assert!(
            matches!(&error, ChooseError::TooYoung { highest, .. } if highest.to_string() == "1.1.0"),
            "{error}"
        );
    }
}
