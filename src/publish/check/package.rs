//! One package: its record, both documents and every archive.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Depth;
use super::chain::Listed;
use super::report::{Log, Problem};
use super::tree::{Tree, require};
use crate::disk;
use crate::formats::layout::{self, Format};
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::formats::record::{self, FileDigest, Record};
use crate::formats::unsigned::UnsignedList;
use crate::formats::{v1, v2};
use crate::install::archive::{Limits, agrees};
use crate::model::{Document, Entry, PackageName, PublisherId, Release, Sha256Digest};
use crate::trust::tuf::Target;
use crate::trust::{PackageState, RecordContext, Verified, compare, verify_record};

/// By what records are judged.
pub(super) struct Judge<'a> {
    pub(super) tree: &'a Tree,
    pub(super) registry_id: Sha256Digest,
    pub(super) publishers: &'a BTreeMap<PublisherId, Publisher>,
    pub(super) policy: &'a Policy,
    pub(super) depth: Depth,
    /// The index URL that means this registry in manifests.
    pub(super) index: String,
    pub(super) unsigned: &'a UnsignedList,
    /// What the role `claimed` lists, by path.
    pub(super) claims: &'a BTreeMap<String, Sha256Digest>,
}

/// Checks what a bin lists. Returns the package's state, if its record is in order.
pub(super) fn check(listed: &Listed, judge: &Judge<'_>) -> (Log, Option<Verified<PackageState>>) {
    let mut log = Log::default();
    let Some(target) = listed.load(judge.tree, &mut log) else {
        return (log, None);
    };
    let record = record::decode(&target.bytes);
    let Some(record) = log.take(&target.path, record) else {
        return (log, None);
    };
    if layout::record(&record.package) != target.path {
        log.find(&target.path, Problem::NoRecord);
        return (log, None);
    }
    log.package = Some(record.package.clone());
    let state = check_record(&target, &record, judge, &mut log);
    (log, state)
}

fn check_record(
    target: &Verified<Target>,
    record: &Record,
    judge: &Judge<'_>,
    log: &mut Log,
) -> Option<Verified<PackageState>> {
    let context = RecordContext {
        registry_id: judge.registry_id,
        package: &record.package,
        publishers: judge.publishers,
        policy: judge.policy,
        unsigned: judge.unsigned,
        claim: judge.claims.get(&layout::claim(&record.package)).copied(),
        verified_before: None,
    };
    let state = log.take(&target.path, verify_record(target, &context))?;
    for format in Format::BOTH {
        check_document(&state, format, judge, log);
    }
    let archives: Vec<Log> = state
        .document
        .entries
        .par_iter()
        .map(|entry| check_archive(entry, judge))
        .collect();
    for found in archives {
        log.merge(found);
    }
    Some(state)
}

/// A document must say what the statements say, to the last field; so both say the same.
fn check_document(
    state: &Verified<PackageState>,
    format: Format,
    judge: &Judge<'_>,
    log: &mut Log,
) {
    let plain = layout::document(&state.document.package, format);
    let Some(expected) = state.documents.get(format) else {
        log.find(&plain, Problem::NoDocument(format));
        return;
    };
    let good = layout::hashed(&plain, &expected.sha256);
    log.refer(&good);
    judge.tree.check_copy(&plain, &good, &expected, log);
    let Some(bytes) = log.take(&good, judge.tree.load(&good, &expected)) else {
        return;
    };
    let base = &judge.policy.base;
    let problem = decode(&state.document.package, &bytes, format, base)
        .and_then(|document| Ok(compare(state, &document)?));
    let is_equal = log.take(&good, problem).is_some();
    if is_equal && judge.depth == Depth::Deep && bytes != encode(&state.document, format, base) {
        log.find(&good, Problem::NotAsDerived);
    }
}

fn encode(document: &Document, format: Format, base: &str) -> Vec<u8> {
    match format {
        Format::V1 => v1::encode(document),
        Format::V2 => v2::encode(document, base),
    }
}

fn decode(
    package: &PackageName,
    bytes: &[u8],
    format: Format,
    base: &str,
) -> Result<Document, Problem> {
    Ok(match format {
        Format::V1 => v1::decode(package, bytes)?,
        Format::V2 => v2::decode(package, bytes, base)?,
    })
}

fn check_archive(entry: &Entry, judge: &Judge<'_>) -> Log {
    let release = &entry.release;
    let mut log = Log::of(release.name.clone());
    let path = layout::archive(&release.name, &release.checksum);
    log.refer(&path);
    let result = judge.tree.digest(&path).and_then(|actual| {
        let length = release.size.unwrap_or(actual.length);
        let sha256 = release.checksum;
        require(&FileDigest { sha256, length }, actual)?;
        match judge.depth {
            Depth::Usual => Ok(()),
            Depth::Deep => check_contents(release, &path, judge),
        }
    });
    if let Err(problem) = result {
        log.find(&path, archive_problem(release, problem));
    }
    log
}

/// Derives the release from its archive anew, as who publishes it does, and compares.
fn check_contents(release: &Release, path: &str, judge: &Judge<'_>) -> Result<(), Problem> {
    let bytes = judge.tree.read(path, disk::LIMIT)?;
    let index = std::slice::from_ref(&judge.index);
    Ok(agrees(release, &bytes, index, &Limits::default())?)
}

/// An archive's name is a digest: say whose it is.
fn archive_problem(release: &Release, problem: Problem) -> Problem {
    Problem::Archive {
        version: release.version.clone(),
        source: Box::new(problem),
    }
}
