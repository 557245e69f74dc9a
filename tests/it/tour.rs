//! The tour, which is README's first command: it comes to its end, and leaves nothing behind.

use std::fs;

use insta::assert_snapshot;

use crate::env::{Outcome, TestEnv};
use crate::samples::crates_io;

/// A machine whose cargo gets the packages `name-version` from what stands in for crates.io, and no
/// others.
fn machine(packages: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    crates_io(&env, packages);
    env
}

/// The commands that were shown, with the folders in which they were run.
fn commands(tour: &Outcome) -> String {
    let is_command = |line: &&str| {
        let folder = line.split_once("$ ").map(|(folder, _)| folder.trim_end());
        folder.is_some_and(|folder| folder.chars().all(|c| c.is_ascii_lowercase()))
    };
    let shown: Vec<&str> = tour.stdout.lines().filter(is_command).collect();
    shown.join("\n")
}

fn tour(env: &TestEnv, arguments: &[&str]) -> Outcome {
    let all = ["tour"].iter().chain(arguments);
    env.command(all).redact_digests().run()
}

/// What lies in a folder.
fn names(env: &TestEnv, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(env.path(folder)).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn the_tour_shows_all_and_leaves_nothing_behind() {
    let env = machine(&["strsim-0.11.1"]);
    let before = names(&env, "home/.cargo");
    let tour = tour(&env, &[]);
    assert_eq!(tour.code, Some(0), "{tour}");
    assert_snapshot!(commands(&tour), @r"
    $ cargo marketplace key new harbour --no-passphrase
    $ cargo marketplace registry init registry --solo --base-url https://registry.example.org/ --no-passphrase
    $ cargo marketplace registry serve registry &
    $ cargo marketplace registry add harbour http://127.0.0.1:[PORT]/ --root sha256:[DIGEST]
    tides $ cargo marketplace publish --workspace --registry-dir ../registry --key harbour
    $ cargo marketplace search tide
    $ cargo marketplace info tide-cli
    $ cargo marketplace sparql --example reverse-deps --param name=tide-table
    $ cargo marketplace install tide-cli --root installed
    $ installed/bin/tide-cli south-quay
    $ cargo marketplace new buoy --template sensor-template -d board=esp32
    buoy $ cargo marketplace exec -- run --quiet
    $ cargo new --quiet --lib --vcs none scratch
    scratch $ cargo add tide-table --registry harbour
    scratch $ cargo build
    $ cargo marketplace registry add harbour http://127.0.0.1:[PORT]/ --root-file registry/tuf/1.root.json
    $ cargo marketplace verify tide-table@0.3.1
    ");
    for shown in [
        "tide-table      = \"0.3.1\"  # Harmonic tide prediction",
        "dependencies: strsim ^0.11 (crates.io; optional), tide-table ^0.3.1",
        "tide-cli  1.2.0    ^0.3.1",
        "south-quay (metres)",
        "north-pier: 3.18 m on a esp32",
    ] {
        assert!(tour.stdout.contains(shown), "{shown}\n{tour}");
    }
    let refusal = "error[MP0401]: checksum mismatch for `tide-table 0.3.1`";
    assert!(tour.stderr.contains(refusal), "{tour}");
    assert_eq!(names(&env, "tmp"), [""; 0], "nothing is left behind");
    assert_eq!(names(&env, "work"), [""; 0]);
    assert_eq!(
        names(&env, "home/.cargo"),
        before,
        "cargo's home is as before"
    );
}

#[test]
fn the_tour_does_without_crates_io_and_keeps_what_is_to_be_kept() {
    let env = machine(&[]);
    let first = tour(&env, &["--keep", "kept"]);
    assert_eq!(first.code, Some(0), "{first}");
    assert!(
        first.stderr.contains("note: crates.io is not reachable"),
        "{first}"
    );
    assert!(
        first.stdout.contains("dependencies: tide-table ^0.3.1"),
        "{first}"
    );
    assert!(first.stdout.contains("south-quay (metres)"), "{first}");
    assert_snapshot!(names(&env, "work/kept").join(" "), @"before buoy cargo-home installed registry scratch tides");
    assert_eq!(names(&env, "tmp"), [""; 0]);
    assert_snapshot!(tour(&env, &["--keep", "kept"]).to_string(), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/kept` is not empty
    help: name a new folder
    ");
}
