//! A small index that knows no more than a real one: the terms of each field in order, which packages
//! have a term, and how long each text is. It asks the ranking for everything else.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::BufRead;

use cargo_marketplace::ranking::{
    Collection, Field, Match, Package, PerField, Query, Ranked, Tolerance, Word, is_within,
    name_key, rank, tokens,
};
use serde::Deserialize;

/// A line of the corpus.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) keywords: Vec<String>,
    pub(crate) downloads: Option<u64>,
    /// How many packages need it; 0 where the corpus does not say.
    #[serde(default)]
    pub(crate) dependents: u32,
}

/// Reads the corpus: a package a line.
pub(crate) fn read_lines(reader: impl BufRead) -> Result<Vec<Line>, Box<dyn std::error::Error>> {
    reader
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect()
}

/// A count as the ranking takes it.
fn capped(downloads: u64) -> u32 {
    u32::try_from(downloads).unwrap_or(u32::MAX)
}

/// Packages by name, and where each term is.
pub(crate) struct Index {
    packages: Vec<Indexed>,
    terms: PerField<BTreeMap<String, Vec<usize>>>,
}

struct Indexed {
    name: String,
    key: String,
    package: Package,
}

impl Index {
    /// Builds the index.
    pub(crate) fn new(mut lines: Vec<Line>) -> Self {
        lines.sort_by(|one, other| one.name.cmp(&other.name));
        let mut index = Self {
            packages: Vec::new(),
            terms: PerField::default(),
        };
        for line in lines {
            index.add(line);
        }
        index
    }

    fn add(&mut self, line: Line) {
        let texts = PerField {
            name: line.name.clone(),
            keywords: line.keywords.join(" "),
            description: line.description,
        };
        let mut lengths = PerField::default();
        for field in Field::ALL {
            let mut tokens: Vec<String> = tokens(texts.get(field)).collect();
            *lengths.get_mut(field) = u8::try_from(tokens.len()).unwrap_or(u8::MAX);
            tokens.sort_unstable();
            tokens.dedup();
            for token in tokens {
                let packages = self.terms.get_mut(field).entry(token).or_default();
                packages.push(self.packages.len());
            }
        }
        self.packages.push(Indexed {
            key: name_key(&line.name),
            name: line.name,
            package: Package {
                lengths,
                dependents: line.dependents,
                downloads: line.downloads.map_or(0, capped),
            },
        });
    }

    /// What was found for words as they were typed.
    pub(crate) fn search(&self, words: &str) -> Ranked {
        let words: Vec<String> = words.split_whitespace().map(Into::into).collect();
        let Ok(ranked) = rank(&Query::new(&words), self, |_| true, usize::MAX);
        ranked
    }

    /// The name of a package.
    pub(crate) fn name(&self, number: usize) -> &str {
        &self.packages[number].name
    }

    /// The terms of a field that may be close to a word: with one edit any, otherwise those with its start.
    fn candidates<'a>(
        &'a self,
        word: &'a Word,
        field: Field,
        tolerance: Tolerance,
    ) -> impl Iterator<Item = (&'a String, &'a Vec<usize>)> {
        let start = match tolerance {
            Tolerance::Nothing => word.start(),
            Tolerance::OneEdit => "",
        };
        let from = self.terms.get(field).range(start.to_owned()..);
        from.take_while(move |(term, _)| term.starts_with(start))
    }
}

impl Collection for Index {
    type Error = Infallible;

    fn size(&self) -> usize {
        self.packages.len()
    }

    fn matches(&self, word: &Word, tolerance: Tolerance) -> Result<Vec<Match>, Infallible> {
        let mut found: BTreeMap<usize, PerField<f64>> = BTreeMap::new();
        for field in Field::ALL {
            for (term, packages) in self.candidates(word, field, tolerance) {
                let Some(closeness) = word.closeness(term, field, tolerance) else {
                    continue;
                };
                for package in packages {
                    let closest = found.entry(*package).or_default().get_mut(field);
                    *closest = closest.max(closeness);
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    fn named(&self, key: &str, edits: u8) -> Result<Vec<usize>, Infallible> {
        let packages = self.packages.iter().enumerate();
        let named = packages.filter(|(_, package)| is_within(edits, key, &package.key));
        Ok(named.map(|(number, _)| number).collect())
    }

    fn all(&self) -> Vec<usize> {
        (0..self.packages.len()).collect()
    }

    fn package(&self, number: usize) -> Package {
        self.packages[number].package
    }

    fn compare_names(&self, one: usize, other: usize) -> Ordering {
        one.cmp(&other)
    }
}
