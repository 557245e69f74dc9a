//! A compiled dataset: opened, checked, and led from one serial of its registry to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use rayon::prelude::*;
use tantivy::directory::WritePtr;

use super::manifest::{Manifest, Sealed};
use super::shelf::Shelf;
use super::triples::{Builder, Chain, Damaged, Segment, Sources, WriteError, merge};
use super::{DatasetError, documents, tiers};
use crate::formats::catalog_index::Pack;
use crate::formats::pack::{MAX_UNPACKED, unpack, unpacked};
use crate::formats::union::Union;
use crate::formats::v2::{self, Described, PackReader, V2Error};
use crate::model::{Document, PackageName};

/// A registry's triples at one serial.
#[derive(Debug)]
pub struct Dataset {
    manifest: Manifest,
    chain: Chain,
}

/// How many documents become a segment at once when a dataset is built: what must fit into memory.
const BATCH: usize = 8_192;

/// How often a reader looks again when another process replaces the dataset meanwhile.
const ATTEMPTS: usize = 5;

impl Dataset {
    /// Opens the dataset that lies there. `None` if there is none, or one of another form or registry.
    pub(super) fn open(shelf: &Shelf, base: &str) -> Result<Option<Self>, DatasetError> {
        for _ in 0..ATTEMPTS {
            let Some(bytes) = shelf.manifest()? else {
                return Ok(None);
            };
            let Some(manifest) = Manifest::decode(&bytes)? else {
                return Ok(None);
            };
            if manifest.base != base {
                return Ok(None);
            }
            if let Some(dataset) = Self::of(shelf, manifest)? {
                return Ok(Some(dataset));
            }
        }
        Err(Damaged("its files are not there").into())
    }

    /// What a manifest lists; `None` if a file of it is not there any more.
    fn of(shelf: &Shelf, manifest: Manifest) -> Result<Option<Self>, DatasetError> {
        let mut segments = Vec::new();
        for name in &manifest.segments {
            let Some(bytes) = shelf.bytes(name)? else {
                return Ok(None);
            };
            segments.push(Segment::open(bytes)?);
        }
        for (name, sealed) in &manifest.files {
            if shelf.stamp(name)? != sealed.stamp {
                check(shelf, name, sealed)?;
            }
        }
        let chain = Chain::new(segments)?;
        Ok(Some(Self { manifest, chain }))
    }

    /// The registry's serial to which it belongs.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.manifest.serial
    }

    /// The names of its files.
    fn files(&self) -> BTreeSet<&str> {
        self.manifest.files.keys().map(String::as_str).collect()
    }

    /// The triples.
    pub(super) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The same at this serial with other triples, which lie in memory.
    pub(super) fn with_chain(&self, chain: Chain) -> Self {
        Self {
            manifest: self.manifest.clone(),
            chain,
        }
    }

    /// The document of a package, if there is one.
    pub fn document(&self, package: &PackageName) -> Result<Option<Document>, DatasetError> {
        documents::read(&self.chain, package, &self.manifest.base)
    }
}

/// A file that does not look as it did may still be what it was: one that was copied, say.
fn check(shelf: &Shelf, name: &str, sealed: &Sealed) -> Result<(), DatasetError> {
    let bytes = shelf.bytes(name)?;
    match bytes.map(|bytes| crc32fast::hash(&bytes)) {
        Some(checksum) if checksum == sealed.checksum => Ok(()),
        Some(_) => Err(Damaged("a file has other bytes than were written").into()),
        None => Err(Damaged("a file is not there").into()),
    }
}

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
) -> Result<Dataset, DatasetError> {
    // What a killed writer left behind would be in the way.
    shelf.sweep(&current.as_ref().map(Dataset::files).unwrap_or_default())?;
    let (mut current, mut rest) = (current, packs);
    if let Some((first, others)) = packs.split_first()
        && first.pack.from == 0
    {
        current = Some(build(shelf, base, first)?);
        rest = others;
    }
    let current = match current {
        Some(current) => current,
        None => publish(shelf, Manifest::empty(base))?,
    };
    match rest.last() {
        None => Ok(current),
        Some(last) => update(shelf, &current, rest, last.pack.to),
    }
}

/// Builds a dataset of one pack that holds everything.
fn build(shelf: &Shelf, base: &str, packed: &Packed<'_>) -> Result<Dataset, DatasetError> {
    let text = unpacked(packed.bytes, packed.pack, MAX_UNPACKED).map_err(DatasetError::Pack)?;
    let mut reader = PackReader::new(BufReader::with_capacity(1 << 20, text));
    let mut names = BTreeSet::new();
    let mut segments = Vec::new();
    let mut files = Vec::new();
    loop {
        let batch: Vec<Vec<u8>> = reader
            .by_ref()
            .take(BATCH)
            .collect::<Result<_, _>>()
            .map_err(DatasetError::Pack)?;
        if batch.is_empty() {
            break;
        }
        let described = batch
            .par_iter()
            .map(|bytes| v2::decode_described(bytes, base));
        let described: Vec<Described> = described.collect::<Result<_, _>>()?;
        for Described { document, .. } in &described {
            if !names.insert(document.package.clone()) {
                return Err(V2Error::PackageTwice(document.package.clone()).into());
            }
        }
        let below = Chain::default();
        let mut builder = Builder::new(&below);
        for triple in described.iter().flat_map(|one| &one.triples) {
            builder.add(triple.as_ref())?;
        }
        drop(described);
        let name = format!("{}-{}.part", packed.pack.to, files.len());
        segments.push(write(shelf, &name, |out| builder.finish(out).map(drop))?);
        files.push(name);
    }
    let mut manifest = Manifest::empty(base);
    manifest.serial = packed.pack.to;
    let name = format!("{}-0.triples", packed.pack.to);
    write(shelf, &name, |out| {
        merge(Sources::Independent(&segments), out).map(drop)
    })?;
    manifest.segments.push(name);
    publish(shelf, manifest)
}

/// Puts what packs change on a dataset.
fn update(
    shelf: &Shelf,
    current: &Dataset,
    packs: &[Packed<'_>],
    serial: u64,
) -> Result<Dataset, DatasetError> {
    let base = &current.manifest.base;
    let mut parts = Vec::new();
    let mut names = BTreeSet::new();
    for packed in packs {
        let text = unpack(packed.bytes, packed.pack, MAX_UNPACKED).map_err(DatasetError::Pack)?;
        let documents = v2::decode_pack(&text, base)?;
        names.extend(documents.iter().map(|document| document.package.clone()));
        names.extend(packed.pack.withdrawn.keys().cloned());
        parts.push((packed.pack, documents));
    }
    let before = names
        .iter()
        .filter_map(|name| current.document(name).transpose());
    let before: Vec<Document> = before.collect::<Result<_, _>>()?;
    let mut union: Union = before.into_iter().collect();
    for (pack, documents) in parts {
        union.take(pack, documents);
    }
    let after: BTreeMap<PackageName, Document> = union.into_documents();
    let mut builder = Builder::new(&current.chain);
    for name in &names {
        documents::replace(&mut builder, &current.chain, name, after.get(name), base)?;
    }
    let mut manifest = current.manifest.clone();
    manifest.serial = serial;
    let name = format!("{serial}-{}.triples", manifest.segments.len());
    let mut segments = current.chain.segments().to_vec();
    segments.push(write(shelf, &name, |out| builder.finish(out).map(drop))?);
    manifest.segments.push(name);
    let sizes: Vec<u64> = segments.iter().map(Segment::changes).collect();
    if let Some(from) = tiers::merge_from(&sizes) {
        let chain = Chain::new(segments)?;
        let name = format!("{serial}-{from}-merged.triples");
        write(shelf, &name, |out| {
            merge(Sources::Top(&chain, from), out).map(drop)
        })?;
        manifest.segments.truncate(from);
        manifest.segments.push(name);
    }
    publish(shelf, manifest)
}

/// Writes a segment and opens it.
pub(super) fn write(
    shelf: &Shelf,
    name: &str,
    content: impl FnOnce(&mut WritePtr) -> Result<(), WriteError>,
) -> Result<Segment, DatasetError> {
    shelf.write(name, |out| content(out).map_err(DatasetError::from))?;
    let bytes = shelf.bytes(name)?;
    Ok(Segment::open(bytes.ok_or(Damaged("a file is not there"))?)?)
}

/// Makes what a manifest lists the dataset, and removes the rest.
fn publish(shelf: &Shelf, mut manifest: Manifest) -> Result<Dataset, DatasetError> {
    manifest.files = manifest
        .segments
        .iter()
        .map(|name| Ok((name.clone(), sealed(shelf, name, &manifest)?)))
        .collect::<Result<_, DatasetError>>()?;
    shelf.publish(&manifest.encode())?;
    let dataset = Dataset::of(shelf, manifest)?;
    let dataset = dataset.ok_or(Damaged("a file is not there"))?;
    shelf.sweep(&dataset.files())?;
    Ok(dataset)
}

/// A file as it is, without a look into it if it was there before.
fn sealed(shelf: &Shelf, name: &str, manifest: &Manifest) -> Result<Sealed, DatasetError> {
    if let Some(sealed) = manifest.files.get(name) {
        return Ok(*sealed);
    }
    let bytes = shelf.bytes(name)?.ok_or(Damaged("a file is not there"))?;
    Ok(Sealed {
        stamp: shelf.stamp(name)?,
        checksum: crc32fast::hash(&bytes),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oxigraph::model::Triple;
    use proptest::prelude::*;

    use super::*;
    use crate::formats::catalog_index::Withdrawn;
    use crate::model::{Dependency, Entry, Release, Sha256Digest, Yank};

    const BASE: &str = "https://registry.example.org/";

    /// What a change does to one of a few packages.
    #[derive(Debug, Clone)]
    enum Step {
        Publish(u8, u8),
        Yank(u8, u8),
        Withdraw(u8, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
        let step = (0_u8..3, 0_u8..6, 0_u8..4).prop_map(|(kind, package, version)| match kind {
            0 => Step::Publish(package, version),
            1 => Step::Yank(package, version),
            _ => Step::Withdraw(package, version),
        });
        prop::collection::vec(prop::collection::vec(step, 0..6), 1..6)
    }

    fn name(package: u8) -> PackageName {
        format!("package-{package}").parse().unwrap()
    }

    fn entry(package: u8, version: u8) -> Entry {
        let mut release = Release::sample(name(package).as_str(), &format!("1.{version}.0"));
        release.description = Some(format!("What {package} does in {version}"));
        release.keywords = vec![format!("keyword-{}", version % 2)];
        let needed = name((package + version) % 6);
        release.dependencies = vec![Dependency::sample(needed.as_str())];
        Entry {
            release,
            accepted: None,
            yanked: None,
            trust: None,
        }
    }

    /// The documents after some steps, and the pack that says what changed.
    fn step(
        documents: &mut BTreeMap<PackageName, Document>,
        steps: &[Step],
        from: u64,
    ) -> (Pack, Vec<u8>) {
        let mut changed = BTreeSet::new();
        let mut withdrawn = Withdrawn::new();
        for step in steps {
            let (Step::Publish(package, version)
            | Step::Yank(package, version)
            | Step::Withdraw(package, version)) = step;
            let mut one = entry(*package, *version);
            let version = one.release.version.clone();
            let key = (name(*package), version.clone());
            let document = documents.entry(name(*package)).or_insert_with(|| Document {
                package: name(*package),
                entries: Vec::new(),
            });
            match step {
                Step::Withdraw(..) => {
                    document.withdraw(&[version.clone()].into());
                    changed.remove(&key);
                    withdrawn.entry(key.0).or_default().insert(version);
                    continue;
                }
                Step::Yank(..) => one.yanked = Some(Yank { reason: None }),
                Step::Publish(..) => {}
            }
            document.update(Document {
                package: name(*package),
                entries: vec![one],
            });
            changed.insert(key);
        }
        documents.retain(|_, document| !document.entries.is_empty());
        let parts = documents.values().filter_map(|document| {
            let entries = document.entries.iter();
            let of = |entry: &&Entry| {
                from == 0
                    || changed.contains(&(document.package.clone(), entry.release.version.clone()))
            };
            let entries: Vec<Entry> = entries.filter(of).cloned().collect();
            let package = document.package.clone();
            (!entries.is_empty()).then_some(Document { package, entries })
        });
        let text: Vec<u8> = parts.flat_map(|part| v2::encode(&part, BASE)).collect();
        let bytes = zstd::bulk::compress(&text, 3).unwrap();
        let pack = Pack {
            from,
            to: from + 1,
            sha256: Sha256Digest::of(&bytes),
            length: bytes.len() as u64,
            uncompressed: text.len() as u64,
            withdrawn: if from == 0 {
                Withdrawn::new()
            } else {
                withdrawn
            },
        };
        (pack, bytes)
    }

    fn assert_is(dataset: &Dataset, documents: &BTreeMap<PackageName, Document>) {
        let chain = dataset.chain();
        let held: HashSet<String> = chain
            .matching(None, None, None)
            .map(|ids| ids.map(|id| chain.term(id).unwrap().to_string()).join(" "))
            .collect();
        let expected = documents
            .values()
            .flat_map(|one| v2::triples(one, BASE).unwrap());
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
                let dataset = advance(&shelf, at, BASE, &packed).unwrap();
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
