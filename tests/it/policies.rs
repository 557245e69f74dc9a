//! Policies as queries: `audit --policy`, those that are prepared, and `sparql --with-lock`, with which one
//! writes one's own.

use insta::assert_snapshot;
use serde_json::Value;

use crate::audit::{Locked, PACKAGES, lock_file, project};
use crate::confusion::with_quay;
use crate::env::TestEnv;
use crate::samples::Market;
use crate::small_registry::archive_with;

/// A package of the fixture that its owner has signed, under a permissive license.
const GOOD: &[Locked] = &[("tide-table", "0.3.1", &[])];

/// What the prepared policies find in a project, each as `package version: message`, and the exit code that
/// must go with them.
fn found(env: &TestEnv, folder: &str, line: &str) -> Vec<String> {
    let audit = ["audit", "--message-format", "json"].into_iter();
    let outcome = env
        .command(audit.chain(line.split(' ')))
        .folder(folder)
        .run();
    let lines = outcome.stdout.lines();
    let messages = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let findings = messages.filter(|one| one["reason"] == "finding" && one["rule"] == "policy");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: Vec<String> = findings
        .map(|one| {
            let value = |column: &str| text(&one["row"][column]["value"]);
            assert_eq!(text(&one["name"]), value("package"), "{one}");
            assert_eq!(text(&one["version"]), value("version"), "{one}");
            format!(
                "{} {}: {}",
                value("package"),
                value("version"),
                value("message")
            )
        })
        .collect();
    let code = if found.is_empty() { 0 } else { 3 };
    assert_eq!(outcome.code, Some(code), "{outcome}");
    found
}

#[test]
fn unsigned_packages_are_found_wherever_they_come_from() {
    let line = "--policy-example nothing-unsigned";
    let env = project(&lock_file(PACKAGES));
    assert_eq!(
        found(&env, "work", line),
        [
            "libm-lite 0.2.3: is vouched, not signed",
            "cfg-if 1.0.0: comes from registry+https://github.com/rust-lang/crates.io-index, where nobody signs",
        ]
    );
    assert!(found(&project(&lock_file(GOOD)), "work", line).is_empty());
}

/// 2026-05-08T08:00:00Z, in seconds.
const A_WEEK_LATER: i64 = 1_778_227_200;

#[test]
fn young_releases_are_found_for_a_week() {
    let env = project(&lock_file(PACKAGES));
    let policy = ["audit", "--policy-example", "nothing-younger-than-a-week"];
    // `almanac` is there since May the first, at eight.
    for (seconds, code) in [(-1, 3), (0, 0)] {
        let now = (A_WEEK_LATER + seconds).to_string();
        let command = env.command(policy).env("CARGO_MARKETPLACE_NOW", now);
        let outcome = command.run();
        assert_eq!(outcome.code, Some(code), "{outcome}");
        let told = "error[MP0320]: `almanac` v2.0.0 is there since 2026-05-01T08:00:00Z only \
                    (policy `nothing-younger-than-a-week`)\n";
        assert_eq!(outcome.stderr.contains(told), code == 3, "{outcome}");
        assert_eq!(
            outcome.stderr.matches("MP0320").count(),
            usize::from(code == 3),
            "{outcome}"
        );
    }
}

#[test]
fn only_known_owners_are_let_through() {
    let line = "--policy-example only-known-owners --param owners=";
    let env = project(&lock_file(PACKAGES));
    let strangers = ["libm-lite 0.2.3", "cfg-if 1.0.0"];
    let strangers = strangers.map(|package| format!("{package}: was released by nobody who signs"));
    let known = found(&env, "work", &format!("{line}harbour,lighthouse"));
    assert_eq!(known, strangers);
    let others = found(&env, "work", &format!("{line}light,harbour"));
    let lighthouse = ["almanac 2.0.0", "moon-phase 0.1.0"];
    let lighthouse = lighthouse.map(|package| format!("{package}: was released by `lighthouse`"));
    assert_eq!(others, [&lighthouse[..], &strangers].concat());
    let good = project(&lock_file(GOOD));
    assert!(found(&good, "work", &format!("{line}harbour")).is_empty());
}

#[test]
fn a_member_promises_a_rust_for_all_that_it_needs() {
    let env = project(&lock_file(PACKAGES));
    let line = "--policy-example msrv";
    assert!(found(&env, "work", line).is_empty(), "nothing is promised");
    for (rust, expected) in [
        (
            "1.73.1",
            &[
                "almanac 2.0.0: needs Rust 1.74, and 1.73 is promised above it",
                "tide-table 0.3.1: needs Rust 1.74, and 1.73 is promised above it",
            ][..],
        ),
        ("1.74", &[]),
    ] {
        let manifest = format!("[package]\nname = \"app\"\nrust-version = \"{rust}\"\n");
        env.write("work/Cargo.toml", manifest);
        assert_eq!(found(&env, "work", line), expected);
    }
    // Of whom nothing is known, nothing is promised; that is said.
    env.write("work/Cargo.toml", "[package]\nname = \"another\"\n");
    let outcome = env.command(["audit", "--policy-example", "msrv"]).run();
    let told =
        "warning: the manifest of `app` was not found: policies do not know its `rust-version`\n";
    assert_eq!(outcome.stderr.matches(told).count(), 1, "{outcome}");
}

/// Each member answers for its own closure, in a workspace that cargo locked.
#[test]
fn a_workspaces_members_each_promise_their_own() {
    let market = Market::published();
    let needs = "tide-table = { version = \"0.3\", registry = \"harbour\" }\n";
    for (name, rust) in [("old", "1.60"), ("new", "1.95")] {
        market.project(&format!("app/{name}"), needs);
        let path = format!("work/app/{name}/Cargo.toml");
        let stated = format!("[package]\nname = \"{name}\"\nrust-version = \"{rust}\"\n");
        let written = market
            .env
            .read(&path)
            .replace(&format!("[package]\nname = \"app/{name}\"\n"), &stated);
        // That edition needs a newer Rust than these promise.
        market.env.write(&path, written.replace("2024", "2021"));
    }
    market.env.write(
        "work/app/Cargo.toml",
        "[workspace]\nmembers = [\"*\"]\nresolver = \"2\"\n",
    );
    lock(&market);
    let line = "--policy-example msrv";
    let expected = ["tide-table 0.3.1: needs Rust 1.85, and 1.60 is promised above it"];
    assert_eq!(found(&market.env, "work/app", line), expected);
    let path = "work/app/old/Cargo.toml";
    market
        .env
        .write(path, market.env.read(path).replace("1.60", "1.90"));
    assert!(found(&market.env, "work/app", line).is_empty());
}

fn lock(market: &Market) {
    let locked = market
        .env
        .cargo(["generate-lockfile"])
        .folder("work/app")
        .run();
    assert_eq!(locked.code, Some(0), "{locked}");
}

#[test]
fn copyleft_is_found_unless_another_license_may_be_chosen() {
    let market = Market::published();
    let licenses = [
        ("both", "MIT AND (GPL-3.0-only OR Apache-2.0)", true),
        ("choice", "MIT OR GPL-3.0-only", false),
        ("network", "AGPL-3.0-only", true),
        ("none", "GPL-2.0-only OR LGPL-2.1-or-later", true),
        ("old", "MIT/GPL-2.0", false),
        ("permissive", "Apache-2.0 OR BSD-3-Clause", false),
        ("weak", "MPL-2.0", true),
    ];
    let mut import = vec!["registry".to_owned(), "import".into(), "registry".into()];
    import.extend(["--as-own".into(), "--unsigned".into()]);
    let mut needs = String::new();
    for (name, license, _) in licenses {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
             description = \"A {name}\"\nlicense = \"{license}\"\n"
        );
        let bytes = archive_with(name, "1.0.0", &manifest);
        market.env.write(&format!("work/{name}.crate"), bytes);
        import.push(format!("{name}.crate"));
        needs.extend([name, " = { version = \"1\", registry = \"harbour\" }\n"]);
    }
    market.must(import.iter().map(String::as_str));
    market.project("app", &needs);
    lock(&market);
    let copyleft = licenses.iter().filter(|(.., is_copyleft)| *is_copyleft);
    let copyleft: Vec<String> = copyleft
        .map(|(name, license, _)| format!("{name} 1.0.0: is licensed as `{license}`"))
        .collect();
    assert_eq!(
        found(&market.env, "work/app", "--policy-example no-copyleft"),
        copyleft
    );
    // Several policies at once; a parameter is for those that have it.
    let all =
        "--policy-example no-copyleft --policy-example only-known-owners --param owners=harbour";
    assert_eq!(
        found(&market.env, "work/app", all).len(),
        copyleft.len() + licenses.len()
    );
}

/// The permissive packages of the fixture have no finding of `no-copyleft`.
#[test]
fn permissive_licenses_are_let_through() {
    let line = "--policy-example no-copyleft";
    assert!(found(&project(&lock_file(GOOD)), "work", line).is_empty());
    let copyleft = ["moon-phase 0.1.0: is licensed as `GPL-3.0-or-later`"];
    assert_eq!(
        found(&project(&lock_file(PACKAGES)), "work", line),
        copyleft
    );
}

const PREFIXES: &str = "PREFIX mp: <https://w3id.org/cargo-marketplace/ns#>\n\
    PREFIX schema: <https://schema.org/>\nPREFIX doap: <http://usefulinc.com/ns/doap#>\n";

#[test]
fn a_row_is_told_by_its_columns() {
    let env = project(&lock_file(PACKAGES));
    for (query, told) in [
        (
            "SELECT ?package ?version ?message { ?p mp:release/mp:yanked true ; schema:name ?package ; \
             doap:revision ?version BIND(\"is gone\" AS ?message) }",
            "`libm-lite` v0.2.3 is gone",
        ),
        // By its node, and by its name alone.
        (
            "SELECT ?package ?trust { ?package mp:release/mp:trust ?trust FILTER(?trust = \"vouched\") }",
            "`libm-lite` v0.2.3: trust = vouched",
        ),
        (
            "SELECT (\"libm-lite\" AS ?package) {}",
            "`libm-lite` v0.2.3",
        ),
        // Of no locked package.
        (
            "SELECT (\"nobody\" AS ?package) (\"1.0.0\" AS ?version) (1 AS ?n) {}",
            "`nobody` v1.0.0: n = 1",
        ),
        (
            "SELECT (COUNT(*) AS ?locked) (COUNT(?release) AS ?known) { ?p a mp:Locked OPTIONAL { ?p mp:release ?release } }",
            "locked = 6, known = 4",
        ),
        (
            "SELECT ?nothing { VALUES ?nothing { UNDEF } }",
            "the answer is yes",
        ),
        (
            "ASK { ?app a mp:Member ; mp:requires+/schema:name \"cfg-if\" }",
            "the answer is yes",
        ),
        (
            "ASK { ?p a mp:Locked ; mp:release/mp:trust \"unsigned\" }",
            "",
        ),
        ("SELECT ?package { ?package mp:source \"none\" }", ""),
    ] {
        env.write("work/mine.rq", format!("{PREFIXES}{query}"));
        let outcome = env.command(["audit", "--policy", "mine.rq"]).run();
        let code = if told.is_empty() { 0 } else { 3 };
        assert_eq!(outcome.code, Some(code), "{query}\n{outcome}");
        let told = format!("error[MP0320]: {told} (policy `mine.rq`)\n");
        assert_eq!(
            outcome.stderr.contains(&told),
            code == 3,
            "{query}\n{outcome}"
        );
    }
}

#[test]
fn findings_of_policies_stand_among_the_others() {
    let env = project(&lock_file(PACKAGES));
    let query = "SELECT ?package { VALUES ?package { \"moon-phase\" \"nobody\" } }";
    env.write("work/mine.rq", query);
    assert_snapshot!(env.run(["audit", "--deny", "yanked", "--policy", "mine.rq"]), @r#"
    exit: 3
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 5 packages from 1 registry and elsewhere
    error[MP0320]: `moon-phase` v0.1.0 (policy `mine.rq`)
    note: required by `app` > `almanac` v2.0.0
    error[MP0312]: `libm-lite` v0.2.3 was yanked: "wrong result below 1e-9"
    note: required by `app` > `almanac` v2.0.0 > `moon-phase` v0.1.0
    help: `cargo update -p libm-lite@0.2.3 --precise 0.2.4`
    error[MP0320]: `nobody` (policy `mine.rq`)
    note: 1 vouched for by a registry's operator, 1 from crates.io and elsewhere (checksum only, license unknown)
    error: audit found 3 denied
    "#);
    let json = [
        "audit",
        "--offline",
        "--policy",
        "mine.rq",
        "--message-format",
        "json",
    ];
    let outcome = env.command(json).run();
    assert_snapshot!(outcome.stdout, @r#"
    {"reason":"finding","schema":1,"code":"MP0320","denied":true,"help":null,"message":"`moon-phase` v0.1.0 (policy `mine.rq`)","name":"moon-phase","policy":"mine.rq","required_by":[{"name":"app","version":"0.1.0"},{"name":"almanac","version":"2.0.0"}],"row":{"package":{"type":"literal","value":"moon-phase"}},"rule":"policy","source":"sparse+https://registry.example.org/","version":"0.1.0"}
    {"reason":"finding","schema":1,"code":"MP0320","denied":true,"help":null,"message":"`nobody` (policy `mine.rq`)","name":null,"policy":"mine.rq","required_by":[],"row":{"package":{"type":"literal","value":"nobody"}},"rule":"policy","source":null,"version":null}
    {"reason":"finding","schema":1,"code":"MP0312","denied":false,"help":"`cargo update -p libm-lite@0.2.3 --precise 0.2.4`","message":"`libm-lite` v0.2.3 was yanked: \"wrong result below 1e-9\"","name":"libm-lite","required_by":[{"name":"app","version":"0.1.0"},{"name":"almanac","version":"2.0.0"},{"name":"moon-phase","version":"0.1.0"}],"rule":"yanked","source":"sparse+https://registry.example.org/","version":"0.2.3"}
    {"reason":"audit-finished","schema":1,"denied":2,"foreign":1,"packages":5,"registries":1,"vouched":1,"warnings":1}
    {"reason":"error","schema":1,"causes":[],"code":null,"exit_code":3,"help":null,"message":"audit found 2 denied, 1 warning","note":null}
    "#);
}

#[test]
fn a_policy_without_an_answer_is_never_a_policy_without_findings() {
    let env = project(&lock_file(PACKAGES));
    for (query, code, told) in [
        ("SELECT ?x { ?x a foo:Bar }", 101, "MP0802"),
        (
            "SELECT * { SERVICE <http://127.0.0.1/> { ?a ?b ?c } }",
            101,
            "MP0803",
        ),
        ("CONSTRUCT { ?a ?b ?c } { ?a ?b ?c }", 1, "MP0806"),
        (
            "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }",
            101,
            "MP0804",
        ),
        (
            "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i",
            101,
            "MP0804",
        ),
        ("SELECT * { ?a ?b ?c . ?d ?e ?f }", 101, "MP0804"),
    ] {
        env.write("work/mine.rq", query);
        let limits = "--timeout 300ms --max-memory 256MiB".split(' ');
        let limits = limits.filter(|_| told == "MP0804");
        let json = "audit --policy mine.rq --message-format json".split(' ');
        let outcome = env.command(json.chain(limits)).run();
        assert_eq!(outcome.code, Some(code), "{query}\n{outcome}");
        let last: Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
        assert!(
            last["message"].as_str().unwrap().contains("`mine.rq`"),
            "{last}"
        );
        assert!(last["help"].is_string(), "{last}");
        match code {
            1 => assert_eq!(last["code"], Value::Null, "{last}"),
            _ => assert_eq!(last["code"], told, "{last}"),
        }
    }
}

#[test]
fn errors_name_the_policy_and_the_cause() {
    let env = project(&lock_file(PACKAGES));
    env.write("work/mine.rq", "SELECT ?x { ?x a foo:Bar }");
    assert_snapshot!(env.run(["audit", "--policy", "mine.rq"]), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 5 packages from 1 registry and elsewhere
    error[MP0802]: the policy `mine.rq` has no answer

    Caused by:
      the query is not valid SPARQL 1.1
      line 1, column 25: prefix not found

    help: `cargo marketplace sparql --list-examples` shows queries that are valid
    ");
    env.write("work/mine.rq", "DESCRIBE <lock:>");
    assert_snapshot!(env.run(["audit", "--policy", "mine.rq"]), @"
    exit: 1
    --- stdout
    --- stderr
        Updating `harbour` index
        Auditing 5 packages from 1 registry and elsewhere
    error: `mine.rq` is no policy: its answer is a graph
    help: a policy is a SELECT or an ASK
    ");
}

#[test]
fn a_policy_must_be_there_and_have_its_parameters() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["audit", "--policy", "none.rq"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: cannot read `none.rq`

    Caused by:
      No such file or directory (os error 2)
    ");
    assert_snapshot!(env.run(["audit", "--policy-example", "no-copylefts"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there is no policy `no-copylefts`
    help: did you mean `no-copyleft`?
    ");
    assert_snapshot!(env.run(["audit", "--policy-example", "only-known-owners"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `only-known-owners` needs the parameter `owners`
    help: `--param owners=…`
    ");
    let unknown = [
        "--policy-example",
        "msrv",
        "--policy-example",
        "no-copyleft",
        "--param",
        "owner=x",
    ];
    assert_snapshot!(env.run(["audit"].iter().chain(&unknown)), @"
    exit: 1
    --- stdout
    --- stderr
    error: `msrv` has no parameter `owner`
    help: `cargo marketplace audit --list-policies` shows them
    ");
}

#[test]
fn policies_are_listed_without_a_project() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["audit", "--list-policies"]), @"
    exit: 0
    --- stdout
    no-copyleft                  nothing under a copyleft license without another choice
    nothing-unsigned             nothing that its owners have not signed, wherever it comes from
    nothing-younger-than-a-week  no release that its registry has had for less than seven days
    only-known-owners            nothing that others than these have released
                                   --param owners=… (ids of publishers, separated by commas)
    msrv                         nothing that needs a newer Rust than a member above it promises
    --- stderr
    ");
    let json = env
        .command(["audit", "--list-policies", "--message-format", "json"])
        .run();
    for line in json.stdout.lines() {
        let policy: Value = serde_json::from_str(line).unwrap();
        assert_eq!(policy["reason"], "policy");
        assert!(
            policy["query"]
                .as_str()
                .unwrap()
                .contains("SELECT ?package ?version ?message")
        );
    }
    assert_eq!(json.stdout.lines().count(), 5, "{json}");
}

/// A policy sees all registries that the lock file names, each whole, and what is of none.
#[test]
fn registries_are_asked_as_one() {
    let (market, _server) = with_quay();
    market.project(
        "app",
        "tide-table = { version = \"0.3\", registry = \"harbour\" }\n\
         jetty = { version = \"9\", registry = \"quay\" }\n",
    );
    lock(&market);
    let query = format!(
        "{PREFIXES}SELECT ?name ?trust ?others {{ ?locked mp:release ?release ; schema:name ?name . \
         ?release mp:trust ?trust {{ SELECT (COUNT(*) AS ?others) {{ ?p a mp:Package FILTER NOT EXISTS \
         {{ ?l mp:release/mp:package ?p }} }} }} }} ORDER BY ?name"
    );
    market.env.write("work/app/all.rq", query);
    assert_snapshot!(market.run_in("work/app", ["sparql", "--with-lock", "-f", "all.rq"]), @"
    exit: 0
    --- stdout
    name        trust   others
    jetty       signed  3
    tide-table  signed  3
    --- stderr
        Updating `harbour` index
        Updating `quay` index
    note: 2 rows in [TIME], harbour v2 serial 1, quay v2 serial 1, Cargo.lock
    ");
    let owners = "--policy-example only-known-owners --param owners=harbour";
    assert!(found(&market.env, "work/app", owners).is_empty());
    assert_eq!(
        found(&market.env, "work/app", &owners.replace("harbour", "quay")).len(),
        2
    );
}

/// What the lock file has under another checksum is no release, whatever its registry lists.
#[test]
fn another_checksum_is_no_release() {
    let lock = lock_file(GOOD);
    let sum = lock.split("checksum = \"").nth(1).unwrap()[..64].to_owned();
    let env = project(&lock.replace(&sum, &"1".repeat(64)));
    let outcome = env
        .command(["audit", "--policy-example", "nothing-unsigned"])
        .run();
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(
        outcome.stderr.contains("[MP0401]: `tide-table` v0.3.1"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("[MP0320]: `tide-table` v0.3.1"),
        "{outcome}"
    );
}

#[test]
fn a_project_can_be_elsewhere() {
    let env = project(&lock_file(PACKAGES));
    env.write("work/elsewhere/mine.rq", "ASK { ?s ?p \"moon-phase\" }");
    let audit = "audit --manifest-path ../Cargo.toml --policy mine.rq";
    let outcome = env.command(audit.split(' ')).folder("work/elsewhere").run();
    assert_eq!(outcome.code, Some(3), "{outcome}");
    let told = "error[MP0320]: the answer is yes (policy `mine.rq`)\n";
    assert!(outcome.stderr.contains(told), "{outcome}");
}

#[test]
fn a_lock_file_of_no_registry_can_be_asked() {
    let env = project(&lock_file(&[("cfg-if", "1.0.0", &[])]));
    let found = found(&env, "work", "--policy-example nothing-unsigned");
    assert_eq!(found.len(), 1, "{found:?}");
}
