//! The whole story through the real program: from a key to packages that are found, verified,
//! built, yanked, and still there when the server is gone. Stock cargo builds; nothing but loopback
//! is asked.

#![expect(clippy::too_many_lines, reason = "whole outputs stand in the tests")]

use std::process::Stdio;

use insta::assert_snapshot;

use crate::samples::{Market, folder_digest, show};

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";

/// What a program that was built says.
fn output(market: &Market, program: &str) -> String {
    let program = market.env.path(program);
    market
        .env
        .program(program, ["south-quay"])
        .run()
        .to_string()
}

/// What a program says where nobody reads its answer.
fn told_to_nobody(market: &Market, program: &str) -> String {
    let program = market.env.path(program);
    let mut command = market.env.program(program, ["south-quay"]).into_command();
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn line_of(market: &Market, package: &str) -> String {
    market.file(&crate::samples::index_path(package))
}

#[test]
fn from_a_key_to_a_program_that_runs() {
    let market = Market::empty();
    assert_snapshot!(
        market.run_in("work/samples", ["publish", "--workspace", "--registry-dir", "../registry"]),
        @"
    exit: 0
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
       Packaging tide-table v0.3.1 ([ROOT]/work/samples/tide-table)
       Verifying tide-table v0.3.1 ([ROOT]/work/samples/tide-table)
       Verifying 1 package of `harbour`
       Packaging tide-cli v1.2.0 ([ROOT]/work/samples/tide-cli)
       Verifying tide-cli v1.2.0 ([ROOT]/work/samples/tide-cli)
       Packaging sensor-template v2.0.0 ([ROOT]/work/samples/sensor-template)
       Verifying sensor-template v2.0.0 ([ROOT]/work/samples/sensor-template)
         Signing tide-table v0.3.1 with [FINGERPRINT]
         Signing tide-cli v1.2.0 with [FINGERPRINT]
         Signing sensor-template v2.0.0 with [FINGERPRINT]
        Finished serial 1, 27 files written
    "
    );
    assert_snapshot!(market.run(["search", "tide"]), @r#"
    exit: 0
    --- stdout
    tide-table      = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    --- stderr
        Updating `harbour` index
    note: 3 of 3 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(
        market.run(["search", "tide", "--limit", "1", "--message-format", "json"]),
        @r#"
    exit: 0
    --- stdout
    {"reason":"search-result","schema":1,"description":"Harmonic tide prediction for small displays","keywords":["tides","embedded","prediction"],"name":"tide-table","score":1.0949617962199156,"trust":"signed","version":"0.3.1"}
    --- stderr
        Updating `harbour` index
    "#
    );
    assert_snapshot!(market.run(["install", "tide-cli"]), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying tide-cli v1.2.0 and 1 dependency
      Installing tide-cli v1.2.0 (registry `harbour`)
      Installing [ROOT]/home/.cargo/bin/tide-cli
       Installed package `tide-cli v1.2.0 (registry `harbour`)` (executable `tide-cli`)
    warning: be sure to add `[ROOT]/home/.cargo/bin` to your PATH to be able to run the installed binaries
        Verified 2 packages, 1 from crates.io and elsewhere (checksum only)
    ");
    assert_snapshot!(output(&market, "home/.cargo/bin/tide-cli"), @r"
    exit: 0
    --- stdout
    south-quay (metres)
        0 h  1.74
        3 h  5.47
        6 h  4.67
        9 h  0.83
       12 h  1.32
    --- stderr
    ");
    assert_eq!(told_to_nobody(&market, "home/.cargo/bin/tide-cli"), "");
    assert_snapshot!(market.run(["install", "tide-cli", "--message-format", "json"]), @r#"
    exit: 0
    --- stdout
    {"reason":"installed","schema":1,"foreign":1,"name":"tide-cli","verified":2,"version":"1.2.0"}
    --- stderr
        Updating `harbour` index
       Verifying tide-cli v1.2.0 and 1 dependency
         Ignored package `tide-cli v1.2.0 (registry `harbour`)` is already installed, use --force to override
    warning: be sure to add `[ROOT]/home/.cargo/bin` to your PATH to be able to run the installed binaries
        Verified 2 packages, 1 from crates.io and elsewhere (checksum only)
    "#);
    assert_snapshot!(market.run(["install", "tide-table"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: `tide-table` has no binary to install
    help: `cargo marketplace add tide-table` uses a library
    ");
}

#[test]
fn a_project_builds_on_verified_packages() {
    let market = Market::published();
    market.project("app", "");
    assert_snapshot!(market.run_in("work/app", ["add", "tide-table"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Choosing tide-table v0.3.1
       Verifying 1 package of `harbour`
    note: plain `cargo build` asks `harbour` itself; `cargo marketplace exec -- build` builds what was verified
        Verified 1 package
    ");
    let manifest = market.env.read("work/app/Cargo.toml");
    assert_snapshot!(manifest.lines().last().unwrap_or_default(), @r#"tide-table = { version = "0.3.1", registry = "harbour" }"#);
    assert_snapshot!(market.run_in("work/app", ["exec", "--", "build"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
    ");
    assert_snapshot!(output(&market, "work/app/target/debug/app"), @r"
    exit: 0
    --- stdout
    3.18
    --- stderr
    ");

    // What the program that cargo runs ends with is what we end with.
    let code = "fn main() {\n    std::process::exit(7);\n}\n";
    market.env.write("work/app/src/bin/seven.rs", code);
    assert_snapshot!(market.run_in("work/app", ["exec", "--", "run", "--quiet", "--bin", "seven"]), @"
    exit: 7
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
    ");
    assert_snapshot!(market.run_in("work/app", ["exec", "--", "run", "--quiet", "--bin", "eight"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
    error: no bin target named `eight` in default-run packages
    help: available bin targets:
        app
        seven
    ");

    // What cargo unpacked for us is not what plain cargo looks for, until it is told.
    assert_snapshot!(market.run_in("work/app", ["fetch", "--write-config"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
        Verified 1 package
           Wrote [ROOT]/work/app/.cargo/config.toml
    note: it holds a path of this machine: do not commit it
    ");
    let plain = market.env.cargo(["build", "--offline", "--locked"]);
    assert_snapshot!(show(plain.folder("work/app")), @r"
    exit: 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn packages_files_and_projects_are_verified() {
    let market = Market::published();
    assert_snapshot!(market.run(["verify", "tide-cli"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-cli v1.2.0: checksum, manifest, signed
    ");
    assert_snapshot!(market.run(["verify", "tide-table@0.3.1", "--message-format", "json"]), @r#"
    exit: 0
    --- stdout
    {"reason":"verified","schema":1,"name":"tide-table","sha256":"[DIGEST]","size":[SIZE],"trust":"signed","version":"0.3.1","yanked":false}
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    "#);
    let file = "samples/target/package/tide-cli-1.2.0.crate";
    assert_snapshot!(market.run(["verify", file]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-cli v1.2.0: checksum, manifest, signed
    ");
    market.project("app", APP);
    assert_snapshot!(market.run_in("work/app", ["verify"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: cannot create the lock file [ROOT]/work/app/Cargo.lock because --locked was passed to prevent this
    help: to generate the lock file without accessing the network, remove the --locked flag and use --offline instead.
    error: `cargo update` failed (exit status: 101)
    ");
    let exec = market.env.command(["exec", "--", "generate-lockfile"]);
    assert_eq!(exec.folder("work/app").run().code, Some(0));
    assert_snapshot!(market.run_in("work/app", ["verify"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
        Verified 1 package
    ");
}

#[test]
fn a_yanked_release_stays_in_lock_files_and_is_not_chosen() {
    let market = Market::published();
    market.publish_next();
    market.project(
        "app",
        "tide-table = { version = \"=0.3.1\", registry = \"harbour\" }\n",
    );
    assert_snapshot!(market.run_in("work/app", ["exec", "--", "generate-lockfile"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
    ");
    let before = line_of(&market, "tide-table");
    let yank = [
        "yank",
        "tide-table@0.3.1",
        "--registry-dir",
        "registry",
        "--key",
        "harbour",
    ];
    let reason = ["--reason", "wrong datum in table 4"];
    assert_snapshot!(market.run(yank.into_iter().chain(reason)), @"
    exit: 0
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
        Finished serial 3, 10 files written
    note: existing lock files keep working; `--undo` reverses this
    ");
    let changes = [
        ("\"yanked\":false", "\"yanked\":true"),
        (
            "\"trust\":\"signed\"",
            "\"trust\":\"signed\",\"yank_reason\":\"wrong datum in table 4\"",
        ),
    ];
    let expected = changes.iter().fold(before.clone(), |line, (old, new)| {
        line.replacen(old, new, 1)
    });
    assert_eq!(line_of(&market, "tide-table"), expected);

    assert_snapshot!(market.run_in("work/app", ["exec", "--", "check", "--locked"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying 1 package of `harbour`
    ");
    assert_snapshot!(market.run(["install", "tide-table@0.3.1"]), @r#"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0204]: `tide-table` 0.3.1 is yanked: "wrong datum in table 4"
    help: 0.3.2 is the closest
    "#);
    assert_snapshot!(market.run(["verify", "tide-table@0.3.1"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    warning: tide-table v0.3.1 is yanked
    ");
    assert_snapshot!(market.run(["verify", "tide-table"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.2: checksum, manifest, signed
    ");

    assert_snapshot!(market.run(yank), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `tide-table` 0.3.1 is yanked already
    ");
    assert_snapshot!(market.run(yank.into_iter().chain(["--undo"])), @"
    exit: 0
    --- stdout
    --- stderr
       Unyanking tide-table@0.3.1
        Finished serial 4, 10 files written
    ");
    assert_eq!(line_of(&market, "tide-table"), before);
    assert_snapshot!(market.run(["verify", "tide-table@0.3.1"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    ");
}

#[test]
fn registries_are_listed_shown_and_removed() {
    let market = Market::published();
    assert_snapshot!(market.run(["registry", "list"]), @r"
    exit: 0
    --- stdout
    harbour  http://127.0.0.1:[PORT]/  [DIGEST]
    --- stderr
    ");
    assert_snapshot!(market.run(["registry", "show", "harbour"]), @"
    exit: 0
    --- stdout
    name: harbour
    url: http://127.0.0.1:[PORT]/
    base: https://registry.example.org/
    registry id: [DIGEST]
    root: v1, pinned sha256:[DIGEST]
    serial: 1
    refreshed: 2026-11-22T12:00:00Z
    expires: 2026-11-29T12:00:00Z
    --- stderr
        Updating `harbour` index
    ");
    assert_snapshot!(market.run(["registry", "remove", "harbour"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Removing `harbour` from [ROOT]/home/.cargo/config.toml
         Removed `harbour`
    ");
    assert_snapshot!(market.run(["search", "tide"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: no registry has been added yet
    help: `cargo marketplace registry add NAME URL`
    ");
}

#[cfg(feature = "marketplace-parallel")]
#[test]
fn both_formats_give_the_same_answers() {
    let market = Market::published();
    market.publish_next();
    market.project("app", "");
    let commands: [&[&str]; 8] = [
        &["search", "tide"],
        &["search", "tide", "--message-format", "json"],
        &["search", "--keyword", "embedded", "tide"],
        &["info", "tide-cli", "--versions", "--deps"],
        &[
            "info",
            "tide-table",
            "--versions",
            "--dependents",
            "--signatures",
        ],
        &["verify", "tide-table"],
        &["install", "tide-cli", "--dry-run"],
        &["search", "nothing-like-it"],
    ];
    for command in commands {
        let read = |backend| market.run(command.iter().copied().chain(["--backend", backend]));
        assert_eq!(read("v1"), read("v2"), "{command:?}");
    }
    let add = |backend| {
        market.project("app", "");
        let outcome = market.run_in("work/app", ["add", "tide-table", "--backend", backend]);
        let files = ["work/app/Cargo.toml", "work/app/Cargo.lock"];
        (outcome, files.map(|file| market.env.read(file)))
    };
    assert_eq!(add("v1"), add("v2"));
    assert_snapshot!(market.run(["sparql", "--backend", "v1", "ASK {}"]), @"
    exit: 1
    --- stdout
    --- stderr
    error[MP0801]: `sparql` needs v2, the Turtle index
    note: `--backend v1` reads v1 only, and there is no falling back
    help: leave `--backend v1` away, or use a build that reads v2
    ");
}

#[test]
fn what_was_verified_works_with_the_server_gone() {
    let mut market = Market::published();
    market.project("app", APP);
    market.must(["search", "tide"]);
    market.must(["info", "tide-table"]);
    market.must(["install", "tide-cli"]);
    market.must(["new", "first", "--template", "sensor-template"]);
    market.stop();
    assert_snapshot!(market.run(["--offline", "search", "tide"]), @r#"
    exit: 0
    --- stdout
    tide-table      = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    --- stderr
    note: 3 of 3 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(market.run(["--offline", "info", "tide-table"]), @"
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
    --- stderr
    ");
    // The program is built from our library and from a package of crates.io.
    assert_snapshot!(market.run(["--offline", "install", "--force", "tide-cli"]), @"
    exit: 0
    --- stdout
    --- stderr
       Verifying tide-cli v1.2.0 and 1 dependency
      Installing tide-cli v1.2.0 (registry `harbour`)
       Replacing [ROOT]/home/.cargo/bin/tide-cli
        Replaced package `tide-cli v1.2.0 (registry `harbour`)` with `tide-cli v1.2.0 (registry `harbour`)` (executable `tide-cli`)
    warning: be sure to add `[ROOT]/home/.cargo/bin` to your PATH to be able to run the installed binaries
        Verified 2 packages, 1 from crates.io and elsewhere (checksum only)
    ");
    assert_snapshot!(market.run_in("work/app", ["--offline", "exec", "--", "build"]), @r"
    exit: 0
    --- stdout
    --- stderr
       Verifying 1 package of `harbour`
    ");
    assert_snapshot!(output(&market, "work/app/target/debug/app"), @r"
    exit: 0
    --- stdout
    3.18
    --- stderr
    ");
    market.project("other", "");
    assert_snapshot!(market.run_in("work/other", ["--offline", "add", "tide-table"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Choosing tide-table v0.3.1
       Verifying 1 package of `harbour`
    note: plain `cargo build` asks `harbour` itself; `cargo marketplace exec -- build` builds what was verified
        Verified 1 package
    ");
    let new = [
        "--offline",
        "new",
        "buoy",
        "--template",
        "sensor-template",
        "-d",
        "board=esp32",
    ];
    assert_snapshot!(market.run(new), @r"
    exit: 0
    --- stdout
    --- stderr
       Verifying sensor-template v2.0.0
        Creating `buoy` from `sensor-template v2.0.0` (3 files, no scripts run)
    ");
    assert_snapshot!(market.env.read("work/buoy/Cargo.toml"), @r#"
    [package]
    name = "buoy"
    version = "0.1.0"
    edition = "2024"
    description = "Reads a sensor on a esp32"

    [dependencies]
    tide-table = { version = "0.3", registry = "harbour" }
    "#);
    // And without `--offline`, too: the copy is used, and its age is said.
    assert_snapshot!(market.run(["install", "--force", "tide-cli"]), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (connection refused); using copy from 0 s ago
       Verifying tide-cli v1.2.0 and 1 dependency
      Installing tide-cli v1.2.0 (registry `harbour`)
       Replacing [ROOT]/home/.cargo/bin/tide-cli
        Replaced package `tide-cli v1.2.0 (registry `harbour`)` with `tide-cli v1.2.0 (registry `harbour`)` (executable `tide-cli`)
    warning: be sure to add `[ROOT]/home/.cargo/bin` to your PATH to be able to run the installed binaries
        Verified 2 packages, 1 from crates.io and elsewhere (checksum only)
    ");
}

#[test]
fn what_was_not_fetched_is_not_there_offline() {
    let market = Market::published();
    market.must(["verify", "tide-table"]);
    assert_snapshot!(market.run(["--offline", "verify", "tide-table"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Verified tide-table v0.3.1: checksum, manifest, signed
    ");
    assert_snapshot!(market.run(["--offline", "install", "tide-cli"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0202]: `tide-cli` is not in the offline copy of `harbour`
    help: run it once with the registry in reach and without `--offline`
    ");
}

#[test]
fn a_release_is_published_once() {
    let market = Market::published();
    let registry = market.env.path("work/registry");
    let before = folder_digest(&registry);
    let publish = [
        "publish",
        "-p",
        "tide-table",
        "--registry-dir",
        "../registry",
    ];
    assert_snapshot!(market.run_in("work/samples", publish), @"
    exit: 101
    --- stdout
    --- stderr
    warning: the keys `harbour`, `offline`, `online` are not encrypted: a build script that runs now can read them
        Updating `harbour` index
    error[MP0604]: `tide-table` 0.3.1 is published already
    note: nothing was written
    help: a version is published once; raise it in `Cargo.toml`
    ");
    assert_eq!(folder_digest(&registry), before);
}

#[test]
fn a_dry_run_shows_what_a_publication_writes() {
    let market = Market::empty();
    let registry = market.env.path("work/registry");
    let before = folder_digest(&registry);
    let publish = [
        "publish",
        "-p",
        "tide-table",
        "--registry-dir",
        "../registry",
    ];
    let command = market.env.command(publish.into_iter().chain(["--dry-run"]));
    let shown = command.folder("work/samples").run();
    assert_eq!(folder_digest(&registry), before);
    assert_snapshot!(show(market.env.command(publish.into_iter().chain(["--dry-run", "--no-verify"])).folder("work/samples")), @r#"
    exit: 0
    --- stdout
    {"name":"tide-table","vers":"0.3.1","deps":[],"cksum":"[DIGEST]","features":{"default":["std"],"std":[]},"yanked":false,"rust_version":"1.85","pubtime":"2026-11-22T12:00:00Z","marketplace":{"schema":1,"size":[SIZE],"description":"Harmonic tide prediction for small displays","license":"MIT OR Apache-2.0","keywords":["tides","embedded","prediction"],"categories":["science"],"repository":"https://registry.example.org/source/tides","edition":"2024","kinds":["library"],"publisher":"harbour","trust":"signed"}}
    +@base <https://registry.example.org/> .
    +@prefix dcterms: <http://purl.org/dc/terms/> .
    +@prefix doap: <http://usefulinc.com/ns/doap#> .
    +@prefix mp: <https://w3id.org/cargo-marketplace/ns#> .
    +@prefix prov: <http://www.w3.org/ns/prov#> .
    +@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
    +@prefix schema: <https://schema.org/> .
    +@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    +
    +<packages/tide-table/#package> a mp:Package, doap:Project, schema:SoftwareSourceCode ;
    +    mp:schema 1 ;
    +    schema:name "tide-table" ;
    +    schema:description "Harmonic tide prediction for small displays" ;
    +    schema:keywords "embedded", "prediction", "tides" ;
    +    mp:latest <packages/tide-table/0.3.1/#release> ;
    +    doap:release <packages/tide-table/0.3.1/#release> .
    +
    +<packages/tide-table/0.3.1/#release> a mp:Release, doap:Version, prov:Entity ;
    +    mp:package <packages/tide-table/#package> ;
    +    mp:position 0 ;
    +    doap:revision "0.3.1" ;
    +    mp:sortKey "a0a3a1~" ;
    +    dcterms:identifier "pkg:cargo/tide-table@0.3.1?repository_url=https%3A%2F%2Fregistry.example.org%2F" ;
    +    mp:sha256 "[DIGEST]" ;
    +    mp:size 1695 ;
    +    dcterms:issued "2026-11-22T12:00:00Z"^^xsd:dateTime ;
    +    mp:yanked false ;
    +    mp:trust "signed" ;
    +    mp:publisher <publishers/harbour/#publisher> ;
    +    schema:description "Harmonic tide prediction for small displays" ;
    +    mp:licenseExpression "MIT OR Apache-2.0" ;
    +    dcterms:license <http://spdx.org/licenses/Apache-2.0>, <http://spdx.org/licenses/MIT> ;
    +    schema:keywords "embedded", "prediction", "tides" ;
    +    mp:keywordList "[\"tides\",\"embedded\",\"prediction\"]"^^rdf:JSON ;
    +    mp:category "science" ;
    +    schema:codeRepository "https://registry.example.org/source/tides"^^xsd:anyURI ;
    +    mp:rustVersion "1.85" ;
    +    mp:rustVersionMinor 85 ;
    +    mp:edition "2024" ;
    +    mp:usableAs mp:Library ;
    +    mp:feature "default", "std" ;
    +    mp:features "{\"default\":[\"std\"],\"std\":[]}"^^rdf:JSON .
    {"body":{"kind":"genesis","owners":["harbour"],"threshold":1},"package":"tide-table","previous":null,"registry_id":"[DIGEST]","schema":1,"sequence":1}
    {"body":{"kind":"release","release":{"cksum":"[DIGEST]","deps":[],"features":{"default":["std"],"std":[]},"marketplace":{"categories":["science"],"description":"Harmonic tide prediction for small displays","edition":"2024","keywords":["tides","embedded","prediction"],"kinds":["library"],"license":"MIT OR Apache-2.0","publisher":"harbour","repository":"https://registry.example.org/source/tides","schema":1,"size":[SIZE]},"name":"tide-table","rust_version":"1.85","vers":"0.3.1"}},"package":"tide-table","previous":"[DIGEST]","registry_id":"[DIGEST]","schema":1,"sequence":2}
    --- stderr
        Updating `harbour` index
       Packaging tide-table v0.3.1 ([ROOT]/work/samples/tide-table)
         Signing tide-table v0.3.1 with [FINGERPRINT]
    warning: nothing was written, as this is a dry run
    "#);

    market.publish(&["-p", "tide-table", "--no-verify"]);
    assert_eq!(
        shown.stdout.lines().next(),
        line_of(&market, "tide-table").lines().next()
    );
    let turtle = market.file("ti/de/tide-table.ttl");
    let added = shown
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix('+'));
    for line in added {
        assert!(turtle.lines().any(|other| other == line), "{line}");
    }
    let record: serde_json::Value =
        serde_json::from_str(&market.file("ti/de/tide-table.json")).unwrap();
    let statements = record["statements"].as_array().unwrap();
    for statement in statements {
        use base64::Engine as _;
        let payload = statement["payload"].as_str().unwrap();
        let payload = base64::engine::general_purpose::STANDARD
            .decode(payload)
            .unwrap();
        let payload = String::from_utf8(payload).unwrap();
        assert!(
            shown.stdout.lines().any(|line| line == payload),
            "{payload}"
        );
    }
}
