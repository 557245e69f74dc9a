//! Search by a plain scan of the catalog: small, dull, and what everything falls back to.
//!
//! The order is that of [`crate::ranking`], so that every way to search gives the same.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::catalog::Catalog;
use crate::model::{Document, Entry, PackageName};
use crate::ranking::{
    self, Collection, Field, Hit, Hits, Match, Package, PerField, Query, SearchRequest, Tolerance,
    Word, is_within, labels, lengths, name_key, rank, texts,
};

/// Searches the latest releases of a catalog.
#[must_use]
pub fn search(catalog: &Catalog, request: &SearchRequest) -> Hits {
    let scan = Scan::new(catalog);
    let filters = &request.filters;
    let has_filters = filters.conditions().next().is_some();
    let passes = |number: usize| !has_filters || filters.pass(&labels(scan.0[number].document));
    let query = Query::new(&request.words);
    let Ok(ranked) = rank(&query, &scan, passes, request.limit);
    let best = ranked.best.into_iter().filter_map(|(number, score)| {
        let entry = filters.shown(scan.0[number].document)?;
        Some(Hit {
            release: entry.into(),
            score: score.points,
        })
    });
    Hits {
        best: best.collect(),
        total: ranked.total,
        with_all_words: ranked.with_all_words,
        tolerant: ranked.tolerant,
    }
}

/// The package that was perhaps meant by a name that is not there.
#[must_use]
pub fn meant(catalog: &Catalog, name: &PackageName) -> Option<PackageName> {
    let scan = Scan::new(catalog);
    let Ok(meant) = ranking::meant(name.as_str(), &scan);
    meant.map(|number| scan.0[number].document.package.clone())
}

/// The texts of all packages that have a latest release, in the order of their names.
struct Scan<'a>(Vec<Text<'a>>);

impl<'a> Scan<'a> {
    fn new(catalog: &'a Catalog) -> Self {
        let dependents = catalog.dependents();
        let documents = catalog.documents().iter();
        let texts = documents.filter_map(|document| {
            let latest = document.latest()?;
            Some(Text::new(document, latest, catalog, &dependents))
        });
        Self(texts.collect())
    }
}

struct Text<'a> {
    document: &'a Document,
    key: String,
    tokens: PerField<Vec<String>>,
    dependents: u32,
    downloads: u32,
}

impl<'a> Text<'a> {
    fn new(
        document: &'a Document,
        latest: &Entry,
        catalog: &Catalog,
        dependents: &BTreeMap<&PackageName, BTreeSet<&PackageName>>,
    ) -> Self {
        let package = &document.package;
        let dependents = dependents.get(package).map_or(0, BTreeSet::len);
        Self {
            document,
            key: name_key(package.as_str()),
            tokens: texts(&latest.release),
            dependents: u32::try_from(dependents).unwrap_or(u32::MAX),
            downloads: catalog.popularity().downloads(package),
        }
    }

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

impl Collection for Scan<'_> {
    type Error = Infallible;

    fn size(&self) -> usize {
        self.0.len()
    }

    fn matches(&self, word: &Word, tolerance: Tolerance) -> Result<Vec<Match>, Infallible> {
        let texts = self.0.iter().enumerate();
        let matches =
            texts.filter_map(|(number, text)| Some((number, text.closeness(word, tolerance)?)));
        Ok(matches.collect())
    }

    fn named(&self, key: &str, edits: u8) -> Result<Vec<usize>, Infallible> {
        let texts = self.0.iter().enumerate();
        let named = texts.filter(|(_, text)| is_within(edits, key, &text.key));
        Ok(named.map(|(number, _)| number).collect())
    }

    fn all(&self) -> Vec<usize> {
        (0..self.0.len()).collect()
    }

    fn package(&self, number: usize) -> Package {
        let text = &self.0[number];
        Package {
            lengths: lengths(&text.tokens),
            dependents: text.dependents,
            downloads: text.downloads,
        }
    }

    fn compare_names(&self, one: usize, other: usize) -> Ordering {
        one.cmp(&other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::popularity::decode;
    use crate::model::{Dependency, Release, TrustState, Yank, rust_version};
    use crate::ranking::Filters;

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
        let words = words.iter().map(|word| (*word).into()).collect();
        let request = SearchRequest::new(words, usize::MAX);
        let hits = search(&catalog, &request).best;
        hits.iter()
            .map(|hit| hit.release.name.to_string())
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

    fn tide(filters: Filters) -> SearchRequest {
        SearchRequest {
            filters,
            ..SearchRequest::new(vec!["tide".into()], usize::MAX)
        }
    }

    #[test]
    fn downloads_count_where_they_are_known() {
        let request = SearchRequest::new(vec!["json".into()], 3);
        let popularity = decode(b"config,1000000").unwrap();
        let catalog = catalog().with_popularity(popularity);
        let hits = search(&catalog, &request).best;
        let found = hits.iter().map(|hit| hit.release.name.as_str());
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
            let filters = Filters {
                owner: owner.map(|id| id.parse().unwrap()),
                trust,
                ..Filters::default()
            };
            let found = search(&catalog, &tide(filters));
            assert!(!found.tolerant, "what is hidden was found as typed");
            let hits = found.best.into_iter();
            hits.map(|hit| hit.release.name.to_string())
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
    fn the_nearest_name_is_meant_and_of_those_what_most_need() {
        let document = |name, needs: &[&str]| document(name, "", &[], needs);
        let mut yanked = document("tokoi", &[]);
        yanked.entries[0].yanked = Some(Yank { reason: None });
        let documents = [
            document("tokia", &[]),
            document("tokio", &["tokio-util"]),
            document("tokio-util", &[]),
            document("server", &["tokio"]),
            yanked,
        ];
        let catalog = Catalog::new(documents.into_iter().collect());
        let meant = |name: &str| meant(&catalog, &name.parse().unwrap());
        for (typed, expected) in [
            ("tokiq", Some("tokio")),
            ("tokai", Some("tokia")),
            ("tokoi", Some("tokio")),
            ("tokio_utils", Some("tokio-util")),
            ("to", None),
        ] {
            let expected = expected.map(|name| name.parse().unwrap());
            assert_eq!(meant(typed), expected, "{typed}");
        }
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
            let filters = Filters {
                rust_version: rust_version(rust),
                keywords: keyword.into_iter().map(Into::into).collect(),
                ..Filters::default()
            };
            let hits = search(&catalog, &tide(filters)).best;
            let hit = hits.first();
            hit.map(|hit| hit.release.version.to_string())
        };
        assert_eq!(found("1.95", None).as_deref(), Some("2.0.0"));
        assert_eq!(found("1.90", None).as_deref(), Some("1.1.0"));
        // The latest release is what has keywords.
        assert_eq!(found("1.90", Some("for-1.95")).as_deref(), Some("1.1.0"));
        assert_eq!(found("1.90", Some("for-1.80")), None);
        assert_eq!(found("1.70", None).as_deref(), Some("1.0.0"));
        assert_eq!(found("1.69", None), None);
    }

    #[test]
    fn filters_by_license_keyword_and_rust() {
        let catalog = catalog();
        let count = |filters: Filters| {
            let request = SearchRequest {
                filters,
                ..SearchRequest::new(Vec::new(), 2)
            };
            let found = search(&catalog, &request);
            assert_eq!(found.best.len(), found.total.min(2));
            found.total
        };
        let any = Filters::default;
        let license = |license: &str| Filters {
            license: Some(license.into()),
            ..any()
        };
        assert_eq!(count(license("mit")), 6);
        assert_eq!(count(license("GPL-3.0-only")), 0);
        let keywords = vec!["JSON".into()];
        assert_eq!(count(Filters { keywords, ..any() }), 2);
        for (rust, found) in [("1.69", 0), ("1.70.0", 6)] {
            let rust_version = rust_version(rust);
            assert_eq!(
                count(Filters {
                    rust_version,
                    ..any()
                }),
                found
            );
        }
    }
}
