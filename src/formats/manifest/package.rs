//! The `[package]` and `[features]` tables.

use std::collections::BTreeMap;

use super::table::{Section, check_text};
use super::{ArchiveFacts, ManifestError};
use crate::model::{Kinds, Release};

/// Bytes of what is written for people.
const DESCRIPTION: usize = 16 << 10;
/// Bytes of a URL or a license expression.
const LINE: usize = 2 << 10;
/// Bytes of a keyword, a feature and the like, and how many of them a list holds.
const WORD: usize = 256;
const WORDS: usize = 64;
/// Features, and what one feature turns on.
const FEATURES: usize = 16 << 10;

/// Reads `[package]`; kinds, features and dependencies stand elsewhere and are left empty.
pub(super) fn package(
    package: &Section<'_>,
    facts: ArchiveFacts,
) -> Result<Release, ManifestError> {
    let required = |key| {
        package.text(key, WORD)?.ok_or(ManifestError::Missing {
            field: package.field(key),
        })
    };
    let name = required("name")?
        .parse()
        .map_err(|source| ManifestError::Name {
            field: package.field("name"),
            source,
        })?;
    let version = required("version")?
        .trim()
        .parse()
        .map_err(|source| ManifestError::Version {
            field: package.field("version"),
            source,
        })?;
    Ok(Release {
        name,
        version,
        dependencies: Vec::new(),
        checksum: facts.checksum,
        features: BTreeMap::new(),
        links: package.text("links", WORD)?,
        rust_version: rust_version(package)?,
        size: Some(facts.size),
        description: package.text("description", DESCRIPTION)?,
        license: package.text("license", LINE)?,
        keywords: package.list("keywords", WORDS, WORD)?,
        categories: package.list("categories", WORDS, WORD)?,
        repository: package.text("repository", LINE)?,
        homepage: package.text("homepage", LINE)?,
        documentation: package.text("documentation", LINE)?,
        edition: edition(package)?,
        kinds: Kinds::default(),
        publisher: None,
        commit: facts.commit,
        foreign: None,
    })
}

/// The Rust version: one to three numbers, without operator, pre-release or build (Cargo's rule).
fn rust_version(package: &Section<'_>) -> Result<Option<String>, ManifestError> {
    const KEY: &str = "rust-version";
    let Some(text) = package.text(KEY, WORD)? else {
        return Ok(None);
    };
    let number = |part: &str| part.parse::<u64>().is_ok_and(|n| n.to_string() == part);
    if text.split('.').count() > 3 || !text.split('.').all(number) {
        return Err(package.form_error(KEY, "a Rust version such as 1.74"));
    }
    Ok(Some(text))
}

/// The edition, where it is written; without it Cargo takes 2015.
fn edition(package: &Section<'_>) -> Result<Option<String>, ManifestError> {
    const KEY: &str = "edition";
    let edition = package.text(KEY, WORD)?;
    match &edition {
        Some(year) if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) => {
            Err(package.form_error(KEY, "an edition such as 2024"))
        }
        _ => Ok(edition),
    }
}

/// Reads `[features]` as it stands: features that optional dependencies imply are Cargo's to add,
/// and the index does not list them.
pub(super) fn features(root: &Section<'_>) -> Result<BTreeMap<String, Vec<String>>, ManifestError> {
    let Some(section) = root.section("features")? else {
        return Ok(BTreeMap::new());
    };
    let feature = |(name, _): (&String, _)| {
        check_text(name, WORD, || section.field(name))?;
        Ok((name.clone(), section.list(name, FEATURES, WORD)?))
    };
    section.members(FEATURES)?.map(feature).collect()
}
