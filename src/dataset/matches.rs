//! Text search within a query: `?package mp:matches "json parser"`, and how well a package fits,
//! `mp:score(?package, "json parser")`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use oxigraph::model::{Literal, NamedNodeRef, Term};

use super::store::Dataset;
use super::text::TextIndex;
use super::triples::{Chain, Damaged, TermId};
use crate::formats::v2;
use crate::ranking::{Query, rank};

/// The packages that fit words, by the number of their terms, and how well.
pub(super) type Hits = Arc<[(TermId, f64)]>;

/// What was found for each text of a query. The function is made before the dataset is known to which the
/// question is put.
#[derive(Debug, Clone, Default)]
pub(super) struct Searches {
    chain: Arc<OnceLock<Chain>>,
    hits: Arc<Mutex<HashMap<String, Hits>>>,
}

impl Searches {
    /// From now on these are searches in one dataset.
    pub(super) fn bind(&self, chain: &Chain) {
        self.chain.get_or_init(|| chain.clone());
    }

    /// What fits words; looked for once.
    pub(super) fn hits(
        &self,
        words: &str,
        dataset: &Dataset,
        text: &TextIndex,
    ) -> Result<Hits, Damaged> {
        if let Some(hits) = self.found(words) {
            return Ok(hits);
        }
        let hits = find(words, dataset, text)?;
        let mut all = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(words.to_owned(), Arc::clone(&hits));
        Ok(hits)
    }

    /// The value of the function; none for what `mp:matches` did not find with the same words.
    pub(super) fn score(&self, arguments: &[Term]) -> Option<Term> {
        let [package, Term::Literal(words)] = arguments else {
            return None;
        };
        let hits = self.found(words.value())?;
        let id = self.chain.get()?.id(package.as_ref()).ok()??;
        Some(Literal::from(score_of(&hits, id)?).into())
    }

    fn found(&self, words: &str) -> Option<Hits> {
        let all = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(words).cloned()
    }
}

/// How well a package fits, if it does.
pub(super) fn score_of(hits: &[(TermId, f64)], package: TermId) -> Option<f64> {
    let place = hits.binary_search_by_key(&package, |(id, _)| *id);
    place.ok().map(|place| hits[place].1)
}

fn find(words: &str, dataset: &Dataset, text: &TextIndex) -> Result<Hits, Damaged> {
    let unreadable = |_| Damaged("its text cannot be read");
    let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let ranked = rank(&Query::new(&words), text, |_| true, usize::MAX).map_err(unreadable)?;
    let mut places: Vec<(usize, f64)> = ranked
        .best
        .into_iter()
        .map(|(place, score)| (place, score.points))
        .collect();
    places.sort_by_key(|(place, _)| *place);
    let mut hits = terms(text, dataset, places)?;
    hits.sort_by_key(|(id, _)| *id);
    Ok(hits.into())
}

/// The numbers of the packages' terms, whose places stand in order.
fn terms(
    text: &TextIndex,
    dataset: &Dataset,
    places: Vec<(usize, f64)>,
) -> Result<Vec<(TermId, f64)>, Damaged> {
    let base = &dataset.manifest().base;
    let mut hits = Vec::with_capacity(places.len());
    for (place, score) in places {
        let name = text.name(place).ok().and_then(|name| name.parse().ok());
        let name = name.ok_or(Damaged("its text names no package"))?;
        let (iri, _) = v2::package_iri(&name, base);
        let id = dataset
            .chain()
            .id(NamedNodeRef::new_unchecked(&iri).into())?;
        hits.push((
            id.ok_or(Damaged("its text names a package that it has not"))?,
            score,
        ));
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use oxigraph::sparql::CancellationToken;

    use super::super::testing::{BASE, Step, step};
    use super::super::{AnswerOptions, Packed, Place, Query, QueryError, ResultFormat};
    use super::*;
    use crate::formats::popularity::Published;
    use crate::ranking::SearchRequest;

    fn dataset() -> Dataset {
        let steps: Vec<Step> = (0..6)
            .map(|package| Step::Publish(package, package % 4))
            .collect();
        let mut documents = BTreeMap::new();
        let (pack, bytes) = step(&mut documents, &steps, 0);
        let packed = [Packed {
            pack: &pack,
            bytes: &bytes,
        }];
        Place::memory(BASE)
            .advance(&packed, 1, &Published::default())
            .unwrap()
            .unwrap()
    }

    fn ask(dataset: &Dataset, pattern: &str) -> Result<Vec<String>, QueryError> {
        let query = format!(
            "PREFIX mp: <https://w3id.org/cargo-marketplace/ns#> PREFIX schema: <https://schema.org/> \
             SELECT ?name ?score {{ {pattern} }}"
        );
        let query = Query::parse(&query, CancellationToken::new())?;
        let options = AnswerOptions {
            format: ResultFormat::Csv,
            max_rows: 100,
        };
        let mut text = Vec::new();
        dataset.answer(query, options, &mut text)?;
        let text = String::from_utf8(text).unwrap();
        Ok(text.lines().skip(1).map(str::to_owned).collect())
    }

    fn searched(dataset: &Dataset, words: &str) -> Vec<String> {
        let words = words.split(' ').map(str::to_owned).collect();
        let found = dataset.search(&SearchRequest::new(words, 100)).unwrap();
        let names = found.best.iter();
        names
            .map(|hit| format!("{},{}", hit.release.name, hit.score))
            .collect()
    }

    #[test]
    fn finds_what_a_search_finds_and_scores_it_the_same() {
        let dataset = dataset();
        for words in [
            "package",
            "package 3",
            "keyword",
            "keyword 1",
            "doess",
            "absent",
        ] {
            let pattern = format!(
                "?p mp:matches \"{words}\" ; schema:name ?name . \
                 BIND(STR(mp:score(?p, \"{words}\")) AS ?score)"
            );
            let mut found = ask(&dataset, &pattern).unwrap();
            let mut expected = searched(&dataset, words);
            found.sort();
            expected.sort();
            assert_eq!(found.len(), expected.len(), "{words}");
            for (found, expected) in found.iter().zip(&expected) {
                let (name, score) = found.split_once(',').unwrap();
                let (expected_name, expected_score) = expected.split_once(',').unwrap();
                let number = |text: &str| text.parse::<f64>().unwrap();
                assert_eq!(name, expected_name);
                assert!(
                    (number(score) - number(expected_score)).abs() < 1e-9,
                    "{words}"
                );
            }
        }
    }

    #[test]
    fn joins_with_the_graph_in_both_directions() {
        let dataset = dataset();
        let all = ask(
            &dataset,
            "?p schema:keywords \"keyword-1\" ; schema:name ?name",
        )
        .unwrap();
        for pattern in [
            "?p mp:matches \"package\" ; schema:keywords \"keyword-1\" ; schema:name ?name",
            "?p schema:keywords \"keyword-1\" ; schema:name ?name FILTER EXISTS { ?p mp:matches \"package\" }",
        ] {
            let mut found = ask(&dataset, pattern).unwrap();
            found.sort();
            let mut all = all.clone();
            all.sort();
            assert_eq!(found, all);
            assert!(!all.is_empty());
        }
        let none = "?p mp:matches \"package\" . ?p schema:keywords \"absent\" ; schema:name ?name";
        assert_eq!(ask(&dataset, none).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn words_must_be_there_where_it_stands() {
        let dataset = dataset();
        for pattern in [
            "?p mp:matches ?words ; schema:name ?name",
            "?p mp:matches mp:words ; schema:name ?name",
        ] {
            let answer = ask(&dataset, pattern);
            assert!(
                matches!(answer, Err(QueryError::NoWords)),
                "{pattern}: {answer:?}"
            );
        }
        let unscored = "?p schema:name ?name BIND(mp:score(?p, \"never asked\") AS ?score)";
        assert!(
            ask(&dataset, unscored)
                .unwrap()
                .iter()
                .all(|row| row.ends_with(','))
        );
    }
}
