//! Prints the first ten names for each query, as the ranking orders them, for `benches/relevance.py`.
//!
//! ```text
//! cargo run --release --example relevance -- CORPUS.jsonl[.zst] QUERIES.jsonl
//! ```
//!
//! A line of the corpus is one package: `{"name", "description", "keywords", "downloads"}`; a line of the
//! queries is `{"query"}` and more. A line of the answer is a list of names.

#![expect(clippy::print_stdout, reason = "a program of its own")]

mod index;

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use index::Index;
use serde::Deserialize;

#[derive(Deserialize)]
struct Asked {
    query: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    let [corpus, queries] = &paths[..] else {
        return Err("usage: relevance CORPUS.jsonl[.zst] QUERIES.jsonl".into());
    };
    let index = Index::new(index::read_lines(open(corpus)?)?);
    for line in open(queries)?.lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let hits = index.search(&asked.query).best.into_iter().take(10);
        let names: Vec<&str> = hits.map(|(number, _)| index.name(number)).collect();
        println!("{}", serde_json::to_string(&names)?);
    }
    Ok(())
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Box<dyn Error>> {
    let file = File::open(path)?;
    match path.extension().is_some_and(|extension| extension == "zst") {
        true => Ok(Box::new(BufReader::new(zstd::Decoder::new(file)?))),
        false => Ok(Box::new(BufReader::new(file))),
    }
}
