//! Search by a plain scan of the catalog: small, dull, and what everything falls back to.
//!
//! The order is lexicographic: first the tier of the match, then a text score times a prior from
//! the number of dependents, then the name. It takes nothing but the catalog, so that both formats
//! give the same order.

use std::collections::BTreeMap;

use semver::Version;

use super::catalog::Catalog;
use crate::model::{Entry, PackageName};

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// Words that must all match, the last one as a prefix.
    pub words: Vec<String>,
    /// Only packages with all of these keywords.
    pub keywords: Vec<String>,
    /// Only packages whose license expression allows this license.
    pub license: Option<String>,
    /// Only packages that build with this Rust.
    pub rust_version: Option<Version>,
}

/// How well a package fits; a lower tier is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The words are the name.
    ExactName,
    /// The name starts with the words.
    NamePrefix,
    /// Each word starts a part of the name.
    NameToken,
    /// Each word is in the name or the keywords.
    Keyword,
    /// Some word is only in the description.
    Description,
}

/// A package that was found.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// Its latest release, of those that build with the Rust that was asked for.
    pub entry: &'a Entry,
    /// How it fits.
    pub tier: Tier,
    /// Its rank within the tier; higher is better.
    pub score: f64,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Hits<'a> {
    /// All hits, best first.
    pub hits: Vec<Hit<'a>>,
    /// Set when nothing matched as typed and words one edit away were taken.
    pub tolerant: bool,
}

/// Searches the latest releases that build with the Rust that was asked for; without a hit once more with one edit of tolerance.
#[must_use]
pub fn search<'a>(catalog: &'a Catalog, request: &SearchRequest) -> Hits<'a> {
    let hits = scan(catalog, request, 0);
    if !hits.is_empty() || request.words.is_empty() {
        return Hits {
            hits,
            tolerant: false,
        };
    }
    Hits {
        hits: scan(catalog, request, 1),
        tolerant: true,
    }
}

fn scan<'a>(catalog: &'a Catalog, request: &SearchRequest, edits: usize) -> Vec<Hit<'a>> {
    let query = Query::new(&request.words, edits);
    let mut hits: Vec<_> = catalog
        .documents()
        .iter()
        .filter_map(|document| document.latest_that(|entry| builds(entry, request)))
        .filter(|entry| passes_filters(entry, request))
        .filter_map(|entry| query.matches(entry))
        .collect();
    weigh_by_dependents(catalog, &mut hits);
    hits.sort_by(|a, b| {
        let names = a.entry.release.name.cmp(&b.entry.release.name);
        a.tier
            .cmp(&b.tier)
            .then(b.score.total_cmp(&a.score))
            .then(names)
    });
    hits
}

/// Multiplies each score by `1 + ln(1 + dependents)`.
fn weigh_by_dependents(catalog: &Catalog, hits: &mut [Hit<'_>]) {
    let counts: BTreeMap<&PackageName, usize> = catalog
        .dependents()
        .into_iter()
        .map(|(name, dependents)| (name, dependents.len()))
        .collect();
    for hit in hits {
        let count = counts.get(&hit.entry.release.name).copied().unwrap_or(0);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        hit.score *= 1.0 + f64::from(count).ln_1p();
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

struct Query {
    words: Vec<String>,
    joined: String,
    edits: usize,
}

impl Query {
    fn new(words: &[String], edits: usize) -> Self {
        let words: Vec<String> = words.iter().flat_map(|word| tokens(word)).collect();
        let joined = words.join("-");
        Self {
            words,
            joined,
            edits,
        }
    }

    fn matches<'a>(&self, entry: &'a Entry) -> Option<Hit<'a>> {
        let release = &entry.release;
        let name = release.name.collision_key();
        let name_tokens = tokens(&name);
        let keywords: Vec<String> = release.keywords.iter().flat_map(|k| tokens(k)).collect();
        let description = tokens(release.description.as_deref().unwrap_or_default());
        let fields = [(8.0, &name_tokens), (4.0, &keywords), (1.0, &description)];
        let mut worst = Tier::NameToken;
        let mut score = 1.0;
        for (place, word) in self.words.iter().enumerate() {
            let is_last = place + 1 == self.words.len();
            let (tier, points) = fields
                .iter()
                .zip([Tier::NameToken, Tier::Keyword, Tier::Description])
                .find_map(|((weight, field), tier)| {
                    Some((tier, weight * self.points(word, field, is_last)?))
                })?;
            worst = worst.max(tier);
            score += points;
        }
        let tier = match () {
            () if name == self.joined || self.near(&self.joined, &name) => Tier::ExactName,
            () if name.starts_with(&self.joined) && !self.joined.is_empty() => Tier::NamePrefix,
            () => worst,
        };
        Some(Hit { entry, tier, score })
    }

    /// Says whether two words are as close as the tolerance allows; short ones always differ.
    fn near(&self, word: &str, token: &str) -> bool {
        self.edits > 0 && word.len() > 3 && strsim::damerau_levenshtein(word, token) <= self.edits
    }

    /// How well a word fits the best token of a field: a whole token more than its start, and a
    /// short field more than a long one.
    fn points(&self, word: &str, field: &[String], is_last: bool) -> Option<f64> {
        let one = |token: &String| {
            if token == word {
                return Some(1.0);
            }
            if is_last && token.starts_with(word) {
                return Some(0.5);
            }
            self.near(word, token).then_some(0.25)
        };
        let best = field.iter().filter_map(one).max_by(f64::total_cmp)?;
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        Some(best / (1.0 + f64::from(length).ln_1p()))
    }
}

/// Lower-case runs of letters and digits.
fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(str::to_lowercase)
        .collect()
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
    fn ranks_by_tier_before_anything_else() {
        assert_eq!(
            names(&["json"]),
            ["json", "json-patch", "simd-json", "config", "tide", "ron"]
        );
    }

    #[test]
    fn every_word_must_match_and_the_last_as_a_prefix() {
        assert_eq!(names(&["serves", "js"]), ["tide"]);
        assert_eq!(names(&["serv", "json"]), Vec::<String>::new());
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
