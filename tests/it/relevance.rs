//! Whether search finds what is meant: on a small sample of our own everywhere, and on a large corpus where
//! there is one (`benches/relevance.py` compares with sqlite there).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use cargo_marketplace::model::{Document, Entry};
use cargo_marketplace::ranking::{SearchRequest, tokens};
use cargo_marketplace::registry::catalog::Catalog;
use cargo_marketplace::registry::search::search;
use serde::Deserialize;

use self::index::{Index, Line, read_lines};
use crate::fixture::Fixture;

#[path = "../../examples/relevance/index.rs"]
mod index;

/// A query of which we know what should be found.
#[derive(Deserialize)]
struct Judged {
    kind: String,
    query: String,
    answers: Vec<String>,
}

fn fixture(name: &str) -> BufReader<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    BufReader::new(File::open(folder.join(name)).unwrap())
}

fn sample() -> Index {
    Index::new(read_lines(fixture("relevance-sample.jsonl")).unwrap())
}

fn names(index: &Index, words: &str) -> Vec<String> {
    let hits = index.search(words).best.into_iter().take(10);
    hits.map(|(number, _)| index.name(number).to_owned())
        .collect()
}

#[test]
fn what_is_meant_comes_first() {
    let index = sample();
    for (words, first) in [
        // Names, however they are written.
        ("json", "json"),
        ("tide_table", "tide-table"),
        ("tide table", "tide-table"),
        ("argument", "argument"),
        ("http", "http"),
        // Words.
        ("json parser", "json"),
        ("logging", "logbook"),
        ("http client", "seagull"),
        ("http server", "http-listener"),
        ("priority que", "quay"),
        // What one wants to do.
        ("parse command line arguments", "pole-star"),
        ("make http requests", "seagull"),
        ("colour terminal text", "harbour-light"),
        ("copy files and folders", "driftwood"),
        ("compress a folder", "kelp"),
        // Misspelt.
        ("jsno", "json"),
        ("segull", "seagull"),
        ("tied-table", "tide-table"),
        ("htttp client", "seagull"),
        ("compas", "compass"),
    ] {
        assert_eq!(names(&index, words).first().unwrap(), first, "{words}");
    }
}

#[test]
fn what_is_used_comes_before_what_is_not() {
    let index = sample();
    assert_eq!(names(&index, "terminal"), ["harbour-light", "lantern"]);
    assert_eq!(names(&index, "high water"), ["tide-table", "tide"]);
}

#[test]
fn all_words_come_before_most_of_them_and_less_is_not_found() {
    let index = sample();
    let found = index.search("command line arguments").best;
    assert!(found.iter().all(|(_, score)| score.has_all_words));
    let found = index.search("small http types").best;
    let lacking: Vec<_> = found
        .iter()
        .filter(|(_, score)| !score.has_all_words)
        .map(|(number, _)| index.name(*number))
        .collect();
    assert_eq!(lacking, ["http", "http-listener"]);
    assert_eq!(names(&index, "tide patch"), Vec::<String>::new());
}

#[test]
fn one_edit_is_tolerated_where_a_word_is_nowhere() {
    let index = sample();
    assert!(!index.search("json").tolerant);
    assert!(index.search("jsno").tolerant);
    assert_eq!(names(&index, "jsnoo"), Vec::<String>::new());
}

/// An index that knows only its terms gives what the scan gives, to the last digit of a score.
#[test]
fn an_index_and_the_scan_give_the_same() {
    let documents = Fixture::get().documents();
    let catalog = Catalog::new(documents.iter().cloned().collect());
    let latest: Vec<&Entry> = documents.iter().filter_map(Document::latest).collect();
    let index = Index::new(lines(&catalog));
    for words in queries(&latest) {
        let words_of = words.split_whitespace().map(Into::into).collect();
        let request = SearchRequest::new(words_of, usize::MAX);
        let scanned = search(&catalog, &request);
        let indexed = index.search(&words);
        assert_eq!(scanned.tolerant, indexed.tolerant, "{words}");
        let scanned = scanned.best.iter();
        let scanned: Vec<_> = scanned
            .map(|hit| (hit.release.name.as_str(), hit.score.to_bits()))
            .collect();
        let indexed = indexed.best.iter();
        let indexed: Vec<_> = indexed
            .map(|(number, score)| (index.name(*number), score.points.to_bits()))
            .collect();
        assert_eq!(scanned, indexed, "{words}");
    }
}

fn lines(catalog: &Catalog) -> Vec<Line> {
    let dependents = catalog.dependents();
    let entries = catalog.latest();
    entries
        .map(|Entry { release, .. }| Line {
            name: release.name.to_string(),
            description: release.description.clone().unwrap_or_default(),
            keywords: release.keywords.clone(),
            downloads: None,
            dependents: dependents
                .get(&release.name)
                .map_or(0, |all| u32::try_from(all.len()).unwrap()),
        })
        .collect()
}

/// Every name and word of the texts as it is, cut, changed, and with its neighbours.
fn queries(entries: &[&Entry]) -> Vec<String> {
    let mut queries = Vec::new();
    for Entry { release, .. } in entries {
        let description = release.description.as_deref().unwrap_or_default();
        let text = format!("{} {}", release.keywords.join(" "), description);
        let words: Vec<String> = tokens(&text).collect();
        queries.push(release.name.to_string());
        queries.extend(words.windows(4).map(|four| four.join(" ")));
        for word in words {
            let cut = word.chars().count() / 2;
            queries.push(word.chars().take(cut).collect());
            queries.push(word.chars().rev().chain(['x']).rev().collect());
            queries.push(word);
        }
    }
    queries.sort();
    queries.dedup();
    assert!(queries.len() > 50, "{}", queries.len());
    queries
}

/// Where the large corpus is, if this machine has it.
#[expect(clippy::disallowed_methods, reason = "a test has no command context")]
fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("MARKETPLACE_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let beside = beside.map(|folder| folder.join("shared/corpus/npm-227k.jsonl.zst"));
    given.into_iter().chain(beside).find(|path| path.is_file())
}

/// The mean reciprocal rank of the first right answer, by kind; above what sqlite reaches in
/// `benches/relevance.py`, with a little room.
#[test]
fn finds_well_known_packages_among_many() {
    let Some(corpus) = corpus() else {
        println!("skipped: no corpus at MARKETPLACE_CORPUS or in ../shared/corpus");
        return;
    };
    let reader = BufReader::new(zstd::Decoder::new(File::open(corpus).unwrap()).unwrap());
    let index = Index::new(read_lines(reader).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/relevance.jsonl");
    let mut ranks: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let judged: Judged = serde_json::from_str(line).unwrap();
        let found = names(&index, &judged.query);
        let place = (1..).zip(&found).find(|(_, n)| judged.answers.contains(n));
        let rank = place.map_or(0.0, |(place, _)| 1.0 / f64::from(place));
        ranks.entry(judged.kind).or_default().push(rank);
    }
    for (kind, least) in [
        ("exact", 0.98),
        ("words", 0.6),
        ("typo", 0.85),
        ("intent", 0.5),
    ] {
        let ranks = &ranks[kind];
        let count = u32::try_from(ranks.len()).unwrap();
        let mean = ranks.iter().sum::<f64>() / f64::from(count);
        assert!(count >= 30 && mean >= least, "{kind}: {mean:.3} of {count}");
    }
}
