//! The catalog: its packs must hold the documents of all packages, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chain;
use super::package::Judge;
use super::replay::replay;
use super::report::{Log, Problem};
use crate::formats::catalog_index::{self, CatalogIndex, Pack};
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::record::FileDigest;
use crate::formats::{popularity, v1, v2};
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
        let Some(contents) = read_packs(&index, format, judge, log) else {
            continue;
        };
        match replay(&index, format, contents) {
            Some(documents) if is_whole => compare(documents, states, format, log),
            Some(_) => {}
            None => log.find(layout::CATALOG_INDEX, Problem::PackRange(format)),
        }
    }
    Some(index.serial)
}

/// Checks what is said of downloads, if anything is.
pub(super) fn check_popularity(
    chain: &Chain,
    states: &[Verified<PackageState>],
    is_whole: bool,
    judge: &Judge<'_>,
    log: &mut Log,
) {
    let path = layout::POPULARITY;
    let listed = chain.listed.get(path);
    let Some(target) = listed.and_then(|listed| listed.load(judge.tree, log)) else {
        return;
    };
    if target.bytes.len() as u64 > popularity::MAX_BYTES {
        log.find(path, Problem::TooLong(target.bytes.len() as u64));
    }
    let Some(counts) = log.take(path, popularity::decode(&target.bytes)) else {
        return;
    };
    if popularity::encode(&counts) != target.bytes {
        log.find(path, Problem::Form);
    }
    let packages = states.iter().map(|state| &state.document.package);
    let known: BTreeSet<&PackageName> = packages.collect();
    for package in counts.packages().filter(|_| is_whole) {
        if !known.contains(package) {
            log.find(path, Problem::NoPackage(package.clone()));
        }
    }
}

/// The documents of each pack, in the order of the index.
fn read_packs(
    index: &CatalogIndex,
    format: Format,
    judge: &Judge<'_>,
    log: &mut Log,
) -> Option<Vec<Vec<Document>>> {
    let mut contents = Vec::new();
    for pack in index.packs(format) {
        let path = layout::pack(&pack.sha256, format);
        log.refer(&path);
        match read_pack(&path, pack, format, judge) {
            Ok(documents) => contents.push(documents),
            Err(problem) => log.find(&path, problem),
        }
    }
    (contents.len() == index.packs(format).len()).then_some(contents)
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
