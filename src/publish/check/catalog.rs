//! The catalog: its packs must hold the documents of all packages, and nothing else.

use std::collections::BTreeMap;

use super::chain::Chain;
use super::package::Judge;
use super::report::{Log, Problem};
use crate::formats::catalog_index::{self, CatalogIndex, Pack};
use crate::formats::layout::{self, Format};
use crate::formats::pack::{MAX_UNPACKED, unpack};
use crate::formats::record::FileDigest;
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
        check_range(&index, format, log);
        let documents = read_packs(index.packs(format), format, judge, log);
        if let Some(documents) = documents.filter(|_| is_whole) {
            compare(documents, states, format, log);
        }
    }
    Some(index.serial)
}

/// The first pack starts at 0, each follows on the one before it, the last one ends at the serial.
fn check_range(index: &CatalogIndex, format: Format, log: &mut Log) {
    let packs = index.packs(format);
    let end = packs.iter().try_fold(0, |at, pack| {
        (pack.from == at && pack.to > at).then_some(pack.to)
    });
    if end != Some(index.serial) {
        log.find(layout::CATALOG_INDEX, Problem::PackRange(format));
    }
}

/// The documents of all packs, those of later ones in place of those of earlier ones.
fn read_packs(
    packs: &[Pack],
    format: Format,
    judge: &Judge<'_>,
    log: &mut Log,
) -> Option<BTreeMap<PackageName, Document>> {
    let mut documents = BTreeMap::new();
    let mut is_whole = true;
    for pack in packs {
        let path = layout::pack(&pack.sha256, format);
        log.refer(&path);
        match read_pack(&path, pack, format, judge) {
            Ok(found) => documents.extend(found.into_iter().map(|d| (d.package.clone(), d))),
            Err(problem) => {
                log.find(&path, problem);
                is_whole = false;
            }
        }
    }
    is_whole.then_some(documents)
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
