//! `registry check`: a sound registry passes, and no file of it can be changed unnoticed.

use std::fs;
use std::path::Path;

use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::record::{self, FileDigest};
use cargo_marketplace::install::archive::{Limits, derive};
use cargo_marketplace::model::{PackageName, Release, Sha256Digest, UtcTime};
use cargo_marketplace::publish::check::{Depth, Report, check};
use cargo_marketplace::publish::folder::{Folder, FolderError};
use cargo_marketplace::publish::journal::Change;
use insta::assert_snapshot;

use crate::env::{NOW, TestEnv};
use crate::small_registry::{Silent, archive, files, make, next_day, now, propose, role_keys};

fn checked(root: &Path) -> Report {
    check(root, now(), Depth::Usual, &Silent).unwrap()
}

fn made() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    root
}

/// The findings, a line each.
fn lines(report: &Report) -> String {
    let lines = report
        .findings
        .iter()
        .map(|finding| format!("{}: {}\n", finding.path, finding.problem.text()));
    lines.collect()
}

#[test]
fn a_sound_registry_passes() {
    let root = made();
    let report = checked(root.path());
    assert_eq!(lines(&report), "");
    let counts = (report.packages, report.releases, report.serial);
    assert_eq!(counts, (2, 3, 3));
    assert_eq!(report.ageing, []);
    assert_eq!(report.unchecked, None);
    let old = |path: &String| {
        let file = path.rsplit('/').next().unwrap();
        path.starts_with("tuf/") || file.len() > 64
    };
    assert!(report.unreferenced.iter().all(old), "{report:?}");
}

/// What can happen to a file: a byte is another one, the end is gone, there is more, all is gone.
fn mutations(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let mut all = vec![("deleted".to_owned(), None)];
    let mut add = |name: String, bytes: Vec<u8>| all.push((name, Some(bytes)));
    for more in [" ", "\n", "x"] {
        add(format!("{more:?} added"), [bytes, more.as_bytes()].concat());
    }
    add("emptied".into(), Vec::new());
    add("cut".into(), bytes[..bytes.len() - 1].to_vec());
    // The bit that makes a letter upper or lower case, and the last bit.
    for (place, bit) in [(0, 1), (1, 32), (2, 1), (3, 32), (4, 1)] {
        let at = (bytes.len() - 1) * place / 4;
        let mut changed = bytes.to_vec();
        changed[at] ^= bit;
        add(format!("bit {bit} of byte {at} flipped"), changed);
    }
    all
}

/// The package whose files a path belongs to.
fn package_of(path: &str) -> Option<PackageName> {
    let packages = ["libm_lite", "tide-table"];
    let found = packages.into_iter().find(|name| path.contains(name))?;
    Some(found.parse().unwrap())
}

#[test]
fn no_file_can_be_changed_unnoticed() {
    let root = made();
    let unreferenced = checked(root.path()).unreferenced;
    let mut tried = 0;
    for (path, bytes) in files(root.path()) {
        let file = root.path().join(&path);
        for (name, changed) in mutations(&bytes) {
            let is_old = unreferenced.contains(&path);
            // An old version may be gone; and metadata has no digest in its name.
            if is_old && (changed.is_none() || path.starts_with("tuf/")) {
                continue;
            }
            match changed {
                Some(changed) => fs::write(&file, changed).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let report = checked(root.path());
            let package = package_of(&path);
            let names_it = report.findings.iter().any(|finding| {
                finding.path == path || (package.is_some() && finding.package == package)
            });
            assert!(names_it, "{path} {name}: {report:#?}");
            tried += 1;
        }
        fs::write(&file, bytes).unwrap();
    }
    assert_eq!(lines(&checked(root.path())), "");
    assert!(tried > 500, "{tried}");
}

#[test]
fn says_what_is_wrong_with_each_kind_of_file() {
    let env = TestEnv::new();
    let market = env.path("work/market");
    make(&market);
    assert_snapshot!(env.run(["registry", "check", "market"]), @"
    exit: 0
    --- stdout
    --- stderr
        Checking `market`
    note: 21 files that nothing refers to; `--verbose` lists them
        Finished 2 packages, 3 releases, 49 files are in order; serial 3
    ");
    fs::write(market.join("config.json"), "{}").unwrap();
    fs::write(market.join("ti/de/tide-table"), "{}\n").unwrap();
    fs::remove_file(market.join("policy.json")).unwrap();
    env.write("work/market/st/ra/stray", "{}\n");
    for (path, _) in files(&market) {
        let is_archive = path.starts_with("crates/");
        if is_archive && path.contains("libm_lite") {
            fs::remove_file(market.join(path)).unwrap();
        } else if is_archive {
            fs::write(market.join(path), "no gzip").unwrap();
        }
    }
    fs::write(market.join(present_pack(&market)), "no zstd").unwrap();
    let check = env.command(["registry", "check", "market"]);
    assert_snapshot!(check.redact_digests().run().to_string(), @"
    exit: 3
    --- stdout
    catalog/[DIGEST].ttl.zst: it should have 1015 bytes and the sha256 [DIGEST], and has 7 and [DIGEST]
    config.json: it is not what belongs to the base `https://registry.example/`
    crates/libm_lite/[DIGEST].crate: the archive of version 1.0.0 is not in order: it is missing
    crates/tide-table/[DIGEST].crate: the archive of version 0.1.0 is not in order: it should have 293 bytes and the sha256 [DIGEST], and has 7 and [DIGEST]
    crates/tide-table/[DIGEST].crate: the archive of version 0.2.0 is not in order: it should have 292 bytes and the sha256 [DIGEST], and has 7 and [DIGEST]
    policy.json: it is missing
    st/ra/stray: no record covers it, and stock cargo reads it
    ti/de/tide-table: it is not the same as `ti/de/[DIGEST].tide-table`
    --- stderr
        Checking `market`
    note: 21 files that nothing refers to; `--verbose` lists them
    error: check found 8 problems
    ");
}

/// The v2 pack of the present catalog.
fn present_pack(market: &Path) -> String {
    let index = fs::read(market.join("catalog/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    format!(
        "catalog/{}.ttl.zst",
        index["v2"][0]["sha256"].as_str().unwrap()
    )
}

#[test]
fn machines_get_an_object_for_each_finding() {
    let env = TestEnv::new();
    let market = env.path("work/market");
    make(&market);
    fs::remove_file(market.join("ti/de/tide-table.ttl")).unwrap();
    let json = env.command(["registry", "check", "market", "--message-format", "json"]);
    let outcome = json.redact_digests().run();
    let is_finding = |line: &&str| !line.contains("\"unreferenced\",");
    let lines: Vec<_> = outcome.stdout.lines().filter(is_finding).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"reason":"finding","schema":1,"message":"it is missing","package":"tide-table","path":"ti/de/tide-table.ttl"}
    {"reason":"check-finished","schema":1,"files":49,"findings":1,"packages":2,"releases":3,"root":"sha256:[DIGEST]","serial":3,"unclaimed":[],"unreferenced":21,"waiting":[]}
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":3,"help":null,"message":"check found 1 problem","note":null}
    "#);
}

#[test]
fn metadata_that_ends_soon_is_a_warning_and_past_its_end_a_finding() {
    let env = TestEnv::new();
    make(&env.path("work/market"));
    for days in [5, 8] {
        let later = (NOW + days * 86_400).to_string();
        let check = env.command(["registry", "check", "market"]);
        let outcome = check.env("CARGO_MARKETPLACE_NOW", later).run().to_string();
        match days {
            5 => assert_snapshot!(outcome, @"
            exit: 0
            --- stdout
            --- stderr
                Checking `market`
            warning: `timestamp` expires at 2026-11-29T12:00:00Z: less than a third of its life is left
            note: 21 files that nothing refers to; `--verbose` lists them
                Finished 2 packages, 3 releases, 49 files are in order; serial 3
            "),
            _ => assert_snapshot!(outcome, @"
            exit: 3
            --- stdout
            tuf/timestamp.json: it expired at 2026-11-29T12:00:00Z
            --- stderr
                Checking `market`
            note: 21 files that nothing refers to; `--verbose` lists them
            error: check found 1 problem
            "),
        }
    }
}

#[test]
fn a_folder_without_a_registry_is_a_failure() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["registry", "check", "."]), @r"
    exit: 101
    --- stdout
    --- stderr
        Checking `.`
    error: `[ROOT]/work/.` holds no registry
    help: `cargo marketplace registry init DIR --solo --base-url URL` makes one
    ");
}

#[test]
fn a_role_that_breaks_does_not_hide_what_the_others_list() {
    let root = made();
    let file = root.path().join("tuf/1.rollout.json");
    fs::write(&file, "{}").unwrap();
    fs::remove_file(root.path().join("ti/de/tide-table")).unwrap();
    assert_snapshot!(lines(&checked(root.path())), @r"
    ti/de/tide-table: it is missing
    tuf/1.rollout.json: what came for `rollout` is no metadata
    ");
}

#[cfg(unix)]
#[test]
fn a_link_is_no_file_of_a_registry() {
    let root = made();
    let plain = root.path().join("policy.json");
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    fs::copy(&plain, elsewhere.path()).unwrap();
    fs::remove_file(&plain).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &plain).unwrap();
    assert_snapshot!(lines(&checked(root.path())), @"policy.json: it cannot be read: it is no regular file");
}

#[test]
fn a_time_before_all_is_no_obstacle() {
    let root = made();
    let report = check(
        root.path(),
        UtcTime::from_unix(0).unwrap(),
        Depth::Usual,
        &Silent,
    )
    .unwrap();
    assert_eq!(lines(&report), "");
}

/// A registry of which the signed release says something else than its archive holds.
fn made_with_a_lie(lie: impl Fn(&mut Release)) -> tempfile::TempDir {
    let root = made();
    let bytes = archive(
        "sluice",
        "1.0.0",
        "rust-version = \"1.85\"\n[dependencies]\nlibm_lite = \"1\"\n",
    );
    let mut release = derive(&bytes, &Home::Mirror, &Limits::default()).unwrap();
    lie(&mut release);
    propose(root.path(), release, bytes);
    root
}

fn deep(root: &Path) -> Report {
    check(root, now(), Depth::Deep, &Silent).unwrap()
}

/// A change of what is signed.
type Lie = fn(&mut Release);

#[test]
fn a_deep_check_derives_anew_what_releases_say() {
    let truth = made_with_a_lie(|_| {});
    assert_eq!(lines(&deep(truth.path())), "");
    let lies: [(&str, Lie); 5] = [
        ("list of dependencies", |release| {
            release.dependencies.clear();
        }),
        ("list of features", |release| {
            release.features.insert("extra".into(), Vec::new());
        }),
        ("rust version", |release| release.rust_version = None),
        ("description", |release| {
            release.description = Some("A lie".into());
        }),
        ("license", |release| release.license = None),
    ];
    for (field, lie) in lies {
        let root = made_with_a_lie(lie);
        assert_eq!(lines(&checked(root.path())), "", "{field}: signed as it is");
        let found = lines(&deep(root.path()));
        let expected =
            format!("the registry states another {field} for `sluice 1.0.0` than its archive");
        assert!(found.contains(&expected), "{field}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[test]
fn a_deep_check_finds_archives_that_hold_no_package() {
    let root = made();
    let bytes = b"no archive".to_vec();
    let good = archive("sluice", "1.0.0", "");
    let mut release = derive(&good, &Home::Mirror, &Limits::default()).unwrap();
    release.checksum = Sha256Digest::of(&bytes);
    release.size = Some(bytes.len() as u64);
    propose(root.path(), release, bytes);
    assert_eq!(lines(&checked(root.path())), "");
    let found = lines(&deep(root.path()));
    assert!(found.starts_with("crates/sluice/"), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn a_deep_check_finds_documents_in_other_bytes() {
    for format in Format::BOTH {
        let root = made();
        let package: PackageName = "tide-table".parse().unwrap();
        let mut folder = Folder::open(root.path()).unwrap();
        let mut record = folder.record(&package).unwrap().unwrap();
        let plain = layout::document(&package, format);
        let mut bytes = fs::read(root.path().join(&plain)).unwrap();
        // The online key lists a document that says the same.
        match format {
            Format::V1 => bytes.insert(1, b' '),
            Format::V2 => bytes.extend(b"# the end\n"),
        }
        let digest = Some(FileDigest::of(&bytes));
        match format {
            Format::V1 => record.documents.v1 = digest,
            Format::V2 => record.documents.v2 = digest,
        }
        let mut change = Change::default();
        change.add_hashed(&plain, bytes);
        let encoded = record::encode(&record).unwrap();
        folder.set_record(&package, &encoded).unwrap();
        change.add_hashed(&layout::record(&package), encoded);
        folder.commit(change, &role_keys(), now()).unwrap();
        assert_eq!(lines(&checked(root.path())), "");
        let found = lines(&deep(root.path()));
        assert!(
            found.contains("it is not byte for byte what the releases give"),
            "{found}"
        );
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

/// Whoever can change the folder, as by a pull request, may put files back that were good once.
#[test]
fn an_older_state_that_was_put_back_is_found_and_not_published_further() {
    let root = made();
    let timestamp = root.path().join(layout::TIMESTAMP);
    let older = fs::read(&timestamp).unwrap();
    next_day(root.path());
    fs::write(&timestamp, &older).unwrap();
    let before = files(root.path());
    let refused = Folder::open(root.path()).unwrap_err();
    assert!(matches!(refused, FolderError::PutBack(_)), "{refused}");
    let found = lines(&checked(root.path()));
    let newer = "it is newer than what is in force: an older state of the registry was put back";
    assert!(found.contains(newer), "{found}");
    // Where the later snapshots were taken away, too, other files are still what they were.
    for path in before.keys().filter(|path| path.ends_with("snapshot.json")) {
        if is_later(path, &older) {
            fs::remove_file(root.path().join(path)).unwrap();
        }
    }
    let mut folder = Folder::open(root.path()).unwrap();
    let index = fs::read(root.path().join(layout::CATALOG_INDEX)).unwrap();
    folder
        .set_target("catalog", layout::CATALOG_INDEX, &index)
        .unwrap();
    let refused = folder
        .commit(Change::default(), &role_keys(), now())
        .unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("is there already with other bytes"),
        "{refused}"
    );
}

/// Whether a snapshot is of a later version than a timestamp announces.
fn is_later(path: &str, timestamp: &[u8]) -> bool {
    let timestamp: serde_json::Value = serde_json::from_slice(timestamp).unwrap();
    let announced = timestamp["signed"]["meta"]["snapshot.json"]["version"]
        .as_u64()
        .unwrap();
    let version = path.trim_start_matches("tuf/").split('.').next().unwrap();
    version.parse::<u64>().unwrap() > announced
}
