//! A release: the one format-neutral value that both index formats are written from and read into.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};

use super::{PackageName, PublisherId, Sha256Digest};

/// The index URL by which Cargo's index lines name crates.io.
pub const CRATES_IO_INDEX: &str = "https://github.com/rust-lang/crates.io-index";

/// One version of a package, as its publisher stated it. What the registry adds (time of acceptance,
/// yank, trust) stands in [`Entry`](super::Entry).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The package.
    pub name: PackageName,
    /// The version, build metadata included.
    pub version: Version,
    /// Dependencies in the order of the index line.
    pub dependencies: Vec<Dependency>,
    /// The sha256 of the archive.
    pub checksum: Sha256Digest,
    /// Features and what they turn on, as the manifest has them (the index splits them in two).
    pub features: BTreeMap<String, Vec<String>>,
    /// The native library that the package links.
    pub links: Option<String>,
    /// The oldest Rust that the package says it builds with, as written: `1.74`, `1.74.0`.
    pub rust_version: Option<String>,
    /// The archive's length in bytes; absent for lines that another registry wrote.
    pub size: Option<u64>,
    /// One line or more for people.
    pub description: Option<String>,
    /// An SPDX license expression, as written in the manifest.
    pub license: Option<String>,
    /// Words to be found by.
    pub keywords: Vec<String>,
    /// Slugs of categories.
    pub categories: Vec<String>,
    /// Where the source lives.
    pub repository: Option<String>,
    /// The project's page.
    pub homepage: Option<String>,
    /// Where the documentation is read.
    pub documentation: Option<String>,
    /// The Rust edition: `2024`.
    pub edition: Option<String>,
    /// What the package can be used as.
    pub kinds: Kinds,
    /// Who published it; absent for vouched and unsigned releases.
    pub publisher: Option<PublisherId>,
    /// The git commit it was packaged from, where known: 40 or 64 hexadecimal digits.
    pub commit: Option<String>,
    /// What sets a line that another registry wrote apart from the one that we would write.
    pub foreign: Option<ForeignLine>,
}

/// What a package can be used as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// It has a library target.
    pub library: bool,
    /// The names of its binary targets, sorted.
    pub binaries: Vec<String>,
    /// It has a `template/` folder.
    pub template: bool,
}

/// One dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package depended on.
    pub package: PackageName,
    /// The name that the manifest gives it beside its own (`rename = { package = "…" }`).
    pub rename: Option<String>,
    /// Which versions will do.
    pub requirement: Requirement,
    /// Features turned on, in the manifest's order.
    pub features: Vec<String>,
    /// Only built when a feature asks for it.
    pub optional: bool,
    /// Whether the `default` feature is on.
    pub default_features: bool,
    /// A target triple or `cfg(…)` to which it is limited.
    pub target: Option<String>,
    /// When it is needed.
    pub kind: DependencyKind,
    /// The registry it comes from.
    pub source: DependencySource,
}

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// To build and run.
    Normal,
    /// By the build script.
    Build,
    /// By tests, examples and benchmarks.
    Dev,
}

impl DependencyKind {
    /// The word for it in Cargo's index lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Build => "build",
            Self::Dev => "dev",
        }
    }
}

/// The registry that a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencySource {
    /// The registry that holds the release.
    SameRegistry,
    /// Another one, by its index URL; crates.io is [`CRATES_IO_INDEX`].
    Other(String),
}

impl DependencySource {
    /// The index URL, where it is another registry than that of the release.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        match self {
            Self::SameRegistry => None,
            Self::Other(url) => Some(url),
        }
    }
}

impl Release {
    /// What it needs of its own registry to build or run.
    pub fn needs(&self) -> impl Iterator<Item = &Dependency> {
        let all = self.dependencies.iter();
        all.filter(|d| d.kind != DependencyKind::Dev && d.source == DependencySource::SameRegistry)
    }
}

/// A version requirement in Cargo's syntax, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement(String);

/// The text is no version requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version requirement: {reason}")]
pub struct RequirementError {
    text: String,
    reason: String,
}

impl Requirement {
    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The requirement, ready to match versions.
    #[must_use]
    pub fn matcher(&self) -> VersionReq {
        self.0.parse().unwrap_or(VersionReq::STAR)
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match VersionReq::parse(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(reason) => Err(RequirementError {
                text: text.chars().take(80).collect(),
                reason: reason.to_string(),
            }),
        }
    }
}

impl From<&VersionReq> for Requirement {
    fn from(requirement: &VersionReq) -> Self {
        Self(requirement.to_string())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a line that another registry wrote differs from the one that we would write for the same
/// release: enough to give its JSON value back, unknown keys included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignLine {
    /// Top-level keys whose values are not ours, with those values.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Top-level keys that we would write and the line does not have.
    pub absent: Vec<String>,
}

#[cfg(test)]
impl Release {
    /// A release with nothing but a name and a version, for tests.
    pub(crate) fn sample(name: &str, version: &str) -> Self {
        Self {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            dependencies: Vec::new(),
            checksum: Sha256Digest::of(format!("{name}-{version}").as_bytes()),
            features: BTreeMap::new(),
            links: None,
            rust_version: None,
            size: None,
            description: None,
            license: None,
            keywords: Vec::new(),
            categories: Vec::new(),
            repository: None,
            homepage: None,
            documentation: None,
            edition: None,
            kinds: Kinds::default(),
            publisher: None,
            commit: None,
            foreign: None,
        }
    }
}

#[cfg(test)]
impl Dependency {
    /// A normal dependency on any version of a package of the same registry, for tests.
    pub(crate) fn sample(package: &str) -> Self {
        Self {
            package: package.parse().unwrap(),
            rename: None,
            requirement: Requirement("*".into()),
            features: Vec::new(),
            optional: false,
            default_features: true,
            target: None,
            kind: DependencyKind::Normal,
            source: DependencySource::SameRegistry,
        }
    }
}
