//! Writers that are ended in the middle, and writers that meet: no client ever reads half a change,
//! and the next command leaves the registry whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use cargo_marketplace::publish::check::{Depth, Problem, Report, check};
use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::small_registry::{BASE, Silent, archive, files, fingerprint, now};

const ROUNDS: u32 = 15;
const PACKAGES: usize = 25;

/// An operator with a registry of one package, and archives of more.
fn operator() -> TestEnv {
    let env = TestEnv::new();
    let init = ["registry", "init", "market", "--solo", "--no-passphrase"];
    let outcome = env.command([&init[..], &["--base-url", BASE]].concat());
    assert_eq!(outcome.run().code, Some(0));
    env.write("work/first.crate", archive("first", "1.0.0", ""));
    for number in 0..PACKAGES {
        let name = format!("package-{number}");
        let bytes = archive(&name, "1.0.0", "");
        env.write(&format!("work/more/{name}.crate"), bytes);
    }
    let outcome = import(&env, "market", "first.crate").output().unwrap();
    assert!(outcome.status.success(), "{outcome:?}");
    env
}

/// Imports a file, or all of a folder.
fn import(env: &TestEnv, market: &str, what: &str) -> Command {
    let mut command = env
        .command(["registry", "import", market, "--as-mirror", "--vouch"])
        .into_command();
    if env.path("work").join(what).is_file() {
        command.arg(what);
    } else {
        let files = fs::read_dir(env.path("work").join(what)).unwrap();
        command.args(files.map(|file| file.unwrap().path()));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn copy(env: &TestEnv, to: &str) {
    let copied = env.program("cp", ["-a", "market", to]).run();
    assert_eq!(copied.code, Some(0), "{copied}");
}

fn checked(root: &Path) -> Report {
    check(root, now(), Depth::Usual, &Silent).unwrap()
}

/// The metadata that a change adds to a registry.
fn new_metadata(before: &Path, after: &Path) -> BTreeSet<String> {
    let (before, after) = (files(before), files(after));
    let paths = after.into_keys().filter(|path| !before.contains_key(path));
    let metadata: BTreeSet<String> = paths.filter(|path| path.starts_with("tuf/")).collect();
    assert!(metadata.contains("tuf/3.snapshot.json"), "{metadata:?}");
    metadata
}

/// What a client reads is whole: only plain copies, for people and stock cargo, may be ahead, and those
/// versions of metadata that the change under way will announce.
fn require_whole_for_clients(report: &Report, under_way: &BTreeSet<String>, round: u32) {
    assert_eq!(report.unchecked, None, "round {round}");
    assert!([1, 1 + PACKAGES].contains(&report.packages), "{report:?}");
    for finding in &report.findings {
        if matches!(finding.problem, Problem::PutBack) && under_way.contains(&finding.path) {
            continue;
        }
        let name = finding.path.rsplit('/').next().unwrap();
        let by_digest = name.len() > 64;
        let is_metadata = finding.path.starts_with("tuf/");
        assert!(!by_digest && !is_metadata, "round {round}: {finding:?}");
    }
}

/// Ends an import at moments spread over the time that it takes, and sees to the registry.
fn ended_at_any_moment(end: impl Fn(&mut Child)) {
    let env = operator();
    copy(&env, "whole");
    let begin = Instant::now();
    assert!(import(&env, "whole", "more").status().unwrap().success());
    let whole = begin.elapsed();
    let under_way = new_metadata(&env.path("work/market"), &env.path("work/whole"));
    for round in 0..ROUNDS + 5 {
        let market = format!("market-{round}");
        let root = env.path("work").join(&market);
        copy(&env, &market);
        let mut child = import(&env, &market, "more").spawn().unwrap();
        let plan = root.join(".journal/plan.json");
        if round < ROUNDS {
            sleep(whole * round / ROUNDS);
        } else {
            // The last ones in the moments between the plan and the commit point.
            while !plan.exists() && child.try_wait().unwrap().is_none() {}
        }
        end(&mut child);
        child.wait().unwrap();
        let before = checked(&root);
        require_whole_for_clients(&before, &under_way, round);
        let again = import(&env, &market, "more").output().unwrap();
        assert!(again.status.success(), "{again:?}");
        let after = checked(&root);
        assert!(after.findings.is_empty(), "round {round}: {after:?}");
        assert_eq!((after.packages, after.serial), (1 + PACKAGES, 2));
        fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn a_killed_import_is_finished_or_undone() {
    ended_at_any_moment(|child| child.kill().unwrap());
}

#[cfg(unix)]
#[test]
fn an_import_that_is_interrupted_is_finished_or_undone() {
    ended_at_any_moment(|child| {
        let id = child.id().to_string();
        // The import may have come to its end before.
        Command::new("kill").args(["-INT", &id]).status().unwrap();
    });
}

/// Stops an import between any two renames: what the kernel could show to somebody who reads at
/// that moment.
#[test]
fn a_reader_between_any_two_renames_sees_the_old_or_the_new() {
    let env = operator();
    let old = env.path("work/market");
    copy(&env, "new");
    assert!(import(&env, "new", "more").status().unwrap().success());
    let under_way = new_metadata(&old, &env.path("work/new"));
    let new = files(&env.path("work/new"));
    let before = files(&old);
    let changed = new
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(bytes));
    let changed: Vec<_> = changed.collect();
    // As the journal orders them; among files of one kind the order is of no matter.
    let rank = |path: &str| match path {
        "tuf/timestamp.json" => 3,
        _ if path.starts_with("tuf/") => 2,
        _ if path.rsplit('/').next().unwrap().len() > 64 => 0,
        _ => 1,
    };
    for stage in 0..4 {
        let files = changed.iter().filter(|(path, _)| rank(path) == stage);
        let files: Vec<_> = files.collect();
        let half = files.len() / 2;
        for part in [&files[..half], &files[half..]] {
            for (path, bytes) in part {
                env.write(&format!("work/market/{path}"), bytes);
            }
            require_whole_for_clients(&checked(&old), &under_way, stage);
        }
    }
    assert!(checked(&old).findings.is_empty());
    assert_eq!(fingerprint(&old), fingerprint(&env.path("work/new")));
}

#[test]
fn a_change_that_waits_to_be_finished_is_reported_and_finished() {
    let env = operator();
    let market = env.path("work/market");
    let timestamp = fs::read(market.join("tuf/timestamp.json")).unwrap();
    // As if the machine had gone down before the last rename.
    copy(&env, "new");
    assert!(import(&env, "new", "more").status().unwrap().success());
    let committed = env.path("work/new/tuf/timestamp.json");
    fs::create_dir_all(env.path("work/new/.journal")).unwrap();
    fs::rename(&committed, env.path("work/new/.journal/0.new")).unwrap();
    fs::write(&committed, timestamp).unwrap();
    let plan = r#"{"paths":["tuf/timestamp.json"]}"#;
    env.write("work/new/.journal/plan.json", plan);
    let check = env.command(["registry", "check", "new"]).run();
    let first = check.stdout.lines().next().unwrap();
    assert_snapshot!(first, @".journal/plan.json: a change was cut off, and the next command that changes the registry finishes it");
    assert_eq!(check.code, Some(3));
    let again = import(&env, "new", "first.crate").output().unwrap();
    assert!(again.status.success(), "{again:?}");
    let report = checked(&env.path("work/new"));
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.packages, report.serial), (1 + PACKAGES, 2));
}

#[test]
fn two_imports_at_once_both_land() {
    let env = operator();
    for name in ["left", "right"] {
        env.write(&format!("work/{name}.crate"), archive(name, "1.0.0", ""));
    }
    let children = ["left.crate", "right.crate"].map(|file| {
        let mut command = import(&env, "market", file);
        command.arg("--message-format=json");
        command.spawn().unwrap()
    });
    let mut serials: Vec<String> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, serial) = text.rsplit_once("\"serial\":").unwrap();
        serials.push(serial.trim_end_matches(['}', '\n']).to_owned());
    }
    serials.sort();
    assert_eq!(serials, ["2", "3"]);
    let report = checked(&env.path("work/market"));
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.packages, report.serial), (3, 3));
}

/// A registry whose making was cut off is no registry, or becomes one with the next command.
#[test]
fn a_killed_init_can_be_begun_again() {
    let env = TestEnv::new();
    let init = |market: &str| {
        let init = ["registry", "init", market, "--solo", "--no-passphrase"];
        let mut command = env
            .command([&init[..], &["--base-url", BASE]].concat())
            .into_command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begin = Instant::now();
    assert!(init("whole").status().unwrap().success());
    let whole = begin.elapsed();
    for round in 0..ROUNDS {
        let market = format!("market-{round}");
        let mut child = init(&market).spawn().unwrap();
        sleep(whole * round / ROUNDS);
        child.kill().unwrap();
        child.wait().unwrap();
        // It either is there already, which this then says, or is made.
        init(&market).status().unwrap();
        let report = checked(&env.path("work").join(&market));
        assert!(report.findings.is_empty(), "round {round}: {report:?}");
    }
}

/// What ends the program between two steps for tests is in no build for users.
#[test]
fn only_builds_for_tests_can_be_ended_before_a_step() {
    const VARIABLE: &str = "CARGO_MARKETPLACE_TEST_STEPS";
    let env = TestEnv::new();
    let new = env.command(["key", "new", "harbour", "--no-passphrase"]);
    let log = env.path("work/steps");
    let outcome = new.env(VARIABLE, format!("1:{}", log.display())).run();
    assert_eq!(outcome.code != Some(0), cfg!(debug_assertions), "{outcome}");
    assert_eq!(log.exists(), cfg!(debug_assertions));
    let program = fs::read(env!("CARGO_BIN_EXE_cargo-marketplace")).unwrap();
    let mut places = program.windows(VARIABLE.len());
    let is_named = places.any(|place| place == VARIABLE.as_bytes());
    assert_eq!(is_named, cfg!(debug_assertions));
}
