//! Queries of all shapes over graphs of all shapes: a chain answers as Oxigraph's own store does that holds
//! the same triples.

use std::collections::HashSet;

use oxigraph::model::{GraphNameRef, Literal, NamedNode, Term, Triple};
use oxigraph::sparql::{QueryResults, SparqlEvaluator};
use oxigraph::store::Store;
use proptest::prelude::*;
use tantivy::directory::OwnedBytes;

use super::evaluate::View;
use super::triples::{Builder, Chain, Segment, Sources, merge};

type Triples = HashSet<Triple>;

fn node(number: u8) -> NamedNode {
    NamedNode::new_unchecked(format!("http://example.org/{number}"))
}

fn object(number: u8) -> Term {
    let date = NamedNode::new_unchecked("http://www.w3.org/2001/XMLSchema#dateTime");
    match number % 6 {
        0..=2 => node(number).into(),
        3 => Literal::from(i64::from(number)).into(),
        4 => Literal::new_simple_literal(format!("text {number}")).into(),
        _ => {
            Literal::new_typed_literal(format!("2026-01-{:02}T00:00:00Z", 1 + number), date).into()
        }
    }
}

fn triples() -> impl Strategy<Value = Triples> {
    let one = (0_u8..9, 0_u8..3, 0_u8..12);
    let one = one.prop_map(|(s, p, o)| Triple::new(node(s), node(100 + p), object(o)));
    prop::collection::hash_set(one, 0..30)
}

fn variable() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["?a", "?b", "?c"]).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let step = (0_u8..4).prop_map(|number| node(100 + number).to_string());
    let pair = (step.clone(), step.clone());
    prop_oneof![
        6 => step.clone(),
        1 => Just("?p".to_owned()),
        1 => step.clone().prop_map(|step| format!("^{step}")),
        1 => step.clone().prop_map(|step| format!("{step}+")),
        1 => step.clone().prop_map(|step| format!("{step}*")),
        1 => step.clone().prop_map(|step| format!("{step}?")),
        1 => step.prop_map(|step| format!("!{step}")),
        1 => pair.clone().prop_map(|(one, other)| format!("{one}/{other}")),
        1 => pair.prop_map(|(one, other)| format!("({one}|^{other})")),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let subject = prop_oneof![3 => variable(), 1 => (0_u8..10).prop_map(|n| node(n).to_string())];
    let object = prop_oneof![3 => variable(), 1 => (0_u8..13).prop_map(|n| object(n).to_string())];
    (subject, path(), object).prop_map(|(s, p, o)| format!("{s} {p} {o} . "))
}

fn filter() -> impl Strategy<Value = String> {
    let number = 0_u8..12;
    prop_oneof![
        number.clone().prop_map(|n| format!("FILTER(?a > {n}) ")),
        number
            .clone()
            .prop_map(|n| format!("FILTER(?b = {n} || ISIRI(?b)) ")),
        number.prop_map(|n| format!("FILTER(CONTAINS(STR(?a), \"{n}\")) ")),
        Just("FILTER(?a != ?b) ".to_owned()),
        Just("FILTER(BOUND(?c)) ".to_owned()),
        Just(
            "FILTER(?b > \"2026-01-05T00:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime>) "
                .to_owned()
        ),
        Just("FILTER NOT EXISTS { ?a ?q ?b } ".to_owned()),
    ]
}

fn group() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => pattern(),
        1 => pattern().prop_map(|inner| format!("OPTIONAL {{ {inner} }} ")),
        1 => pattern().prop_map(|inner| format!("MINUS {{ {inner} }} ")),
        1 => (pattern(), pattern()).prop_map(|(a, b)| format!("{{ {a} }} UNION {{ {b} }} ")),
        1 => Just("BIND(STR(?a) AS ?text) ".to_owned()),
        1 => (0_u8..12).prop_map(|n| format!("VALUES ?b {{ {} {} }} ", object(n), node(99))),
    ];
    let filters = prop::collection::vec(filter(), 0..2);
    (pattern(), prop::collection::vec(part, 0..3), filters)
        .prop_map(|(first, parts, filters)| first + &parts.concat() + &filters.concat())
}

fn query() -> impl Strategy<Value = String> {
    let form = prop::sample::select(vec![
        ("SELECT * WHERE {", "}"),
        ("SELECT DISTINCT ?a ?b WHERE {", "}"),
        ("SELECT (COUNT(*) AS ?n) (MAX(?b) AS ?most) WHERE {", "}"),
        (
            "SELECT ?a (COUNT(DISTINCT ?b) AS ?n) (SUM(?b) AS ?sum) WHERE {",
            "} GROUP BY ?a",
        ),
        ("SELECT ?a WHERE {", "} GROUP BY ?a HAVING (COUNT(*) > 1)"),
        ("ASK {", "}"),
        ("CONSTRUCT { ?a <http://example.org/made> ?b } WHERE {", "}"),
        (
            "SELECT ?a ?n WHERE { { SELECT ?a (COUNT(?b) AS ?n) WHERE {",
            "} GROUP BY ?a } }",
        ),
    ]);
    (form, group()).prop_map(|((start, end), group)| format!("{start} {group} {end}"))
}

/// Rows in some order, as text.
fn rows(results: QueryResults<'_>) -> Vec<String> {
    let mut rows: Vec<String> = match results {
        QueryResults::Boolean(truth) => vec![truth.to_string()],
        QueryResults::Graph(triples) => triples.map(|triple| triple.unwrap().to_string()).collect(),
        QueryResults::Solutions(solutions) => solutions
            .map(|solution| {
                let solution = solution.unwrap();
                let mut bound: Vec<String> = solution
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                bound.sort();
                bound.join(" ")
            })
            .collect(),
    };
    rows.sort();
    rows
}

fn push(chain: &Chain, before: &Triples, after: &Triples) -> Chain {
    let mut builder = Builder::new(chain);
    before
        .difference(after)
        .for_each(|gone| builder.remove(gone.as_ref()).unwrap());
    after
        .difference(before)
        .for_each(|new| builder.add(new.as_ref()).unwrap());
    let mut segments = chain.segments().to_vec();
    let file = builder.finish(Vec::new()).unwrap();
    segments.push(Segment::open(OwnedBytes::new(file)).unwrap());
    Chain::new(segments).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_chain_answers_as_the_store_does(
        states in prop::collection::vec(triples(), 1..4),
        is_merged in any::<bool>(),
        query in query(),
    ) {
        let mut chain = Chain::default();
        let mut before = Triples::new();
        for after in &states {
            chain = push(&chain, &before, after);
            before.clone_from(after);
        }
        if is_merged {
            let file = merge(Sources::Top(&chain, 0), Vec::new()).unwrap();
            chain = Chain::new(vec![Segment::open(OwnedBytes::new(file)).unwrap()]).unwrap();
        }
        let store = Store::new().unwrap();
        for triple in &before {
            store.insert(triple.as_ref().in_graph(GraphNameRef::DefaultGraph)).unwrap();
        }
        // Not every group that is put together so may stand in a query.
        let prepared = SparqlEvaluator::new().parse_query(&query);
        prop_assume!(prepared.is_ok());
        let prepared = prepared.unwrap();
        let ours = prepared.clone().on_queryable_dataset(View::new(&chain)).execute().unwrap();
        let theirs = prepared.on_store(&store).execute().unwrap();
        prop_assert_eq!(rows(ours), rows(theirs), "{}", query);
    }
}
