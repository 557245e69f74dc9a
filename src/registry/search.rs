//! Search by a plain scan of the catalog: small, dull, and what everything falls back to.
//!
//! The order is that of [`crate::ranking`], so that every way to search gives the same.

use std::collections::BTreeSet;

use semver::Version;

use super::catalog::Catalog;
use crate::model::{Entry, PublisherId, TrustState};
use crate::ranking::{
    Collection, Field, Package, PerField, Query, Tolerance, Word, name_key, prior, rank, tokens,
};

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// Words that must all match, but one of three; the last one as a prefix.
    pub words: Vec<String>,
    /// Only packages with all of these keywords.
    pub keywords: Vec<String>,
    /// Only packages whose license expression allows this license.
    pub license: Option<String>,
    /// Only packages that build with this Rust.
    pub rust_version: Option<Version>,
    /// Only releases of this publisher.
    pub owner: Option<PublisherId>,
    /// Only releases that this stands behind.
    pub trust: Option<TrustState>,
}

/// A package that was found.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// Its latest release, of those that build with the Rust that was asked for.
    pub entry: &'a Entry,
    /// Whether it has every word.
    pub has_all_words: bool,
    /// How it fits; higher is better, but for the package whose name was typed, which is first.
    pub score: f64,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Hits<'a> {
    /// All hits, best first.
    pub hits: Vec<Hit<'a>>,
    /// Set when words one edit away were taken.
    pub tolerant: bool,
}

/// Searches the latest releases that build with the Rust that was asked for.
#[must_use]
pub fn search<'a>(catalog: &'a Catalog, request: &SearchRequest) -> Hits<'a> {
    let scan = Scan::new(catalog, request);
    let query = Query::new(&request.words);
    let ranked = rank(&query, &scan, |number| {
        passes_filters(scan.texts[number].entry, request)
    });
    let hits = ranked.hits.into_iter().map(|(number, score)| Hit {
        entry: scan.texts[number].entry,
        has_all_words: score.has_all_words,
        score: score.points,
    });
    Hits {
        hits: hits.collect(),
        tolerant: ranked.tolerant,
    }
}

/// The texts of the releases that may be shown.
struct Scan<'a> {
    texts: Vec<Text<'a>>,
}

struct Text<'a> {
    entry: &'a Entry,
    key: String,
    tokens: PerField<Vec<String>>,
    prior: f64,
}

impl<'a> Scan<'a> {
    fn new(catalog: &'a Catalog, request: &SearchRequest) -> Self {
        let dependents = catalog.dependents();
        let documents = catalog.documents().iter();
        let texts = documents.filter_map(|document| {
            let entry = document.latest_that(|entry| builds(entry, request))?;
            let release = &entry.release;
            let dependents = dependents.get(&release.name).map_or(0, BTreeSet::len);
            let description = release.description.as_deref().unwrap_or_default();
            Some(Text {
                entry,
                key: name_key(release.name.as_str()),
                tokens: PerField {
                    name: tokens(release.name.as_str()).collect(),
                    keywords: release.keywords.iter().flat_map(|k| tokens(k)).collect(),
                    description: tokens(description).collect(),
                },
                prior: prior(dependents, catalog.downloads(&release.name)),
            })
        });
        Self {
            texts: texts.collect(),
        }
    }
}

impl Collection for Scan<'_> {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn matches(&self, word: &Word, tolerance: Tolerance) -> Vec<(usize, PerField<f64>)> {
        let texts = self.texts.iter().enumerate();
        texts
            .filter_map(|(number, text)| Some((number, text.closeness(word, tolerance)?)))
            .collect()
    }

    fn package(&self, number: usize) -> Package<'_> {
        let text = &self.texts[number];
        let mut lengths = PerField::default();
        for field in Field::ALL {
            let length = text.tokens.get(field).len();
            *lengths.get_mut(field) = u8::try_from(length).unwrap_or(u8::MAX);
        }
        Package {
            key: &text.key,
            lengths,
            prior: text.prior,
        }
    }
}

impl Text<'_> {
    /// The closest token of each field, if any is close.
    fn closeness(&self, word: &Word, tolerance: Tolerance) -> Option<PerField<f64>> {
        let mut closest = PerField::default();
        for field in Field::ALL {
            let tokens = self.tokens.get(field).iter();
            let close = tokens.filter_map(|token| word.closeness(token, field, tolerance));
            *closest.get_mut(field) = close.fold(0.0, f64::max);
        }
        (closest != PerField::default()).then_some(closest)
    }
}

fn passes_filters(entry: &Entry, request: &SearchRequest) -> bool {
    let release = &entry.release;
    let has = |wanted: &String| {
        release
            .keywords
            .iter()
            .any(|k| k.eq_ignore_ascii_case(wanted))
    };
    let license = request.license.as_ref();
    request.keywords.iter().all(has)
        && license.is_none_or(|wanted| allows_license(release.license.as_deref(), wanted))
        && (request.owner.is_none() || request.owner == release.publisher)
        && (request.trust.is_none() || request.trust == entry.trust)
}

fn builds(entry: &Entry, request: &SearchRequest) -> bool {
    let rust = request.rust_version.as_ref();
    rust.is_none_or(|rust| builds_with(entry, rust))
}

/// Says whether a user who accepts only `wanted` may use what is licensed as `expression`.
#[must_use]
pub fn allows_license(expression: Option<&str>, wanted: &str) -> bool {
    let Some(text) = expression else { return false };
    // Manifests of old write `MIT/Apache-2.0`.
    let Ok(parsed) = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) else {
        return text.eq_ignore_ascii_case(wanted);
    };
    parsed.evaluate(|requirement| requirement.license.to_string().eq_ignore_ascii_case(wanted))
}

/// Says whether a release states no Rust version, or one that is not above `rust`.
#[must_use]
pub fn builds_with(entry: &Entry, rust: &Version) -> bool {
    let stated = entry.release.rust_version.as_deref();
    stated
        .and_then(rust_version)
        .is_none_or(|needed| needed <= *rust)
}

/// Reads `1.74` or `1.74.1` as a version, and `1.74.1-nightly` as the release that it leads to.
#[must_use]
pub fn rust_version(text: &str) -> Option<Version> {
    let missing = 2_usize.saturating_sub(text.matches('.').count());
    let version: Version = (text.to_owned() + &".0".repeat(missing)).parse().ok()?;
    Some(Version::new(version.major, version.minor, version.patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dependency, Document, Release, Yank};

    fn document(name: &str, description: &str, keywords: &[&str], needs: &[&str]) -> Document {
        let mut release = Release::sample(name, "1.0.0");
        release.description = Some(description.into());
        release.keywords = keywords.iter().map(|k| (*k).into()).collect();
        release.dependencies = needs.iter().map(|n| Dependency::sample(n)).collect();
        release.license = Some("MIT OR Apache-2.0".into());
        release.rust_version = Some("1.70".into());
        Document {
            package: name.parse().unwrap(),
            entries: vec![Entry {
                release,
                accepted: None,
                yanked: None,
                trust: None,
            }],
        }
    }

    fn catalog() -> Catalog {
        let documents = [
            document("json", "A parser", &[], &[]),
            document("json-patch", "Patches", &["json"], &[]),
            document("simd-json", "Fast", &[], &[]),
            document("config", "Settings files", &["json"], &[]),
            document("tide", "Serves JSON over HTTP", &[], &["simd-json"]),
            document("ron", "Rusty notation, an alternative to json", &[], &[]),
        ];
        Catalog::new(documents.into_iter().collect())
    }

    fn names(words: &[&str]) -> Vec<String> {
        let catalog = catalog();
        let request = SearchRequest {
            words: words.iter().map(|word| (*word).into()).collect(),
            ..SearchRequest::default()
        };
        let hits = search(&catalog, &request).hits;
        hits.iter()
            .map(|hit| hit.entry.release.name.to_string())
            .collect()
    }

    #[test]
    fn the_name_comes_first_then_what_is_needed_then_what_fits() {
        let found = names(&["json"]);
        assert_eq!(found[..2], ["json", "simd-json"]);
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn every_word_must_match_and_the_last_as_a_prefix() {
        assert_eq!(names(&["serves", "jso"]), ["tide"]);
        assert_eq!(names(&["ser", "json"]), Vec::<String>::new());
    }

    #[test]
    fn of_three_words_one_may_be_missing() {
        assert_eq!(names(&["serving", "json", "quickly"]), ["tide"]);
        assert_eq!(names(&["serving", "yaml", "quickly"]), Vec::<String>::new());
    }

    #[test]
    fn downloads_count_where_they_are_known() {
        let request = SearchRequest {
            words: vec!["json".into()],
            ..SearchRequest::default()
        };
        let downloads = [("config".parse().unwrap(), 1_000_000)].into();
        let catalog = catalog().with_downloads(downloads);
        let hits = search(&catalog, &request).hits;
        let found = hits.iter().map(|hit| hit.entry.release.name.as_str());
        assert_eq!(
            found.take(3).collect::<Vec<_>>(),
            ["json", "config", "simd-json"]
        );
    }

    #[test]
    fn filters_by_publisher_and_trust() {
        let mut documents = [
            document("tide", "", &[], &[]),
            document("tide-table", "", &[], &[]),
        ];
        documents[0].entries[0].release.publisher = Some("harbour".parse().unwrap());
        documents[0].entries[0].trust = Some(TrustState::Signed);
        documents[1].entries[0].trust = Some(TrustState::Vouched);
        let catalog = Catalog::new(documents.into_iter().collect());
        let found = |owner: Option<&str>, trust| {
            let request = SearchRequest {
                words: vec!["tide".into()],
                owner: owner.map(|id| id.parse().unwrap()),
                trust,
                ..SearchRequest::default()
            };
            let found = search(&catalog, &request);
            assert!(!found.tolerant, "what is hidden was found as typed");
            let hits = found.hits.into_iter();
            hits.map(|hit| hit.entry.release.name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(Some("harbour"), None), ["tide"]);
        assert_eq!(found(Some("lighthouse"), None), Vec::<String>::new());
        assert_eq!(found(None, Some(TrustState::Vouched)), ["tide-table"]);
        assert_eq!(
            found(None, Some(TrustState::Unsigned)),
            Vec::<String>::new()
        );
        assert_eq!(found(None, None).len(), 2);
    }

    #[test]
    fn one_edit_is_tolerated_only_without_a_hit() {
        assert_eq!(names(&["jsom"])[0], "json");
        assert_eq!(names(&["confg"]), ["config"]);
    }

    #[test]
    fn shows_the_newest_release_that_builds() {
        let mut document = document("tide", "Predicts", &[], &[]);
        let oldest = document.entries[0].clone();
        for (version, rust, is_yanked) in [
            ("1.1.0", "1.80", false),
            ("1.2.0", "1.80", true),
            ("2.0.0", "1.95", false),
        ] {
            let mut entry = oldest.clone();
            entry.release.version = version.parse().unwrap();
            entry.release.rust_version = Some(rust.into());
            entry.release.keywords = vec![format!("for-{rust}")];
            entry.yanked = is_yanked.then_some(Yank { reason: None });
            document.entries.push(entry);
        }
        let catalog = Catalog::new([document].into_iter().collect());
        let found = |rust: &str, keyword: Option<&str>| {
            let request = SearchRequest {
                words: vec!["tide".into()],
                rust_version: rust_version(rust),
                keywords: keyword.into_iter().map(Into::into).collect(),
                ..SearchRequest::default()
            };
            let hits = search(&catalog, &request).hits;
            let hit = hits.first();
            hit.map(|hit| hit.entry.release.version.to_string())
        };
        assert_eq!(found("1.95", None).as_deref(), Some("2.0.0"));
        assert_eq!(found("1.90", None).as_deref(), Some("1.1.0"));
        assert_eq!(found("1.90", Some("for-1.80")).as_deref(), Some("1.1.0"));
        assert_eq!(found("1.90", Some("for-1.95")), None);
        assert_eq!(found("1.70", None).as_deref(), Some("1.0.0"));
        assert_eq!(found("1.69", None), None);
    }

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

    #[test]
    fn filters_by_license_keyword_and_rust() {
        let catalog = catalog();
        let count = |request: SearchRequest| search(&catalog, &request).hits.len();
        let any = SearchRequest::default();
        let license = |l: &str| SearchRequest {
            license: Some(l.into()),
            ..any.clone()
        };
        assert_eq!(count(license("mit")), 6);
        assert_eq!(count(license("GPL-3.0-only")), 0);
        assert_eq!(
            count(SearchRequest {
                keywords: vec!["JSON".into()],
                ..any.clone()
            }),
            2
        );
        assert_eq!(
            count(SearchRequest {
                rust_version: rust_version("1.69"),
                ..any.clone()
            }),
            0
        );
        assert_eq!(
            count(SearchRequest {
                rust_version: rust_version("1.70.0"),
                ..any
            }),
            6
        );
    }
}
