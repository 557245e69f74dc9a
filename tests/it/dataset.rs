//! The dataset on a user's machine: it follows the registry, is never half there, and is built anew when it
//! is damaged, which is said.

use std::fs;
use std::path::PathBuf;

use crate::samples::Market;
use crate::small_registry::files;

const VERSIONS: &str =
    "SELECT ?version WHERE { ?release doap:revision ?version } ORDER BY ?version";

/// The folder of the only dataset there is.
fn folder(market: &Market) -> PathBuf {
    let homes = fs::read_dir(market.env.marketplace_home()).unwrap();
    let mut folders = homes.map(|home| home.unwrap().path().join("dataset"));
    folders.find(|folder| folder.is_dir()).unwrap()
}

/// All versions, and what was said besides.
fn versions(market: &Market) -> (Vec<String>, String) {
    let query = format!("PREFIX doap: <http://usefulinc.com/ns/doap#> {VERSIONS}");
    let outcome = market
        .env
        .command(["sparql", "--format", "tsv", &query])
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let rows = outcome.stdout.lines().skip(1);
    (rows.map(str::to_owned).collect(), outcome.stderr)
}

#[test]
fn follows_the_registry_from_release_to_release() {
    let market = Market::published();
    let (before, _) = versions(&market);
    let built = files(&folder(&market));
    let (again, _) = versions(&market);
    assert_eq!(again, before);
    assert!(files(&folder(&market)) == built, "nothing changed");
    market.publish_next();
    let (after, said) = versions(&market);
    let mut expected = before;
    expected.push("\"0.3.2\"".to_owned());
    expected.sort();
    assert_eq!(after, expected);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn what_is_damaged_is_built_anew_and_said() {
    let market = Market::published();
    let (expected, _) = versions(&market);
    let folder = folder(&market);
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    let names = names.iter().map(|name| name.to_str().unwrap());
    let names: Vec<_> = names.filter(|name| *name != "dataset.lock").collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        for damage in [cut, empty, flip] {
            let path = folder.join(name);
            let Ok(bytes) = fs::read(&path) else { continue };
            fs::write(&path, damage(bytes)).unwrap();
            let (found, said) = versions(&market);
            assert_eq!(found, expected, "{name}");
            assert!(said.contains("the dataset is damaged"), "{name}: {said}");
            assert!(said.contains("it is built anew"), "{name}: {said}");
        }
        let path = folder.join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(versions(&market).0, expected, "{name}");
    }
    // Copied to and fro, it is as good as it was.
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let (found, said) = versions(&market);
    assert_eq!(found, expected);
    assert!(!said.contains("damaged"), "{said}");
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn empty(_bytes: Vec<u8>) -> Vec<u8> {
    Vec::new()
}

fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

/// A question for each kind of file that holds what is answered, which looks at all of it.
pub(crate) const QUESTIONS: [(&str, &str); 2] = [
    (".triples", "sparql SELECT*{?s?p?o} --format tsv"),
    (".store", "search tide"),
];

/// Damages the files of the dataset whose names end so, which look as they did.
pub(crate) fn damage_unnoticed(market: &Market, end: &str) {
    let paths = fs::read_dir(folder(market)).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in paths.filter(|path| path.to_str().unwrap().ends_with(end)) {
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let quarter = bytes.len() / 4;
        bytes[..quarter].fill(0xff);
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn what_proves_to_be_damaged_when_it_is_asked_is_built_anew() {
    let market = Market::published();
    for (end, question) in QUESTIONS {
        let ask = || market.env.command(question.split(' ')).run();
        let expected = ask();
        assert_eq!(expected.code, Some(0), "{expected}");
        damage_unnoticed(&market, end);
        let answer = ask();
        assert_eq!(answer.code, Some(0), "{answer}");
        assert_eq!(answer.stdout, expected.stdout);
        let warnings = answer.stderr.matches("the dataset is damaged").count();
        assert_eq!(warnings, 1, "{answer}");
        let again = ask();
        assert_eq!(again.stdout, expected.stdout);
        assert!(!again.stderr.contains("damaged"), "{again}");
    }
}

#[test]
fn a_registry_without_packages_has_an_empty_dataset() {
    let market = Market::empty();
    assert_eq!(versions(&market).0, Vec::<String>::new());
    market.publish(&["-p", "tide-table", "--no-verify"]);
    assert_eq!(versions(&market).0, ["\"0.3.1\""]);
}
