//! The order of packages for a query. Whatever searches gives the same order, since it is made here.

use std::cmp::Ordering;

use super::closeness::{Tolerance, Word, has_neighbours};
use super::score::{Score, prior, share, weight};
use super::text::{PerField, is_filler, name_key, tokens};

/// A word that fewer than one package in so many have is taken for a misspelt one.
const RARE: usize = 20_000;

/// How much more a package counts whose name is the words of a query of several.
const NAME_IS_THE_WORDS: f64 = 1.5;
/// How much more a package counts whose name is one edit away from the query.
const NAME_IS_NEAR: f64 = 3.0;

/// What is searched: the packages that have a release which is not yanked, by its latest one. Each has a
/// number below some limit.
pub trait Collection {
    /// Why it cannot be read.
    type Error;

    /// How many packages there are.
    fn size(&self) -> usize;

    /// Every package that has a token close to the word, in the order of their numbers, with the closest one
    /// in each field; 0 where there is none.
    fn matches(&self, word: &Word, tolerance: Tolerance) -> Result<Vec<Match>, Self::Error>;

    /// The packages whose name is at most so many edits from this one, as `name_key` gives both, in order.
    fn named(&self, key: &str, edits: u8) -> Result<Vec<usize>, Self::Error>;

    /// All packages, in order.
    fn all(&self) -> Vec<usize>;

    /// What else counts of a package.
    fn package(&self, number: usize) -> Package;

    /// The order of two packages by their names.
    fn compare_names(&self, one: usize, other: usize) -> Ordering;
}

/// A package that has a word.
pub type Match = (usize, PerField<f64>);

/// What counts of a package, but for its words.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// How many tokens its fields have; 255 stands for more, too.
    pub lengths: PerField<u8>,
    /// How many packages need it.
    pub dependents: u32,
    /// How often it was downloaded; 0 where that is not known.
    pub downloads: u32,
}

/// The words of a search.
#[derive(Debug, Clone)]
pub struct Query {
    words: Vec<Word>,
    key: String,
    is_one_word: bool,
}

impl Query {
    /// Takes words as they were typed; those that say nothing count only where there is no other.
    #[must_use]
    pub fn new(typed: &[String]) -> Self {
        let key = name_key(&typed.join(" "));
        let all: Vec<String> = tokens(&key).collect();
        let mut telling: Vec<String> = all.iter().filter(|w| !is_filler(w)).cloned().collect();
        if telling.is_empty() {
            telling = all;
        }
        let last = telling.len();
        let words = telling.into_iter().enumerate();
        Self {
            words: words
                .map(|(place, word)| Word::new(word, place + 1 == last))
                .collect(),
            key,
            is_one_word: typed
                .iter()
                .flat_map(|text| text.split_whitespace())
                .count()
                == 1,
        }
    }

    /// How many words a package must have: of three, one may be missing.
    fn needed(&self) -> usize {
        self.words.len() - self.words.len() / 3
    }
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    /// The numbers of the best packages, best first.
    pub best: Vec<(usize, Score)>,
    /// How many there are.
    pub total: usize,
    /// How many of them have every word.
    pub with_all_words: usize,
    /// Set when words one edit away were taken, which filters do not cause.
    pub tolerant: bool,
}

/// Ranks the packages that fit the words, of those that `passes` takes, and gives so many of the best.
///
/// A word that hardly any package has is taken for a misspelt one; where no package fits, every word is.
pub fn rank<C: Collection>(
    query: &Query,
    collection: &C,
    passes: impl Fn(usize) -> bool,
    limit: usize,
) -> Result<Ranked, C::Error> {
    let find = |word, tolerance| Found::new(word, collection, tolerance);
    let typed = query.words.iter().map(|word| {
        let found = find(word, Tolerance::Nothing)?;
        let is_rare = found.matches.len().saturating_mul(RARE) < collection.size();
        match is_rare && word.has_neighbours() {
            true => find(word, Tolerance::OneEdit),
            false => Ok(found),
        }
    });
    let mut words: Vec<Found> = typed.collect::<Result<_, _>>()?;
    let mut fitting = match words.is_empty() {
        true => collection.all(),
        false => with_enough_words(&words, query.needed()),
    };
    if fitting.is_empty() && query.words.iter().any(Word::has_neighbours) {
        let near = query.words.iter();
        let near = near.map(|word| find(word, Tolerance::OneEdit));
        words = near.collect::<Result<_, _>>()?;
        fitting = with_enough_words(&words, query.needed());
    }
    let tolerant = words
        .iter()
        .any(|word| word.tolerance == Tolerance::OneEdit);
    fitting.retain(|number| passes(*number));
    let names = Names::new(query, collection)?;
    let mut best = scores(query, &words, &names, &fitting, collection);
    let total = best.len();
    let with_all_words = best.iter().filter(|(_, one)| one.has_all_words).count();
    let order = |(one, a): &(usize, Score), (other, b): &(usize, Score)| {
        a.compare(b)
            .then_with(|| collection.compare_names(*one, *other))
    };
    if limit < total {
        best.select_nth_unstable_by(limit, order);
        best.truncate(limit);
    }
    best.sort_by(order);
    Ok(Ranked {
        best,
        total,
        with_all_words,
        tolerant,
    })
}

/// Where a word is.
struct Found {
    matches: Vec<(usize, PerField<f64>)>,
    weight: f64,
    tolerance: Tolerance,
}

impl Found {
    fn new<C: Collection>(
        word: &Word,
        collection: &C,
        tolerance: Tolerance,
    ) -> Result<Self, C::Error> {
        let matches = collection.matches(word, tolerance)?;
        Ok(Self {
            weight: weight(collection.size(), matches.len()),
            matches,
            tolerance,
        })
    }
}

/// The packages whose name the query is, or where there is none, nearly is.
struct Names {
    same: Vec<usize>,
    near: Vec<usize>,
}

impl Names {
    fn new<C: Collection>(query: &Query, collection: &C) -> Result<Self, C::Error> {
        let same = collection.named(&query.key, 0)?;
        let may_be_near = same.is_empty() && has_neighbours(&query.key);
        let near = may_be_near.then(|| collection.named(&query.key, 1));
        let near = near.transpose()?.unwrap_or_default();
        Ok(Self { same, near })
    }
}

/// The packages that have at least so many of the words, in order.
fn with_enough_words(words: &[Found], needed: usize) -> Vec<usize> {
    let matches = words.iter().flat_map(|word| &word.matches);
    let mut numbers: Vec<usize> = matches.map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    let same = numbers.chunk_by(|one, other| one == other);
    same.filter(|same| same.len() >= needed)
        .map(|same| same[0])
        .collect()
}

/// The scores of packages, which are in order.
fn scores(
    query: &Query,
    words: &[Found],
    names: &Names,
    fitting: &[usize],
    collection: &impl Collection,
) -> Vec<(usize, Score)> {
    let mut rest: Vec<&[Match]> = words.iter().map(|word| &word.matches[..]).collect();
    let scores = fitting.iter().map(|&number| {
        let closeness = rest.iter_mut().map(|rest| {
            let before = rest.iter().take_while(|(other, _)| *other < number);
            *rest = &rest[before.count()..];
            let first = rest.first().filter(|(other, _)| *other == number);
            first.map(|(_, closeness)| closeness)
        });
        let package = collection.package(number);
        let text = text(words, closeness, &package);
        let is_name = names.same.binary_search(&number).is_ok();
        let boost = match is_name {
            true => NAME_IS_THE_WORDS,
            false if names.near.binary_search(&number).is_ok() => NAME_IS_NEAR,
            false => 1.0,
        };
        let prior = prior(package.dependents, package.downloads);
        let score = Score {
            is_name: is_name && query.is_one_word,
            has_all_words: text.has_all_words,
            points: text.points * prior * boost,
        };
        (number, score)
    });
    scores.collect()
}

/// What the words of a package count.
struct TextScore {
    points: f64,
    has_all_words: bool,
}

fn text<'a>(
    words: &[Found],
    closeness: impl Iterator<Item = Option<&'a PerField<f64>>>,
    package: &Package,
) -> TextScore {
    let (mut points, mut covered, mut total) = (0.0, 0.0, 0.0);
    let mut has_all_words = true;
    for (word, closeness) in words.iter().zip(closeness) {
        total += word.weight;
        match closeness {
            None => has_all_words = false,
            Some(closeness) => {
                covered += word.weight;
                points += word.weight * share(closeness, package.lengths);
            }
        }
    }
    let points = match words {
        [] => 1.0,
        _ => points / total * (covered / total).powi(2),
    };
    TextScore {
        points,
        has_all_words,
    }
}
