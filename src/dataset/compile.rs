//! Leading a dataset from one serial of its registry to another.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};

use rayon::prelude::*;

use super::counts::{Needed, changed_counts};
use super::manifest::{Manifest, Text};
use super::shelf::Shelf;
use super::store::{Dataset, publish, write, write_column};
use super::text::{self, Change, TextBuilder};
use super::triples::{Builder, Chain, Segment, Sources, merge};
use super::{DatasetError, documents, downloads, tiers};
use crate::formats::catalog_index::Pack;
use crate::formats::pack::{MAX_UNPACKED, unpack, unpacked};
use crate::formats::popularity::Published;
use crate::formats::union::Union;
use crate::formats::v2::{self, Described, PackReader, V2Error};
use crate::model::{Document, PackageName};

/// How many documents become a segment at once when a dataset is built: what must fit into memory.
const BATCH: usize = 4_096;

/// A pack of the v2 catalog, and its bytes as they were fetched.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    /// What the index says of it.
    pub pack: &'a Pack,
    /// Its compressed bytes.
    pub bytes: &'a [u8],
}

/// Leads a dataset over packs, in the order in which they are to be taken, to what they end at. The first
/// one must start at or before its serial, or at 0.
pub(super) fn advance(
    shelf: &Shelf,
    current: Option<Dataset>,
    base: &str,
    packs: &[Packed<'_>],
    popularity: &Published,
) -> Result<Dataset, DatasetError> {
    // What a killed writer left behind would be in the way.
    shelf.sweep(&current.as_ref().map(Dataset::files).unwrap_or_default())?;
    let (mut current, mut rest) = (current, packs);
    if let Some((first, others)) = packs.split_first()
        && first.pack.from == 0
    {
        current = Some(build(shelf, base, first, popularity)?);
        rest = others;
    }
    let current = match current {
        Some(current) => current,
        None => empty(shelf, base)?,
    };
    match rest.last() {
        None => downloads::renewed(shelf, current, popularity),
        Some(last) => update(shelf, &current, (rest, last.pack.to), popularity),
    }
}

/// A dataset of no package.
fn empty(shelf: &Shelf, base: &str) -> Result<Dataset, DatasetError> {
    let text = Text {
        segments: TextBuilder::new(shelf)?.finish()?,
        dependents: write_column(shelf, "0.dependents".into(), &[])?,
        downloads: None,
    };
    publish(shelf, Manifest::new(base, 0, text))
}

/// Builds a dataset of one pack that holds everything.
fn build(
    shelf: &Shelf,
    base: &str,
    packed: &Packed<'_>,
    popularity: &Published,
) -> Result<Dataset, DatasetError> {
    let pack = unpacked(packed.bytes, packed.pack, MAX_UNPACKED).map_err(DatasetError::Pack)?;
    let mut reader = PackReader::new(BufReader::with_capacity(1 << 20, pack));
    let serial = packed.pack.to;
    let mut texts = TextBuilder::new(shelf)?;
    let mut needed = Needed::default();
    let mut names = BTreeSet::new();
    let mut segments = Vec::new();
    loop {
        let batch = next_batch(&mut reader, base)?;
        if batch.is_empty() {
            break;
        }
        for Described { document, .. } in &batch {
            if texts.add(document, needed.len())? {
                needed.add(document);
            }
            if !names.insert(document.package.clone()) {
                return Err(V2Error::PackageTwice(document.package.clone()).into());
            }
        }
        let below = Chain::default();
        let mut builder = Builder::new(&below);
        for triple in batch.iter().flat_map(|one| &one.triples) {
            builder.add(triple.as_ref())?;
        }
        drop(batch);
        let name = format!("{serial}-{}.part", segments.len());
        segments.push(write(shelf, &name, |out| builder.finish(out).map(drop))?);
    }
    drop(names);
    let text = Text {
        segments: texts.finish()?,
        dependents: write_column(shelf, format!("{serial}.dependents"), &needed.counts())?,
        downloads: downloads::write(shelf, serial, popularity, || {
            Ok(needed.downloads(&popularity.counts))
        })?,
    };
    drop(needed);
    let mut manifest = Manifest::new(base, serial, text);
    let name = format!("{serial}-0.triples");
    write(shelf, &name, |out| {
        merge(Sources::Independent(&segments), out).map(drop)
    })?;
    manifest.segments.push(name);
    publish(shelf, manifest)
}

/// Reads the next documents of a pack, with their triples.
fn next_batch(
    reader: &mut PackReader<impl BufRead>,
    base: &str,
) -> Result<Vec<Described>, DatasetError> {
    let batch = reader.by_ref().take(BATCH);
    let batch: Vec<Vec<u8>> = batch
        .collect::<Result<_, _>>()
        .map_err(DatasetError::Pack)?;
    let described = batch
        .par_iter()
        .map(|bytes| v2::decode_described(bytes, base));
    Ok(described.collect::<Result<_, _>>()?)
}

/// The packages that packs change: as they were, and as they are then.
struct Changes {
    names: BTreeSet<PackageName>,
    before: BTreeMap<PackageName, Document>,
    after: BTreeMap<PackageName, Document>,
}

fn changes(current: &Dataset, packs: &[Packed<'_>]) -> Result<Changes, DatasetError> {
    let mut parts = Vec::new();
    let mut names = BTreeSet::new();
    for packed in packs {
        let text = unpack(packed.bytes, packed.pack, MAX_UNPACKED).map_err(DatasetError::Pack)?;
        let documents = v2::decode_pack(&text, &current.manifest().base)?;
        names.extend(documents.iter().map(|document| document.package.clone()));
        names.extend(packed.pack.withdrawn.keys().cloned());
        parts.push((packed.pack, documents));
    }
    let mut before = BTreeMap::new();
    for name in &names {
        if let Some(document) = current.document(name)? {
            before.insert(name.clone(), document);
        }
    }
    let mut union: Union = before.values().cloned().collect();
    for (pack, documents) in parts {
        union.take(pack, documents);
    }
    let after = union.into_documents();
    Ok(Changes {
        names,
        before,
        after,
    })
}

/// Puts what packs change on a dataset.
fn update(
    shelf: &Shelf,
    current: &Dataset,
    (packs, serial): (&[Packed<'_>], u64),
    popularity: &Published,
) -> Result<Dataset, DatasetError> {
    let changes = changes(current, packs)?;
    let mut manifest = current.manifest().clone();
    manifest.serial = serial;
    let chain = update_triples(shelf, current, &changes, &mut manifest)?;
    update_texts(
        shelf,
        current,
        (&changes, popularity),
        &chain,
        &mut manifest,
    )?;
    publish(shelf, manifest)
}

fn update_triples(
    shelf: &Shelf,
    current: &Dataset,
    changes: &Changes,
    manifest: &mut Manifest,
) -> Result<Chain, DatasetError> {
    let (base, serial) = (&current.manifest().base, manifest.serial);
    let mut builder = Builder::new(current.chain());
    for name in &changes.names {
        let (before, after) = (changes.before.get(name), changes.after.get(name));
        documents::replace(&mut builder, before, after, base)?;
    }
    let name = format!("{serial}-{}.triples", manifest.segments.len());
    let mut segments = current.chain().segments().to_vec();
    segments.push(write(shelf, &name, |out| builder.finish(out).map(drop))?);
    manifest.segments.push(name);
    let sizes: Vec<u64> = segments.iter().map(Segment::changes).collect();
    let chain = Chain::new(segments)?;
    if let Some(from) = tiers::merge_from(&sizes) {
        let name = format!("{serial}-{from}-merged.triples");
        write(shelf, &name, |out| {
            merge(Sources::Top(&chain, from), out).map(drop)
        })?;
        manifest.segments.truncate(from);
        manifest.segments.push(name);
    }
    Ok(chain)
}

fn update_texts(
    shelf: &Shelf,
    current: &Dataset,
    (changes, popularity): (&Changes, &Published),
    chain: &Chain,
    manifest: &mut Manifest,
) -> Result<(), DatasetError> {
    let text = current.texts()?;
    let mut counts = text.dependents().to_vec();
    let mut numbers = BTreeMap::new();
    for (name, document) in &changes.after {
        if document.latest().is_none() {
            continue;
        }
        let number = match text.number(name)? {
            Some(number) => number,
            None => {
                counts.push(documents::dependents(chain, name, &manifest.base)?);
                counts.len() - 1
            }
        };
        numbers.insert(name, number);
    }
    for (package, change) in changed_counts(changes.before.values(), changes.after.values()) {
        let number = text.number(package)?;
        if let Some(count) = number.and_then(|number| counts.get_mut(number)) {
            *count = count.saturating_add_signed(change);
        }
    }
    let rows = changes.names.iter().map(|package| {
        let number = numbers.get(package);
        let now = changes.after.get(package).zip(number.copied());
        Change { package, now }
    });
    manifest.text = Text {
        segments: text::update(shelf, &current.manifest().text.segments, rows)?,
        dependents: write_column(shelf, format!("{}.dependents", manifest.serial), &counts)?,
        downloads: downloads::write(shelf, manifest.serial, popularity, || {
            downloads::updated(current, popularity, &numbers, counts.len())
        })?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oxigraph::model::Triple;
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::testing::{BASE, name, step, steps};

    fn assert_is(dataset: &Dataset, documents: &BTreeMap<PackageName, Document>) {
        let chain = dataset.chain();
        let held: HashSet<String> = chain
            .matching(None, None, None)
            .map(|ids| ids.map(|id| chain.term(id).unwrap().to_string()).join(" "))
            .collect();
        let expected = documents.values().flat_map(|one| v2::triples(one, BASE));
        let line = |t: Triple| format!("{} {} {}", t.subject, t.predicate, t.object);
        assert_eq!(held, expected.map(line).collect());
        for package in 0..6 {
            let document = dataset.document(&name(package)).unwrap();
            assert_eq!(document.as_ref(), documents.get(&name(package)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn every_way_to_a_serial_leads_to_the_same_dataset(all in steps(), stops in any::<u8>()) {
            let folder = tempfile::tempdir().unwrap();
            let shelf = Shelf::folder(folder.path()).unwrap();
            let (mut documents, mut packs, mut at) = (BTreeMap::new(), Vec::new(), None);
            for (from, steps) in (0..).zip(&all) {
                packs.push(step(&mut documents, steps, from));
                if stops & (1 << from) == 0 && from + 1 < all.len() as u64 {
                    continue;
                }
                let packed: Vec<_> = packs.iter().map(|(pack, bytes)| Packed { pack, bytes }).collect();
                let dataset = advance(&shelf, at, BASE, &packed, &Published::default()).unwrap();
                assert_is(&dataset, &documents);
                packs.clear();
                at = Dataset::open(&shelf, BASE).unwrap();
                let at = at.as_ref().unwrap();
                prop_assert_eq!(at.serial(), from + 1);
                assert_is(at, &documents);
            }
        }
    }
}
