//! What goes wrong, and what the program then says: whole messages, and that nothing was written.

#![expect(clippy::too_many_lines, reason = "whole outputs stand in the tests")]

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cargo_marketplace::registry::serve;
use cargo_marketplace::registry::transport::Limits;
use insta::{allow_duplicates, assert_snapshot};

use crate::env::{TestCommand, TestEnv, free_port};
use crate::faults::{Answer, FaultServer};
use crate::fixture::Fixture;
use crate::samples::{Market, cached, crates_io, folder_digest, show};
use crate::small_registry::archive;

/// Imports an archive that harbour signs.
fn import(market: &Market, name: &str, version: &str, more: &str) {
    let file = format!("work/{name}-{version}.crate");
    market.env.write(&file, archive(name, version, more));
    let file = market.env.path(&file);
    let line = "registry import registry --as-own --key harbour";
    market.must(line.split(' ').chain(file.to_str()));
}

#[test]
fn a_package_of_nothing_but_pre_releases() {
    let market = Market::empty();
    import(&market, "tide-next", "2.0.0-alpha.1", "");
    allow_duplicates! {
        for command in ["install", "add", "verify"] {
            assert_snapshot!(market.run([command, "tide-next"]), @"
            exit: 101
            --- stdout
            --- stderr
                Updating `harbour` index
            error[MP0203]: `tide-next` has no release but pre-releases
            help: ask for one: `tide-next@=2.0.0-alpha.1`
            ");
        }
    }
    let asked = market.run(["verify", "tide-next@=2.0.0-alpha.1"]);
    assert!(asked.starts_with("exit: 0\n"), "{asked}");
}

#[test]
fn a_registry_that_is_named_twice_and_differently() {
    let market = Market::published();
    allow_duplicates! {
        for command in ["info", "install", "add", "verify"] {
            let outcome = market.run([command, "--registry", "nope", "harbour/tide-table"]);
            assert_snapshot!(outcome, @"
            exit: 1
            --- stdout
            --- stderr
            error: `harbour/` and `--registry nope` name two registries
            help: name one
            ");
        }
    }
    let yank = |spec| {
        let line = format!("yank {spec} --registry-dir registry --key harbour");
        market.run(line.split(' '))
    };
    assert_snapshot!(yank("other/tide-table@0.3.1"), @"
    exit: 1
    --- stdout
    --- stderr
    error: no registry is called `other`
    help: see `cargo marketplace registry list`
    ");
    let env = &market.env;
    let line = "registry init second --solo --base-url https://second.example/ \
                --offline-key a --online-key b --no-passphrase";
    market.must(line.split_whitespace());
    let url = format!("file://{}", env.path("work/second").display());
    let line = format!("registry add second {url} --root-file second/tuf/1.root.json");
    market.must(line.split(' '));
    assert_snapshot!(yank("second/tide-table@0.3.1"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `second` is not the registry in `[ROOT]/work/registry`
    help: name the package without a registry
    ");
    let told = "error: `second` is not the registry in `[ROOT]/work/registry`\n";
    for line in [
        "owner add second/tide-table friend --registry-dir registry",
        "owner remove second/tide-table harbour --registry-dir registry",
        "owner assign second/tide-table friend --registry-dir registry",
        "registry withdraw registry second/tide-table@0.3.1",
    ] {
        let refused = market.run(line.split(' '));
        assert!(refused.contains(told), "{line}: {refused}");
    }
    let list = market.run(["owner", "list", "harbour/tide-table"]);
    assert!(list.starts_with("exit: 0\n"), "{list}");
    assert_snapshot!(market.run(["owner", "list", "tide-table@0.3.1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'tide-table@0.3.1' for '<PACKAGE>': expected a package and no version, as `tide-table`

    For more information, try '--help'.
    ");
    let right = yank("harbour/tide-table@0.3.1");
    assert!(right.starts_with("exit: 0\n"), "{right}");
}

#[test]
fn a_package_that_is_not_there() {
    let market = Market::published();
    assert_snapshot!(market.run(["install", "tide-tabel"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `tide-tabel` in `harbour`
    help: did you mean `tide-table`?
    ");
    assert_snapshot!(market.run(["info", "Tide_Table"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `Tide_Table` in `harbour`
    help: did you mean `tide-table`?
    ");
    assert_snapshot!(market.run(["info", "nothing-like-it"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `nothing-like-it` in `harbour`
    help: `cargo marketplace search WORDS` looks for packages
    ");
    assert_snapshot!(market.run(["install", "other/tide-cli"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: no registry is called `other`
    help: see `cargo marketplace registry list`
    ");
    assert_snapshot!(market.run(["new", "buoy", "--template", "tide-table"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying tide-table v0.3.1
    error: `tide-table` is not a template: it has no folder `template/`
    note: nothing was written
    ");
}

#[test]
fn a_requirement_that_is_none_or_that_nothing_fits() {
    let market = Market::published();
    assert_snapshot!(market.run(["install", "tide-cli@1.2.3.4"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'tide-cli@1.2.3.4' for '<SPEC>...': `1.2.3.4` is not a version requirement: expected comma after patch version number, found '.'

    For more information, try '--help'.
    ");
    assert_snapshot!(market.run(["install", "tide-cli@^7"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no version of `tide-cli` matches `^7`
    help: the newest version is 1.2.0
    ");
    assert_snapshot!(market.run(["install", "tide-cli@1.2.1"]), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no version of `tide-cli` matches `=1.2.1`
    help: the newest version is 1.2.0
    ");
}

#[test]
fn a_release_that_needs_a_newer_rust() {
    let market = Market::empty();
    import(&market, "tide-gauge", "1.0.0", "rust-version = \"1.85\"\n");
    import(&market, "tide-gauge", "2.0.0", "rust-version = \"1.999\"\n");
    market.project("app", "");
    assert_snapshot!(redact_rust(&market.run_in("work/app", ["add", "tide-gauge@2"])), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0205]: no version of `tide-gauge` that matches `2` is compatible with rustc [VERSION]
    note: 2.0.0 needs rustc 1.999
    help: 1.0.0 builds here; or pass `--ignore-rust-version`
    ");
    assert_snapshot!(market.run_in("work/app", ["add", "tide-gauge"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Choosing tide-gauge v1.0.0
       Verifying 1 package of `harbour`
    note: plain `cargo build` asks `harbour` itself; `cargo marketplace exec -- build` builds what was verified
        Verified 1 package
    ");
}

fn redact_rust(text: &str) -> String {
    let version = regex::Regex::new(r"rustc \d+\.\d+\.\d+").unwrap();
    version.replace_all(text, "rustc [VERSION]").into_owned()
}

#[test]
fn a_tree_with_changes_that_are_not_committed() {
    let market = Market::empty();
    let git = |line: &str| {
        let user = [
            "-c",
            "user.name=nobody",
            "-c",
            "user.email=nobody@example.org",
        ];
        let all = user.into_iter().chain(line.split(' '));
        let outcome = market.env.program("git", all).folder("work/samples").run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    };
    market
        .env
        .write("work/samples/.gitignore", "target\nCargo.lock\n");
    git("init --quiet");
    git("add .");
    git("commit --quiet --message samples");
    market
        .env
        .write("work/samples/tide-table/src/lib.rs", "//! Changed.\n");
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
    error: 1 files in the working directory contain changes that were not yet committed into git:

    tide-table/src/lib.rs

    to proceed despite this and include the uncommitted changes, pass the `--allow-dirty` flag
    error: `cargo package` failed for `tide-table`
    ");
}

#[test]
fn a_key_that_is_not_there_or_not_to_be_opened() {
    let market = Market::published();
    let yank = ["yank", "tide-table@0.3.1", "--registry-dir", "registry"];
    let with = |key| market.run(yank.into_iter().chain(["--key", key]));
    assert_snapshot!(with("harbor"), @r"
    exit: 101
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
    error[MP0601]: no key is called `harbor`
    help: did you mean `harbour`?
    ");
    let locked = market.env.command(["key", "new", "locked"]);
    let locked = locked
        .env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "right")
        .run();
    assert_eq!(locked.code, Some(0), "{locked}");
    assert_snapshot!(with("locked"), @r"
    exit: 101
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
    error: the passphrase of `locked` cannot be asked for
    note: there is no terminal
    help: set CARGO_MARKETPLACE_KEY_PASSPHRASE
    ");
    let wrong = market
        .env
        .command(yank.into_iter().chain(["--key", "locked"]));
    let wrong = wrong.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "wrong");
    assert_snapshot!(show(wrong), @"
    exit: 101
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
    error[MP0605]: cannot use the key in `[ROOT]/home/.cargo/marketplace/keys/locked.pem`

    Caused by:
      the passphrase does not fit the key

    help: type it again; a lost passphrase cannot be found again
    ");
    // Another's key is no owner's.
    let right = market
        .env
        .command(yank.into_iter().chain(["--key", "locked"]));
    let right = right.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "right");
    assert_snapshot!(show(right), @r"
    exit: 101
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
    error: `locked` does not own `tide-table`; its owners are harbour
    help: sign with an owner's key: `--key NAME`
    ");
    // Packaging runs foreign code, which could read the environment.
    let publish = [
        "publish",
        "-p",
        "tide-table",
        "--registry-dir",
        "../registry",
    ];
    let publish = market.env.command(publish).folder("work/samples");
    let publish = publish.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "right");
    assert_snapshot!(show(publish), @r"
    exit: 101
    --- stdout
    --- stderr
    error: a passphrase is in the environment, and packaging runs foreign code
    note: a build script could read it
    help: run `cargo marketplace package` without it, then `cargo marketplace sign`
    ");
    let elsewhere = market
        .env
        .command(yank)
        .env("CARGO_MARKETPLACE_KEYS", "none");
    assert_snapshot!(show(elsewhere), @r"
    exit: 101
    --- stdout
    --- stderr
         Yanking tide-table@0.3.1
    error[MP0601]: there is no signing key
    help: `cargo marketplace key new NAME` makes one
    ");
}

#[test]
fn a_server_that_cannot_be_reached() {
    let mut market = Market::published();
    market.must(["search", "tide"]);
    market.must(["verify", "tide-table"]);
    market.stop();
    let root = format!("sha256:{}", market.root());
    let add = ["registry", "add", "other", market.url(), "--root", &root];
    assert_snapshot!(market.run(add), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `other` root metadata
    error[MP0201]: `http://127.0.0.1:[PORT]/tuf/1.root.json` is unreachable (connection refused)
    help: check the network and the registry's address, and try again
    ");
    let later = market.env.command(["search", "tide"]);
    let later = later.env(
        "CARGO_MARKETPLACE_NOW",
        (crate::env::NOW + 7200).to_string(),
    );
    assert_snapshot!(show(later), @r#"
    exit: 0
    --- stdout
    tide-table      = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (connection refused); using copy from 2 h ago
    note: 3 of 3 results; searched a local copy, nothing was sent
    "#);
    // A copy that has expired is not good enough to choose from.
    let later = market.env.command(["verify", "tide-table"]);
    let later = later.env(
        "CARGO_MARKETPLACE_NOW",
        (crate::env::NOW + 30 * 86_400).to_string(),
    );
    assert_snapshot!(show(later), @r"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (connection refused); using copy from 30 days ago
    warning: the copy of `harbour` expired at 2026-11-29T12:00:00Z: what was published, yanked or revoked since is unknown
    error[MP0404]: `harbour` does not answer, and its metadata expired at 2026-11-29T12:00:00Z
    note: nothing was written
    help: pass `--offline` to choose from what was verified before
    ");
}

#[test]
fn a_server_that_does_not_answer_costs_less_than_five_seconds() {
    let market = Market::published();
    market.must(["search", "tide"]);
    let silent = FaultServer::start([Answer::Stall("")]);
    let config = market
        .marketplace_config()
        .replace(market.url(), &silent.url().to_string());
    market
        .env
        .write("home/.cargo/marketplace/config.toml", config);
    let start = Instant::now();
    assert_snapshot!(market.run(["search", "tide-table", "--limit", "1"]), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small displays  signed
    --- stderr
        Updating `harbour` index
    warning: could not update `harbour` (no answer in time); using copy from 0 s ago
    note: 1 of 2 results; searched a local copy, nothing was sent
    "#);
    // Five seconds, and some for a machine that has other things to do.
    assert!(Limits::default().first_answer < Duration::from_secs(5));
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_registry_that_is_not_the_one_that_was_meant() {
    let market = Market::empty();
    let zeros = format!("sha256:{}", "0".repeat(64));
    let home = market.env.path("home/.cargo");
    let before = folder_digest(&home);
    let add = ["registry", "add", "other", market.url()];
    assert_snapshot!(market.run(add.into_iter().chain(["--root", &zeros])), @r"
    exit: 4
    --- stdout
    --- stderr
        Updating `other` root metadata
    error[MP0102]: no root of `other` has that digest
    note: nothing was written
    help: is the address right? Else somebody shows you another registry
    ");
    assert_snapshot!(market.run(add.into_iter().chain(["--root", "sha256:12"])), @r"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'sha256:12' for '--root <sha256:DIGEST>': `12` is not a sha256 digest (64 lower-case hexadecimal digits)

    For more information, try '--help'.
    ");
    // Nobody is there to compare the digest.
    assert_snapshot!(market.run(add), @r"
    exit: 4
    --- stdout
    --- stderr
        Updating `other` root metadata
    error[MP0101]: the root of `other` is not trusted yet
    note: nothing was written
    help: pass `--root sha256:[DIGEST]` or `--root-file root.json`
    ");
    let page = FaultServer::start([crate::faults::answer(
        "200 OK",
        "<html>Please log in</html>",
    )]);
    let login = [
        "registry",
        "add",
        "other",
        &page.url().to_string(),
        "--root",
        &zeros,
    ]
    .map(str::to_owned);
    assert_snapshot!(market.run(login.iter().map(String::as_str)), @r"
    exit: 101
    --- stdout
    --- stderr
        Updating `other` root metadata
    error: what came for `root` is no metadata
    help: is this the address of a registry, and not behind a login page?
    ");
    assert_eq!(folder_digest(&home), before);
}

#[test]
fn an_archive_that_was_changed() {
    let market = Market::published();
    market.project("app", "");
    let path = market.archive("tide-table");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let app = folder_digest(&market.env.path("work/app"));
    assert_snapshot!(market.run(["verify", "tide-table"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: checksum mismatch for `tide-table 0.3.1`: expected [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    note: nothing was written
    help: it came from `http://127.0.0.1:[PORT]/crates/tide-table/[DIGEST].crate`; tell the registry's operator
    ");
    assert_snapshot!(market.run(["install", "tide-cli"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
       Verifying tide-cli v1.2.0 and 1 dependency
    error[MP0401]: checksum mismatch for `tide-table 0.3.1`: expected [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    note: nothing was written
    help: it came from `http://127.0.0.1:[PORT]/crates/tide-table/[DIGEST].crate`; tell the registry's operator
    ");
    assert_snapshot!(market.run_in("work/app", ["add", "tide-table"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
        Choosing tide-table v0.3.1
       Verifying 1 package of `harbour`
    error[MP0401]: checksum mismatch for `tide-table 0.3.1`: expected [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    note: nothing was written
    help: it came from `http://127.0.0.1:[PORT]/crates/tide-table/[DIGEST].crate`; tell the registry's operator
    ");
    assert_eq!(folder_digest(&market.env.path("work/app")), app);
    assert!(!market.env.cargo_home().join("bin").exists());
    let state = market
        .env
        .marketplace_home()
        .join(market.root().to_string());
    let expected = [PathBuf::from("tide-cli-1.2.0.crate")];
    assert_eq!(archives(&state.join("local")), expected);

    let path = market.archive("sensor-template");
    let mut longer = fs::read(&path).unwrap();
    longer.push(0);
    fs::write(&path, longer).unwrap();
    assert_snapshot!(market.run(["new", "buoy", "--template", "sensor-template"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: `crates/sensor-template/[DIGEST].crate` is longer than the [SIZE] that it may have
    note: nothing was written
    help: fetch it anew, from another mirror if there is one, and tell the registry's operator
    ");
    assert!(!market.env.path("work/buoy").exists());
    // The file on this machine is not what the registry lists, either.
    let file = "samples/target/package/sensor-template-2.0.0.crate";
    market.env.write(
        &format!("work/{file}"),
        archive("sensor-template", "2.0.0", ""),
    );
    assert_snapshot!(market.run(["verify", file]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: checksum mismatch for `sensor-template 2.0.0`: expected [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    note: nothing was written
    help: fetch it anew, from another mirror if there is one, and tell the registry's operator
    ");
}

/// The names of the archives in a folder.
fn archives(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| PathBuf::from(entry.unwrap().file_name()));
    names
        .filter(|name| name.extension().is_some_and(|e| e == "crate"))
        .collect()
}

/// What a machine that has only added the registry says to `install`, with further options, when a
/// file of it is changed in transit.
fn tampered(market: &Market, name: &str, options: &str) -> String {
    let home = market.env.path(&format!("homes/{name}"));
    let command = |line: &str| -> TestCommand<'_> {
        let command = market.env.command(line.split(' ').map(ToOwned::to_owned));
        command.env("CARGO_MARKETPLACE_HOME", &home)
    };
    let add = format!(
        "registry add harbour {} --root sha256:{}",
        market.url(),
        market.root()
    );
    let added = command(&add).run();
    assert_eq!(added.code, Some(0), "{added}");
    let files = matching(&market.env.path("work/registry"), name);
    assert!(!files.is_empty(), "{name}");
    let before: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, bytes) in files.iter().zip(&before) {
        let mut bytes = bytes.clone();
        // Within a text, so that the file stays well-formed.
        let place = bytes
            .windows(4)
            .rposition(|four| four.iter().all(u8::is_ascii_lowercase))
            .unwrap();
        bytes[place] = if bytes[place] == b'x' { b'y' } else { b'x' };
        fs::write(file, bytes).unwrap();
    }
    let shown = show(command(&format!("install tide-cli --dry-run{options}")));
    for (file, bytes) in files.iter().zip(&before) {
        fs::write(file, bytes).unwrap();
    }
    assert!(shown.starts_with("exit: 4\n"), "{name} {shown}");
    shown
}

/// The files below a folder whose paths end so, or have it before the end.
fn matching(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(matching(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found
}

#[test]
fn records_publishers_and_metadata_that_were_changed() {
    let market = Market::published();
    market.publish_next();
    assert_snapshot!(tampered(&market, "timestamp.json", ""), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0402]: the metadata of `timestamp` has 0 of 1 required signatures
    note: nothing was written
    help: try another mirror, and tell the registry's operator
    ");
    assert_snapshot!(tampered(&market, ".packages.json", ""), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0402]: the metadata of `packages` has 0 of 1 required signatures
    note: nothing was written
    help: try another mirror, and tell the registry's operator
    ");
    assert_snapshot!(tampered(&market, ".tide-cli.json", ""), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: `ti/de/tide-cli.json` is not the file that the registry signed for: expected [SIZE] and the signed digest, got [SIZE] with sha256 [DIGEST]
    note: nothing was written
    help: fetch it anew, from another mirror if there is one, and tell the registry's operator
    ");
    assert_snapshot!(tampered(&market, "harbour.json", ""), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: `publishers/harbour.json` is not the file that the registry signed for: expected [SIZE] and the signed digest, got [SIZE] with sha256 [DIGEST]
    note: nothing was written
    help: fetch it anew, from another mirror if there is one, and tell the registry's operator
    ");
}

#[cfg(feature = "marketplace-v1")]
#[test]
fn a_v1_document_that_was_changed() {
    assert_snapshot!(tampered(&Market::published(), ".tide-cli", " --backend v1"), @r"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: `ti/de/[DIGEST].tide-cli` is not what the signed metadata says
    note: nothing was written
    help: expected sha256 [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    ");
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn a_v2_document_that_was_changed() {
    assert_snapshot!(tampered(&Market::published(), ".tide-cli.ttl", " --backend v2"), @r"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: `ti/de/[DIGEST].tide-cli.ttl` is not what the signed metadata says
    note: nothing was written
    help: expected sha256 [DIGEST] ([SIZE]), got [DIGEST] ([SIZE])
    ");
}

/// A program whose build script waits until it is let go on.
#[cfg(unix)]
const WAITING_BUILD: &str = r#"use std::io::Read;

fn main() {
    let address = std::env::var("WAITING_BUILD").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let _ = stream.read(&mut [0]);
}
"#;

#[cfg(unix)]
#[test]
fn an_install_that_is_interrupted_is_as_if_it_had_not_begun() {
    let market = Market::empty();
    let manifest = "[package]\nname = \"slow\"\nversion = \"1.0.0\"\nedition = \"2024\"\ndescription = \"slow\"\nlicense = \"MIT\"\n";
    market.env.write("work/slow/Cargo.toml", manifest);
    market.env.write("work/slow/build.rs", WAITING_BUILD);
    market.env.write(
        "work/slow/src/main.rs",
        "fn main() {\n    println!(\"built\");\n}\n",
    );
    let publish = ["publish", "--registry-dir", "../registry", "--no-verify"];
    let published = market.env.command(publish).folder("work/slow").run();
    assert_eq!(published.code, Some(0), "{published}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let install = || {
        market
            .env
            .command(["install", "slow", "--debug"])
            .env("WAITING_BUILD", &address)
    };
    let mut child = install().into_interruptible_command().spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    // As Ctrl-C on a terminal does: to all of them.
    let group = format!("-{}", child.id());
    let killed = market.env.program("kill", ["-INT", "--", &group]).run();
    assert_eq!(killed.code, Some(0), "{killed}");
    assert!(!child.wait().unwrap().success());
    let _ = stream.read(&mut [0]);
    assert!(!market.env.cargo_home().join("bin/slow").exists());

    let going_on = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let outcome = install().run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    going_on.join().unwrap();
    let program = market.env.cargo_home().join("bin/slow");
    assert_eq!(market.env.program(program, [""; 0]).run().stdout, "built\n");
    let state = market
        .env
        .marketplace_home()
        .join(market.root().to_string());
    let left = fs::read_dir(state.join("tmp")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".lock"]);
}

/// The user's configuration with two registries, and what else it holds.
fn two_registries(env: &TestEnv, more: &str) {
    let entry = |name: &str, digit: &str| {
        let digest = digit.repeat(64);
        format!(
            "[registries.{name}]\nurl = \"file:///nowhere/\"\nregistry-id = \"{digest}\"\nroot = \"sha256:{digest}\"\n"
        )
    };
    let config = [entry("harbour", "a"), entry("quay", "b"), more.to_owned()].concat();
    env.write("home/.cargo/marketplace/config.toml", config);
}

#[test]
fn where_there_are_several_registries_the_help_is_a_command() {
    let env = TestEnv::new();
    two_registries(&env, "");
    assert_snapshot!(env.run(["registry", "show"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: several registries are known, and none was named
    help: say which: `cargo marketplace registry show harbour`, `cargo marketplace registry show quay`
    ");
    assert_snapshot!(env.run(["registry", "pin"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: several registries are known, and none was named
    help: say which: `cargo marketplace registry pin harbour`, `cargo marketplace registry pin quay`
    ");
}

#[test]
fn settings_that_mean_nothing_are_named() {
    let env = TestEnv::new();
    two_registries(
        &env,
        "mirror = []\n[instal]\ncooldown = \"3d\"\n[colours]\n",
    );
    assert_snapshot!(env.run(["registry", "list"]), @"
    exit: 0
    --- stdout
    harbour  file:///nowhere/  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    quay     file:///nowhere/  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    --- stderr
    warning: `instal` in `[ROOT]/home/.cargo/marketplace/config.toml` means nothing; did you mean `install`?
    warning: `colours` in `[ROOT]/home/.cargo/marketplace/config.toml` means nothing
    warning: `registries.quay.mirror` in `[ROOT]/home/.cargo/marketplace/config.toml` means nothing; did you mean `mirrors`?
    ");
}

#[test]
fn a_lock_file_of_nothing_of_ours_is_said_to_be_one() {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    env.write("work/Cargo.toml", "[package]\nname = \"app\"\n");
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    env.write("work/Cargo.lock", lock);
    assert_snapshot!(env.run(["verify", "--workspace"]), @"
    exit: 0
    --- stdout
    --- stderr
       Verifying no package: none is of a registry that you have added
        Verified 0 packages
    ");
}

#[test]
fn of_a_registry_in_a_folder_it_is_not_said_that_plain_cargo_knows_it() {
    let market = Market::published();
    let env = TestEnv::new();
    crates_io(&env, &["strsim-0.11.1"]);
    let (url, root) = (
        format!("file://{}", market.env.path("work/registry").display()),
        format!("--root=sha256:{}", market.root()),
    );
    let added = env
        .command(["registry", "add", "harbour", &url, &root])
        .run();
    assert_eq!(added.code, Some(0), "{added}");
    env.write(
        "work/app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\n",
    );
    env.write("work/app/src/main.rs", "fn main() {}\n");
    for (line, expected) in [
        (
            "add tide-table",
            "note: plain cargo does not know `harbour`; `cargo marketplace exec -- build` builds what was verified\n",
        ),
        (
            "fetch",
            "note: `cargo marketplace exec -- build` uses what was fetched\n",
        ),
    ] {
        let outcome = env.command(line.split(' ')).folder("work/app").run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert!(outcome.stderr.contains(expected), "{outcome}");
    }
}

#[test]
fn to_revoke_a_key_no_new_one_is_made() {
    let market = Market::published();
    let revoke = ["key", "revoke", "zzz", "--registry-dir", "registry"];
    assert_snapshot!(market.run(revoke), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0601]: no key is called `zzz`
    help: pass its id: `cargo marketplace owner list PACKAGE` shows the ids of keys
    ");
}

#[test]
fn a_license_that_is_none_is_said_to_be_none() {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    assert_snapshot!(env.run(["search", "--license", "Apache2.0"]), @"
    exit: 0
    --- stdout
    --- stderr
    warning: `Apache2.0` is no SPDX license id; did you mean `Apache-2.0`?
        Updating `harbour` index
    note: 0 of 0 results; searched a local copy, nothing was sent
    ");
    assert_snapshot!(env.run(["search", "--license", "bogus"]), @"
    exit: 0
    --- stdout
    --- stderr
    warning: `bogus` is no SPDX license id, as `MIT` is, and no package is found by it
        Updating `harbour` index
    note: 0 of 0 results; searched a local copy, nothing was sent
    ");
    assert_snapshot!(env.run(["audit", "--deny", "license=gpl-3.0-only"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'license=gpl-3.0-only' for '--deny <WHAT>': `gpl-3.0-only` is no SPDX expression: unknown term; did you mean `GPL-3.0-only`?

    For more information, try '--help'.
    ");
}

#[test]
fn a_registry_is_not_called_what_cargo_calls_crates_io() {
    let market = Market::published();
    let root = format!("sha256:{}", market.root());
    let add = [
        "registry",
        "add",
        "crates-io",
        market.url(),
        "--root",
        &root,
    ];
    assert_snapshot!(market.run(add), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'crates-io' for '<NAME>': `crates-io` cannot be a name: it is cargo's name for crates.io

    For more information, try '--help'.
    ");
}

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";

#[test]
fn a_lock_file_with_another_checksum() {
    let market = Market::published();
    market.project("app", APP);
    let fetched = market.env.command(["fetch"]).folder("work/app").run();
    assert_eq!(fetched.code, Some(0), "{fetched}");
    let lock = market.env.read("work/app/Cargo.lock");
    let place = lock.find("checksum = \"").unwrap() + 12;
    let mut other = lock.clone();
    let digit = if &lock[place..=place] == "0" {
        "1"
    } else {
        "0"
    };
    other.replace_range(place..=place, digit);
    market.env.write("work/app/Cargo.lock", &other);
    for command in ["fetch", "verify", "exec -- check"] {
        let outcome = market
            .env
            .command(command.split(' '))
            .folder("work/app")
            .run();
        assert_eq!(outcome.code, Some(4), "{command}: {outcome}");
    }
    assert_snapshot!(market.run_in("work/app", ["fetch"]), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0401]: the lock file gives another checksum for `tide-table` 0.3.1 than the registry
    note: nothing was written
    help: find out who changed the lock file; without that entry, the registry's checksum is taken
    ");
    assert_eq!(market.env.read("work/app/Cargo.lock"), other);
}

#[test]
fn what_is_not_known_offline_is_not_said_to_be_absent() {
    let mut market = Market::published();
    market.must(["info", "tide-table"]);
    // The bin that lists the new package is not read again.
    market.publish_next();
    market.must(["search", "tide"]);
    market.stop();
    for package in ["tide-table", "tide-cli", "sensor-template"] {
        let outcome = market.env.command(["info", package, "--offline"]).run();
        let text = outcome.to_string();
        assert!(!text.contains("no package"), "{package}: {text}");
    }
}

#[test]
fn an_address_that_does_not_answer_is_not_added() {
    let mut market = Market::published();
    let root = format!("sha256:{}", market.root());
    market.stop();
    let root_file = "registry/tuf/1.root.json";
    let add = [
        "registry",
        "add",
        "again",
        market.url(),
        "--root-file",
        root_file,
    ];
    assert_snapshot!(market.run(add), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `again` root metadata
        Updating `again` index
    warning: could not update `again` (connection refused); using copy from 0 s ago
    error[MP0201]: `http://127.0.0.1:[PORT]/` does not answer as a registry
    note: nothing was added
    help: check the address, and try again
    ");
    let add = ["registry", "add", "again", market.url(), "--root", &root];
    assert!(!market.run(add).contains("Trusting"));
    assert!(!market.marketplace_config().contains("again"));
}

#[test]
fn registries_are_added_at_the_same_time() {
    let market = Market::published();
    let names = ["one", "two", "three", "four"];
    std::thread::scope(|scope| {
        for name in names {
            let file = "registry/tuf/1.root.json";
            let add = ["registry", "add", name, market.url(), "--root-file", file];
            let add = market.env.command(add);
            scope.spawn(move || assert_eq!(add.run().code, Some(0)));
        }
    });
    for name in names {
        assert!(market.marketplace_config().contains(name), "{name}");
    }
}

#[test]
fn of_two_registries_in_a_project_the_other_is_said_to_be_unverified() {
    let market = Market::published();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    for line in [
        format!(
            "registry init second --solo --no-passphrase --base-url {url} --online-key second --offline-key second-offline"
        ),
        format!(
            "registry import second --as-own --key harbour {}",
            cached("strsim-0.11.1").unwrap().display()
        ),
    ] {
        market.must(line.split(' '));
    }
    let _server = serve::spawn(&market.env.path("work/second"), port).unwrap();
    let add = format!("registry add second {url} --root-file second/tuf/1.root.json");
    market.must(add.split(' '));
    let both = "strsim = { version = \"0.11\", registry = \"second\" }\n";
    market.project("app", &format!("{APP}{both}"));
    let check = ["exec", "--registry", "harbour", "--", "check"];
    assert_snapshot!(market.run_in("work/app", check), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Updating `second` index
    warning: packages of `second` are not verified here (1): one registry is, at a time
       Verifying 1 package of `harbour`
    ");
}

#[test]
fn a_submission_that_is_in_the_registry_already() {
    let market = Market::empty();
    for line in [
        "package -p tide-table --no-verify -o ../packaged --registry-dir ../registry",
        "sign ../packaged/tide-table-0.3.1.crate --registry-dir ../registry --key harbour",
    ] {
        let outcome = market
            .env
            .command(line.split(' '))
            .folder("work/samples")
            .run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    // Nobody can make another key with the same id, as with the short fingerprint.
    let unknown = "registry apply registry packaged/tide-table.submission";
    assert_snapshot!(market.run(unknown.split(' ')), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0403]: the publisher `harbour` is not registered
    note: nothing was written
    help: if [DIGEST] is the id of their key (`key show`), pass `--register-publisher`
    ");
    let apply = "registry apply registry packaged/tide-table.submission --register-publisher";
    market.must(apply.split(' '));
    // The same again is there already.
    assert_snapshot!(market.run(apply.split(' ')), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged all of it is in the registry already; serial 1
    ");
    // Signed by somebody else it is another statement.
    let path = market
        .env
        .path("work/packaged/tide-table.submission/submission.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&text).unwrap();
    other["statements"][1]["signatures"] = serde_json::json!([]);
    std::fs::write(&path, other.to_string()).unwrap();
    assert_snapshot!(market.run(apply.split(' ')), @"
    exit: 101
    --- stdout
    --- stderr
    error: the submission is refused

    Caused by:
      statement 3 of `tide-table` is refused: its sequence is 1 where 3 must follow

    note: nothing was written
    help: another statement came before it; sign again
    ");
}
