//! A registry that does not answer, past the expiry of what is known of it.

use std::fs;

use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::fixture::Fixture;
use crate::samples::{Market, show};

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";

/// Long after everything in the fixture has expired.
const LATER: &str = "3000000000";

fn silent() -> TestEnv {
    let env = TestEnv::new();
    let folder = Fixture::get().add_to(&env);
    fs::rename(&folder, env.path("gone")).unwrap();
    env
}

fn later(env: &TestEnv, arguments: &[&str]) -> crate::env::Outcome {
    let command = env.command(arguments.iter().copied());
    command.env("CARGO_MARKETPLACE_NOW", LATER).run()
}

#[test]
fn an_expired_copy_is_searched_with_a_warning() {
    let env = TestEnv::new();
    let folder = Fixture::get().add_to(&env);
    env.run(["search", "tide"]);
    fs::rename(&folder, env.path("gone")).unwrap();
    let found = later(&env, &["search", "tide"]);
    assert_eq!(found.code, Some(0), "{found}");
    assert!(found.to_string().contains("expired at"), "{found}");
}

#[test]
fn nothing_is_chosen_from_an_expired_copy_unless_offline_is_meant() {
    let env = silent();
    let refused = later(&env, &["install", "anything", "--dry-run"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.to_string().contains("error[MP0404]"), "{refused}");
    let meant = later(&env, &["install", "anything", "--dry-run", "--offline"]);
    assert_ne!(meant.code, Some(4), "{meant}");
}

#[test]
fn a_project_is_built_as_it_was_locked_and_nothing_new_is_locked() {
    let mut market = Market::published();
    market.project("app", APP);
    market.project("later", APP);
    let locked = market.env.command(["fetch"]).folder("work/app").run();
    assert_eq!(locked.code, Some(0), "{locked}");
    market.stop();
    let exec = |folder: &str, more: &[&str]| {
        let line = more.iter().chain(&["exec", "--", "check"]);
        let command = market.env.command(line).folder(folder);
        command.env("CARGO_MARKETPLACE_NOW", LATER).run()
    };
    let built = exec("work/app", &[]);
    assert_eq!(built.code, Some(0), "{built}");
    assert!(built.to_string().contains("expired at"), "{built}");
    let refused = exec("work/later", &[]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.to_string().contains("error[MP0404]"), "{refused}");
    assert!(!market.env.path("work/later/Cargo.lock").exists());
    let meant = exec("work/later", &["--offline"]);
    assert_eq!(meant.code, Some(0), "{meant}");
}

#[test]
fn a_registry_that_nobody_changes_is_kept_alive_by_refresh() {
    let market = Market::published();
    let at = |day: i64, line: &str| {
        let time = (crate::env::NOW + day * 86_400).to_string();
        show(
            market
                .env
                .command(line.split(' '))
                .env("CARGO_MARKETPLACE_NOW", time),
        )
    };
    assert_snapshot!(at(3, "registry refresh registry"), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged no online role is past half its life
    ");
    assert_snapshot!(at(6, "registry refresh registry"), @"
    exit: 0
    --- stdout
    --- stderr
       Refreshed timestamp
    ");
    assert_snapshot!(at(12, "search tide-table"), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli   = "1.2.0"  # Print tide tables in the terminal  signed
    --- stderr
        Updating `harbour` index
    warning: of `harbour`, `timestamp` expires at 2026-12-05T12:00:00Z: less than a third of its life is left; tell its operator
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(at(50, "registry refresh registry --message-format json"), @r#"
    exit: 0
    --- stdout
    {"reason":"refreshed","schema":1,"ageing":[],"roles":["catalog","packages-0","packages-1","packages-2","packages-3","packages-4","packages-5","packages-6","packages-7","snapshot","timestamp"]}
    --- stderr
       Refreshed catalog, packages-0, packages-1, packages-2, packages-3, packages-4, packages-5, packages-6, packages-7, snapshot, timestamp
    "#);
    assert_snapshot!(at(50, "registry check registry"), @"
    exit: 0
    --- stdout
    --- stderr
    note: 19 files that nothing refers to; `--verbose` lists them
        Finished 3 packages, 3 releases, 55 files are in order; serial 1
    ");
    assert_snapshot!(at(300, "registry refresh registry"), @"
    exit: 0
    --- stdout
    --- stderr
    warning: `root` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
    warning: `targets` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
    warning: `policy` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
    warning: `rollout` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
    warning: `claimed` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
    warning: `packages` expires at 2027-11-22T12:00:00Z: less than a third of its life is left
       Refreshed catalog, packages-0, packages-1, packages-2, packages-3, packages-4, packages-5, packages-6, packages-7, snapshot, timestamp
    ");
}
