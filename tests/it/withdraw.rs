//! Versions that the operator takes out of a registry for good.

use insta::assert_snapshot;

use crate::samples::{Market, copy};
use crate::small_registry::files;

#[test]
fn what_is_withdrawn_is_gone() {
    let market = Market::published();
    market.publish_next();
    let folder = market.env.path("work/registry/crates/tide-table");
    let archives = || std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(archives(), 2);
    let plan = "registry withdraw registry tide-table@0.3.2 --dry-run";
    assert_snapshot!(market.run(plan.split(' ')), @r#"
    exit: 0
    --- stdout
    {"body":{"kind":"withdraw","version":"0.3.2"},"package":"tide-table","previous":"[DIGEST]","registry_id":"[DIGEST]","schema":1,"sequence":4}
    --- stderr
     Withdrawing tide-table v0.3.2
    warning: nothing was written, as this is a dry run
    "#);
    assert_eq!(archives(), 2);
    let withdraw = [
        "registry",
        "withdraw",
        "registry",
        "tide-table@0.3.2",
        "--reason",
        "it holds a key",
    ];
    assert_snapshot!(market.run(withdraw), @"
    exit: 0
    --- stdout
    --- stderr
     Withdrawing tide-table v0.3.2
        Finished serial 3, 10 files written
    note: remove the archive from mirrors, caches and the history of a git repository, too
    ");
    assert_eq!(archives(), 1);
    market.must(["registry", "check", "registry"]);

    assert_snapshot!(market.run(["info", "tide-table", "--versions", "--signatures"]), @r#"
    exit: 0
    --- stdout
    tide-table #tides #embedded #prediction
    Harmonic tide prediction for small displays
    version: 0.3.1 (latest)
    license: MIT OR Apache-2.0
    rust-version: 1.85
    contains: library
    signed: [FINGERPRINT] by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://registry.example.org/source/tides
    dependencies: none
    dependents: 1
    features:
      +default = [std]
      +std     = []
    versions:
      0.3.1  2026-11-22  signed
    signatures:
      1 genesis owned by harbour (1 of 1 must sign), [FINGERPRINT] by harbour
      2 release 0.3.1, [FINGERPRINT] by harbour
      3 release 0.3.2, [FINGERPRINT] by harbour
      4 withdraw 0.3.2 "it holds a key", [FINGERPRINT] by the registry's operator
    --- stderr
        Updating `harbour` index
    "#);
}

#[test]
fn nobody_gets_what_was_withdrawn_again() {
    let market = Market::published();
    market.publish_next();
    market.project(
        "app",
        "tide-table = { version = \"=0.3.2\", registry = \"harbour\" }\n",
    );
    let locked = market.env.command(["fetch"]).folder("work/app").run();
    assert_eq!(locked.code, Some(0), "{locked}");

    market.must("registry withdraw registry tide-table@0.3.2".split(' '));
    assert_snapshot!(market.run(["verify", "tide-table@0.3.2"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no release `tide-table` 0.3.2 in the registry
    help: `cargo marketplace search WORDS` looks for packages, `info NAME --versions` lists releases
    ");
    assert_snapshot!(market.run_in("work/app", ["exec", "--", "build"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: the lock file names `tide-table` 0.3.2, which is not in the registry
    note: nothing was written
    help: it may have been withdrawn: `cargo update` takes another release
    ");
    let found = market.run(["search", "tide-table"]);
    assert!(found.contains("\"0.3.1\""), "{found}");
    let again = [
        "publish",
        "--registry-dir",
        "../registry",
        "-p",
        "tide-table",
        "--no-verify",
    ];
    assert_snapshot!(market.run_in("work/samples", again), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0604]: `tide-table` 0.3.2 was withdrawn
    note: nothing was written
    help: a version is published once; raise it in `Cargo.toml`
    ");
}

/// Stock cargo is given every line that was ever verified here.
#[test]
fn what_was_withdrawn_is_no_choice_where_it_was_known() {
    let market = Market::published();
    market.publish_next();
    let newest = "tide-table = { version = \"0.3\", registry = \"harbour\" }\n";
    market.project("before", newest);
    let fetch = ["fetch", "--write-config"];
    let fetched = market.env.command(fetch).folder("work/before").run();
    assert_eq!(fetched.code, Some(0), "{fetched}");
    assert!(market.env.read("work/before/Cargo.lock").contains("0.3.2"));
    market.must("registry withdraw registry tide-table@0.3.2".split(' '));

    market.project("after", newest);
    let build = ["exec", "--", "build"];
    let outcome = market.env.command(build).folder("work/after").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(market.env.read("work/after/Cargo.lock").contains("0.3.1"));
    // And by plain cargo, which reads what lies there.
    let update = market.env.cargo(["update"]).folder("work/before").run();
    assert_eq!(update.code, Some(0), "{update}");
    assert!(
        market.env.read("work/before/Cargo.lock").contains("0.3.1"),
        "{update}"
    );
}

#[test]
fn a_package_of_which_nothing_is_left() {
    let market = Market::published();
    market.must("registry withdraw registry tide-table@0.3.1".split(' '));
    assert_snapshot!(market.run(["registry", "check", "registry"]), @"
    exit: 0
    --- stdout
    --- stderr
    note: 18 files that nothing refers to; `--verbose` lists them
        Finished 3 packages, 2 releases, 54 files are in order; serial 2
    ");
    assert_snapshot!(market.run(["info", "tide-table"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: `tide-table` has no release
    note: every release of it was withdrawn
    help: `cargo marketplace search WORDS` looks for packages, `info NAME --versions` lists releases
    ");
    assert_snapshot!(market.run(["search", "tide"]), @r#"
    exit: 0
    --- stdout
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    --- stderr
        Updating `harbour` index
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    assert!(market.run(["install", "tide-cli"]).starts_with("exit: 101"));
}

#[test]
fn what_is_withdrawn_is_not_withdrawn_again() {
    let market = Market::published();
    let withdraw = || market.run("registry withdraw registry tide-table@0.3.1".split(' '));
    withdraw();
    let before = files(&market.env.path("work/registry"));
    assert_snapshot!(withdraw(), @"
    exit: 101
    --- stdout
    --- stderr
    error: `tide-table` 0.3.1 was withdrawn already
    note: its archive is gone, too; nothing was written
    ");
    assert!(files(&market.env.path("work/registry")) == before);
}

/// Ended after the commit, before the archive is removed.
#[cfg(debug_assertions)]
#[test]
fn a_withdrawal_that_was_cut_off_is_finished_by_the_same_command() {
    let market = Market::published();
    let registry = market.env.path("work/registry");
    let saved = market.env.path("saved");
    copy(&registry, &saved);
    let log = market.env.path("steps");
    let line = "registry withdraw registry tide-table@0.3.1";
    let until = |step: usize| {
        std::fs::write(&log, "").unwrap();
        let value = format!("{step}:{}", log.display());
        let command = market.env.command(line.split(' '));
        command.env("CARGO_MARKETPLACE_TEST_STEPS", value).run()
    };
    let undisturbed = until(0);
    assert_eq!(undisturbed.code, Some(0), "{undisturbed}");
    let expected = files(&registry);
    let steps = std::fs::read_to_string(&log).unwrap();
    let is_removal =
        |step: &str| step.starts_with("remove ") && step.contains("/crates/tide-table/");
    let removal = 1 + steps.lines().position(is_removal).unwrap();
    std::fs::remove_dir_all(&registry).unwrap();
    copy(&saved, &registry);

    assert_eq!(until(removal).code, None);
    let cut_off = files(&registry);
    let more = cut_off.keys().filter(|path| !expected.contains_key(*path));
    assert_eq!(more.count(), 1);
    let run = |line: &str| market.run(line.split(' '));
    assert_snapshot!(run(&format!("{line} --dry-run")), @"
    exit: 0
    --- stdout
    --- stderr
        Removing crates/tide-table/[DIGEST].crate
    warning: nothing was written, as this is a dry run
    ");
    assert!(files(&registry) == cut_off);
    assert_snapshot!(run(line), @"
    exit: 0
    --- stdout
    --- stderr
        Removing crates/tide-table/[DIGEST].crate
    note: `tide-table` 0.3.1 was withdrawn already, and its archive was still there
    note: remove the archive from mirrors, caches and the history of a git repository, too
    ");
    assert!(files(&registry) == expected);
    assert_snapshot!(run(line), @"
    exit: 101
    --- stdout
    --- stderr
    error: `tide-table` 0.3.1 was withdrawn already
    note: its archive is gone, too; nothing was written
    ");
    assert!(files(&registry) == expected);
}

#[test]
fn only_a_recovery_key_withdraws() {
    let market = Market::published();
    std::fs::remove_file(market.env.marketplace_home().join("keys/offline.pem")).unwrap();
    assert_snapshot!(market.run("registry withdraw registry tide-table@0.3.1".split(' ')), @"
    exit: 101
    --- stdout
    --- stderr
     Withdrawing tide-table v0.3.1
    error[MP0602]: no recovery key is in the key folder
    help: the registry's policy names them; a solo registry's is its offline key
    ");
}
