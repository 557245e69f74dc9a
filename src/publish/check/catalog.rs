//! The catalog: its packs must hold the documents of all packages, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chain;
use super::package::Judge;
use super::report::{Log, Problem};
use crate::formats::catalog_index::{self, CatalogIndex, Pack};
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::record::FileDigest;
use crate::formats::union::Union;
use crate::formats::{v1, v2};
use crate::model::{Document, PackageName};
use crate::trust::{PackageState, Verified};

/// Checks index and packs; returns the registry's serial.
pub(super) fn check(
    chain: &Chain,
    states: &[Verified<PackageState>],
    is_whole: bool,
    judge: &Judge<'_>,
    log: &mut Log,
) -> Option<u64> {
    let Some(listed) = chain.listed.get(layout::CATALOG_INDEX) else {
        if chain.is_whole {
            log.find(layout::CATALOG_INDEX, Problem::NotListed);
        }
        return None;
    };
    let target = listed.load(judge.tree, log)?;
    let index = log.take(&target.path, catalog_index::decode(&target.bytes))?;
    for format in Format::BOTH {
        let packs = read_packs(&index, format, judge, log);
        let documents = packs.and_then(|packs| together(&index, format, &packs, log));
        if let Some(documents) = documents.filter(|_| is_whole) {
            compare(documents, states, format, log);
        }
    }
    Some(index.serial)
}

/// The documents of each pack, by where it lies.
fn read_packs(
    index: &CatalogIndex,
    format: Format,
    judge: &Judge<'_>,
    log: &mut Log,
) -> Option<BTreeMap<String, Vec<Document>>> {
    let mut packs = BTreeMap::new();
    let mut is_whole = true;
    for pack in index.packs(format) {
        let path = layout::pack(&pack.sha256, format);
        log.refer(&path);
        match read_pack(&path, pack, format, judge) {
            Ok(documents) => drop(packs.insert(path, documents)),
            Err(problem) => {
                log.find(&path, problem);
                is_whole = false;
            }
        }
    }
    is_whole.then_some(packs)
}

/// What the packs say together. A pack from which nothing that it says follows would mislead whoever
/// begins with it.
fn together(
    index: &CatalogIndex,
    format: Format,
    packs: &BTreeMap<String, Vec<Document>>,
    log: &mut Log,
) -> Option<BTreeMap<PackageName, Document>> {
    let documents = |pack: &Pack| &packs[&layout::pack(&pack.sha256, format)];
    let mut all = Union::default();
    let way = index.since(0, format);
    for pack in way.iter().flatten() {
        all.take(pack, documents(pack).clone());
    }
    let all = all.into_documents();
    let agrees = |pack: &Pack| {
        let own = documents(pack);
        let names: BTreeSet<&PackageName> = own.iter().map(|document| &document.package).collect();
        let only = |documents: &[Document]| {
            let own = documents
                .iter()
                .filter(|document| names.contains(&document.package));
            own.cloned().collect::<Vec<_>>()
        };
        let known = names.iter().filter_map(|name| all.get(name));
        let mut union: Union = known.clone().cloned().collect();
        union.take(pack, own.clone());
        for later in index.since(pack.to, format)? {
            union.take(later, only(documents(later)));
        }
        Some(union.into_documents().values().eq(known))
    };
    let is_right = |pack: &Pack| agrees(pack) == Some(true);
    if way.is_none() || !index.packs(format).iter().all(is_right) {
        log.find(layout::CATALOG_INDEX, Problem::PackRange(format));
        return None;
    }
    Some(all)
}

fn read_pack(
    path: &str,
    pack: &Pack,
    format: Format,
    judge: &Judge<'_>,
) -> Result<Vec<Document>, Problem> {
    let expected = FileDigest {
        sha256: pack.sha256,
        length: pack.length,
    };
    let bytes = judge.tree.load(path, &expected)?;
    let wrong = || Problem::Pack(pack.uncompressed);
    if pack.uncompressed > MAX_UNPACKED {
        return Err(Problem::TooLong(pack.uncompressed));
    }
    let text = unpack(&bytes, pack, MAX_UNPACKED).map_err(|_| wrong())?;
    Ok(match format {
        Format::V1 => v1::decode_pack(&text)?,
        Format::V2 => v2::decode_pack(&text, &judge.policy.base)?,
    })
}

fn compare(
    mut documents: BTreeMap<PackageName, Document>,
    states: &[Verified<PackageState>],
    format: Format,
    log: &mut Log,
) {
    // Of a package without a release there is nothing to be found.
    let states = states
        .iter()
        .filter(|state| !state.document.entries.is_empty());
    for state in states {
        let package = state.document.package.clone();
        let problem = match documents.remove(&package) {
            None => Problem::CatalogLacks { format, package },
            Some(document) if document != state.document => {
                Problem::CatalogDiffers { format, package }
            }
            Some(_) => continue,
        };
        log.find(layout::CATALOG_INDEX, problem);
    }
    for package in documents.into_keys() {
        log.find(
            layout::CATALOG_INDEX,
            Problem::CatalogExtra { format, package },
        );
    }
}
