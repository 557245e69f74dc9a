//! What a query sees of several registries at once and of a lock file: laid upon the triples of one of them,
//! in memory, and gone with the process.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use oxigraph::model::Triple;

use super::compile;
use super::shelf::Shelf;
use super::store::{self, Dataset};
use super::triples::{Builder, Chain, Damaged, Segment};
use super::{DatasetError, documents};
use crate::formats::popularity::Published;
use crate::model::{Document, PackageName};

/// Documents by the base IRI of their registry and by package.
pub type Documents = BTreeMap<(String, PackageName), Document>;

/// Joins the triples of registries, none or more, and adds triples of no registry. `verified` takes the place
/// of what the registries' packs say of these packages.
pub fn join(
    mut registries: Vec<&Dataset>,
    verified: &Documents,
    added: &[Triple],
) -> Result<Dataset, DatasetError> {
    let shelf = Shelf::memory();
    // All but the first are copied.
    registries.sort_by_key(|dataset| Reverse(size(dataset)));
    let Some((first, others)) = registries.split_first() else {
        let none = compile::advance(&shelf, None, "", &[], &Published::default())?;
        return join(vec![&none], verified, added);
    };
    let mut chain = first.chain().clone();
    for other in others {
        let copied = other.chain();
        chain = with_segment(&shelf, &chain, |builder, below| {
            for numbers in copied.matching(None, None, None) {
                add(builder, below, &copied.triple(numbers)?)?;
            }
            Ok(())
        })?;
    }
    if verified.is_empty() && added.is_empty() {
        return Ok(first.with_chain(chain));
    }
    chain = with_segment(&shelf, &chain, |builder, below| {
        for ((base, package), document) in verified {
            let before = documents::read(below, package, base)?;
            documents::replace(builder, before.as_ref(), Some(document), base)?;
        }
        added
            .iter()
            .try_for_each(|triple| Ok(add(builder, below, triple)?))
    })?;
    Ok(first.with_chain(chain))
}

fn size(dataset: &Dataset) -> u64 {
    let segments = dataset.chain().segments().iter();
    segments.map(Segment::changes).sum()
}

/// A chain with one more segment.
fn with_segment(
    shelf: &Shelf,
    below: &Chain,
    changes: impl FnOnce(&mut Builder<'_>, &Chain) -> Result<(), DatasetError>,
) -> Result<Chain, DatasetError> {
    let mut builder = Builder::new(below);
    changes(&mut builder, below)?;
    let mut segments = below.segments().to_vec();
    let name = format!("{}.triples", segments.len());
    segments.push(store::write(shelf, &name, |out| {
        builder.finish(out).map(drop)
    })?);
    Ok(Chain::new(segments)?)
}

/// Adds a triple unless it is there.
fn add(builder: &mut Builder<'_>, below: &Chain, triple: &Triple) -> Result<(), Damaged> {
    match below.contains(triple.as_ref())? {
        true => Ok(()),
        false => builder.add(triple.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oxigraph::model::{Literal, NamedNode};

    use super::*;
    use crate::formats::v2;
    use crate::model::{Entry, Release, TrustState};

    const ONE: &str = "https://one.example.org/";
    const OTHER: &str = "https://other.example.org/";

    fn documents(base: &str, packages: &[(&str, &[&str])], trust: TrustState) -> Documents {
        let document = |(name, versions): &(&str, &[&str])| {
            let entries = versions.iter().map(|version| Entry {
                release: Release::sample(name, version),
                accepted: None,
                yanked: None,
                trust: Some(trust),
            });
            let (package, entries) = (name.parse().unwrap(), entries.collect());
            let document = Document { package, entries };
            ((base.to_owned(), document.package.clone()), document)
        };
        packages.iter().map(document).collect()
    }

    /// What a registry's packs say.
    fn registry(documents: &Documents) -> Dataset {
        join(Vec::new(), documents, &[]).unwrap()
    }

    fn expected(documents: &[&Documents]) -> HashSet<Triple> {
        let all = documents.iter().flat_map(|documents| documents.iter());
        all.flat_map(|((base, _), document)| v2::triples(document, base))
            .collect()
    }

    fn held(dataset: &Dataset) -> HashSet<Triple> {
        let chain = dataset.chain();
        let matching = chain.matching(None, None, None);
        let listed: Vec<Triple> = matching.map(|one| chain.triple(one).unwrap()).collect();
        let held: HashSet<Triple> = listed.iter().cloned().collect();
        assert_eq!(held.len(), listed.len(), "one stands there twice");
        held
    }

    #[test]
    fn registries_and_a_lock_file_become_one() {
        let one = documents(
            ONE,
            &[("a", &["1.0.0"]), ("b", &["0.1.0"])],
            TrustState::Signed,
        );
        let other = documents(OTHER, &[("a", &["2.0.0"])], TrustState::Vouched);
        let (first, second) = (registry(&one), registry(&other));
        let node = NamedNode::new_unchecked("lock:0/a@1.0.0");
        let locked = Triple::new(node.clone(), node, Literal::new_simple_literal("a"));
        let mut expected = expected(&[&one, &other]);
        expected.insert(locked.clone());
        // Said twice, it is there once.
        let added = [locked.clone(), locked];
        for registries in [
            vec![&first, &second],
            vec![&second, &first],
            vec![&first, &second, &first],
        ] {
            let joined = join(registries, &Documents::new(), &added).unwrap();
            assert_eq!(held(&joined), expected);
        }
    }

    #[test]
    fn what_is_verified_takes_the_place_of_what_the_packs_say() {
        let packed = documents(
            ONE,
            &[("a", &["1.0.0", "1.1.0"]), ("b", &["0.1.0"])],
            TrustState::Signed,
        );
        let other = documents(OTHER, &[("c", &["1.0.0"])], TrustState::Signed);
        let verified = [
            documents(ONE, &[("a", &["1.0.0"])], TrustState::Unsigned),
            documents(OTHER, &[("c", &["1.0.0"])], TrustState::Unsigned),
        ];
        let verified: Documents = verified.into_iter().flatten().collect();
        let rest = documents(ONE, &[("b", &["0.1.0"])], TrustState::Signed);
        let (packed, other) = (registry(&packed), registry(&other));
        let joined = join(vec![&packed, &other], &verified, &[]).unwrap();
        assert_eq!(held(&joined), expected(&[&verified, &rest]));
    }
}
