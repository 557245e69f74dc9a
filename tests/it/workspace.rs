//! A workspace whose members depend on one another, published as one.

use insta::assert_snapshot;

use crate::samples::{Market, folder_digest};

const PUBLISH: [&str; 3] = ["publish", "--registry-dir", "../registry"];

/// Changes a manifest of the sample workspace.
fn change(market: &Market, member: &str, from: &str, to: &str) {
    let path = format!("work/samples/{member}/Cargo.toml");
    let text = market.env.read(&path);
    assert!(text.contains(from), "{text}");
    market.env.write(&path, text.replace(from, to));
}

#[test]
fn a_member_is_built_against_one_that_is_not_published_yet() {
    let market = Market::empty();
    let before = folder_digest(&market.env.path("work/registry"));
    let plan = PUBLISH.into_iter().chain(["--workspace", "--dry-run"]);
    let outcome = market.env.command(plan).folder("work/samples").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let lines = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("{\"name\""));
    assert_eq!(lines.count(), 3);
    assert_eq!(folder_digest(&market.env.path("work/registry")), before);

    let package = "package --workspace --registry-dir ../registry --output ../packaged";
    let outcome = market
        .env
        .command(package.split(' '))
        .folder("work/samples")
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let sign = "sign packaged/tide-cli-1.2.0.crate packaged/tide-table-0.3.1.crate --registry-dir registry";
    market.must(sign.split(' '));
}

#[test]
fn the_new_version_of_a_member_is_what_the_others_are_built_against() {
    let market = Market::published();
    // What is published has no such function.
    change(&market, "tide-table", "0.3.1", "0.4.0");
    change(&market, "tide-cli", "0.3.1", "0.4.0");
    change(&market, "tide-cli", "1.2.0", "1.3.0");
    let library = market.env.read("work/samples/tide-table/src/lib.rs");
    let library = format!("{library}\n/// New.\npub fn new_here() {{}}\n");
    market
        .env
        .write("work/samples/tide-table/src/lib.rs", library);
    let program = market.env.read("work/samples/tide-cli/src/main.rs");
    let program = program.replacen("fn main() {", "fn main() {\n    tide_table::new_here();", 1);
    assert!(program.contains("new_here"));
    market
        .env
        .write("work/samples/tide-cli/src/main.rs", program);
    let both = PUBLISH
        .into_iter()
        .chain(["-p", "tide-cli", "-p", "tide-table"]);
    assert_snapshot!(market.run_in("work/samples", both), @"
    exit: 0
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
        Updating tide-cli v1.2.0 ([ROOT]/work/samples/tide-cli) -> v1.3.0
        Updating tide-table v0.3.1 ([ROOT]/work/samples/tide-table) -> v0.4.0
       Packaging tide-table v0.4.0 ([ROOT]/work/samples/tide-table)
       Verifying tide-table v0.4.0 ([ROOT]/work/samples/tide-table)
       Verifying 1 package of `harbour`
       Packaging tide-cli v1.3.0 ([ROOT]/work/samples/tide-cli)
       Verifying tide-cli v1.3.0 ([ROOT]/work/samples/tide-cli)
         Signing tide-table v0.4.0 with [FINGERPRINT]
         Signing tide-cli v1.3.0 with [FINGERPRINT]
        Finished serial 2, 18 files written
    ");
    let install = "install tide-cli@1.3.0";
    market.must(install.split(' '));
}

#[test]
fn a_member_that_does_not_build_holds_all_of_them_back() {
    let market = Market::empty();
    let before = folder_digest(&market.env.path("work/registry"));
    market.env.write(
        "work/samples/tide-cli/src/main.rs",
        "fn main() { tide_table::nothing() }\n",
    );
    let all = PUBLISH.into_iter().chain(["--workspace"]);
    let outcome = market.env.command(all).folder("work/samples").run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
    assert_eq!(folder_digest(&market.env.path("work/registry")), before);
}

#[test]
fn a_member_alone_needs_what_it_depends_on() {
    let market = Market::empty();
    let alone = PUBLISH.into_iter().chain(["-p", "tide-cli"]);
    assert_snapshot!(market.run_in("work/samples", alone), @r#"
    exit: 101
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
    error[MP0203]: `tide-cli` needs `tide-table = "^0.3.1"`, which is not in `harbour`
    help: publish `tide-table` first, or with it: `--workspace`
    "#);
}

#[test]
fn packages_name_the_registry_by_its_public_address() {
    let market = Market::published();
    // Plain cargo writes what it was told: the address of this machine.
    let package = "package -p tide-cli --no-verify --allow-dirty";
    let outcome = market
        .env
        .cargo(package.split(' '))
        .folder("work/samples")
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let sign = "sign samples/target/package/tide-cli-1.2.0.crate --registry-dir registry";
    assert_snapshot!(market.run(sign.split(' ')), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0606]: the archive of `tide-cli` 1.2.0 names the registry by `sparse+http://127.0.0.1:[PORT]/`
    note: its public address is `sparse+https://registry.example.org/`
    help: package it with `cargo marketplace package --registry-dir DIR`
    ");
}

#[test]
fn machines_are_told_what_was_published() {
    let market = Market::empty();
    let all = ["--workspace", "--no-verify", "--message-format", "json"];
    let outcome = market.env.command(PUBLISH.into_iter().chain(all));
    assert_snapshot!(outcome.folder("work/samples").run().stdout, @r#"
    {"reason":"applied","schema":1,"files":27,"serial":1}
    {"reason":"published","schema":1,"name":"tide-table","version":"0.3.1"}
    {"reason":"published","schema":1,"name":"tide-cli","version":"1.2.0"}
    {"reason":"published","schema":1,"name":"sensor-template","version":"2.0.0"}
    "#);
}

#[test]
fn one_package_may_be_needed_to_build_and_to_run() {
    let market = Market::published();
    market.project("both", "tide-table = { version = \"0.3\", registry = \"harbour\" }\n\n[build-dependencies]\ntide-table = { version = \"0.3.1\", registry = \"harbour\" }\n");
    let publish = ["--allow-dirty", "--no-verify", "--dry-run"];
    let outcome = market.env.command(PUBLISH.into_iter().chain(publish));
    let outcome = outcome.folder("work/both").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert_eq!(outcome.stdout.matches("\"kind\":\"build\"").count(), 2);
}

#[test]
fn a_package_goes_only_where_its_manifest_lets_it() {
    let market = Market::empty();
    market.env.write(
        "work/own/Cargo.toml",
        "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = [\"elsewhere\"]\n",
    );
    market.env.write("work/own/src/lib.rs", "");
    assert_snapshot!(market.run_in("work/own", PUBLISH), @r#"
    exit: 101
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
    error: the manifest of `own` says `publish = ["elsewhere"]`
    "#);
    let all = PUBLISH.into_iter().chain(["--workspace"]);
    assert_snapshot!(market.run_in("work/own", all), @"
    exit: 101
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
    error: no package of the workspace may be published here
    ");
}

#[test]
fn publishing_at_the_same_time_works() {
    let market = Market::published();
    let names = ["one", "two", "three"];
    for name in names {
        market.project(
            name,
            "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n",
        );
    }
    let publish = |name: &str| {
        let arguments = PUBLISH.into_iter().chain(["--allow-dirty", "--no-verify"]);
        let command = market.env.command(arguments);
        command.folder(&format!("work/{name}")).run()
    };
    std::thread::scope(|scope| {
        let running = names.map(|name| scope.spawn(move || publish(name)));
        for outcome in running {
            let outcome = outcome.join().unwrap();
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
    });
    market.must(["registry", "check", "registry"]);
    assert!(market.run(["registry", "show"]).contains("serial: 4"));
}
