//! Reading a registry: search and info, in both formats, and what happens when one is not to be had.

use std::fs;
use std::path::Path;

use cargo_marketplace::formats::layout::Format;
use cargo_marketplace::model::{Document, Entry, Silent, UtcTime};
use cargo_marketplace::ranking::{SearchRequest, Shown};
use cargo_marketplace::registry::backend::{Backend, backend};
use cargo_marketplace::registry::client::{Client, Opening};
use cargo_marketplace::registry::freshness::Need;
use cargo_marketplace::registry::mirrors::Mirrors;
use cargo_marketplace::registry::serve;
use cargo_marketplace::registry::transport::Network;
use insta::assert_snapshot;
use serde_json::Value;

use crate::env::{NOW, TestEnv};
use crate::fixture::{Fixture, Silence};

/// A place with the registry in it.
fn env() -> TestEnv {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    env
}

/// What a package's documents are called below the registry's root: by digest, as clients ask.
fn document(folder: &Path, package: &str, format: Format) -> std::path::PathBuf {
    folder.join(Fixture::get().document_path(package, format))
}

/// The JSON messages on stdout.
fn messages(stdout: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap();
    stdout.lines().map(parse).collect()
}

#[test]
fn search_takes_the_newest_release_that_builds() {
    let env = env();
    let search = |rust| env.run(["search", "tide-table", "--rust-version", rust]);
    assert_snapshot!(search("1.95.0-nightly"), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small embedded displays  signed
    tide-cli   = "1.2.0"  # Prints tide tables  signed
    --- stderr
        Updating `harbour` index
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(search("1.70"), @r#"
    exit: 0
    --- stdout
    tide-table = "0.2.0"  # Tide prediction  signed
    tide-cli   = "1.2.0"  # Prints tide tables  signed
    --- stderr
        Updating `harbour` index
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(search("1.85-"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `1.85-` is not a Rust version, such as `1.85`
    ");
}

#[test]
fn info_shows_a_package() {
    assert_snapshot!(env().run(["info", "tide-table"]), @"
    exit: 0
    --- stdout
    tide-table #tides #embedded
    Harmonic tide prediction for small embedded displays
    version: 0.3.1 (latest; 2 others, 1 yanked)
    license: MIT OR Apache-2.0
    rust-version: 1.74
    contains: library
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://git.example.org/harbour/tide-table
    homepage: https://tides.example.org/
    dependencies: libm-lite ^0.2.4
    dependents: 3
    features:
      +default = [std]
      +std     = []
       serial  = [std]
    --- stderr
        Updating `harbour` index
    ");
}

#[test]
fn info_shows_a_vouched_package() {
    assert_snapshot!(env().run(["info", "libm-lite"]), @"
    exit: 0
    --- stdout
    libm-lite #math #no-std
    Small approximations of mathematical functions
    version: 0.2.4 (latest; 1 other, 1 yanked)
    license: MIT OR Apache-2.0
    rust-version: 1.60
    contains: library
    vouched: ed25519:2T65-K9AA by the registry's operator as served by crates.io (verified, root v1)
    repository: https://git.example.org/maths/libm-lite
    dependencies: none
    dependents: 2
    --- stderr
        Updating `harbour` index
    ");
}

#[test]
fn info_shows_programs_and_templates() {
    let env = env();
    assert_snapshot!(env.run(["info", "tide-cli", "--quiet"]), @"
    exit: 0
    --- stdout
    tide-cli #tides #cli
    Prints tide tables
    version: 1.2.0 (latest; 1 other)
    license: MIT
    rust-version: 1.70
    contains: binary `tide`
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    dependencies: argh-lite ^0.1, tide-table ^0.3
    dependents: 0
    --- stderr
    ");
    assert_snapshot!(env.run(["info", "sensor-template", "--quiet"]), @"
    exit: 0
    --- stdout
    sensor-template #template #embedded
    A project for a sensor on a small board
    version: 2.0.0 (latest)
    license: MIT OR Apache-2.0
    contains: library, template
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    dependencies: none
    dependents: 0
    --- stderr
    ");
}

#[test]
fn info_lists_versions() {
    assert_snapshot!(env().run(["info", "buoy-proto", "--versions"]), @"
    exit: 0
    --- stdout
    buoy-proto #protocol #embedded #buoy
    Messages of data buoys
    version: 0.4.1 (latest; 2 others)
    license: MIT
    rust-version: 1.65
    contains: library
    signed: ed25519:XMHX-GMRJ by lighthouse (verified, root v1)
    owners: lighthouse (1 of 1 must sign)
    dependencies: checksums ^1, proto-build ^0.1 (to build)
    dependents: 1
    versions:
      1.0.0-rc.1  2026-03-01  signed
      0.4.1       2026-03-01  signed
      0.4.0       2026-03-01  signed
    --- stderr
        Updating `harbour` index
    ");
}

#[test]
fn info_lists_dependencies() {
    let env = env();
    assert_snapshot!(env.run(["info", "almanac-server", "--deps", "--quiet"]), @"
    exit: 0
    --- stdout
    almanac-server #http #calendar
    Serves an almanac over HTTP
    version: 0.5.0 (latest)
    license: Apache-2.0
    rust-version: 1.72
    contains: binary `almanac-server`
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    dependents: 0
    dependencies:
      almanac ^2
      serde ^1.0 (crates.io; optional; features derive)
      tide-table ^0.3 as tides
    --- stderr
    ");
    assert_snapshot!(env.run(["info", "buoy-sim", "--deps", "--quiet"]), @"
    exit: 0
    --- stdout
    buoy-sim #buoy #simulation
    Data buoys that are not there
    version: 0.1.0 (latest)
    license: MIT OR Apache-2.0
    rust-version: 1.65
    contains: library
    signed: ed25519:XMHX-GMRJ by lighthouse (verified, root v1)
    owners: lighthouse (1 of 1 must sign)
    dependents: 0
    dependencies:
      argh-lite ^0.1 (on cfg(unix))
      buoy-proto ^0.4
    dev-dependencies:
      tide-table ^0.3
    --- stderr
    ");
    assert_snapshot!(env.run(["info", "almanac", "--deps", "--quiet"]), @"
    exit: 0
    --- stdout
    almanac #tides #moon #calendar
    Moon and tides for a year
    version: 2.0.0 (latest)
    license: MIT
    rust-version: 1.74
    contains: library
    signed: ed25519:XMHX-GMRJ by lighthouse (verified, root v1)
    owners: lighthouse (1 of 1 must sign)
    dependents: 1
    dependencies:
      moon-phase ^0.1
      tide-table ^0.3 (no default features; features serial)
    --- stderr
    ");
}

#[test]
fn info_lists_dependents() {
    let env = env();
    assert_snapshot!(env.run(["info", "tide-table", "--dependents", "--quiet"]), @"
    exit: 0
    --- stdout
    tide-table #tides #embedded
    Harmonic tide prediction for small embedded displays
    version: 0.3.1 (latest; 2 others, 1 yanked)
    license: MIT OR Apache-2.0
    rust-version: 1.74
    contains: library
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://git.example.org/harbour/tide-table
    homepage: https://tides.example.org/
    dependencies: libm-lite ^0.2.4
    features:
      +default = [std]
      +std     = []
       serial  = [std]
    dependents:
      almanac 2.0.0 needs ^0.3
      almanac-server 0.5.0 needs ^0.3
      tide-cli 1.2.0 needs ^0.3
    --- stderr
    ");
    assert_snapshot!(env.run(["info", "Beaufort", "--dependents", "--quiet"]), @"
    exit: 0
    --- stdout
    Beaufort #weather
    Names of wind forces
    version: 0.1.0 (latest)
    license: MIT/Apache-2.0
    contains: library
    vouched: ed25519:2T65-K9AA by the registry's operator as served by crates.io (verified, root v1)
    dependencies: none
    dependents: none
    --- stderr
    ");
}

#[test]
fn info_lists_who_signed_what() {
    let env = env();
    assert_snapshot!(env.run(["info", "tide-table", "--signatures", "--quiet"]), @r#"
    exit: 0
    --- stdout
    tide-table #tides #embedded
    Harmonic tide prediction for small embedded displays
    version: 0.3.1 (latest; 2 others, 1 yanked)
    license: MIT OR Apache-2.0
    rust-version: 1.74
    contains: library
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://git.example.org/harbour/tide-table
    homepage: https://tides.example.org/
    dependencies: libm-lite ^0.2.4
    dependents: 3
    features:
      +default = [std]
      +std     = []
       serial  = [std]
    signatures:
      1 genesis owned by harbour (1 of 1 must sign), ed25519:ZQVJ-M24F by harbour
      2 release 0.2.0, ed25519:ZQVJ-M24F by harbour
      3 release 0.3.0, ed25519:ZQVJ-M24F by harbour
      4 release 0.3.1, ed25519:ZQVJ-M24F by harbour
      5 yank 0.3.0 "wrong datum in table 4", ed25519:ZQVJ-M24F by harbour
    --- stderr
    "#);
    assert_snapshot!(env.run(["info", "libm-lite", "--signatures", "--quiet"]), @r#"
    exit: 0
    --- stdout
    libm-lite #math #no-std
    Small approximations of mathematical functions
    version: 0.2.4 (latest; 1 other, 1 yanked)
    license: MIT OR Apache-2.0
    rust-version: 1.60
    contains: library
    vouched: ed25519:2T65-K9AA by the registry's operator as served by crates.io (verified, root v1)
    repository: https://git.example.org/maths/libm-lite
    dependencies: none
    dependents: 2
    signatures:
      1 vouch 0.2.3, ed25519:2T65-K9AA by the registry's operator
      2 vouch 0.2.4, ed25519:2T65-K9AA by the registry's operator
      3 yank 0.2.3 "wrong result below 1e-9", ed25519:2T65-K9AA by the registry's operator
    --- stderr
    "#);
}

#[test]
fn info_is_one_object_in_json() {
    let arguments = ["info", "tide-table@0.3.0", "--message-format", "json"];
    let outcome = env().command(arguments).redact_digests().run();
    let [package] = &messages(&outcome.stdout)[..] else {
        panic!("{outcome}");
    };
    insta::assert_json_snapshot!("info_tide_table", package);
}

#[test]
fn a_requirement_selects_the_release() {
    let env = env();
    let version = |spec: &str| {
        let outcome = env.command(["info", spec, "--quiet"]).run();
        let lines = outcome.stdout.lines();
        let mut lines =
            lines.filter(|line| line.starts_with("version") || line.contains("yanked:"));
        lines.next().unwrap_or(&outcome.stderr).to_owned()
    };
    assert_snapshot!(version("tide-table@0.2"), @"
    version: 0.2.0 (latest is 0.3.1; 2 others, 1 yanked)
    ");
    assert_snapshot!(version("buoy-proto@<0.4.1"), @"
    version: 0.4.0 (latest is 0.4.1; 2 others)
    ");
    assert_snapshot!(version("buoy-proto@1.0.0-rc.1"), @"
    version: 1.0.0-rc.1 (latest is 0.4.1; 2 others)
    ");
    assert_snapshot!(version("harbour/tide-table@=0.3.1"), @"
    version: 0.3.1 (latest; 2 others, 1 yanked)
    ");
}

#[test]
fn a_yanked_release_is_shown_with_the_reason_when_it_is_asked_for() {
    let env = env();
    assert_snapshot!(env.run(["info", "tide-table@0.3.0", "--quiet"]), @r#"
    exit: 0
    --- stdout
    tide-table #tides #embedded
    Harmonic tide prediction for small embedded displays
    version: 0.3.0 (latest is 0.3.1; 2 others)
    yanked: "wrong datum in table 4"
    license: MIT OR Apache-2.0
    rust-version: 1.74
    contains: library
    signed: ed25519:ZQVJ-M24F by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://git.example.org/harbour/tide-table
    homepage: https://tides.example.org/
    dependencies: libm-lite ^0.2.4
    dependents: 3
    features:
      +default = [std]
      +std     = []
       serial  = [std]
    --- stderr
    "#);
    assert_snapshot!(env.run(["info", "old-anchor", "--quiet"]), @"
    exit: 0
    --- stdout
    old-anchor
    Holds fast
    version: 0.1.0
    yanked: no reason given
    license: MIT
    contains: library
    signed: ed25519:XMHX-GMRJ by lighthouse (verified, root v1)
    owners: lighthouse (1 of 1 must sign)
    dependencies: none
    dependents: 0
    --- stderr
    ");
}

#[test]
fn a_requirement_that_nothing_fits_is_answered_with_what_there_is() {
    assert_snapshot!(env().run(["info", "tide-table@9"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no version of `tide-table` matches `9`
    help: there are 0.3.1, 0.3.0 (yanked), 0.2.0
    ");
}

#[test]
fn an_unknown_package_is_answered_with_a_near_name() {
    let env = env();
    assert_snapshot!(env.run(["info", "tide-tabel"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `tide-tabel` in `harbour`
    help: did you mean `tide-table`?
    ");
    assert_snapshot!(env.run(["info", "tide_table"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `tide_table` in `harbour`
    help: did you mean `tide-table`?
    ");
    assert_snapshot!(env.run(["info", "kittiwake"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0203]: no package `kittiwake` in `harbour`
    help: `cargo marketplace search WORDS` looks for packages
    ");
}

#[test]
fn an_unknown_registry_is_named() {
    assert_snapshot!(env().run(["info", "harbor/tide-table"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: no registry is called `harbor`
    help: did you mean `harbour`?
    ");
}

#[test]
fn search_lists_the_best_first() {
    assert_snapshot!(env().run(["search", "tide"]), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small embedded displays  signed
    tide-cli   = "1.2.0"  # Prints tide tables  signed
    almanac    = "2.0.0"  # Moon and tides for a year  signed
    moon-phase = "0.1.0"  # Phases of the moon  signed
    --- stderr
        Updating `harbour` index
    note: 4 of 4 results; searched a local copy, nothing was sent
    "#);
}

#[test]
fn search_can_be_narrowed() {
    let env = env();
    assert_snapshot!(env.run(["search", "tid", "--limit", "1"]), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small embedded displays  signed
    --- stderr
        Updating `harbour` index
    note: 1 of 4 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(env.run(["search", "tide", "--keyword", "moon", "--license", "MIT"]), @r#"
    exit: 0
    --- stdout
    almanac = "2.0.0"  # Moon and tides for a year  signed
    --- stderr
        Updating `harbour` index
    note: 1 of 1 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(env.run(["search", "--rust-version", "1.60", "--keyword", "no-std"]), @r#"
    exit: 0
    --- stdout
    libm-lite = "0.2.4"  # Small approximations of mathematical functions  vouched
    --- stderr
        Updating `harbour` index
    note: 1 of 1 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(env.run(["search", "kittiwake"]), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
    note: 0 of 0 results; searched a local copy, nothing was sent
    ");
}

#[test]
fn search_can_ask_for_a_publisher_and_for_trust() {
    let env = env();
    assert_snapshot!(env.run(["search", "--trust", "vouched"]), @r#"
    exit: 0
    --- stdout
    argh-lite   = "0.1.0"  # Reads command line arguments and nothing more  vouched
    checksums   = "1.0.0"  # Sums that find transmission errors  vouched
    libm-lite   = "0.2.4"  # Small approximations of mathematical functions  vouched
    proto-build = "0.1.0"  # Makes code of message descriptions  vouched
    Beaufort    = "0.1.0"  # Names of wind forces  vouched
    --- stderr
        Updating `harbour` index
    note: 5 of 5 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(env.run(["search", "tide", "--owner", "lighthouse"]), @r#"
    exit: 0
    --- stdout
    almanac    = "2.0.0"  # Moon and tides for a year  signed
    moon-phase = "0.1.0"  # Phases of the moon  signed
    --- stderr
        Updating `harbour` index
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(env.run(["search", "tide", "--trust", "trusted"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'trusted' for '--trust <STATE>': it is `signed`, `vouched` or `unsigned`

    For more information, try '--help'.
    ");
}

#[test]
fn search_says_when_words_are_missing() {
    let env = env();
    assert_snapshot!(env.run(["search", "prints", "tide", "almanacs"]), @r#"
    exit: 0
    --- stdout
    tide-cli = "1.2.0"  # Prints tide tables  signed
    almanac  = "2.0.0"  # Moon and tides for a year  signed
    --- stderr
        Updating `harbour` index
    note: 2 of 2 results, none with all words; searched a local copy, nothing was sent
    "#);
}

#[test]
fn search_messages_have_the_promised_fields() {
    let arguments = ["search", "tide", "--limit", "1", "--message-format", "json"];
    assert_snapshot!(env().run(arguments), @r#"
    exit: 0
    --- stdout
    {"reason":"search-result","schema":1,"description":"Harmonic tide prediction for small embedded displays","keywords":["tides","embedded"],"name":"tide-table","score":1.4559811605475592,"trust":"signed","version":"0.3.1"}
    --- stderr
        Updating `harbour` index
    "#);
}

/// The registry, opened in the test's own process.
fn client(home: &Path, registry: &Path) -> Client<'static> {
    let url = format!("file://{}", registry.display()).parse().unwrap();
    let opening = Opening {
        name: "harbour".parse().unwrap(),
        registry_id: Fixture::get().root,
        home: home.to_owned(),
        mirrors: Some(Mirrors::open(&url, Network::default(), None, &Silent)),
        now: UtcTime::from_unix(NOW).unwrap(),
        need: Need::Latest,
        demands: Vec::new(),
        events: &Silence,
    };
    Client::open(opening).unwrap()
}

/// The backends of this build, each for one format only.
fn backends() -> Vec<Box<dyn Backend>> {
    let found = Format::BOTH.map(|format| backend(Some(format)));
    found.into_iter().filter_map(Result::ok).collect()
}

#[test]
fn an_exact_name_comes_first() {
    let env = env();
    let home = env.marketplace_home();
    let client = client(&home, &env.path("registry"));
    let documents = Fixture::get().documents();
    let latest: Vec<&Entry> = documents.iter().filter_map(Document::latest).collect();
    for backend in backends() {
        for entry in &latest {
            let name = entry.release.name.as_str();
            let found = backend.search(&client, &for_words(name)).unwrap();
            assert_eq!(found.best[0].release, Shown::from(*entry));
        }
    }
}

fn for_words(words: &str) -> SearchRequest {
    SearchRequest::new(words.split(' ').map(str::to_owned).collect(), usize::MAX)
}

#[test]
fn a_document_that_was_tampered_with_is_refused() {
    let env = TestEnv::new();
    let registry = Fixture::get().add_to(&env);
    for format in Format::BOTH {
        let path = document(&registry, "tide-table", format);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("0.3.1", "0.3.9")).unwrap();
    }
    assert_eq!(env.command(["info", "tide-table"]).run().code, Some(4));
}

/// A build without v2 can only refuse a query.
#[cfg(not(feature = "marketplace-v2"))]
#[test]
fn queries_need_v2() {
    assert_snapshot!(env().run(["sparql", "ASK {}"]), @"
    exit: 1
    --- stdout
    --- stderr
    error[MP0801]: `sparql` needs v2, the Turtle index
    note: this build of cargo-marketplace does not read v2 (feature `marketplace-v2`)
    help: leave `--backend v1` away, or use a build that reads v2
    ");
    for policy in [
        &["--policy", "none.rq"][..],
        &["--policy-example", "msrv"],
        &["--list-policies"],
    ] {
        let outcome = env().command(["audit"].iter().chain(policy)).run();
        assert_eq!(outcome.code, Some(1), "{outcome}");
        let told = "error[MP0801]: `audit --policy` needs v2, the Turtle index\n";
        assert!(outcome.stderr.starts_with(told), "{outcome}");
    }
}

/// Both formats; a build with one of them has nothing to compare.
#[cfg(all(feature = "marketplace-v1", feature = "marketplace-v2"))]
mod both {
    use std::collections::BTreeSet;

    use super::*;

    fn assert_same(env: &TestEnv, arguments: &[&str]) {
        let [v1, v2] = ["v1", "v2"].map(|format| {
            let backend = ["--backend", format];
            env.run(arguments.iter().chain(&backend))
        });
        assert!(v1.starts_with("exit: 0"), "{arguments:?}: {v1}");
        assert_eq!(v1, v2, "{arguments:?}");
    }

    #[test]
    fn give_the_same_info() {
        let env = env();
        let all = ["--versions", "--deps", "--dependents", "--signatures"];
        assert_same(&env, &[&["info", "tide-table"], &all[..]].concat());
        for name in ["almanac-server", "libm-lite", "buoy-sim"] {
            assert_same(&env, &["info", name, "--message-format", "json"]);
        }
    }

    #[test]
    fn give_the_same_search() {
        let env = env();
        let home = env.marketplace_home();
        let client = client(&home, &env.path("registry"));
        let [v1, v2] = &backends()[..] else {
            panic!("this build has two backends");
        };
        let catalogs = [v1, v2].map(|backend| backend.catalog(&client).unwrap());
        assert_eq!(catalogs[0].documents(), catalogs[1].documents());
        for words in queries() {
            let request = for_words(&words);
            let [first, second] =
                [v1, v2].map(|backend| backend.search(&client, &request).unwrap());
            assert!(!first.best.is_empty(), "{words}");
            assert_eq!(first, second, "{words}");
        }
        assert_same(&env, &["search", "tide", "--message-format", "json"]);
    }

    /// Every name, part of a name and keyword of the fixture, whole and as a prefix, and pairs.
    fn queries() -> BTreeSet<String> {
        let documents = Fixture::get().documents();
        let mut queries = BTreeSet::new();
        for release in documents
            .iter()
            .filter_map(Document::latest)
            .map(|it| &it.release)
        {
            let name = release.name.as_str();
            let parts = name.split('-');
            let words = parts
                .chain([name])
                .chain(release.keywords.iter().map(String::as_str));
            for word in words {
                let prefixes = (1..=word.len()).map(|length| word[..length].to_owned());
                queries.extend(prefixes);
                queries.insert(format!("{word} {}", &name[..2]));
            }
        }
        assert!(queries.len() > 200, "{queries:?}");
        queries
    }

    #[test]
    fn v1_serves_where_a_v2_document_is_missing() {
        let env = TestEnv::new();
        let registry = Fixture::get().add_to(&env);
        let whole = env.command(["info", "tide-table"]).redact_digests().run();
        let other = TestEnv::new();
        let damaged = Fixture::get().add_to(&other);
        fs::remove_file(document(&damaged, "tide-table", Format::V2)).unwrap();
        let fallen = other.command(["info", "tide-table"]).redact_digests().run();
        assert_snapshot!(fallen.stderr, @"
            Updating `harbour` index
        warning[MP0501]: v2 of `harbour` is not usable (missing (`ti/de/[DIGEST].tide-table.ttl` is not in the registry)), using v1
        ");
        assert_eq!((fallen.code, fallen.stdout), (Some(0), whole.stdout));
        // What was read before is still there.
        fs::remove_file(document(&registry, "tide-table", Format::V2)).unwrap();
        assert_eq!(
            env.command(["info", "tide-table"]).run().stderr,
            whole.stderr
        );
    }

    #[test]
    fn v1_never_serves_where_v2_was_tampered_with() {
        let env = TestEnv::new();
        let registry = Fixture::get().add_to(&env);
        let path = document(&registry, "tide-table", Format::V2);
        let text = fs::read_to_string(&path).unwrap();
        let length = format!("{} bytes", text.len());
        let info = || env.command(["info", "tide-table"]).redact_digests().run();
        let shown = || info().to_string().replace(&length, "[LENGTH] bytes");
        fs::write(&path, text.replace("0.3.1", "0.3.9")).unwrap();
        assert_snapshot!(shown(), @"
        exit: 4
        --- stdout
        --- stderr
            Updating `harbour` index
        error[MP0401]: `ti/de/[DIGEST].tide-table.ttl` is not what the signed metadata says
        note: nothing was written
        help: expected sha256 [DIGEST] ([LENGTH] bytes), got [DIGEST] ([LENGTH] bytes)
        ");
        fs::write(&path, text.clone() + "#").unwrap();
        assert_snapshot!(shown(), @"
        exit: 4
        --- stdout
        --- stderr
            Updating `harbour` index
        error[MP0401]: `ti/de/[DIGEST].tide-table.ttl` is longer than the [LENGTH] bytes that it may have
        note: nothing was written
        help: fetch it anew, from another mirror if there is one, and tell the registry's operator
        ");
        fs::write(&path, &text[1..]).unwrap();
        assert_eq!(info().code, Some(4));
        fs::write(&path, text).unwrap();
        assert_eq!(info().code, Some(0));
    }

    #[test]
    fn v2_alone_does_not_fall_back() {
        let env = TestEnv::new();
        let registry = Fixture::get().add_to(&env);
        fs::remove_file(document(&registry, "tide-table", Format::V2)).unwrap();
        let arguments = ["info", "tide-table", "--backend", "v2"];
        assert_snapshot!(env.command(arguments).redact_digests().run(), @"
        exit: 101
        --- stdout
        --- stderr
            Updating `harbour` index
        error: `ti/de/[DIGEST].tide-table.ttl` is not in the registry
        help: the mirror is incomplete; try again later, or tell its operator
        ");
    }
}

#[test]
fn a_server_that_is_gone_leaves_the_copy() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let server = serve::spawn(&folder, 0).unwrap();
    Fixture::get().add_url(&env, server.url());
    let online = env.command(["info", "tide-table"]).run();
    drop(server);
    let later = (NOW + 3 * 3600).to_string();
    let later = |arguments: &[&str]| env.command(arguments).env("CARGO_MARKETPLACE_NOW", &later);
    let copy = later(&["info", "tide-table"]).run();
    assert_snapshot!(copy.stderr, @"
        Updating `harbour` index
    warning: could not update `harbour` (connection refused); using copy from 3 h ago
    ");
    assert_eq!((copy.code, &copy.stdout), (Some(0), &online.stdout));
    let offline = later(&["info", "tide-table", "--offline"]).run();
    assert_eq!((offline.code, &offline.stdout), (Some(0), &online.stdout));
    assert_snapshot!(later(&["search", "tide", "--offline"]).run(), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small embedded displays  signed
    tide-cli   = "1.2.0"  # Prints tide tables  signed
    almanac    = "2.0.0"  # Moon and tides for a year  signed
    moon-phase = "0.1.0"  # Phases of the moon  signed
    --- stderr
    note: 4 of 4 results; searched a local copy, nothing was sent
    "#);
    assert_snapshot!(later(&["info", "almanac", "--offline"]).run(), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0202]: `almanac` is not in the offline copy of `harbour`
    help: run it once with the registry in reach and without `--offline`
    ");
}

#[test]
fn a_server_that_was_never_reached_leaves_nothing() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let server = serve::spawn(&folder, 0).unwrap();
    Fixture::get().add_url(&env, server.url());
    drop(server);
    // What `registry add` learnt is lost.
    let state = env.marketplace_home().join(Fixture::get().root.to_string());
    fs::remove_file(state.join("tuf/refreshed")).unwrap();
    assert_snapshot!(env.run(["info", "tide-table"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0201]: no copy of the `harbour` index, and the registry cannot be reached

    Caused by:
      `http://127.0.0.1:[PORT]/tuf/2.root.json` is unreachable (connection refused)

    help: check the network and the registry's address, and try again
    ");
}
