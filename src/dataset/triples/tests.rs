//! A chain against a plain set of triples, through any changes and merges.

use std::collections::HashSet;

use oxigraph::model::{Literal, NamedNode, Term, Triple};
use proptest::prelude::*;
use tantivy::directory::OwnedBytes;

use super::chain::Numbers;
use super::footer::FOOTER_LENGTH;
use super::{Builder, Chain, Segment, Sources, merge};

type Triples = HashSet<Triple>;

fn segment(file: Vec<u8>) -> Segment {
    Segment::open(OwnedBytes::new(file)).unwrap()
}

fn node(number: u8) -> NamedNode {
    NamedNode::new_unchecked(format!("https://registry.example.org/{number}"))
}

/// Few terms, so that triples meet: of all kinds, small integers among them.
fn triple((subject, predicate, object): (u8, u8, u8)) -> Triple {
    let object: Term = match object % 4 {
        0 => node(object).into(),
        1 => Literal::from(i64::from(object)).into(),
        2 => Literal::new_simple_literal(format!("text {object}")).into(),
        _ => Literal::new_language_tagged_literal_unchecked(format!("{object}"), "en").into(),
    };
    Triple::new(node(subject), node(100 + predicate), object)
}

fn triples() -> impl Strategy<Value = Triples> {
    let one = (0_u8..12, 0_u8..3, 0_u8..16);
    prop::collection::hash_set(one.prop_map(triple), 0..40)
}

/// Puts a segment on a chain that leads from one set of triples to another.
fn advance(chain: &Chain, before: &Triples, after: &Triples) -> Chain {
    let mut builder = Builder::new(chain);
    for gone in before.difference(after) {
        builder.remove(gone.as_ref()).unwrap();
    }
    for new in after.difference(before) {
        builder.add(new.as_ref()).unwrap();
    }
    let file = builder.finish(Vec::new()).unwrap();
    let mut segments = chain.segments().to_vec();
    segments.push(segment(file));
    Chain::new(segments).unwrap()
}

fn merged_from(chain: &Chain, from: usize) -> Chain {
    let file = merge(Sources::Top(chain, from), Vec::new()).unwrap();
    let mut segments = chain.segments()[..from].to_vec();
    segments.push(segment(file));
    Chain::new(segments).unwrap()
}

fn named(chain: &Chain, numbers: Numbers) -> Triple {
    let [subject, predicate, object] = numbers.map(|id| chain.term(id).unwrap());
    match (subject, predicate) {
        (Term::NamedNode(subject), Term::NamedNode(predicate)) => {
            Triple::new(subject, predicate, object)
        }
        other => panic!("{other:?}"),
    }
}

/// Asks for every pattern of a triple and for all triples.
#[track_caller]
fn assert_holds(chain: &Chain, expected: &Triples, asked: &Triple) {
    let id = |term: Term| chain.id(term.as_ref()).unwrap();
    let ids = [
        id(asked.subject.clone().into()),
        id(asked.predicate.clone().into()),
        id(asked.object.clone()),
    ];
    for bound in 0..8 {
        let is_bound = |place: usize| bound & (1 << place) != 0;
        if (0..3).any(|place| is_bound(place) && ids[place].is_none()) {
            continue;
        }
        let [s, p, o] = [0, 1, 2].map(|place| ids[place].filter(|_| is_bound(place)));
        let found: Vec<Triple> = chain.matching(s, p, o).map(|t| named(chain, t)).collect();
        let fits = |triple: &&Triple| {
            (!is_bound(0) || triple.subject == asked.subject)
                && (!is_bound(1) || triple.predicate == asked.predicate)
                && (!is_bound(2) || triple.object == asked.object)
        };
        let expected: Triples = expected.iter().filter(fits).cloned().collect();
        assert_eq!(found.len(), expected.len(), "each once");
        assert_eq!(found.into_iter().collect::<Triples>(), expected);
    }
}

proptest! {
    #[test]
    fn holds_what_was_added_and_not_removed(
        states in prop::collection::vec(triples(), 1..6),
        merges in prop::collection::vec((0_usize..6, 0_usize..6), 0..6),
        asked in (0_u8..13, 0_u8..4, 0_u8..17).prop_map(triple),
    ) {
        let mut chain = Chain::default();
        let mut before = Triples::new();
        for (number, after) in states.iter().enumerate() {
            chain = advance(&chain, &before, after);
            assert_holds(&chain, after, &asked);
            for (_, from) in merges.iter().filter(|(when, _)| *when == number) {
                chain = merged_from(&chain, from % chain.segments().len());
                assert_holds(&chain, after, &asked);
            }
            before.clone_from(after);
        }
        let whole = merged_from(&chain, 0);
        assert_holds(&whole, &before, &asked);
        // What nothing needs any more is gone: as if it had never been.
        let anew = advance(&Chain::default(), &Triples::new(), &before);
        prop_assert_eq!(whole.segments()[0].footer(), anew.segments()[0].footer());
    }

    #[test]
    fn segments_that_know_nothing_of_each_other_become_their_union(
        parts in prop::collection::vec(triples(), 0..5),
        asked in (0_u8..12, 0_u8..3, 0_u8..16).prop_map(triple),
    ) {
        let alone = |part| advance(&Chain::default(), &Triples::new(), part);
        let segments: Vec<_> = parts.iter().map(|part| alone(part).segments()[0].clone()).collect();
        let file = merge(Sources::Independent(&segments), Vec::new()).unwrap();
        let chain = Chain::new(vec![segment(file)]).unwrap();
        let union: Triples = parts.into_iter().flatten().collect();
        assert_holds(&chain, &union, &asked);
    }

    #[test]
    fn damage_is_no_worse_than_wrong_answers(
        state in triples(), next in triples(), place in any::<prop::sample::Index>(), bit in 0_u8..8,
    ) {
        let chain = advance(&Chain::default(), &Triples::new(), &state);
        let mut builder = Builder::new(&chain);
        for new in next.difference(&state) {
            builder.add(new.as_ref()).unwrap();
        }
        let mut bytes = builder.finish(Vec::new()).unwrap();
        *place.get_mut(&mut bytes) ^= 1 << bit;
        let Ok(damaged) = Segment::open(OwnedBytes::new(bytes)) else { return Ok(()) };
        let segments = vec![chain.segments()[0].clone(), damaged];
        let Ok(chain) = Chain::new(segments) else { return Ok(()) };
        for triple in chain.matching(None, None, None) {
            for id in triple {
                let _ = chain.term(id);
            }
        }
        let _ = merge(Sources::Top(&chain, 0), Vec::new());
    }
}

#[test]
fn what_is_cut_off_is_damaged() {
    let state = [triple((1, 2, 3)), triple((4, 0, 6))].into();
    let chain = advance(&Chain::default(), &Triples::new(), &state);
    let whole = chain.segments()[0].bytes();
    for end in 0..whole.len() {
        let cut = OwnedBytes::new(whole[..end].to_vec());
        assert!(Segment::open(cut).is_err(), "{end}");
    }
    assert!(whole.len() > FOOTER_LENGTH);
}
