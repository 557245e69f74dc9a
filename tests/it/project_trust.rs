//! `marketplace.trust`: what a project demands of registries, of everybody who builds it.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::env::Outcome;
use crate::samples::{Market, copy, show};
use crate::schemas::schema;

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";

/// A market with a project that pins it, after a second release; `work/yesterday` is the registry as
/// it was before that.
fn pinned() -> Market {
    let market = Market::published();
    let (now, yesterday) = (
        market.env.path("work/registry"),
        market.env.path("work/yesterday"),
    );
    copy(&now, &yesterday);
    market.publish_next();
    market.project("app", APP);
    let pin = market.env.command(["registry", "pin"]).folder("work/app");
    let pin = pin.run();
    assert_eq!(pin.code, Some(0), "{pin}");
    market
}

/// Runs the program in the project with nothing known yet, as in CI.
fn fresh(market: &Market, folder: &str, arguments: &[&str]) -> Outcome {
    let home = market.env.path("fresh");
    let command = market.env.command(arguments).folder(folder);
    command.env("CARGO_MARKETPLACE_HOME", home).run()
}

fn trust_file(market: &Market) -> String {
    market.env.read("work/app/marketplace.trust")
}

#[test]
fn pins_what_is_known_and_never_less() {
    let market = Market::published();
    market.project("app", APP);
    fs::create_dir_all(market.env.path("work/app/src/deep")).unwrap();
    let pin = |folder: &str| show(market.env.command(["registry", "pin"]).folder(folder));
    assert_snapshot!(pin("work/app/src/deep"), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
          Pinned `harbour` at snapshot 2 in [ROOT]/work/app/marketplace.trust
    ");
    assert_snapshot!(pin("work/app"), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Unchanged `harbour` at snapshot 2 in [ROOT]/work/app/marketplace.trust
    ");
    let text = trust_file(&market);
    let value: toml::Value = text.parse().map(toml::Value::Table).unwrap();
    let value: Value = serde_json::to_value(value).unwrap();
    assert!(
        schema("marketplace-trust.schema.json").is_valid(&value),
        "{text}"
    );
    let (id, root) = (
        market.root().to_string(),
        format!("sha256:{}", market.root()),
    );
    let first = value["registries"]["harbour"].clone();
    let number = first["minimum-snapshot"].as_u64().unwrap();
    assert_eq!(
        first,
        json!({"registry-id": id, "root": root, "minimum-snapshot": number})
    );
    market
        .env
        .write("work/app/marketplace.trust", format!("# Ours.\n{text}"));
    market.publish_next();
    let json = ["registry", "pin", "--message-format", "json"];
    assert_snapshot!(show(market.env.command(json).folder("work/app")), @r#"
    exit: 0
    --- stdout
    {"reason":"registry-pinned","schema":1,"minimum_snapshot":3,"name":"harbour","path":"[ROOT]/work/app/marketplace.trust","registry_id":"[DIGEST]","root":"sha256:[DIGEST]"}
    --- stderr
        Updating `harbour` index
          Pinned `harbour` at snapshot 3 in [ROOT]/work/app/marketplace.trust
    "#);
    let text = trust_file(&market);
    assert!(text.starts_with("# Ours.\n"), "{text}");
    assert!(
        text.contains(&format!("minimum-snapshot = {}\n", number + 1)),
        "{text}"
    );
}

#[test]
fn yesterdays_mirror_is_refused_to_a_fresh_client() {
    let market = pinned();
    let url = format!("file://{}", market.env.path("work/yesterday").display());
    let root = format!("--root=sha256:{}", market.root());
    let add = ["registry", "add", "harbour", &url, &root];
    let refused = fresh(&market, "work/app", &add);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0405]"), "{refused}");
    assert!(
        refused.stderr.contains("note: nothing was written"),
        "{refused}"
    );
    assert!(!market.env.path("fresh/config.toml").exists());
    let state = format!("fresh/{}/tuf/root.json", market.root());
    assert!(!market.env.path(&state).exists());
    // Outside of the project nobody can tell.
    let elsewhere = fresh(&market, "work", &add);
    assert_eq!(elsewhere.code, Some(0), "{elsewhere}");
    // What was taken for good there does not pass here, by the manifest's path neither.
    for (folder, line) in [
        ("work/app", &["info", "tide-table"][..]),
        ("work/app", &["search", "tide", "--offline"]),
        ("work/app", &["install", "tide-cli"]),
        ("work/app", &["exec", "--", "build"]),
        ("work/app", &["registry", "show"]),
        ("work/app", &["registry", "pin"]),
        ("work", &["fetch", "--manifest-path", "app/Cargo.toml"]),
        (
            "work",
            &["exec", "--", "check", "--manifest-path", "app/Cargo.toml"],
        ),
        ("work", &["exec", "--", "install", "--path", "app"]),
        ("work", &["exec", "--", "install", "--path=app"]),
        ("work", &["verify", "--manifest-path", "app/Cargo.toml"]),
        (
            "work",
            &["add", "tide-table", "--manifest-path", "app/Cargo.toml"],
        ),
    ] {
        let refused = fresh(&market, folder, line);
        assert_eq!(refused.code, Some(4), "{line:?}: {refused}");
        assert!(
            refused.stderr.contains("error[MP0405]"),
            "{line:?}: {refused}"
        );
    }
    // With today's state all is well.
    let market_url = market.url().to_owned();
    let add = ["registry", "add", "harbour", &market_url, &root];
    let added = fresh(&market, "work/app", &add);
    assert_eq!(added.code, Some(0), "{added}");
}

#[test]
fn the_name_must_mean_the_projects_registry() {
    let market = pinned();
    let other = "0".repeat(64);
    let text = trust_file(&market).replacen(&market.root().to_string(), &other, 1);
    market.env.write("work/app/marketplace.trust", text);
    assert_snapshot!(market.run_in("work/app", ["info", "tide-table"]), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0104]: `harbour` is another registry than the one that the project demands
    note: `[ROOT]/work/app/marketplace.trust` names [DIGEST], and `harbour` is [DIGEST] here; nothing was written
    help: add the project's registry under that name, and this one under another
    ");
    let lock = market.env.path("work/app/Cargo.lock");
    let fetched = market.run_in("work/app", ["fetch"]);
    assert!(fetched.contains("exit: 4") && !lock.exists(), "{fetched}");
    let root = format!("--root=sha256:{}", market.root());
    let add = ["registry", "add", "harbour", market.url(), &root];
    let refused = fresh(&market, "work/app", &add);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0104]"), "{refused}");
    // By another name it is no concern of the project's.
    let add = ["registry", "add", "elsewhere", market.url(), &root];
    let added = fresh(&market, "work/app", &add);
    assert_eq!(added.code, Some(0), "{added}");
}

#[test]
fn a_file_in_a_folder_below_switches_nothing_off() {
    let market = pinned();
    let other = "0".repeat(64);
    let text = trust_file(&market).replacen(&market.root().to_string(), &other, 1);
    market.env.write("work/app/marketplace.trust", text);
    market
        .env
        .write("work/app/sub/marketplace.trust", "schema = 1\n");
    for folder in ["work/app", "work/app/sub"] {
        let refused = market.run_in(folder, ["info", "tide-table"]);
        assert!(refused.contains("error[MP0104]"), "{folder}: {refused}");
    }
}

#[test]
fn a_root_that_is_held_back_is_missed_under_any_name() {
    let market = pinned();
    let pinned = format!("sha256:{}", market.root());
    let text = trust_file(&market).replace(&pinned, &format!("sha256:{}", "0".repeat(64)));
    market.env.write("work/app/marketplace.trust", text);
    assert_snapshot!(market.run_in("work/app", ["info", "tide-table"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0104]: sha256:[DIGEST] is none of the roots of `harbour`, and the project demands it
    note: nothing was written
    help: does the mirror hold a new root back? Else the project's `marketplace.trust` is wrong
    ");
    let add = [
        "registry",
        "add",
        "elsewhere",
        market.url(),
        "--root",
        &pinned,
    ];
    let refused = fresh(&market, "work/app", &add);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0104]"), "{refused}");
}

#[test]
fn a_committed_pin_trusts_nothing_by_itself() {
    let market = pinned();
    let add = ["registry", "add", "harbour", market.url()];
    let refused = fresh(&market, "work/app", &add);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0101]"), "{refused}");
    let search = fresh(&market, "work/app", &["search", "tide"]);
    assert_eq!(search.code, Some(101), "{search}");
}

#[test]
fn a_file_that_is_not_understood_stops_everything() {
    let market = pinned();
    for (text, told) in [
        ("schema = 2\n", "help: update cargo-marketplace"),
        ("schema = 1\nallow = true\n", "unknown field `allow`"),
        ("x", "cannot use `[ROOT]/work/app/marketplace.trust`"),
    ] {
        market.env.write("work/app/marketplace.trust", text);
        let stopped = market.run_in("work/app", ["info", "tide-table"]);
        assert!(stopped.starts_with("exit: 101"), "{stopped}");
        assert!(stopped.contains(told), "{stopped}");
    }
    let file = market.env.path("work/app/marketplace.trust");
    fs::remove_file(&file).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", &file).unwrap();
        let stopped = market.run_in("work/app", ["info", "tide-table"]);
        assert!(stopped.starts_with("exit: 101"), "{stopped}");
    }
}

#[test]
fn a_pin_needs_a_project() {
    let market = Market::empty();
    assert_snapshot!(market.run(["registry", "pin"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: no `Cargo.toml` in `[ROOT]/work` or above it
    help: run it in the project whose registries are to be pinned
    ");
}

#[test]
fn a_member_elsewhere_is_bound_by_its_workspace() {
    let market = pinned();
    let other = "0".repeat(64);
    let text = trust_file(&market).replacen(&market.root().to_string(), &other, 1);
    market.env.write("work/root/marketplace.trust", text);
    let root = "[workspace]\nmembers = [\"../outside\"]\nresolver = \"3\"\n";
    market.env.write("work/root/Cargo.toml", root);
    market.project("outside", APP);
    let manifest = market.env.read("work/outside/Cargo.toml");
    let named = "[package]\nworkspace = \"../root\"\n";
    let manifest = manifest.replacen("[package]\n", named, 1);
    market.env.write("work/outside/Cargo.toml", manifest);
    for (folder, line) in [
        ("work/outside", "info tide-table"),
        ("work/outside/src", "search tide"),
        ("work/outside", "fetch"),
        ("work", "fetch --manifest-path outside/Cargo.toml"),
        ("work", "exec -- install --path outside"),
        ("work/outside", "registry pin"),
    ] {
        let refused = market.run_in(folder, line.split(' '));
        assert!(refused.contains("error[MP0104]"), "{line}: {refused}");
    }
    assert!(!market.env.path("work/root/Cargo.lock").exists());
    // A pin belongs to the workspace, too, and so does the lock file.
    fs::remove_file(market.env.path("work/root/marketplace.trust")).unwrap();
    let pin = market.run_in("work/outside", ["registry", "pin"]);
    assert!(
        pin.contains("in [ROOT]/work/root/marketplace.trust"),
        "{pin}"
    );
    let fetched = market.run_in("work/outside", ["fetch"]);
    assert!(fetched.starts_with("exit: 0"), "{fetched}");
    let audited = market.run_in("work/outside", ["verify", "--workspace"]);
    assert!(audited.starts_with("exit: 0"), "{audited}");
}

#[cfg(unix)]
#[test]
fn a_project_behind_a_link_is_bound_by_what_lies_above_it() {
    let market = pinned();
    let other = "0".repeat(64);
    let text = trust_file(&market).replacen(&market.root().to_string(), &other, 1);
    market.env.write("work/real/marketplace.trust", text);
    market.project("linked", APP);
    let [from, to] = ["work/linked", "work/real/app"].map(|path| market.env.path(path));
    fs::rename(from, to).unwrap();
    let link = market.env.path("work/link");
    std::os::unix::fs::symlink(market.env.path("work/real/app"), link).unwrap();
    for (folder, line) in [
        ("work/link", "info tide-table"),
        ("work", "fetch --manifest-path link/Cargo.toml"),
        ("work", "verify --manifest-path link/Cargo.toml"),
    ] {
        let refused = market.run_in(folder, line.split(' '));
        assert!(refused.contains("error[MP0104]"), "{line}: {refused}");
    }
}
