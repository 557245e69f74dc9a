//! Both formats against lines that we did not write: crates.io's own, as they lie in Cargo's index
//! cache. Building this project has just put them there for every package of its `Cargo.lock`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::formats::{v1, v2};
use cargo_marketplace::model::PackageName;
use jsonschema::Validator;
use rayon::prelude::*;
use serde_json::Value;

use crate::schemas;

const BASE: &str = "https://registry.example.org/";

/// What was covered of one package.
struct Covered {
    lines: usize,
    foreign: usize,
}

#[test]
fn every_real_line_survives_both_formats() {
    let caches = index_caches();
    let schema = schemas::schema("v1-line.schema.json");
    let covered: Vec<Covered> = locked_packages()
        .into_par_iter()
        .filter_map(|name| {
            let lines = cached_lines(&caches, &name)?;
            Some(check(&name, &lines, &schema))
        })
        .collect();
    let lines: usize = covered.iter().map(|package| package.lines).sum();
    let foreign: usize = covered.iter().map(|package| package.foreign).sum();
    println!(
        "{lines} real lines of {} packages in both formats, {foreign} of them of another form",
        covered.len()
    );
    assert!(covered.len() >= 200, "only {} packages", covered.len());
    // Our form is meant to be crates.io's own; a few lines may differ where that changes.
    assert!(
        foreign * 100 <= lines,
        "{foreign} lines are of another form"
    );
}

/// Takes a package's lines to v2 and back.
///
/// From equal documents follow equal Turtle bytes: writing is a function of the document.
fn check(name: &PackageName, lines: &[String], schema: &Validator) -> Covered {
    let document = v1::decode(name, lines.join("\n").as_bytes()).unwrap();
    for (entry, line) in document.entries.iter().zip(lines) {
        assert_eq!(value(&v1::encode_line(entry)), value(line), "{name}");
    }
    if let Some(newest) = document.entries.last() {
        let line = value(&v1::encode_line(newest));
        schema.validate(&line).unwrap();
    }
    let bytes = v1::encode(&document);
    let turtle = v2::encode(&document, BASE);
    let again = v2::decode(name, &turtle, BASE).unwrap();
    assert_eq!(v1::encode(&again), bytes, "{name}");
    assert_eq!(again, document, "{name}");
    Covered {
        lines: lines.len(),
        foreign: document
            .entries
            .iter()
            .filter(|entry| entry.release.foreign.is_some())
            .count(),
    }
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

/// The packages that `Cargo.lock` takes from a registry.
fn locked_packages() -> BTreeSet<PackageName> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    packages
        .iter()
        .filter(|package| package.get("source").is_some())
        .map(|package| package["name"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// The folders in which Cargo caches index lines, one for each registry.
fn index_caches() -> Vec<PathBuf> {
    let registries = fs::read_dir(cargo_home().join("registry/index")).unwrap();
    registries
        .map(|registry| registry.unwrap().path().join(".cache"))
        .filter(|cache| cache.is_dir())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the cache of the cargo that runs this test"
)]
fn cargo_home() -> PathBuf {
    match (std::env::var_os("CARGO_HOME"), std::env::home_dir()) {
        (Some(home), _) => home.into(),
        (None, Some(home)) => home.join(".cargo"),
        (None, None) => panic!("neither CARGO_HOME nor a home folder"),
    }
}

/// The lines of a package. Cargo's cache files hold a header and then, each closed by a zero byte,
/// a version and its line, by turns.
fn cached_lines(caches: &[PathBuf], name: &PackageName) -> Option<Vec<String>> {
    let file = caches
        .iter()
        .find_map(|cache| fs::read(cache.join(name.index_path())).ok())?;
    let lines = file
        .split(|byte| *byte == 0)
        .filter(|part| part.starts_with(b"{"))
        .map(|line| String::from_utf8(line.to_vec()).unwrap());
    Some(lines.collect())
}
