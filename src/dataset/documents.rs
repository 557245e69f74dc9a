//! A package's document, out of the triples and into them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use oxigraph::model::{NamedNode, NamedNodeRef, Term, Triple};

use super::DatasetError;
use super::triples::{Builder, Chain, TermId};
use crate::formats::v2;
use crate::model::{Document, PackageName};

/// The document of a package, if there is one.
pub(super) fn read(
    chain: &Chain,
    package: &PackageName,
    base: &str,
) -> Result<Option<Document>, DatasetError> {
    let triples = triples(chain, package, base)?;
    if triples.is_empty() {
        return Ok(None);
    }
    Ok(Some(v2::from_triples(package, triples, base)?))
}

/// How many packages need one: those whose latest release depends on it.
pub(super) fn dependents(
    chain: &Chain,
    package: &PackageName,
    base: &str,
) -> Result<u32, DatasetError> {
    let number = |iri: &str| chain.id(NamedNodeRef::new_unchecked(iri).into());
    let package = number(&v2::package_iri(package, base).0)?;
    let (depends_on, latest) = (number(v2::DEPENDS_ON)?, number(v2::LATEST)?);
    let (Some(package), Some(depends_on), Some(latest)) = (package, depends_on, latest) else {
        return Ok(0);
    };
    let releases = chain.matching(None, Some(depends_on), Some(package));
    let is_latest = |release| {
        chain
            .matching(None, Some(latest), Some(release))
            .next()
            .is_some()
    };
    let count = releases
        .filter(|[release, _, _]| is_latest(*release))
        .count();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Puts a document in the place of another of its package, or of none; `None` forgets the package.
pub(super) fn replace(
    builder: &mut Builder<'_>,
    before: Option<&Document>,
    after: Option<&Document>,
    base: &str,
) -> Result<(), DatasetError> {
    let difference = v2::difference(before, after, base);
    for gone in &difference.gone {
        builder.remove(gone.as_ref())?;
    }
    for new in &difference.new {
        builder.add(new.as_ref())?;
    }
    Ok(())
}

/// All triples of a package: those of its own node, of its releases, and of their dependencies. Each node
/// is reached from the one before, and its IRI lies below the package's.
fn triples(chain: &Chain, package: &PackageName, base: &str) -> Result<Vec<Triple>, DatasetError> {
    let (iri, folder) = v2::package_iri(package, base);
    let iri = NamedNode::new_unchecked(iri);
    let number = chain.id(iri.as_ref().into())?;
    let mut waiting: Vec<(TermId, NamedNode)> = number.map(|id| (id, iri)).into_iter().collect();
    let mut seen: BTreeSet<TermId> = number.into_iter().collect();
    let mut predicates = BTreeMap::new();
    let mut triples = Vec::new();
    while let Some((number, node)) = waiting.pop() {
        for [_, predicate, object] in chain.matching(Some(number), None, None) {
            let predicate = match predicates.entry(predicate) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(chain.named(predicate)?),
            };
            let term = chain.term(object)?;
            if let Term::NamedNode(iri) = &term
                && iri.as_str().starts_with(&folder)
                && seen.insert(object)
            {
                waiting.push((object, iri.clone()));
            }
            triples.push(Triple::new(node.clone(), predicate.clone(), term));
        }
    }
    Ok(triples)
}
