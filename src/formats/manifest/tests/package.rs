//! `[package]`, `[features]` and targets.

use super::super::*;
use super::{mirrored, read, refusal};
use crate::model::DependencyKind;

#[test]
fn refuses_what_is_left_to_the_workspace() {
    let tail = " is inherited from a workspace, which the archive does not hold; package it with `cargo package`";
    for (text, field) in [
        (
            "[dependencies]\nnum = { workspace = true }",
            "dependencies.num",
        ),
        ("[dependencies]\nnum.workspace = true", "dependencies.num"),
        (
            "[target.'cfg(unix)'.dependencies]\nnum.workspace = true",
            "target.cfg(unix).dependencies.num",
        ),
        (
            "[package]\nname = \"a\"\nversion.workspace = true",
            "package.version",
        ),
        (
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\nrust-version = { workspace = true }",
            "package.rust-version",
        ),
        ("[lints]\nworkspace = true", "lints"),
        (
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\nreadme.workspace = true",
            "package.readme",
        ),
        (
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\nkeywords.workspace = true",
            "package.keywords",
        ),
    ] {
        assert_eq!(refusal(text), format!("`{field}`{tail}"));
    }
}

#[test]
fn features_stand_as_written_and_none_is_implied() {
    let text = r#"
[dependencies]
serde = { version = "1", optional = true }
rope = { version = "1", optional = true }
[dev-dependencies]
quickcheck = "1"
[features]
default = ["serde", "quickcheck/unstable"]
knots = ["dep:rope", "serde?/std"]
"#;
    let release = mirrored(text);
    let keys: Vec<_> = release.features.keys().collect();
    assert_eq!(keys, ["default", "knots"]);
    assert_eq!(
        release.features["default"],
        ["serde", "quickcheck/unstable"]
    );
    assert_eq!(release.features["knots"], ["dep:rope", "serde?/std"]);
    assert_eq!(release.dependencies[0].kind, DependencyKind::Dev);
}

#[test]
fn reads_what_people_look_for() {
    let text = r#"
[package]
name = "buoy"
version = "1.0.0+build.7"
edition = "2021"
rust-version = "1.74"
links = "anchor"
description = "Floats\n\ton water"
license = "MIT OR Apache-2.0"
license-file = "LICENSE"
readme = false
keywords = ["water"]
categories = ["science"]
repository = ""
homepage = "https://buoy.example"
documentation = "https://docs.buoy.example"
"#;
    let release = mirrored(text);
    assert_eq!(release.version.to_string(), "1.0.0+build.7");
    assert_eq!(release.edition.as_deref(), Some("2021"));
    assert_eq!(release.rust_version.as_deref(), Some("1.74"));
    assert_eq!(release.links.as_deref(), Some("anchor"));
    assert_eq!(release.description.as_deref(), Some("Floats\n\ton water"));
    assert_eq!(release.license.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(
        (release.keywords, release.categories),
        (vec!["water".into()], vec!["science".into()])
    );
    assert_eq!(
        (release.repository, release.homepage.as_deref()),
        (None, Some("https://buoy.example"))
    );
    assert_eq!(mirrored("").edition, None);
}

#[test]
fn rust_versions_are_numbers() {
    for good in ["1", "1.74", "1.74.1"] {
        let release = mirrored(&format!("rust-version = \"{good}\""));
        assert_eq!(release.rust_version.as_deref(), Some(good));
    }
    for bad in [
        "1.",
        "^1.74",
        "1.74.0-beta",
        "1.074",
        "1.2.3.4",
        "nightly",
        "+1",
    ] {
        assert_eq!(
            refusal(&format!("rust-version = \"{bad}\"")),
            "`package.rust-version` in the manifest is not a Rust version such as 1.74"
        );
    }
}

#[test]
fn refuses_texts_that_are_too_long_or_hide_something() {
    let long = "x".repeat(17 << 10);
    assert_eq!(
        refusal(&format!("description = \"{long}\"")),
        "`package.description` in the manifest is over the limit of 16384 bytes"
    );
    assert_eq!(
        refusal("license = \"MIT\\u001b[2J\""),
        "`package.license` in the manifest has the control character '\\u{1b}'"
    );
    assert_eq!(
        refusal(&format!("keywords = {:?}", ["x"; 65])),
        "`package.keywords` in the manifest has more than 64 members"
    );
    let padded = format!("#{}", " ".repeat(MANIFEST_SIZE));
    assert_eq!(
        refusal(&padded),
        "the manifest is over the limit of 2097152 bytes"
    );
}

#[test]
fn refuses_what_is_no_manifest() {
    for (text, reason) in [
        ("name = \"again\"", "the manifest is not valid TOML"),
        (
            "[package]\nname = \"a\"",
            "`package.version` is missing in the manifest",
        ),
        (
            "[package]\nname = \"a\"\nversion = 1",
            "`package.version` in the manifest is not a string",
        ),
        (
            "[package]\nname = \"a\"\nversion = \"1\"",
            "`package.version` in the manifest is no version",
        ),
        (
            "[package]\nname = \"../a\"\nversion = \"1.0.0\"",
            "`package.name` in the manifest is no package name",
        ),
        (
            "dependencies = 1\n[package]\nname = \"a\"\nversion = \"1.0.0\"",
            "`dependencies` in the manifest is not a table",
        ),
        (
            "[dependencies]\na = 1",
            "`dependencies.a` in the manifest is not a requirement or a table",
        ),
        (
            "[dependencies]\na = \"one\"",
            "`dependencies.a` in the manifest is no version requirement",
        ),
        (
            "[dependencies]\na = { version = \"1\", artifact = \"bin\" }",
            "`dependencies.a.artifact` in the manifest needs an unstable feature of Cargo",
        ),
        (
            "[features]\na = \"b\"",
            "`features.a` in the manifest is not a list of strings",
        ),
        (
            "edition = \"next\"",
            "`package.edition` in the manifest is not an edition such as 2024",
        ),
    ] {
        assert_eq!(refusal(text), reason, "{text}");
    }
}

#[test]
fn refuses_a_manifest_without_package() {
    let facts = ArchiveFacts {
        checksum: Sha256Digest::of(b""),
        size: 0,
        commit: None,
    };
    let error = release("dependencies = {}", &[], facts, &Home::Mirror).unwrap_err();
    assert_eq!(error.to_string(), "`package` is missing in the manifest");
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refusal(&deep), "the manifest is not valid TOML");
}

fn kinds(rest: &str, files: &[&str]) -> (bool, Vec<String>, bool) {
    let kinds = read(rest, files, &Home::Mirror).unwrap().kinds;
    (kinds.library, kinds.binaries, kinds.template)
}

#[test]
fn finds_targets_as_cargo_does() {
    let files = [
        "src/lib.rs",
        "src/main.rs",
        "src/bin/row.rs",
        "src/bin/sail/main.rs",
        "src/bin/sail/wind.rs",
        "src/bin/notes.md",
    ];
    let all = ["buoy", "row", "sail"].map(str::to_owned).to_vec();
    assert_eq!(
        kinds("edition = \"2021\"", &files),
        (true, all.clone(), false)
    );
    assert_eq!(kinds("", &files), (true, all, false));
    let tables = "[[bin]]\nname = \"steer\"\n[lib]\npath = \"lib/here.rs\"";
    assert_eq!(
        kinds(tables, &["src/main.rs"]),
        (true, vec!["steer".into()], false)
    );
    let tables = format!("edition = \"2018\"\n{tables}");
    assert_eq!(kinds(&tables, &["src/main.rs"]).1, ["buoy", "steer"]);
}

#[test]
fn discovery_can_be_turned_off() {
    let off = "autolib = false\nautobins = false";
    assert_eq!(
        kinds(off, &["src/lib.rs", "src/main.rs"]),
        (false, vec![], false)
    );
}

#[test]
fn a_template_is_a_folder_of_that_name() {
    assert!(kinds("", &["template/src/main.rs"]).2);
    assert!(!kinds("", &["template", "src/template/x"]).2);
}

#[test]
fn refuses_programs_that_are_no_file_names() {
    assert_eq!(
        refusal("[[bin]]\nname = \"../row\""),
        "`bin.name` in the manifest is not the name of a program"
    );
    assert_eq!(
        refusal("[[bin]]\npath = \"x.rs\""),
        "`bin.name` is missing in the manifest"
    );
}
