//! Mirrors that hand out every new timestamp and withhold what it announces: users stay with what was whole,
//! and choose from it no longer than its own timestamp lets them.

use std::sync::Arc;

use insta::assert_snapshot;

use super::{Days, World, day, error, forge, small_registry};
use crate::env::Outcome;
use crate::faults::{Fault, Files};

/// What stands between users and a file.
const FAULTS: [Fault; 4] = [
    Fault::Status(503),
    Fault::Status(404),
    Fault::Page,
    Fault::Closed,
];

/// A user who knows all of day 0, and then the registry as it is on day 5, with new releases and new
/// versions of these roles.
fn world(renewed: &[&str]) -> World {
    world_of(&Days::get().today, renewed)
}

/// The same without new releases.
fn quiet_world(renewed: &[&str]) -> World {
    world_of(&Days::get().yesterday, renewed)
}

fn world_of(files: &Files, renewed: &[&str]) -> World {
    let world = World::warm();
    world.files.lock().unwrap().clone_from(files);
    sign(&world, 5, renewed);
    let manifest = world.env.path("work/app/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    world.env.write("work/new/Cargo.toml", &manifest);
    world.env.write("work/new/src/lib.rs", "");
    world
}

/// The registry signs these roles, and a snapshot and timestamp, on that day.
fn sign(world: &World, on: u32, renewed: &[&str]) {
    world.forge(|forge| {
        for role in renewed {
            forge.role(role, |_| ());
        }
        let expires = small_registry::now().plus_days(on + 7).to_string();
        forge.at_last("timestamp", |signed| signed["expires"] = expires.into());
    });
}

/// From now on that is all that users do not get.
fn withhold(world: &World, role: &str, fault: &Fault) {
    world.server.only(&world.metadata(role), fault.clone());
}

fn run(world: &World, line: &str, folder: &str, on: i64) -> Outcome {
    let command = world.command(line).folder(folder);
    command.env("CARGO_MARKETPLACE_NOW", day(on)).run()
}

/// Chooses for a project that has no lock file, and takes its choice back.
fn choose(world: &World, on: i64) -> Outcome {
    let outcome = run(world, "fetch", "work/new", on);
    let lock = world.env.path("work/new/Cargo.lock");
    assert_eq!(outcome.code == Some(0), lock.exists(), "{outcome}");
    if lock.exists() {
        std::fs::remove_file(&lock).unwrap();
    }
    outcome
}

/// Nothing is chosen on that day, for want of the versions that are withheld.
fn refuses_to_choose(world: &World, on: i64, role: &str) {
    let outcome = choose(world, on);
    assert_eq!(outcome.code, Some(4), "{role}: {outcome}");
    let text = error(&outcome);
    assert!(text.starts_with("error[MP0404]: "), "{text}");
    assert!(
        text.contains(&format!("of `{role}`, which was not received")),
        "{text}"
    );
    assert!(text.ends_with("expired at 2026-11-29T12:00:00Z"), "{text}");
}

/// What is locked and here goes on.
fn builds(world: &World, on: i64) {
    for line in ["fetch --locked", "verify", "exec -- check --locked"] {
        let outcome = run(world, line, "work/app", on);
        assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
    }
}

/// From now on not even the timestamp is to be had.
fn silence(world: &World) {
    let timestamp = "tuf/timestamp.json".to_owned();
    world.server.also([timestamp], &Fault::Status(503));
}

#[test]
fn a_new_timestamp_does_not_lengthen_what_is_withheld() {
    for role in ["snapshot", "targets"] {
        for fault in FAULTS {
            let world = world(&["targets"]);
            withhold(&world, role, &fault);
            for on in [5, 6] {
                assert_eq!(choose(&world, on).code, Some(0));
            }
            // Once with the timestamp of before, and once with one of that day.
            refuses_to_choose(&world, 10, role);
            sign(&world, 10, &["targets"]);
            withhold(&world, role, &fault);
            refuses_to_choose(&world, 10, role);
            builds(&world, 10);
            // What is given whole counts again, as long as its timestamp says.
            world.server.heal();
            let outcome = choose(&world, 10);
            assert_eq!(outcome.code, Some(0), "{outcome}");
            world.server.serve(Arc::default());
            assert_eq!(choose(&world, 16).code, Some(0));
            assert_eq!(choose(&world, 17).code, Some(4));
        }
    }
}

#[test]
fn what_is_withheld_and_until_when_the_copy_is_good_is_said() {
    let world = world(&[]);
    withhold(&world, "snapshot", &Fault::Status(503));
    assert_snapshot!(run(&world, "info tide-table", "work/app", 5).stderr, @"
        Updating `harbour` index
    warning: could not update `harbour` (`http://127.0.0.1:[PORT]/tuf/7.snapshot.json` answered with status 503); using copy from 5 days ago
    warning: `harbour` announced version 7 of `snapshot`, which was not received: the copy is good until 2026-11-29T12:00:00Z
    ");
    assert_snapshot!(choose(&world, 10), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (`http://127.0.0.1:[PORT]/tuf/7.snapshot.json` answered with status 503); using copy from 10 days ago
    warning: `harbour` announced version 7 of `snapshot`, which was not received: the copy was good until 2026-11-29T12:00:00Z
    warning: the copy of `harbour` expired at 2026-11-29T12:00:00Z: what was published, yanked or revoked since is unknown
    error[MP0404]: `harbour` announced version 7 of `snapshot`, which was not received, and the copy before it expired at 2026-11-29T12:00:00Z
    note: nothing was written
    help: pass `--offline` to choose from what was verified before
    ");
    // Who means the copy has it, however old it is, and is told how old.
    assert_snapshot!(run(&world, "fetch --offline", "work/new", 10).stderr, @"
    warning: `harbour` announced version 7 of `snapshot`, which was not received: the copy was good until 2026-11-29T12:00:00Z
    warning: the copy of `harbour` expired at 2026-11-29T12:00:00Z: what was published, yanked or revoked since is unknown
         Locking 2 packages to latest Rust 1.95.0 compatible versions
       Verifying 2 packages of `harbour`
        Verified 2 packages
    note: `cargo marketplace exec -- build` uses what was fetched; `--write-config` lets plain cargo, too
    ");
}

/// The mirror gives and withholds in turns, so that the copy is read under all that it gave.
#[test]
fn a_role_that_is_read_later_is_no_better_than_the_rest() {
    let bin = forge::bin("ti/de/tide-table.json");
    for role in ["policy", "claimed", "packages", &bin] {
        let world = quiet_world(&[role]);
        withhold(&world, role, &Fault::Status(503));
        let withheld = choose(&world, 5);
        assert_ne!(withheld.code, Some(0), "{role}: {withheld}");
        silence(&world);
        // It was the present one until that day.
        assert_eq!(choose(&world, 6).code, Some(0), "{role}");
        refuses_to_choose(&world, 7, role);
        sign(&world, 10, &[role]);
        withhold(&world, role, &Fault::Status(503));
        let withheld = choose(&world, 10);
        assert_ne!(withheld.code, Some(0), "{role}: {withheld}");
        silence(&world);
        refuses_to_choose(&world, 10, role);
        builds(&world, 10);
        world.server.heal();
        assert_eq!(choose(&world, 10).code, Some(0), "{role}");
    }
}

#[test]
fn a_role_that_did_not_change_is_as_fresh_as_what_lists_it() {
    let world = quiet_world(&[]);
    // The policy, and the bins of the packages on which nobody works: read on day 0, listed on day 5.
    let outcome = run(&world, "search tide", "work/app", 5);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    world.server.serve(Arc::default());
    assert_eq!(choose(&world, 11).code, Some(0));
    assert_eq!(choose(&world, 12).code, Some(4));
}

#[test]
fn an_old_catalog_is_searched_with_a_warning() {
    let world = world(&["catalog"]);
    let search = |on| run(&world, "search tide", "work/app", on);
    world.server.heal();
    let outcome = search(5);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    sign(&world, 10, &["catalog"]);
    withhold(&world, "catalog", &Fault::Status(503));
    let outcome = search(10);
    assert_ne!(outcome.code, Some(0), "{outcome}");
    silence(&world);
    assert_snapshot!(search(13), @r#"
    exit: 0
    --- stdout
    tide-table = "0.2.1"  # A small tide-table  signed
    tide-clock = "1.0.0"  # A small tide-clock  signed
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (`http://127.0.0.1:[PORT]/tuf/timestamp.json` answered with status 503); using copy from 3 days ago
    warning: the copy of `harbour` expired at 2026-12-04T12:00:00Z: what was published, yanked or revoked since is unknown
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
}
