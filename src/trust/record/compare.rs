//! Comparing: a document with what the statements say, and a record with an earlier one.

use semver::Version;

use super::{PackageState, Seen};
use crate::model::{Document, Entry, PackageName};
use crate::trust::Verified;

/// A document does not say what the statements say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// It is the document of another package.
    #[error("the document is of `{found}`, not of `{expected}`")]
    Package {
        /// The package of the record.
        expected: PackageName,
        /// The package of the document.
        found: PackageName,
    },
    /// A version that was stated is missing, or not in its place.
    #[error("the document of `{package}` does not have {version} where the statements have it")]
    Misplaced {
        /// The package.
        package: PackageName,
        /// The first such version.
        version: Version,
    },
    /// A version that nobody stated.
    #[error("the document of `{package}` has {version}, which no statement names")]
    Extra {
        /// The package.
        package: PackageName,
        /// The first such version.
        version: Version,
    },
    /// A field differs.
    #[error("the document of `{package}` gives {version} another {field} than its statement")]
    Field {
        /// The package.
        package: PackageName,
        /// The first version that differs.
        version: Version,
        /// Its first field that differs.
        field: &'static str,
    },
}

/// Checks that a document, read from either format, is the one that the statements add up to.
pub fn compare(
    state: &Verified<PackageState>,
    decoded: &Document,
) -> Result<Verified<Document>, Disagreement> {
    let stated = &state.document;
    if stated.package != decoded.package {
        return Err(Disagreement::Package {
            expected: stated.package.clone(),
            found: decoded.package.clone(),
        });
    }
    for place in 0..stated.entries.len().max(decoded.entries.len()) {
        compare_at(stated, decoded, place)?;
    }
    Ok(Verified::new(stated.clone()))
}

fn compare_at(stated: &Document, decoded: &Document, place: usize) -> Result<(), Disagreement> {
    let package = stated.package.clone();
    match (stated.entries.get(place), decoded.entries.get(place)) {
        (None, None) => Ok(()),
        (Some(entry), Some(found)) if entry.release.version == found.release.version => {
            let version = entry.release.version.clone();
            first_difference(entry, found).map_or(Ok(()), |field| {
                Err(Disagreement::Field {
                    package,
                    version,
                    field,
                })
            })
        }
        (_, Some(found)) if stated.entry(&found.release.version).is_none() => {
            Err(Disagreement::Extra {
                package,
                version: found.release.version.clone(),
            })
        }
        (Some(entry), _) | (None, Some(entry)) => Err(Disagreement::Misplaced {
            package,
            version: entry.release.version.clone(),
        }),
    }
}

/// The first field, in the order of the index line, that two entries do not share.
fn first_difference(stated: &Entry, found: &Entry) -> Option<&'static str> {
    let (a, b) = (&stated.release, &found.release);
    let fields = [
        ("name", a.name == b.name),
        ("version", a.version == b.version),
        ("dependencies", a.dependencies == b.dependencies),
        ("checksum", a.checksum == b.checksum),
        ("features", a.features == b.features),
        ("links", a.links == b.links),
        ("rust-version", a.rust_version == b.rust_version),
        ("size", a.size == b.size),
        ("description", a.description == b.description),
        ("license", a.license == b.license),
        ("keywords", a.keywords == b.keywords),
        ("categories", a.categories == b.categories),
        ("repository", a.repository == b.repository),
        ("homepage", a.homepage == b.homepage),
        ("documentation", a.documentation == b.documentation),
        ("edition", a.edition == b.edition),
        ("kinds", a.kinds == b.kinds),
        ("publisher", a.publisher == b.publisher),
        ("commit", a.commit == b.commit),
        ("time of acceptance", stated.accepted == found.accepted),
        ("yank", stated.yanked == found.yanked),
        ("trust", stated.trust == found.trust),
    ];
    if stated == found {
        return None;
    }
    let differing = fields.iter().find(|(_, same)| !same);
    Some(differing.map_or("content", |(field, _)| field))
}

/// A record does not continue the one that was seen before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Regression {
    /// Statements that were seen are gone.
    #[error("the record of `{package}` ends at {found}, and {seen} statements were seen before")]
    Shorter {
        /// The package.
        package: PackageName,
        /// The number of statements seen before.
        seen: u64,
        /// The number of statements now.
        found: u64,
    },
    /// A statement that was seen says something else now.
    #[error("statement {sequence} in the record of `{package}` is another one than before")]
    Rewritten {
        /// The package.
        package: PackageName,
        /// The last number that was seen.
        sequence: u64,
    },
}

/// Checks that a record continues what was seen of it before: nothing gone, nothing rewritten.
/// The chain of digests makes the last one seen stand for all before it.
pub fn no_regression(before: &Seen, after: &PackageState) -> Result<(), Regression> {
    let package = after.document.package.clone();
    match after.digest_at(before.sequence) {
        Some(digest) if digest == before.last => Ok(()),
        Some(_) => Err(Regression::Rewritten {
            package,
            sequence: before.sequence,
        }),
        None => Err(Regression::Shorter {
            package,
            seen: before.sequence,
            found: after.sequence(),
        }),
    }
}
