//! The catalog after many changes: whoever has what there was at some serial comes to the same as who
//! begins anew, and need not fetch much more than what changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cargo_marketplace::formats::catalog_index::{self, CatalogIndex, Pack};
use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::pack::{MAX_UNPACKED, unpack};
use cargo_marketplace::formats::union::Union;
use cargo_marketplace::formats::{v1, v2};
use cargo_marketplace::model::{Body, PackageName, Silent};
use cargo_marketplace::publish::check::{Depth, check};
use cargo_marketplace::publish::packs::{self, Contents};

use crate::samples::copy;
use crate::small_registry::{
    BASE, apply, archive, make, next_day, now, publish, recover, set_catalog, submission,
};

fn index(root: &Path) -> CatalogIndex {
    catalog_index::decode(&fs::read(root.join(layout::CATALOG_INDEX)).unwrap()).unwrap()
}

fn take(union: &mut Union, root: &Path, format: Format, packs: &[&Pack]) {
    for pack in packs {
        let bytes = fs::read(root.join(layout::pack(&pack.sha256, format))).unwrap();
        let text = unpack(&bytes, pack, MAX_UNPACKED).unwrap();
        let documents = match format {
            Format::V1 => v1::decode_pack(&text).unwrap(),
            Format::V2 => v2::decode_pack(&text, BASE).unwrap(),
        };
        union.take(pack, documents);
    }
}

fn whole(root: &Path, format: Format) -> Union {
    let index = index(root);
    let mut union = Union::default();
    take(&mut union, root, format, &index.since(0, format).unwrap());
    union
}

/// One change of some kind.
fn change(root: &Path, round: usize) {
    let yank = |package: &str, version: &str| {
        let (version, reason) = (version.parse().unwrap(), None);
        apply(
            root,
            submission(root, package, Body::Yank { version, reason }),
        );
    };
    let withdraw = |package: &str, version: &str| {
        let (version, reason) = (version.parse().unwrap(), None);
        recover(root, package, Body::Withdraw { version, reason });
    };
    let of = |round: usize| (format!("moon-{round}"), format!("1.{round}.0"));
    match round % 10 {
        0 | 5 => publish(root, &[archive("tide-moon", &of(round).1, "")]),
        6 => yank("tide-moon", &of(round - 1).1),
        7 => withdraw("tide-moon", &of(round - 7).1),
        8 => yank(&of(round - 6).0, "1.0.0"),
        9 => withdraw(&of(round - 6).0, "1.0.0"),
        // So that packs grow fast.
        _ => {
            let names = (0..400).map(|number| format!("a-name-of-a-feature-{number} = []\n"));
            let features = format!("[features]\n{}", names.collect::<String>());
            publish(root, &[archive(&of(round).0, "1.0.0", &features)]);
        }
    }
}

#[test]
fn every_way_leads_to_the_same() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    next_day(root);
    let mut seen: BTreeMap<u64, [Union; 2]> = BTreeMap::new();
    let mut most = 0;
    for round in 0..100 {
        change(root, round);
        let index = index(root);
        most = most.max(index.packs(Format::V2).len());
        if round % 9 == 0 {
            seen.insert(index.serial, Format::BOTH.map(|format| whole(root, format)));
        }
    }
    let index = index(root);
    let [first, second] = Format::BOTH.map(|format| whole(root, format));
    assert_eq!(first, second);
    // Packs were merged, and what they were merged from is still there.
    assert!(most > 5, "{most} packs");
    let way = index.since(0, Format::V2).unwrap();
    assert!(way.len() > 1 && way.len() < index.v2.len(), "{index:?}");
    for (serial, unions) in seen {
        for (format, mut union) in Format::BOTH.into_iter().zip(unions) {
            let way = index.since(serial, format).unwrap();
            take(&mut union, root, format, &way);
            assert!(union == first, "{format:?} since {serial}");
        }
    }
    let report = check(root, now(), Depth::Usual, &Silent).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

/// With the same keys, so that the registry can be signed anew.
#[test]
fn a_pack_that_misleads_is_found() {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    let other = tempfile::tempdir().unwrap();
    copy(root.path(), other.path());
    next_day(other.path());
    // The packs of the day after, said to lead to the day before.
    let mut index = index(root.path());
    let later = self::index(other.path());
    for format in Format::BOTH {
        for pack in later.packs(format) {
            let path = layout::pack(&pack.sha256, format);
            fs::copy(other.path().join(&path), root.path().join(&path)).unwrap();
            let (from, to) = (1, index.serial);
            index.packs_mut(format).push(Pack {
                from,
                to,
                ..pack.clone()
            });
        }
    }
    set_catalog(root.path(), &index);
    let report = check(root.path(), now(), Depth::Usual, &Silent).unwrap();
    let problems: Vec<String> = report.findings.iter().map(|f| f.problem.text()).collect();
    let misleads =
        |format: &str| format!("its {format} packs do not lead from each serial to the same");
    assert_eq!(problems, [misleads("v1"), misleads("v2")]);
}

/// The last change of a registry apart from what was before, beside a pack of everything, as the writer
/// lists packs that were merged; `spoil` says what is wrong with the last one.
fn spoilt(
    root: &Path,
    format: Format,
    spoil: impl Fn(&mut Contents, &mut Pack),
) -> (Vec<String>, CatalogIndex) {
    let index = index(root);
    let [whole] = index.packs(format) else {
        panic!("{index:?}");
    };
    let bytes = fs::read(root.join(layout::pack(&whole.sha256, format))).unwrap();
    let all = packs::split(&bytes, whole, format).unwrap();
    let is_new = |package: &PackageName| package.as_str() == "tide-clock";
    let part = |new: bool| Contents {
        documents: all
            .documents
            .clone()
            .into_iter()
            .filter(|(name, _)| is_new(name) == new)
            .collect(),
        ..Contents::default()
    };
    let mut last = part(true);
    let mut listed = vec![whole.clone()];
    let add = |contents: Contents, range| {
        let (bytes, pack) = packs::make(contents, range).unwrap();
        fs::write(root.join(layout::pack(&pack.sha256, format)), bytes).unwrap();
        pack
    };
    listed.push(add(part(false), (0, index.serial - 1)));
    let mut claimed = Pack {
        from: index.serial - 1,
        to: index.serial,
        ..whole.clone()
    };
    spoil(&mut last, &mut claimed);
    let withdrawn = claimed.withdrawn;
    listed.push(Pack {
        withdrawn,
        ..add(last, (claimed.from, claimed.to))
    });
    let mut spoilt = index.clone();
    *spoilt.packs_mut(format) = listed;
    set_catalog(root, &spoilt);
    let report = check(root, now(), Depth::Usual, &Silent).unwrap();
    let problems = report.findings.iter().map(|found| found.problem.text());
    (problems.collect(), index)
}

/// Who takes the pack of everything sees nothing of it; who was here the day before does.
#[test]
fn a_pack_beside_another_that_lacks_something_is_found() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    make(root);
    next_day(root);
    for format in Format::BOTH {
        let wrong = [format!(
            "its {} packs do not lead from each serial to the same",
            format.as_str()
        )];
        let (sound, before) = spoilt(root, format, |_, _| {});
        assert!(sound.is_empty(), "{sound:?}");
        set_catalog(root, &before);
        let (lacks, _) = spoilt(root, format, |last, _| last.documents.clear());
        assert_eq!(lacks, wrong);
        set_catalog(root, &before);
        let (stale, _) = spoilt(root, format, |last, _| {
            for bytes in last.documents.values_mut() {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text
                    .replace("A small tide-clock", "A large tide-clock")
                    .into();
                assert_ne!(*bytes, text.into_bytes());
            }
        });
        assert_eq!(stale, wrong);
        set_catalog(root, &before);
        let (withdraws, _) = spoilt(root, format, |_, pack| {
            let versions = ["0.2.0".parse().unwrap()].into();
            pack.withdrawn = [("tide-table".parse().unwrap(), versions)].into();
        });
        assert_eq!(withdraws, wrong);
        set_catalog(root, &before);
    }
}
