//! One name in several registries: none is chosen silently.

use cargo_marketplace::registry::serve::{self, Running};
use insta::assert_snapshot;

use crate::env::free_port;
use crate::samples::{Market, show};
use crate::small_registry::archive;

/// A market, and beside it the registry `quay` that holds a `tide-table` and a `jetty` of its own.
pub(crate) fn with_quay() -> (Market, Running) {
    let market = Market::published();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    for name in ["tide-table", "jetty"] {
        market
            .env
            .write(&format!("work/{name}.crate"), archive(name, "9.0.0", ""));
    }
    for line in [
        format!(
            "registry init quay --solo --no-passphrase --base-url {url} --online-key quay --offline-key quay-offline"
        ),
        "registry import quay --as-own --key harbour tide-table.crate jetty.crate".to_owned(),
    ] {
        market.must(line.split(' '));
    }
    let server = serve::spawn(&market.env.path("work/quay"), port).unwrap();
    let add = format!("registry add quay {url} --root-file quay/tuf/1.root.json");
    market.must(add.split(' '));
    market.project("app", "");
    (market, server)
}

#[test]
fn a_name_in_two_registries_is_chosen_from_neither() {
    let (market, _server) = with_quay();
    for (line, command) in [
        ("install tide-table", "install SPEC"),
        ("add tide-table", "add SPEC"),
        ("info tide-table", "info SPEC"),
        ("verify tide-table", "verify SPEC"),
        ("new buoy --template tide-table", "new buoy --template SPEC"),
        ("owner list tide-table", "owner list SPEC"),
    ] {
        let outcome = market.env.command(line.split(' ')).folder("work/app").run();
        assert_eq!(outcome.code, Some(101), "{line}: {outcome}");
        let told = ["harbour", "quay"].map(|registry| {
            let spec = format!("{registry}/tide-table");
            format!("`cargo marketplace {}`", command.replace("SPEC", &spec))
        });
        let told = format!("help: {}\n", told.join(" or "));
        assert!(outcome.stderr.contains(&told), "{line}: {outcome}");
    }
    assert_snapshot!(market.run_in("work/app", ["add", "tide-table@^9"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
        Updating `quay` index
    error[MP0206]: `tide-table` is in several registries: `harbour`, `quay`
    note: they need not be the same package; nothing was written
    help: `cargo marketplace add harbour/tide-table@^9` or `cargo marketplace add quay/tide-table@^9`
    ");
    assert!(!market.env.path("work/app/Cargo.lock").exists());
    assert_snapshot!(market.run(["info", "boathouse"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
        Updating `quay` index
    error[MP0203]: no package `boathouse` in `harbour`, `quay`
    help: `cargo marketplace search WORDS --registry NAME` looks for packages
    ");
    let both = ["add", "tide-cli", "jetty", "--dry-run"];
    assert_snapshot!(market.run_in("work/app", both), @"
    exit: 1
    --- stdout
    --- stderr
        Updating `harbour` index
        Updating `quay` index
    error: the packages are in several registries
    help: name those of one registry at a time
    ");
}

#[test]
fn a_name_in_one_registry_needs_no_other_word() {
    let (market, _server) = with_quay();
    for (line, version) in [
        ("add jetty --dry-run", "jetty v9.0.0"),
        ("add tide-cli --dry-run", "tide-cli v1.2.0"),
        ("add quay/tide-table --dry-run", "tide-table v9.0.0"),
        (
            "add tide-table --registry harbour --dry-run",
            "tide-table v0.3.1",
        ),
    ] {
        let outcome = market.env.command(line.split(' ')).folder("work/app").run();
        assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
        assert!(outcome.stderr.contains(version), "{line}: {outcome}");
    }
    let named = market.env.command(["info", "tide-table"]);
    let named = named.env("CARGO_MARKETPLACE_REGISTRY", "quay").run();
    assert!(named.stdout.contains("9.0.0"), "{named}");
}

#[test]
fn a_registry_that_cannot_be_asked_may_have_the_name() {
    let (market, server) = with_quay();
    drop(server);
    let state = market.env.marketplace_home();
    let quay = market.env.read("work/quay/tuf/1.root.json");
    let id = cargo_marketplace::model::Sha256Digest::of(quay.as_bytes());
    std::fs::remove_file(state.join(id.to_string()).join("tuf/refreshed")).unwrap();
    let outcome = market.env.command(["info", "tide-cli"]).run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
    let named = market.env.command(["info", "harbour/tide-cli"]).run();
    assert_eq!(named.code, Some(0), "{named}");
}

#[test]
fn one_registry_under_two_names_is_one() {
    let market = Market::published();
    let root = format!("--root=sha256:{}", market.root());
    market.must(["registry", "add", "again", market.url(), &root]);
    let info = show(market.env.command(["info", "tide-table"]));
    assert!(info.starts_with("exit: 0"), "{info}");
}
