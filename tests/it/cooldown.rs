//! Releases that are too young to be chosen: by `install`, `add`, `new`, and by cargo for what they
//! depend on.

use insta::assert_snapshot;

use crate::env::{NOW, Outcome};
use crate::samples::{Market, show};

const DAY: i64 = 86_400;
const APP: &str = "tide-table = { version = \"0.3\", registry = \"harbour\" }\n";

/// `tide-table` 0.3.2 was published five days after everything else.
fn market() -> Market {
    let market = Market::published();
    market.raise("0.3.1", "0.3.2");
    let line = "publish --registry-dir ../registry --key harbour -p tide-table --no-verify";
    let publish = market.env.command(line.split(' ')).folder("work/samples");
    let published = publish.env("CARGO_MARKETPLACE_NOW", at(5)).run();
    assert_eq!(published.code, Some(0), "{published}");
    market
}

/// So many days after the first releases.
fn at(day: i64) -> String {
    (NOW + day * DAY).to_string()
}

fn on(market: &Market, day: i64, folder: &str, line: &str) -> Outcome {
    let command = market.env.command(line.split(' ')).folder(folder);
    let outcome = command.env("CARGO_MARKETPLACE_NOW", at(day)).run();
    assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
    outcome
}

/// The version that a run says it chose, without doing anything.
fn chosen(outcome: &Outcome) -> &str {
    let line = outcome
        .stderr
        .lines()
        .find(|line| line.contains("Choosing"));
    line.and_then(|line| line.rsplit_once(" v"))
        .map_or("none", |(_, version)| version)
}

fn locked(market: &Market) -> String {
    let lock: toml::Table = market.env.read("work/app/Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let ours = packages
        .iter()
        .find(|one| one["name"].as_str() == Some("tide-table"));
    ours.unwrap()["version"].as_str().unwrap().to_owned()
}

#[test]
fn the_newest_release_that_is_old_enough_is_chosen() {
    let market = market();
    market.project("app", "");
    let show_on = |line: &str| {
        let command = market.env.command(line.split(' ')).folder("work/app");
        show(command.env("CARGO_MARKETPLACE_NOW", at(6)))
    };
    assert_snapshot!(show_on("add tide-table --cooldown 3d"), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
    note: tide-table v0.3.2 is younger than the cooldown of 3d: v0.3.1 is taken
        Choosing tide-table v0.3.1
       Verifying 1 package of `harbour`
    note: plain `cargo build` asks `harbour` itself; `cargo marketplace exec -- build` builds what was verified
        Verified 1 package
    ");
    assert_eq!(locked(&market), "0.3.1");
    assert!(market.env.read("work/app/Cargo.toml").contains("0.3.1"));
    assert_snapshot!(show_on("add tide-table --dry-run --cooldown 2w"), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0207]: every version of `tide-table` that matches `*` is younger than the cooldown
    help: ask for one exactly: `tide-table@=0.3.2`, or pass `--cooldown 0`
    ");
    assert_snapshot!(show_on("add tide-table --dry-run --cooldown soon"), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'soon' for '--cooldown <TIME>': `soon` is not a time such as 3d, 12h or 2w

    For more information, try '--help'.
    ");
}

#[test]
fn flag_environment_and_configuration_in_this_order() {
    let market = market();
    let dry = "add tide-table --dry-run";
    assert_eq!(chosen(&on(&market, 6, "work", dry)), "0.3.2");
    let with = |value: &str, line: &str| {
        let command = market.env.command(line.split(' '));
        let command = command.env("CARGO_MARKETPLACE_COOLDOWN", value);
        chosen(&command.env("CARGO_MARKETPLACE_NOW", at(6)).run()).to_owned()
    };
    assert_eq!(with("3d", dry), "0.3.1");
    assert_eq!(with("3d", &format!("{dry} --cooldown 0")), "0.3.2");
    let config = market.marketplace_config();
    let path = "home/.cargo/marketplace/config.toml";
    market
        .env
        .write(path, format!("{config}\n[install]\ncooldown = \"12h\"\n"));
    assert_eq!(chosen(&on(&market, 6, "work", dry)), "0.3.1");
    assert_eq!(with("0", dry), "0.3.2");
    market
        .env
        .write(path, format!("{config}\n[install]\ncooldown = 3\n"));
    let outcome = market.env.command(dry.split(' ')).run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
    assert!(
        outcome.stderr.contains("`install.cooldown` in"),
        "{outcome}"
    );
    let outcome = market.env.command(["registry", "list"]);
    let outcome = outcome.env("CARGO_MARKETPLACE_COOLDOWN", "soon").run();
    assert_eq!(outcome.code, Some(1), "{outcome}");
}

#[test]
fn what_is_locked_or_asked_for_exactly_is_taken() {
    let market = market();
    market.project("app", APP);
    on(&market, 6, "work/app", "fetch");
    assert_eq!(locked(&market), "0.3.2");
    for line in [
        "fetch --cooldown 3d",
        "exec --cooldown 3d -- check",
        "fetch --locked --cooldown 3d",
    ] {
        on(&market, 6, "work/app", line);
        assert_eq!(locked(&market), "0.3.2", "{line}");
    }
    market.project("exact", "");
    let added = on(
        &market,
        6,
        "work/exact",
        "add tide-table@0.3.2 --cooldown 3d",
    );
    assert_eq!(chosen(&added), "0.3.2");
}

#[test]
fn cargo_chooses_none_that_is_too_young_for_any_dependency() {
    let market = market();
    market.project("app", APP);
    let fetched = on(&market, 6, "work/app", "fetch --cooldown 3d");
    let told = "younger than the cooldown and not chosen: tide-table v0.3.2";
    assert!(fetched.stderr.contains(told), "{fetched}");
    assert_eq!(locked(&market), "0.3.1");
    on(&market, 6, "work/app", "exec --cooldown 3d -- update");
    assert_eq!(locked(&market), "0.3.1");
    // As if it had never been held back.
    on(&market, 6, "work/app", "exec -- update");
    assert_eq!(locked(&market), "0.3.2");
    let install = "install tide-cli --ignore-lock --cooldown 3d";
    let installed = on(&market, 6, "work", install);
    assert!(
        installed.stderr.contains("Compiling tide-table v0.3.1"),
        "{installed}"
    );
}

#[test]
fn where_the_registry_stands_still_the_time_since_it_was_held_back_counts() {
    let market = market();
    let dry = "add tide-table --dry-run --cooldown 3d";
    // The registry's timestamp is from day 5, whatever the clock here says.
    assert_eq!(chosen(&on(&market, 7, "work", dry)), "0.3.1");
    assert_eq!(chosen(&on(&market, 9, "work", dry)), "0.3.1");
    assert_eq!(chosen(&on(&market, 10, "work", dry)), "0.3.2");
    let refresh = market.env.command(["registry", "refresh", "registry"]);
    let refreshed = refresh.env("CARGO_MARKETPLACE_NOW", at(9)).run();
    assert_eq!(refreshed.code, Some(0), "{refreshed}");
    assert_eq!(chosen(&on(&market, 9, "work", dry)), "0.3.2");
}

#[test]
fn a_template_that_is_too_young_is_not_used() {
    let market = market();
    let line = "new buoy --template sensor-template -d board=rp2040 --cooldown 1w";
    let command = market.env.command(line.split(' '));
    let outcome = command.env("CARGO_MARKETPLACE_NOW", at(6)).run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
    assert!(outcome.stderr.contains("error[MP0207]"), "{outcome}");
    assert!(!market.env.path("work/buoy").exists());
    on(&market, 6, "work", &line.replace("1w", "3d"));
}
