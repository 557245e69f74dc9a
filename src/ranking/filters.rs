//! What a search is narrowed down by: one rule, for the plain scan and for an index alike.
//!
//! Of a package there are labels, and a filter says which labels fit. All filters but that of the Rust
//! version look at its latest release.

use std::collections::BTreeSet;

use semver::Version;

use crate::model::{Document, Entry, PublisherId, TrustState, builds_with};

/// What packages must be.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Only packages with all of these keywords.
    pub keywords: Vec<String>,
    /// Only packages whose license expression allows this license.
    pub license: Option<String>,
    /// Only packages that have a release that builds with this Rust.
    pub rust_version: Option<Version>,
    /// Only packages whose latest release is of this publisher.
    pub owner: Option<PublisherId>,
    /// Only packages behind whose latest release stands this.
    pub trust: Option<TrustState>,
}

/// One thing that a package must be: a label of it must fit.
#[derive(Debug, Clone)]
pub enum Condition<'a> {
    /// This is a label of it.
    Is(String),
    /// Its license allows this one.
    Allows(&'a str),
    /// A release of it builds with this Rust.
    BuildsWith(&'a Version),
}

const KEYWORD: &str = "keyword:";
const LICENSE: &str = "license:";
const OWNER: &str = "owner:";
const RUST: &str = "rust:";
const TRUST: &str = "trust:";

impl Filters {
    /// What must hold; nothing if there is no filter.
    pub fn conditions(&self) -> impl Iterator<Item = Condition<'_>> {
        let keywords = self.keywords.iter().map(|text| keyword(text));
        let owner = self.owner.iter().map(|id| format!("{OWNER}{id}"));
        let trust = self.trust.iter().map(|state| trust(*state));
        let same = keywords.chain(owner).chain(trust).map(Condition::Is);
        let license = self.license.iter().map(|text| Condition::Allows(text));
        let rust = self.rust_version.iter().map(Condition::BuildsWith);
        same.chain(license).chain(rust)
    }

    /// Says whether a package with these labels passes.
    #[must_use]
    pub fn pass(&self, labels: &BTreeSet<String>) -> bool {
        self.conditions()
            .all(|condition| labels.iter().any(|label| condition.fits(label)))
    }

    /// The release of a package that is shown: the newest that builds with the Rust that was asked for.
    #[must_use]
    pub fn shown<'a>(&self, package: &'a Document) -> Option<&'a Entry> {
        package.latest_that(|entry| {
            let rust = self.rust_version.as_ref();
            rust.is_none_or(|rust| builds_with(entry.release.rust_version.as_deref(), rust))
        })
    }
}

impl Condition<'_> {
    /// What every label starts with that fits.
    #[must_use]
    pub fn start(&self) -> &str {
        match self {
            Self::Is(label) => label,
            Self::Allows(_) => LICENSE,
            Self::BuildsWith(_) => RUST,
        }
    }

    /// Says whether a label fits.
    #[must_use]
    pub fn fits(&self, label: &str) -> bool {
        match self {
            Self::Is(text) => text == label,
            Self::Allows(license) => label
                .strip_prefix(LICENSE)
                .is_some_and(|expression| allows_license(expression, license)),
            Self::BuildsWith(rust) => label
                .strip_prefix(RUST)
                .is_some_and(|stated| builds_with(Some(stated), rust)),
        }
    }
}

/// The labels of a package. None if all its releases are yanked.
#[must_use]
pub fn labels(package: &Document) -> BTreeSet<String> {
    let Some(latest) = package.latest() else {
        return BTreeSet::new();
    };
    let release = &latest.release;
    let keywords = release.keywords.iter().map(|text| keyword(text));
    let license = release.license.iter();
    let license = license.map(|text| format!("{LICENSE}{text}"));
    let owner = release.publisher.iter().map(|id| format!("{OWNER}{id}"));
    let trust = latest.trust.iter().map(|state| trust(*state));
    let installable = package.entries.iter().filter(|one| one.yanked.is_none());
    let rust = installable.map(|one| {
        let stated = one.release.rust_version.as_deref();
        format!("{RUST}{}", stated.unwrap_or_default())
    });
    let labels = keywords.chain(license).chain(owner).chain(trust);
    labels.chain(rust).collect()
}

fn keyword(text: &str) -> String {
    format!("{KEYWORD}{}", text.to_ascii_lowercase())
}

fn trust(state: TrustState) -> String {
    format!("{TRUST}{}", state.as_str())
}

/// Says whether a user who accepts only `wanted` may use what is licensed as `expression`.
#[must_use]
pub fn allows_license(expression: &str, wanted: &str) -> bool {
    // Manifests of old write `MIT/Apache-2.0`.
    let Ok(parsed) = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX) else {
        return expression.eq_ignore_ascii_case(wanted);
    };
    parsed.evaluate(|requirement| requirement.license.to_string().eq_ignore_ascii_case(wanted))
}
