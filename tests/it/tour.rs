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
    assert_snapshot!(names(&env, "work/kept").join(" "), @".cargo before buoy installed registry scratch tides");
    assert_eq!(names(&env, "tmp"), [""; 0]);
    assert_snapshot!(tour(&env, &["--keep", "kept"]).to_string(), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/kept` is not empty
    help: name a new folder
    ");
}

/// Settings of a user who followed the guide, is off line, and has what would lead cargo elsewhere.
const SETTINGS: &str = "
[registries.harbour]
index = \"sparse+https://registry.example.org/\"

[net]
offline = true

[http]
proxy = \"http://127.0.0.1:9\"

[build]
target-dir = \"/nowhere\"

[alias]
vendor = \"version\"
";

#[test]
fn the_tour_comes_to_its_end_whatever_the_users_settings_are() {
    for packages in [&["strsim-0.11.1"][..], &[]] {
        let env = machine(packages);
        let config = env.read("home/.cargo/config.toml");
        env.write("home/.cargo/config.toml", config + SETTINGS);
        let tour = env
            .command(["tour", "--offline"])
            .env("CARGO_NET_OFFLINE", "true")
            .env(
                "CARGO_REGISTRIES_HARBOUR_INDEX",
                "sparse+https://registry.example.org/",
            )
            .env("http_proxy", "http://127.0.0.1:9")
            .run();
        assert_eq!(tour.code, Some(0), "{tour}");
        let note = "note: the network is not to be used: the sample does without crates.io";
        assert_eq!(tour.stderr.contains(note), packages.is_empty(), "{tour}");
        let foreign = "dependencies: strsim ^0.11 (crates.io; optional)";
        assert_eq!(
            tour.stdout.contains(foreign),
            !packages.is_empty(),
            "{tour}"
        );
        assert_eq!(names(&env, "tmp"), [""; 0]);
    }
}

#[test]
fn the_tour_refuses_a_folder_below_settings_that_name_its_registry() {
    let env = machine(&[]);
    env.write("work/.cargo/config.toml", SETTINGS);
    assert_snapshot!(tour(&env, &["--keep", "kept"]).to_string(), @"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/.cargo/config.toml` names a registry `harbour`, as the tour does
    note: cargo reads it in every folder below
    help: do the tour outside of `[ROOT]/work`
    ");
}

/// Interrupts a tour, once in its folder there is `path`.
#[cfg(unix)]
fn interrupted(signal: &str, path: &str) -> std::process::Output {
    use std::process::{Command, Stdio};

    let env = machine(&[]);
    // As a terminal has it: the signal goes to all that the tour started.
    let mut command = env.command(["tour"]).into_interruptible_command();
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let is_there = || {
        let folder = fs::read_dir(env.path("tmp")).unwrap().next();
        folder.is_some_and(|folder| folder.unwrap().path().join(path).exists())
    };
    while !is_there() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .args([signal, "--", &format!("-{}", child.id())])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(names(&env, "tmp"), [""; 0], "nothing is left behind");
    output
}

#[cfg(unix)]
#[test]
fn an_interrupted_tour_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        for path in ["probe", "registry/config.json", "tides/target"] {
            let output = interrupted(signal, path);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(101), "{signal} {path}: {told}");
            assert!(told.contains("error: "), "{told}");
        }
    }
}
