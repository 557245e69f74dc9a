//! `audit`, and `verify --workspace`: a lock file against the registries that its packages are from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use cargo_marketplace::formats::layout;
use cargo_marketplace::formats::publisher::{self, Publisher, Revocation};
use cargo_marketplace::publish::apply::last_signed;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::journal::Change;
use cargo_marketplace::publish::role_keys::RoleKeys;
use insta::assert_snapshot;
use serde_json::Value;

use crate::claims::with_a_new_package;
use crate::confusion::with_quay;
use crate::env::{Outcome, TestEnv};
use crate::fixture::{BASE, Fixture};
use crate::samples::{Market, show};
use crate::small_registry::archive;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A package in a lock file: name, version, and what it needs.
pub(crate) type Locked = (&'static str, &'static str, &'static [&'static str]);

/// The lock file of a project `app` that needs the first package, from the fixture's registry.
pub(crate) fn lock_file(packages: &[Locked]) -> String {
    let mut text = format!(
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"{}\"]\n",
        packages[0].0
    );
    let documents = Fixture::get().documents();
    let entries = documents.iter().flat_map(|document| &document.entries);
    let checksums: BTreeMap<(String, String), String> = entries
        .map(|entry| {
            let release = &entry.release;
            let key = (release.name.to_string(), release.version.to_string());
            (key, release.checksum.to_string())
        })
        .collect();
    for (name, version, needs) in packages {
        let needs: Vec<String> = needs.iter().map(|need| format!("\"{need}\"")).collect();
        let own = checksums.get(&((*name).to_owned(), (*version).to_owned()));
        let source = match own {
            Some(_) => format!("sparse+{BASE}"),
            None => CRATES_IO.to_owned(),
        };
        let checksum = own.cloned().unwrap_or_else(|| "0".repeat(64));
        write!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\ndependencies = [{}]\n",
            needs.join(", ")
        )
        .unwrap();
    }
    text
}

pub(crate) const PACKAGES: &[Locked] = &[
    ("almanac", "2.0.0", &["moon-phase", "tide-table", "cfg-if"]),
    ("moon-phase", "0.1.0", &["libm-lite"]),
    ("tide-table", "0.3.1", &["libm-lite"]),
    ("libm-lite", "0.2.3", &[]),
    ("cfg-if", "1.0.0", &[]),
];

/// A project with that lock file, and the fixture's registry, at an address that it does not name.
pub(crate) fn project(lock: &str) -> TestEnv {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    env.write("work/Cargo.toml", "[package]\nname = \"app\"\n");
    env.write("work/Cargo.lock", lock);
    env
}

fn audit(env: &TestEnv, more: &[&str]) -> Outcome {
    env.command(["audit"].iter().chain(more)).run()
}

#[test]
fn finds_what_is_denied_and_warns_of_the_rest() {
    let env = project(&lock_file(PACKAGES));
    assert_snapshot!(env.run(["audit"]), @r#"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 5 packages from 1 registry and elsewhere
    warning[MP0312]: `libm-lite` v0.2.3 was yanked: "wrong result below 1e-9"
    note: required by `app` > `almanac` v2.0.0 > `moon-phase` v0.1.0
    help: `cargo update -p libm-lite@0.2.3 --precise 0.2.4`
    note: 1 vouched for by a registry's operator, 1 from crates.io and elsewhere (checksum only, license unknown)
        Finished 1 warning, nothing denied
    "#);
    assert_snapshot!(env.run(["audit", "--deny", "yanked,license=GPL-3.0-only"]), @r#"
    exit: 3
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 5 packages from 1 registry and elsewhere
    error[MP0316]: `moon-phase` v0.1.0 is licensed as `GPL-3.0-or-later`
    note: required by `app` > `almanac` v2.0.0
    error[MP0312]: `libm-lite` v0.2.3 was yanked: "wrong result below 1e-9"
    note: required by `app` > `almanac` v2.0.0 > `moon-phase` v0.1.0
    help: `cargo update -p libm-lite@0.2.3 --precise 0.2.4`
    note: 1 vouched for by a registry's operator, 1 from crates.io and elsewhere (checksum only, license unknown)
    error: audit found 2 denied
    "#);
    let json = [
        "audit",
        "--offline",
        "--deny",
        "yanked",
        "--message-format",
        "json",
    ];
    assert_snapshot!(env.run(json), @r#"
    exit: 3
    --- stdout
    {"reason":"finding","schema":1,"code":"MP0312","denied":true,"help":"`cargo update -p libm-lite@0.2.3 --precise 0.2.4`","message":"`libm-lite` v0.2.3 was yanked: \"wrong result below 1e-9\"","name":"libm-lite","required_by":[{"name":"app","version":"0.1.0"},{"name":"almanac","version":"2.0.0"},{"name":"moon-phase","version":"0.1.0"}],"rule":"yanked","source":"sparse+https://registry.example.org/","version":"0.2.3"}
    {"reason":"audit-finished","schema":1,"denied":1,"foreign":1,"packages":5,"registries":1,"vouched":1,"warnings":0}
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":3,"help":null,"message":"audit found 1 denied","note":null}
    --- stderr
        Auditing 5 packages from 1 registry and elsewhere
    error[MP0312]: `libm-lite` v0.2.3 was yanked: "wrong result below 1e-9"
    note: required by `app` > `almanac` v2.0.0 > `moon-phase` v0.1.0
    help: `cargo update -p libm-lite@0.2.3 --precise 0.2.4`
    note: 1 vouched for by a registry's operator, 1 from crates.io and elsewhere (checksum only, license unknown)
    error: audit found 1 denied
    "#);
}

#[test]
fn every_rule_finds_its_kind() {
    let env = project(&lock_file(PACKAGES));
    for (denied, found) in [
        ("vouched", &["libm-lite"][..]),
        ("foreign", &["cfg-if"]),
        ("yanked", &["libm-lite"]),
        ("new", &[]),
        ("unsigned", &[]),
        ("unknown-key", &[]),
        ("confusion", &[]),
        ("license=GPL-3.0-or-later", &["moon-phase"]),
        ("license=GPL-3.0-only OR LGPL-2.1-only", &["moon-phase"]),
        ("license=Apache-2.0", &[]),
        (
            "license=Apache-2.0 OR MIT",
            &["almanac", "tide-table", "libm-lite"],
        ),
    ] {
        assert_eq!(denied_names(&env, &["--deny", denied]), found, "{denied}");
    }
    let allowed = ["--allow-license", "MIT OR Apache-2.0"];
    assert_eq!(denied_names(&env, &allowed), ["moon-phase"]);
    let bad = audit(&env, &["--deny", "everything"]);
    assert_eq!(bad.code, Some(1), "{bad}");
}

/// The packages that are denied, and the exit code that must go with them.
fn denied_names(env: &TestEnv, more: &[&str]) -> Vec<String> {
    let outcome = audit(env, &[more, &["--message-format", "json"]].concat());
    let lines = outcome.stdout.lines();
    let messages = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let denied = messages.filter(|one| one["reason"] == "finding" && one["denied"] == true);
    let names: Vec<String> = denied
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    let code = if names.is_empty() { 0 } else { 3 };
    assert_eq!(outcome.code, Some(code), "{outcome}");
    names
}

#[test]
fn a_name_is_new_until_it_is_claimed() {
    let market = with_a_new_package();
    market.project(
        "app",
        "tide-clock = { version = \"0.1\", registry = \"harbour\" }\n",
    );
    let locked = market.env.cargo(["generate-lockfile"]);
    let locked = locked.folder("work/app").run();
    assert_eq!(locked.code, Some(0), "{locked}");
    let deny = ["audit", "--deny", "new"];
    assert_snapshot!(market.run_in("work/app", ["audit"]), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 1 package from 1 registry
    warning[MP0314]: `tide-clock` v0.1.0 is new: its name is vouched for by the registry's online key only
    note: required by `app`
        Finished 1 warning, nothing denied
    ");
    assert!(market.run_in("work/app", deny).starts_with("exit: 3"));
    market.must(["registry", "claim", "registry"]);
    assert_snapshot!(market.run_in("work/app", deny), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 1 package from 1 registry
        Finished nothing found
    ");
}

#[test]
fn what_nobody_signed_is_a_warning_unless_it_is_denied() {
    let market = Market::published();
    let bytes = archive("sluice", "1.0.0", "");
    market.env.write("work/sluice.crate", bytes);
    let import = "registry import registry --as-own --unsigned sluice.crate";
    market.must(import.split(' '));
    market.project(
        "app",
        "sluice = { version = \"1\", registry = \"harbour\" }\n",
    );
    let locked = market.env.cargo(["generate-lockfile"]);
    let locked = locked.folder("work/app").run();
    assert_eq!(locked.code, Some(0), "{locked}");
    for (line, code) in [
        ("audit", 0),
        ("audit --deny foreign,unsigned", 3),
        ("verify --workspace", 3),
    ] {
        let outcome = market.env.command(line.split(' ')).folder("work/app").run();
        assert_eq!(outcome.code, Some(code), "{line}: {outcome}");
        let told = "[MP0310]: `sluice` v1.0.0 is unsigned\n";
        assert!(outcome.stderr.contains(told), "{line}: {outcome}");
    }
}

#[test]
fn a_lock_file_that_names_what_its_registry_does_not_have() {
    let good = lock_file(PACKAGES);
    let sum = {
        let document = &Fixture::get().documents();
        let tide = document
            .iter()
            .find(|one| one.package.as_str() == "tide-table")
            .unwrap();
        tide.entries.last().unwrap().release.checksum.to_string()
    };
    for (from, to, code, told) in [
        (
            "\"0.3.1\"",
            "\"0.3.7\"",
            3,
            "error[MP0318]: `tide-table` v0.3.7 is not in its registry (`harbour`)",
        ),
        (
            sum.as_str(),
            &"0".repeat(64),
            4,
            "error[MP0401]: `tide-table` v0.3.1 has another checksum in the lock file",
        ),
        (
            sum.as_str(),
            "",
            3,
            "error[MP0318]: `tide-table` v0.3.1 has no checksum of its own",
        ),
        (
            "\"tide-table\"\nversion",
            "\"../x\"\nversion",
            3,
            "error[MP0318]: `../x` v0.3.1 is not in its registry",
        ),
    ] {
        assert!(good.contains(from));
        let env = project(&good.replace(from, to));
        for line in ["audit", "verify --workspace"] {
            let outcome = env.command(line.split(' ')).run();
            assert_eq!(outcome.code, Some(code), "{line}: {outcome}");
            assert!(outcome.stderr.contains(told), "{line}: {outcome}");
        }
    }
    let env = project("x");
    assert_eq!(audit(&env, &[]).code, Some(101));
    fs::remove_file(env.path("work/Cargo.lock")).unwrap();
    assert_eq!(audit(&env, &[]).code, Some(101));
}

#[test]
fn a_release_that_was_signed_by_a_key_that_is_revoked_since() {
    let env = project(&lock_file(PACKAGES));
    let mut folder = Folder::open(&env.path("registry")).unwrap();
    let id = "harbour".parse().unwrap();
    let key = Fixture::key("harbour").public();
    let last_good = last_signed(&mut folder, &id, &key.id()).unwrap();
    let harbour = Publisher {
        id,
        keys: vec![Fixture::key("lighthouse").public()],
        revoked: vec![Revocation { key, last_good }],
    };
    let keys = RoleKeys::new(["offline", "online"].map(Fixture::key));
    let (path, bytes) = (layout::publisher(&harbour.id), publisher::encode(&harbour));
    folder.set_target("targets", &path, &bytes).unwrap();
    let mut change = Change::default();
    change.add_hashed(&path, bytes);
    let now = "2026-08-01T00:00:00Z".parse().unwrap();
    folder.commit(change, &keys, now).unwrap();
    assert_eq!(
        denied_names(&env, &["--deny", "unknown-key"]),
        ["tide-table"]
    );
    let warned = audit(&env, &[]);
    let told = "warning[MP0315]: `tide-table` v0.3.1 was signed by";
    assert!(warned.stderr.contains(told), "{warned}");
    assert!(
        warned.stderr.contains("which `harbour` has revoked since"),
        "{warned}"
    );
}

#[test]
fn packages_of_two_registries_and_one_name_in_both() {
    let (market, _server) = with_quay();
    market.project(
        "both",
        "tide-table = { version = \"0.3\", registry = \"harbour\" }\njetty = { version = \"9\", registry = \"quay\" }\nother = { package = \"tide-table\", version = \"9\", registry = \"quay\" }\n",
    );
    let locked = market
        .env
        .cargo(["generate-lockfile"])
        .folder("work/both")
        .run();
    assert_eq!(locked.code, Some(0), "{locked}");
    let root = format!("--root=sha256:{}", market.root());
    // Under two names it is one registry.
    market.must(["registry", "add", "again", market.url(), &root]);
    market.must(["registry", "claim", "registry"]);
    assert_snapshot!(market.run_in("work/both", ["audit", "--deny", "confusion"]), @"
    exit: 3
    --- stdout
    --- stderr
        Updating `again` index
        Updating `quay` index
        Auditing 3 packages from 2 registries
    error[MP0317]: `tide-table` comes from two sources: sparse+http://127.0.0.1:[PORT]/ and sparse+http://127.0.0.1:[PORT]/
    note: required by `both`
    error: audit found 1 denied
    ");
    assert_snapshot!(market.run_in("work/both", ["verify", "--workspace"]), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `again` index
        Updating `quay` index
       Verifying 3 packages of `again`, `quay`
        Verified 3 packages
    ");
    let json = ["verify", "--workspace", "--message-format", "json"];
    assert_snapshot!(market.run_in("work/both", json), @r#"
    exit: 0
    --- stdout
    {"reason":"verified","schema":1,"findings":[],"name":"jetty","registry":"quay","sha256":"[DIGEST]","trust":"signed","version":"9.0.0","yanked":false}
    {"reason":"verified","schema":1,"findings":[],"name":"tide-table","registry":"again","sha256":"[DIGEST]","trust":"signed","version":"0.3.1","yanked":false}
    {"reason":"verified","schema":1,"findings":[],"name":"tide-table","registry":"quay","sha256":"[DIGEST]","trust":"signed","version":"9.0.0","yanked":false}
    {"reason":"verify-finished","schema":1,"deep":false,"findings":0,"foreign":0,"packages":3}
    --- stderr
        Updating `again` index
        Updating `quay` index
       Verifying 3 packages of `again`, `quay`
        Verified 3 packages
    "#);
}

#[test]
fn deep_looks_into_archives_and_into_what_cargo_unpacked() {
    let market = Market::published();
    let app = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";
    market.project("app", app);
    let deep = |more: &[&str]| {
        let line = ["verify", "--deep"].iter().chain(more).copied();
        market.env.command(line).folder("work/app").run()
    };
    let built = market.env.cargo(["check"]).folder("work/app").run();
    assert_eq!(built.code, Some(0), "{built}");
    let good = deep(&["--workspace"]);
    assert_eq!(good.code, Some(0), "{good}");
    let sources = market.env.cargo_home().join("registry/src");
    let unpacked = fs::read_dir(sources).unwrap().flatten();
    let unpacked = unpacked.map(|entry| entry.path().join("tide-table-0.3.1/src/lib.rs"));
    let library = unpacked.into_iter().find(|path| path.is_file()).unwrap();
    let text = fs::read_to_string(&library).unwrap();
    fs::write(&library, format!("{text}// Added.\n")).unwrap();
    for subject in ["--workspace", "tide-table@0.3.1"] {
        let found = deep(&[subject]);
        assert_eq!(found.code, Some(3), "{found}");
        assert!(found.stderr.contains("error[MP0319]"), "{found}");
        assert!(found.stderr.contains("tide-table-0.3.1"), "{found}");
        assert!(found.stderr.contains("src/lib.rs"), "{found}");
    }
    let shallow = market
        .env
        .command(["verify", "--workspace"])
        .folder("work/app")
        .run();
    assert_eq!(shallow.code, Some(0), "{shallow}");
    fs::write(&library, text).unwrap();
    assert_eq!(deep(&["--workspace", "--offline"]).code, Some(0));
    // An archive that a mirror exchanges is refused before anything else is looked at.
    let archive = market.archive("tide-table");
    let mut bytes = fs::read(&archive).unwrap();
    bytes[20] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let state = market
        .env
        .marketplace_home()
        .join(market.root().to_string());
    fs::remove_dir_all(state.join("local")).unwrap();
    let refused = deep(&["--workspace"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0401]"), "{refused}");
}

#[test]
fn both_formats_say_the_same_of_a_lock_file() {
    let env = project(&lock_file(&PACKAGES[..4]));
    let formats = [
        ("v1", cfg!(feature = "marketplace-v1")),
        ("v2", cfg!(feature = "marketplace-v2")),
    ];
    for (format, is_built) in formats {
        let deep = ["verify", "--workspace", "--deep", "--backend", format];
        let told = show(env.command(deep));
        let code = if is_built { "exit: 0" } else { "exit: 1" };
        assert!(told.starts_with(code), "{told}");
    }
}

/// Nothing is in order that was not looked at.
#[test]
fn what_is_no_project_and_no_lock_file_is_not_audited() {
    let env = project(&lock_file(PACKAGES));
    env.write("work/sub/readme", "");
    for line in ["audit", "verify --workspace"] {
        for manifest in ["nosuch/Cargo.toml", "sub/nosuch.toml", "Cargo.lock", "sub"] {
            let line = line.split(' ').chain(["--manifest-path", manifest]);
            let outcome = env.command(line).run();
            assert_eq!(outcome.code, Some(101), "{manifest}: {outcome}");
            let told = format!("{manifest}` is not the path of a `Cargo.toml`");
            assert!(outcome.stderr.contains(&told), "{outcome}");
        }
        for (text, told) in [
            (
                "version = 99\n",
                "version 99 is none that this program knows",
            ),
            (
                "version = \"4\"\n",
                "its version is none that this program knows",
            ),
            ("", "it has no version and no package"),
        ] {
            env.write("work/Cargo.lock", text);
            let outcome = env.command(line.split(' ')).run();
            assert_eq!(outcome.code, Some(101), "{outcome}");
            assert!(outcome.stderr.contains(told), "{outcome}");
        }
        env.write("work/Cargo.lock", lock_file(PACKAGES));
    }
}
