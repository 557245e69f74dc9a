//! Registries that change at random, as packs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::formats::catalog_index::{Pack, Withdrawn};
use crate::formats::popularity::{self, Published};
use crate::formats::v2;
use crate::model::{
    Dependency, Document, Entry, PackageName, Release, Sha256Digest, TrustState, Yank,
};

/// The base IRI of the registry.
pub(crate) const BASE: &str = "https://registry.example.org/";

/// Who publishes, where it is known.
pub(crate) const PUBLISHERS: [&str; 2] = ["harbour", "lighthouse"];

/// What a change does to one of a few packages.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Publish(u8, u8),
    Yank(u8, u8),
    Withdraw(u8, u8),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (0_u8..3, 0_u8..6, 0_u8..4).prop_map(|(kind, package, version)| match kind {
        0 => Step::Publish(package, version),
        1 => Step::Yank(package, version),
        _ => Step::Withdraw(package, version),
    });
    prop::collection::vec(prop::collection::vec(step, 0..6), 1..6)
}

/// What the registry says of downloads, if anything.
pub(crate) fn popularity() -> impl Strategy<Value = Published> {
    let downloads = prop_oneof![Just(0), 1_u32..50, any::<u32>()];
    let counts = prop::collection::btree_map((0_u8..8).prop_map(name), downloads, 0..8);
    prop::option::of(counts).prop_map(|counts| {
        let lines = counts.iter().flatten();
        let lines = lines.map(|(package, downloads)| format!("{package},{downloads}\n"));
        let text: String = lines.collect();
        Published {
            file: counts.map(|_| Sha256Digest::of(text.as_bytes())),
            counts: popularity::decode(text.as_bytes()).unwrap(),
        }
    })
}

pub(crate) fn name(package: u8) -> PackageName {
    format!("package-{package}").parse().unwrap()
}

fn entry(package: u8, version: u8) -> Entry {
    let mut release = Release::sample(name(package).as_str(), &format!("1.{version}.0"));
    release.description = Some(format!("What {package} does in {version}"));
    release.license =
        Some(["MIT", "MIT OR Apache-2.0", "MPL-2.0"][usize::from(version % 3)].into());
    release.rust_version =
        Some(format!("1.{}", 70 + version)).filter(|_| package.is_multiple_of(2));
    release.keywords = vec![format!("keyword-{}", version % 2)];
    let needed = name((package + version) % 6);
    release.dependencies = vec![Dependency::sample(needed.as_str())];
    release.publisher =
        (version > 0).then(|| PUBLISHERS[usize::from(version % 2)].parse().unwrap());
    let trusts = [
        TrustState::Signed,
        TrustState::Vouched,
        TrustState::Unsigned,
    ];
    Entry {
        release,
        accepted: None,
        yanked: None,
        trust: trusts.get(usize::from((package + version) % 4)).copied(),
    }
}

/// The documents after some steps, and the pack that says what changed.
pub(crate) fn step(
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
    let (mut pack, bytes) = pack(parts, from);
    if from > 0 {
        pack.withdrawn = withdrawn;
    }
    (pack, bytes)
}

/// The pack of one change.
pub(crate) fn pack(parts: impl Iterator<Item = Document>, from: u64) -> (Pack, Vec<u8>) {
    let text: Vec<u8> = parts.flat_map(|part| v2::encode(&part, BASE)).collect();
    let bytes = zstd::bulk::compress(&text, 3).unwrap();
    let pack = Pack {
        from,
        to: from + 1,
        sha256: Sha256Digest::of(&bytes),
        length: bytes.len() as u64,
        uncompressed: text.len() as u64,
        withdrawn: Withdrawn::new(),
    };
    (pack, bytes)
}
