//! The W3C's SPARQL 1.1 query tests, on a chain that holds half of each graph as its base and half as a
//! delta, side by side with Oxigraph's own store: what that passes, we pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::graph::CanonicalizationAlgorithm;
use oxigraph::model::vocab::{rdf, xsd};
use oxigraph::model::{
    BlankNode, Graph, GraphNameRef, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term,
    TermRef, Triple,
};
use oxigraph::sparql::results::{
    QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput,
};
use oxigraph::sparql::{QueryResults, SparqlEvaluator};
use oxigraph::store::Store;
use tantivy::directory::OwnedBytes;

use super::evaluate::View;
use super::triples::{Builder, Chain, Segment};

/// Where the tests are, if they are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/w3c-sparql11")
}

const BASE: &str = "http://w3c.example/";
const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const QT: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#";
const RS: &str = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#";

/// A test of a manifest.
struct Case {
    name: String,
    kind: String,
    query: PathBuf,
    data: Option<PathBuf>,
    result: Option<PathBuf>,
    needs_named_graphs: bool,
}

fn graph_of(path: &Path) -> Graph {
    let format = match path.extension().and_then(|e| e.to_str()) {
        Some("rdf") => RdfFormat::RdfXml,
        Some("nt") => RdfFormat::NTriples,
        _ => RdfFormat::Turtle,
    };
    let base = format!("{BASE}{}", path.strip_prefix(folder()).unwrap().display());
    let parser = RdfParser::from_format(format).with_base_iri(base).unwrap();
    let bytes = fs::read(path).unwrap();
    let quads = parser.for_slice(&bytes).map(|quad| quad.unwrap());
    quads
        .map(|quad| Triple::new(quad.subject, quad.predicate, quad.object))
        .collect()
}

fn object(graph: &Graph, subject: &Term, predicate: &str) -> Option<Term> {
    let subject = match subject {
        Term::NamedNode(node) => NamedOrBlankNode::from(node.clone()),
        Term::BlankNode(node) => node.clone().into(),
        Term::Literal(_) => return None,
    };
    let predicate = NamedNodeRef::new_unchecked(predicate);
    let object = graph.object_for_subject_predicate(&subject, predicate);
    object.map(TermRef::into_owned)
}

fn cases(name: &str) -> Vec<Case> {
    let manifest = graph_of(&folder().join(name).join("manifest.ttl"));
    let of = |subject: &Term, property: &str| object(&manifest, subject, property);
    let path = |term: Term| match term {
        Term::NamedNode(node) => folder().join(node.as_str().strip_prefix(BASE).unwrap()),
        other => panic!("{other}"),
    };
    let mut cases = Vec::new();
    for triple in manifest.triples_for_predicate(rdf::TYPE) {
        let subject = Term::from(triple.subject.into_owned());
        let kind = triple.object.to_string();
        let kind = kind.trim_matches(['<', '>']).strip_prefix(MF);
        let (Some(kind), Some(action)) = (kind, of(&subject, &format!("{MF}action"))) else {
            continue;
        };
        let query = of(&action, &format!("{QT}query"));
        cases.push(Case {
            name: format!("{name}/{}", last(&subject.to_string())),
            kind: kind.to_owned(),
            query: path(query.unwrap_or_else(|| action.clone())),
            data: of(&action, &format!("{QT}data")).map(path),
            result: of(&subject, &format!("{MF}result")).map(path),
            needs_named_graphs: of(&action, &format!("{QT}graphData")).is_some(),
        });
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn last(iri: &str) -> String {
    let iri = iri.trim_end_matches('>');
    iri.rsplit('#').next().unwrap_or(iri).to_owned()
}

/// The graph as a chain: half of it as the base, with a triple that is no part of it, and half as a delta,
/// which takes that one back.
fn chain(graph: &Graph) -> Chain {
    let stray = NamedNode::new_unchecked("http://stray.example/");
    let stray = Triple::new(stray.clone(), stray, Literal::from(1));
    let halves = graph
        .iter()
        .enumerate()
        .partition::<Vec<_>, _>(|(place, _)| place % 2 == 0);
    let empty = Chain::default();
    let mut builder = Builder::new(&empty);
    builder.add(stray.as_ref()).unwrap();
    halves
        .0
        .iter()
        .for_each(|(_, triple)| builder.add(*triple).unwrap());
    let base = Chain::new(vec![finish(builder)]).unwrap();
    let mut builder = Builder::new(&base);
    builder.remove(stray.as_ref()).unwrap();
    halves
        .1
        .iter()
        .for_each(|(_, triple)| builder.add(*triple).unwrap());
    let delta = finish(builder);
    Chain::new(vec![base.segments()[0].clone(), delta]).unwrap()
}

fn finish(builder: Builder<'_>) -> Segment {
    let file = builder.finish(Vec::new()).unwrap();
    Segment::open(OwnedBytes::new(file)).unwrap()
}

/// An answer as a graph, so that blank nodes may have any names: a node for each row.
#[derive(PartialEq, Eq)]
enum Answer {
    Truth(bool),
    Graph(Box<Graph>),
}

impl Answer {
    fn of_graph(mut graph: Graph) -> Self {
        graph.canonicalize(CanonicalizationAlgorithm::Unstable);
        Self::Graph(Box::new(graph))
    }

    fn of_rows(rows: impl Iterator<Item = Vec<(String, Term)>>, is_ordered: bool) -> Self {
        let mut graph = Graph::new();
        for (place, row) in rows.enumerate() {
            let node = BlankNode::default();
            let place = if is_ordered { place } else { 0 };
            let place = Literal::from(u64::try_from(place).unwrap());
            graph.insert(&Triple::new(node.clone(), iri("place"), place));
            for (variable, value) in row {
                graph.insert(&Triple::new(node.clone(), iri(&variable), by_value(value)));
            }
        }
        Self::of_graph(graph)
    }

    fn of_results(results: QueryResults<'_>, is_ordered: bool) -> Result<Self, String> {
        Ok(match results {
            QueryResults::Boolean(truth) => Self::Truth(truth),
            QueryResults::Graph(triples) => {
                let graph: Result<Graph, _> = triples.collect();
                Self::of_graph(graph.map_err(|error| error.to_string())?)
            }
            QueryResults::Solutions(rows) => {
                let rows: Result<Vec<_>, _> = rows.collect();
                let rows = rows.map_err(|error| error.to_string())?;
                let rows = rows.iter().map(|row| {
                    let bound = row.iter();
                    bound
                        .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
                        .collect()
                });
                Self::of_rows(rows, is_ordered)
            }
        })
    }

    fn expected(path: &Path, is_ordered: bool) -> Self {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("srx") => QueryResultsFormat::Xml,
            Some("srj") => QueryResultsFormat::Json,
            Some("tsv") => QueryResultsFormat::Tsv,
            _ => return Self::expected_graph(graph_of(path)),
        };
        let bytes = fs::read(path).unwrap();
        match QueryResultsParser::from_format(format)
            .for_slice(&bytes)
            .unwrap()
        {
            SliceQueryResultsParserOutput::Boolean(truth) => Self::Truth(truth),
            SliceQueryResultsParserOutput::Solutions(rows) => {
                let rows = rows.map(|row| {
                    let row = row.unwrap();
                    let bound = row.iter();
                    bound
                        .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
                        .collect()
                });
                Self::of_rows(rows, is_ordered)
            }
        }
    }

    /// A graph, or rows written as one.
    fn expected_graph(graph: Graph) -> Self {
        let of = |subject: &Term, name: &str| object(&graph, subject, &format!("{RS}{name}"));
        let all = |subject: &Term, name: &str| -> Vec<Term> {
            let name = NamedNode::new_unchecked(format!("{RS}{name}"));
            let all = graph.triples_for_predicate(&name);
            let all = all.filter(|triple| Term::from(triple.subject.into_owned()) == *subject);
            all.map(|triple| triple.object.into_owned()).collect()
        };
        let class = NamedNode::new_unchecked(format!("{RS}ResultSet"));
        let Some(set) = graph.subject_for_predicate_object(rdf::TYPE, &class) else {
            return Self::of_graph(graph);
        };
        let set = Term::from(set.into_owned());
        let rows = all(&set, "solution").into_iter().map(|row| {
            let bindings = all(&row, "binding").into_iter().map(|binding| {
                let name = of(&binding, "variable").unwrap();
                let Term::Literal(name) = name else {
                    panic!("{name}")
                };
                (name.value().to_owned(), of(&binding, "value").unwrap())
            });
            bindings.collect()
        });
        Self::of_rows(rows, false)
    }
}

/// A number in one of its forms: `2.0` and `2` are the same decimal.
fn by_value(term: Term) -> Term {
    let Term::Literal(literal) = &term else {
        return term;
    };
    let is_inexact = [xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT].contains(&literal.datatype());
    match literal.value().parse::<f64>() {
        Ok(value) if is_inexact => {
            Literal::new_typed_literal(value.to_string(), literal.datatype()).into()
        }
        _ => term,
    }
}

fn iri(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{RS}{local}"))
}

/// What becomes of a test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Failed(String),
}

fn judge(case: &Case, answer: Result<Answer, String>, is_ordered: bool) -> Outcome {
    let expected = Answer::expected(case.result.as_ref().unwrap(), is_ordered);
    match answer {
        Ok(answer) if answer == expected => Outcome::Passed,
        Ok(_) => Outcome::Failed("another answer".to_owned()),
        Err(error) => Outcome::Failed(error),
    }
}

/// The outcome on our chain, and on Oxigraph's store.
fn evaluate(case: &Case) -> (Outcome, Outcome) {
    let text = fs::read_to_string(&case.query).unwrap();
    let is_graph = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "ttl");
    let is_ordered = text.to_ascii_uppercase().contains("ORDER BY")
        && case.result.as_ref().is_none_or(|path| !is_graph(path));
    let relative = case
        .query
        .strip_prefix(folder())
        .unwrap()
        .display()
        .to_string();
    let graph = case.data.as_deref().map(graph_of).unwrap_or_default();
    let prepare = || {
        let evaluator = SparqlEvaluator::new();
        let evaluator = evaluator
            .with_base_iri(format!("{BASE}{relative}"))
            .unwrap();
        evaluator
            .parse_query(&text)
            .map_err(|error| error.to_string())
    };
    let store = Store::new().unwrap();
    for triple in &graph {
        store
            .insert(triple.in_graph(GraphNameRef::DefaultGraph))
            .unwrap();
    }
    let chain = chain(&graph);
    let results = |execute: &dyn Fn() -> Result<Answer, String>| judge(case, execute(), is_ordered);
    let ours = results(&|| {
        let bound = prepare()?.on_queryable_dataset(View::new(&chain));
        let results = bound.execute().map_err(|error| error.to_string())?;
        Answer::of_results(results, is_ordered)
    });
    let theirs = results(&|| {
        let results = prepare()?.on_store(&store).execute();
        Answer::of_results(results.map_err(|error| error.to_string())?, is_ordered)
    });
    (ours, theirs)
}

/// The outcome where only the syntax is in question.
fn parse(case: &Case) -> Outcome {
    let text = fs::read_to_string(&case.query).unwrap();
    let evaluator = SparqlEvaluator::new().with_base_iri(BASE).unwrap();
    let is_refused = evaluator.parse_query(&text).is_err();
    match is_refused == case.kind.starts_with("Negative") {
        true => Outcome::Passed,
        false => Outcome::Failed(case.kind.clone()),
    }
}

/// Why a test is left out.
fn skipped(case: &Case) -> Option<&'static str> {
    let text = fs::read_to_string(&case.query)
        .unwrap()
        .to_ascii_uppercase();
    match () {
        () if case.needs_named_graphs => Some("named graphs"),
        () if text.contains("FROM <") || text.contains("FROM NAMED") => Some("FROM"),
        () if case.kind == "CSVResultFormatTest" => Some("CSV, which loses terms"),
        () => None,
    }
}

#[test]
fn passes_what_oxigraphs_store_passes() {
    if !folder().is_dir() {
        eprintln!("skipped: the W3C's tests are not there");
        return;
    }
    let folders = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.join("manifest.ttl").is_file());
    let mut names: Vec<_> = folders
        .map(|f| f.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let cases: Vec<Case> = names.iter().flat_map(|name| cases(name)).collect();
    let (mut passed, mut skips, mut behind) = (0, BTreeMap::<_, usize>::new(), Vec::new());
    let mut both_fail = BTreeSet::new();
    for case in &cases {
        if let Some(reason) = skipped(case) {
            *skips.entry(reason).or_default() += 1;
            continue;
        }
        let (ours, theirs) = match case.kind.as_str() {
            "QueryEvaluationTest" => evaluate(case),
            _ => (parse(case), parse(case)),
        };
        match (ours, theirs) {
            (Outcome::Passed, _) => passed += 1,
            (Outcome::Failed(why), Outcome::Passed) => behind.push(format!("{}: {why}", case.name)),
            (Outcome::Failed(why), _) => drop(both_fail.insert(format!("{}: {why}", case.name))),
        }
    }
    eprintln!(
        "{passed} of {} passed; skipped {skips:?}; not by the store either {both_fail:#?}",
        cases.len()
    );
    assert!(behind.is_empty(), "{behind:#?}");
    assert!(passed >= 311, "{passed}");
}
