//! Texts that a registry says, or a user pastes, and that would drive a terminal, forge a line or turn text
//! around: nothing of it comes out as it is, for people, for machines, or in an error.

use std::fs;

use cargo_marketplace::model::{Body, Sha256Digest};
use serde_json::Value;

use crate::env::{Outcome, TestEnv};
use crate::small_registry;

/// Colours, a title, a link, the clipboard, marks that turn and hide text, and a line that is not ours.
const HOSTILE: &str = "a\u{1b}[31mred\u{1b}]0;title\u{7}\u{1b}]8;;https://x.example\u{1b}\\b\u{1b}]52;c;eA==\u{7}c\
    \u{9b}2J\u{202e}d\u{2066}e\u{200b}f\u{feff}g\u{200d}h\u{ad}i\u{e0041}j\u{8}\u{0}\u{7f}k\r\n   Verified all\u{2028}l";

/// What of it an archive may hold: no control characters.
const MARKS: &str =
    "a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{200d}f\u{ad}g\u{e0041}h\u{2028}   Verified all";

/// As a string in TOML.
fn toml(text: &str) -> String {
    let escaped = text.chars().map(|c| format!("\\U{:08X}", u32::from(c)));
    format!("\"{}\"", escaped.collect::<String>())
}

/// What must not reach a terminal; line feeds are looked at apart.
fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn assert_harmless(outcome: &Outcome) {
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_plain(&all);
    let forged = all.lines().find(|line| line.starts_with("   Verified all"));
    assert_eq!(forged, None, "{all}");
}

#[track_caller]
fn assert_plain(text: &str) {
    let found: Vec<char> = text.chars().filter(|c| is_hostile(*c)).collect();
    assert!(found.is_empty(), "{found:?} in\n{text:?}");
}

/// A registry whose package says [`MARKS`] wherever its author can say anything, and was withdrawn from use
/// with [`HOSTILE`] as the reason.
fn env() -> TestEnv {
    let env = TestEnv::new();
    let folder = env.path("registry");
    fs::create_dir(&folder).unwrap();
    small_registry::make(&folder);
    let text = toml(MARKS);
    let manifest = format!(
        "[package]\nname = \"siren\"\nversion = \"1.0.0\"\nedition = \"2024\"\ndescription = {text}\n\
         license-file = {text}\nauthors = [{text}]\nrepository = {text}\nhomepage = {text}\n\
         documentation = {text}\nkeywords = [{text}]\ncategories = [{text}]\nlinks = {text}\n\
         [features]\nsong = []\n[target.{text}.dependencies]\nlibm_lite = \"1\"\n"
    );
    let archives = [small_registry::archive_with("siren", "1.0.0", &manifest)];
    small_registry::publish(&folder, &archives);
    let yank = Body::Yank {
        version: "1.0.0".parse().unwrap(),
        reason: Some(HOSTILE.into()),
    };
    let submission = small_registry::submission(&folder, "siren", yank);
    small_registry::apply(&folder, submission);
    let root = Sha256Digest::of(&fs::read(folder.join("tuf/1.root.json")).unwrap());
    let url = format!("file://{}", folder.display());
    let added = env.command([
        "registry",
        "add",
        "sea",
        &url,
        "--root",
        &format!("sha256:{root}"),
    ]);
    let added = added.run();
    assert_eq!(added.code, Some(0), "{added}");
    env
}

#[test]
fn what_a_package_says_is_shown_without_what_drives_a_terminal() {
    let env = env();
    for arguments in [
        &["info", "siren"][..],
        &["info", "siren@1.0.0", "--verbose"],
        &["search", "siren"],
        &["search", "red"],
        &["registry", "show", "sea"],
        &["registry", "list"],
        &["verify", "siren@1.0.0"],
        &["registry", "check", "../registry", "--deep"],
        &["install", "siren"],
        &["install", "siren@1.0.0"],
        &["new", "siren@1.0.0", "project"],
    ] {
        assert_harmless(&env.command(arguments).run());
        let json = env.command(arguments.iter().chain(&["--message-format", "json"]));
        let json = json.run();
        assert_harmless(&json);
        for line in json.stdout.lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            assert!(message["reason"].is_string(), "{line}");
        }
    }
    let shown = env.run(["info", "siren@1.0.0"]);
    assert!(shown.contains("abcdefgh"), "{shown}");
    assert!(shown.contains("aredbcdefghijk"), "{shown}");
    let json = env.command(["info", "siren@1.0.0", "--message-format", "json"]);
    // Machines get every character, as an escape.
    let said: Value = serde_json::from_str(json.run().stdout.lines().last().unwrap()).unwrap();
    for text in [MARKS, HOSTILE] {
        let quoted = Value::from(text).to_string();
        assert!(said.to_string().contains(&quoted), "{said}");
    }
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn no_form_of_an_answer_drives_a_terminal() {
    let env = env();
    let rows = "SELECT * { ?s ?p ?o }";
    let graph = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }";
    let made = format!(
        "SELECT ('{}' AS ?x) {{}}",
        HOSTILE.replace(['\r', '\n', '\0'], "\u{7}")
    );
    for (query, format) in [
        (rows, "table"),
        (rows, "json"),
        (&made, "table"),
        (&made, "json"),
    ] {
        let answer = env.command(["sparql", query, "--format", format]).run();
        assert_eq!(answer.code, Some(0), "{answer}");
        assert_harmless(&answer);
    }
    // What ends a value or a row stays, between quotes, too.
    for (query, format) in [(rows, "csv"), (rows, "tsv"), (graph, "turtle")] {
        let answer = env.command(["sparql", query, "--format", format]).run();
        assert_eq!(answer.code, Some(0), "{answer}");
        assert_plain(&answer.stdout.replace(['\r', '\t'], ""));
    }
}

#[test]
fn errors_quote_what_was_typed_without_what_drives_a_terminal() {
    let env = env();
    // No argument of a program can hold a zero.
    let typed = HOSTILE.replace('\0', "");
    let typed = typed.as_str();
    let (at, url) = (format!("siren@{typed}"), format!("https://{typed}/"));
    for arguments in [
        &["info", typed][..],
        &["info", &at],
        &["info", "siren", "--registry", typed],
        &["search", typed],
        &["search", typed, "--backend", typed],
        &["install", typed],
        &["add", typed],
        &["new", typed, typed],
        &["explain", typed],
        &["registry", "add", typed, "https://x.example/"],
        &["registry", "add", "x", typed],
        &["registry", "add", "x", &url],
        &["registry", "add", "x", "file:///nowhere", "--root", typed],
        &["registry", "remove", typed],
        &["registry", "check", typed],
        &["verify", typed],
        &["yank", &at, "--registry-dir", typed],
        &["key", "new", typed],
        &[typed],
        &["sparql", typed],
        &["sparql", "--example", typed],
        &["sparql", "--file", typed],
        &["--color", typed],
        // Refused, and right as it is shown.
        &["--color", "al\u{200b}ways", "registry", "list"],
    ] {
        let outcome = env.command(arguments).run();
        assert_ne!(outcome.code, None, "{outcome}");
        assert_harmless(&outcome);
        assert_harmless(
            &env.command(arguments.iter().chain(&["--message-format", "json"]))
                .run(),
        );
    }
}

/// What a registry's own files say in errors about them.
#[test]
fn errors_quote_what_a_registry_says_without_what_drives_a_terminal() {
    let quoted = Value::from(HOSTILE).to_string();
    for (file, content) in [
        (
            "tuf/timestamp.json",
            format!("{{\"signed\":{{\"_type\":{quoted}}},\"signatures\":[]}}"),
        ),
        (
            "tuf/timestamp.json",
            format!("{{\"signed\":{{}},\"signatures\":{quoted}}}"),
        ),
        ("tuf/timestamp.json", format!("{{{quoted}:1,{quoted}:2}}")),
        ("tuf/timestamp.json", HOSTILE.to_owned()),
        (
            "tuf/2.root.json",
            format!("{{\"signed\":{{\"_type\":{quoted}}},\"signatures\":[]}}"),
        ),
        ("policy.json", format!("{{\"schema\":1,{quoted}:{quoted}}}")),
        (
            "si/re/siren.json",
            format!("{{\"schema\":1,\"package\":{quoted}}}"),
        ),
        (
            "publishers/harbour.json",
            format!("{{\"schema\":1,\"id\":{quoted}}}"),
        ),
        ("catalog/index.json", format!("{{\"schema\":{quoted}}}")),
        (
            &format!("si/re/{}", HOSTILE.replace(['/', '\0'], "")),
            String::new(),
        ),
    ] {
        let env = env();
        env.write(&format!("registry/{file}"), content);
        for arguments in [
            &["info", "siren"][..],
            &["search", "siren"],
            &["registry", "check", "../registry", "--deep"],
            &["registry", "refresh", "sea"],
        ] {
            assert_harmless(&env.command(arguments).run());
            let json = env.command(arguments.iter().chain(&["--message-format", "json"]));
            assert_harmless(&json.run());
        }
    }
}
