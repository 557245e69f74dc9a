//! Mirrors that stand still or turn back, and registries that are gone.
//!
//! What a client that knows nothing cannot tell: an older state of the registry, whole and not yet
//! expired. It takes that for the present one, until the timestamp expires, at most seven days later.

use std::sync::Arc;

use insta::assert_snapshot;

use super::{Days, World, day, error};
use crate::env::Outcome;
use crate::faults::{Fault, Files};

/// A user of today's registry, who has built with it.
fn today() -> World {
    let world = World::of(Days::get().today.clone());
    for outcome in [world.info(), world.fetch()] {
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    world
}

/// From now on these files are served.
fn serve(world: &World, files: Files) {
    world.server.serve(Arc::new(files));
}

fn version(outcome: &Outcome) -> &str {
    let line = outcome
        .stdout
        .lines()
        .find(|line| line.starts_with("version:"));
    line.and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default()
}

#[test]
fn yesterdays_mirror_does_not_bring_yesterday_back() {
    let world = today();
    let before = world.belongings();
    serve(&world, Days::get().yesterday.clone());
    // All that was learnt today stays: nothing of it is asked for again.
    for outcome in [world.info(), world.fetch()] {
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    assert_eq!(version(&world.info()), "0.2.1");
    assert_eq!(world.belongings(), before);
    // What is new and was not fetched is not to be had from there, and nothing older is taken for it.
    let outcome = world.command("info tide-clock").run();
    assert_snapshot!(outcome, @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0405]: `timestamp` went back from version 6 to 4
    note: nothing was written
    help: try again later or from another mirror: this one is behind, or hides something
    ");
}

#[test]
fn yesterdays_mirror_is_refused_where_anything_is_missing() {
    let world = today();
    serve(&world, Days::get().yesterday.clone());
    for file in ["tuf/snapshot.json", "ti/de/tide-table.json"] {
        let path = world.state(file);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            world.refuses(),
            "error[MP0405]: `timestamp` went back from version 6 to 4",
            "{file}"
        );
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn a_mix_of_two_days_is_refused() {
    let (yesterday, today) = (&Days::get().yesterday, &Days::get().today);
    // Today's timestamp over yesterday's files, for one who was here yesterday and for one who was not.
    let mut mixed = yesterday.clone();
    mixed.insert(
        "tuf/timestamp.json".into(),
        today["tuf/timestamp.json"].clone(),
    );
    let world = World::warm();
    serve(&world, mixed);
    let outcome = world.info();
    // A mirror that is half done: what was known goes on, as it was, and that is said.
    assert_snapshot!(outcome.stderr, @"
        Updating `harbour` index
    warning: could not update `harbour` (`6.snapshot.json` is missing); using copy from 0 s ago
    warning: `harbour` announced version 6 of `snapshot`, which was not received: the copy is good until 2026-11-29T12:00:00Z
    ");
    assert_eq!(version(&outcome), "0.2.0");

    // Yesterday's bin in today's place.
    let world = World::warm();
    let mut mixed = today.clone();
    let bin = super::forge::bin("ti/de/tide-table.json");
    let [old, new] = [yesterday, today].map(|files| super::forge::Forge::open(files).path(&bin));
    assert_ne!(old, new);
    mixed.insert(new, yesterday[&old].clone());
    serve(&world, mixed);
    assert_snapshot!(world.refuses(), @"error[MP0405]: the metadata of `packages-2` is version 3, announced was 4");

    // Yesterday's record in today's place.
    let world = World::warm();
    let mut mixed = today.clone();
    let plain = "ti/de/tide-table.json";
    let hashed = |files: &Files| {
        let digest = cargo_marketplace::model::Sha256Digest::of(&files[plain]);
        cargo_marketplace::formats::layout::hashed(plain, &digest)
    };
    mixed.insert(hashed(today), yesterday[plain].clone());
    serve(&world, mixed);
    let text = world.refuses();
    assert!(
        text.starts_with("error[MP0401]: `ti/de/tide-table.json` is not"),
        "{text}"
    );
}

#[test]
fn an_expired_mirror_is_refused() {
    let world = World::warm();
    let before = world.belongings();
    let later = |days| {
        let info = world.command("info tide-table");
        info.env("CARGO_MARKETPLACE_NOW", day(days)).run()
    };
    assert_eq!(later(6).code, Some(0));
    assert_snapshot!(later(8), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0404]: the metadata of `timestamp` (version 4) expired at 2026-11-29T12:00:00Z; it is 2026-11-30T12:00:00Z now
    note: nothing was written
    help: check this machine's clock, then tell the registry's operator
    ");
    assert_eq!(world.belongings(), before);
}

#[test]
fn a_stale_copy_of_the_timestamp_is_survived() {
    let world = today();
    let mut stale = Days::get().today.clone();
    let timestamp = Days::get().yesterday["tuf/timestamp.json"].clone();
    stale.insert("tuf/timestamp.json".into(), timestamp);
    serve(&world, stale);
    // Also where something new is needed.
    let outcome = world.command("info tide-clock").run();
    assert_snapshot!(outcome, @"
    exit: 0
    --- stdout
    tide-clock
    A small tide-clock
    version: 1.0.0 (latest)
    license: MIT OR Apache-2.0
    contains: library
    signed: ed25519:PRQ8-CZX2 by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    dependencies: none
    dependents: 0
    --- stderr
        Updating `harbour` index
    ");
    assert_eq!(version(&world.info()), "0.2.1");
    assert_eq!(world.fetch().code, Some(0));
}

#[test]
fn a_new_client_takes_an_older_state_that_is_whole_and_has_not_expired() {
    let world = World::of(Days::get().yesterday.clone());
    let outcome = world.info();
    assert_eq!((outcome.code, version(&outcome)), (Some(0), "0.2.0"));
    // No later than that.
    let later = world.command("info tide-table");
    let later = later.env("CARGO_MARKETPLACE_NOW", day(8)).run();
    assert_eq!(later.code, Some(4), "{later}");
    assert!(error(&later).starts_with("error[MP0404]"), "{later}");
}

#[test]
fn a_new_client_refuses_a_mix() {
    let (yesterday, today) = (&Days::get().yesterday, &Days::get().today);
    let mut mixed = today.clone();
    let plain = "ti/de/tide-table.json";
    let digest = cargo_marketplace::model::Sha256Digest::of(&today[plain]);
    let hashed = cargo_marketplace::formats::layout::hashed(plain, &digest);
    mixed.insert(hashed, yesterday[plain].clone());
    let world = World::of(mixed);
    assert!(world.refuses().starts_with("error[MP0401]"));
}

/// What still works without the registry: everything that was verified before.
fn works_without(world: &World) {
    let run = |line: &str| {
        let outcome = world.command(line).folder("work/app").run();
        assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
    };
    for line in [
        "fetch --locked",
        "fetch --offline",
        "exec -- check --locked",
        "exec --offline -- check",
        "verify --offline",
        "info tide-table --offline",
        "info tide-table",
    ] {
        run(line);
    }
    // Long after all has expired, too, if that is said.
    let later = world.command("fetch --locked --offline").folder("work/app");
    let later = later.env("CARGO_MARKETPLACE_NOW", day(3000)).run();
    assert_eq!(later.code, Some(0), "{later}");
    assert!(later.stderr.contains("expired at"), "{later}");
}

#[test]
fn what_was_verified_outlives_a_registry_whose_files_were_deleted() {
    let world = World::warm();
    serve(&world, Files::new());
    works_without(&world);
}

#[test]
fn what_was_verified_outlives_a_registry_whose_server_fails() {
    let world = World::warm();
    let mut all = world.file_paths("");
    all.push("tuf/2.root.json".into());
    for fault in [Fault::Status(503), Fault::Closed, Fault::Page] {
        world.server.also(all.clone(), &fault);
        works_without(&world);
    }
}

#[test]
fn what_was_verified_stays_where_a_registry_deletes_a_package() {
    let world = World::warm();
    let package = super::package();
    let gone = world.file_paths("ti/de/");
    let archives = world.file_paths("crates/");
    let mut files = Days::get().yesterday.clone();
    for path in gone.into_iter().chain(archives) {
        files.remove(&path);
    }
    serve(&world, files);
    assert!(!world.state(package.as_str()).exists());
    works_without(&world);
}
