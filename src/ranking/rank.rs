//! The order of packages for a query. Whatever searches gives the same order, since it is made here.

use super::closeness::{SHORT, Tolerance, Word, is_one_edit};
use super::score::{Score, share, weight};
use super::text::{PerField, is_filler, name_key, tokens};

/// A word that fewer than one package in so many have is taken for a misspelt one.
const RARE: usize = 20_000;

/// How much more a package counts whose name is the words of a query of several.
const NAME_IS_THE_WORDS: f64 = 1.5;
/// How much more a package counts whose name is one edit away from the query.
const NAME_IS_NEAR: f64 = 3.0;

/// What is searched: the packages that have a release to show, numbered in the order of their names.
pub trait Collection {
    /// How many there are.
    fn len(&self) -> usize;

    /// Says whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every package that has a token close to the word, by number, with the closest one in each field;
    /// 0 where there is none.
    fn matches(&self, word: &Word, tolerance: Tolerance) -> Vec<(usize, PerField<f64>)>;

    /// What else counts of a package.
    fn package(&self, number: usize) -> Package<'_>;
}

/// What counts of a package, but for its words.
#[derive(Debug, Clone, Copy)]
pub struct Package<'a> {
    /// Its name as `name_key` gives it.
    pub key: &'a str,
    /// How many tokens its fields have; 255 stands for more, too.
    pub lengths: PerField<u8>,
    /// How much it is to be expected: see `prior`.
    pub prior: f64,
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
    /// The numbers of the packages, best first.
    pub hits: Vec<(usize, Score)>,
    /// Set when words one edit away were taken, which filters do not cause.
    pub tolerant: bool,
}

/// Ranks the packages that fit the words, of those that `passes` takes.
///
/// A word that hardly any package has is taken for a misspelt one; where no package fits, every word is.
pub fn rank(query: &Query, collection: &impl Collection, passes: impl Fn(usize) -> bool) -> Ranked {
    let find = |word, tolerance| Found::new(word, collection, tolerance);
    let typed = query.words.iter().map(|word| {
        let found = find(word, Tolerance::Nothing);
        let is_rare = found.matches.len().saturating_mul(RARE) < collection.len();
        match is_rare && word.has_neighbours() {
            true => find(word, Tolerance::OneEdit),
            false => found,
        }
    });
    let mut words: Vec<Found> = typed.collect();
    let mut fitting = fitting(query, &words, collection);
    if fitting.is_empty() && query.words.iter().any(Word::has_neighbours) {
        let near = query.words.iter();
        words = near.map(|word| find(word, Tolerance::OneEdit)).collect();
        fitting = with_enough_words(&words, query.needed());
    }
    let tolerant = words
        .iter()
        .any(|word| word.tolerance == Tolerance::OneEdit);
    fitting.retain(|number| passes(*number));
    let hits = fitting.into_iter().map(|number| {
        let package = collection.package(number);
        (number, score(query, &words, number, &package))
    });
    let mut hits: Vec<_> = hits.collect();
    hits.sort_by(|(one, a), (other, b)| a.compare(b).then(one.cmp(other)));
    Ranked { hits, tolerant }
}

/// Where a word is.
struct Found {
    matches: Vec<(usize, PerField<f64>)>,
    weight: f64,
    tolerance: Tolerance,
}

impl Found {
    fn new(word: &Word, collection: &impl Collection, tolerance: Tolerance) -> Self {
        let matches = collection.matches(word, tolerance);
        Self {
            weight: weight(collection.len(), matches.len()),
            matches,
            tolerance,
        }
    }

    fn closeness(&self, number: usize) -> Option<&PerField<f64>> {
        let place = self
            .matches
            .binary_search_by_key(&number, |(number, _)| *number);
        place.ok().map(|place| &self.matches[place].1)
    }
}

/// The packages that fit; all of them where nothing is asked for.
fn fitting(query: &Query, words: &[Found], collection: &impl Collection) -> Vec<usize> {
    match words {
        [] => (0..collection.len()).collect(),
        words => with_enough_words(words, query.needed()),
    }
}

/// The packages that have at least so many of the words.
fn with_enough_words(words: &[Found], needed: usize) -> Vec<usize> {
    let matches = words.iter().flat_map(|word| &word.matches);
    let mut numbers: Vec<usize> = matches.map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    let same = numbers.chunk_by(|one, other| one == other);
    same.filter(|same| same.len() >= needed)
        .map(|same| same[0])
        .collect()
}

fn score(query: &Query, words: &[Found], number: usize, package: &Package<'_>) -> Score {
    let (mut text, mut covered, mut total) = (0.0, 0.0, 0.0);
    let mut has_all_words = true;
    for word in words {
        total += word.weight;
        let Some(closeness) = word.closeness(number) else {
            has_all_words = false;
            continue;
        };
        covered += word.weight;
        text += word.weight * share(closeness, package.lengths);
    }
    let text = match words {
        [] => 1.0,
        _ => text / total * (covered / total).powi(2),
    };
    let is_name = package.key == query.key && !query.key.is_empty();
    let boost = match () {
        () if is_name => NAME_IS_THE_WORDS,
        () if query.key.len() > SHORT && is_one_edit(package.key, &query.key) => NAME_IS_NEAR,
        () => 1.0,
    };
    Score {
        is_name: is_name && query.is_one_word,
        has_all_words,
        points: text * package.prior * boost,
    }
}
