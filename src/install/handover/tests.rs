//! The hand-over, with real cargo and packages that it made itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::install::testing::{INDEX, World, assert_success, build, words};

const CFG_IF: &str = "[dependencies]\ncfg-if = \"1\"";
const TABLE: &str = "[dependencies]\ntide-table = { version = \"0.3\", registry = \"market\" }";
const MAIN: &str = "fn main() { println!(\"{}\", tide_table::VERSION); }";
const LIB: &str = "cfg_if::cfg_if! { if #[cfg(any())] {} else { pub const VERSION: &str = env!(\"CARGO_PKG_VERSION\"); } }";

/// A library on crates.io's `cfg-if`, in two versions.
fn world() -> World {
    let world = World::new();
    for version in ["0.3.0", "0.3.1"] {
        world.publish("tide-table", version, CFG_IF, &[("src/lib.rs", LIB)]);
    }
    world
}

fn project(world: &World) -> PathBuf {
    world.package(
        "project",
        ("display", "0.1.0"),
        TABLE,
        &[("src/main.rs", MAIN)],
    )
}

fn built_version(project: &Path) -> String {
    let program = project.join("target/debug/display");
    let output = std::process::Command::new(program).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn fetch_here(world: &World, folder: &Path, write: WriteConfig) -> Result<Summary, HandoverError> {
    let request = FetchRequest {
        folder,
        manifest: None,
        locked: false,
        write_config: write,
    };
    fetch(world.session(), request).map(|(summary, _)| summary)
}

#[test]
fn builds_a_mixed_project_and_again_with_the_server_down() {
    let world = world();
    let project = project(&world);
    let status = exec(world.session(), &project, &build("build")).unwrap();
    assert!(status.success());
    assert_eq!(built_version(&project), "0.3.1");
    // Only what cargo chose is fetched, though all versions are listed.
    assert_eq!(world.fetched(), ["tide-table 0.3.1"]);
    let lock = fs::read_to_string(project.join("Cargo.lock")).unwrap();
    assert!(lock.contains(INDEX), "{lock}");
    world.go_down();
    fs::remove_dir_all(project.join("target")).unwrap();
    let status = exec(world.session(), &project, &build("build --locked")).unwrap();
    assert!(status.success());
    let summary = fetch_here(&world, &project, WriteConfig::No).unwrap();
    assert_eq!((summary.verified, summary.foreign), (1, 1));
}

#[test]
fn exec_returns_how_cargo_ended_and_needs_no_project() {
    let world = world();
    let folder = world.root();
    assert!(
        exec(world.session(), &folder, &words("version"))
            .unwrap()
            .success()
    );
    let status = exec(world.session(), &folder, &build("build")).unwrap();
    assert_eq!(status.code(), Some(101));
}

#[test]
fn keeps_the_versions_of_a_lock_file_yanked_ones_included() {
    let world = world();
    let project = project(&world);
    fs::write(
        project.join("Cargo.toml"),
        fs::read_to_string(project.join("Cargo.toml"))
            .unwrap()
            .replace("\"0.3\"", "\"=0.3.0\""),
    )
    .unwrap();
    fetch_here(&world, &project, WriteConfig::No).unwrap();
    fs::write(
        project.join("Cargo.toml"),
        fs::read_to_string(project.join("Cargo.toml"))
            .unwrap()
            .replace("\"=0.3.0\"", "\"0.3\""),
    )
    .unwrap();
    world.yank("tide-table", "0.3.0");
    exec(world.session(), &project, &build("build")).unwrap();
    assert_eq!(built_version(&project), "0.3.0");
}

#[test]
fn refuses_a_lock_file_with_another_checksum() {
    let world = world();
    let project = project(&world);
    fetch_here(&world, &project, WriteConfig::No).unwrap();
    let path = project.join("Cargo.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let at = lock.rfind("checksum = \"").unwrap() + "checksum = \"".len();
    let forged = format!("{}{}{}", &lock[..at], "0".repeat(64), &lock[at + 64..]);
    fs::write(&path, forged).unwrap();
    let error = fetch_here(&world, &project, WriteConfig::No).unwrap_err();
    assert!(
        matches!(
            error,
            HandoverError::Resolve(ResolveError::Checksum { .. }) | HandoverError::Cargo(_)
        ),
        "{error}"
    );
    assert!(exec(world.session(), &project, &build("build")).is_err());
}

#[test]
fn locked_changes_no_lock_file() {
    let world = world();
    let project = project(&world);
    let request = FetchRequest {
        folder: &project,
        manifest: None,
        locked: true,
        write_config: WriteConfig::No,
    };
    assert!(fetch(world.session(), request).is_err());
    assert!(!project.join("Cargo.lock").exists());
    fetch_here(&world, &project, WriteConfig::No).unwrap();
    fetch(world.session(), request).unwrap();
}

#[test]
fn written_configuration_lets_plain_cargo_build_what_was_verified() {
    let world = world();
    let project = project(&world);
    let known = format!("[registries.market]\nindex = \"{INDEX}\"\n");
    fs::write(world.cargo.home.join("config.toml"), known).unwrap();
    fetch_here(&world, &project, WriteConfig::No).unwrap();
    assert!(!world.raw_cargo(&project, &["build"]).status.success());
    fetch_here(&world, &project, WriteConfig::IntoProject).unwrap();
    assert_success(&world.raw_cargo(&project, &["build"]));
    assert_eq!(built_version(&project), "0.3.1");
    // What we wrote ourselves is not taken for an attack.
    exec(world.session(), &project, &build("build")).unwrap();
    fetch_here(&world, &project, WriteConfig::IntoProject).unwrap();
}

fn addition(name: &str, requirement: &str) -> Addition {
    Addition {
        name: name.parse().unwrap(),
        requirement: requirement.into(),
    }
}

fn add_here(world: &World, folder: &Path, one: Addition) -> Result<Summary, HandoverError> {
    let request = AddRequest {
        folder,
        additions: &[one],
        arguments: &[],
    };
    add(world.session(), request)
}

#[test]
fn adds_a_library_and_locks_it() {
    let world = world();
    let project = world.package(
        "project",
        ("display", "0.1.0"),
        "",
        &[("src/main.rs", MAIN)],
    );
    let summary = add_here(&world, &project, addition("tide-table", "0.3.1")).unwrap();
    assert_eq!((summary.verified, summary.foreign), (1, 1));
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let line = "tide-table = { version = \"0.3.1\", registry = \"market\" }";
    assert!(manifest.contains(line), "{manifest}");
    exec(world.session(), &project, &build("build")).unwrap();
    assert_eq!(built_version(&project), "0.3.1");
}

#[test]
fn adds_the_requirement_that_was_asked_for() {
    let world = world();
    let project = world.package(
        "project",
        ("display", "0.1.0"),
        "",
        &[("src/main.rs", MAIN)],
    );
    add_here(&world, &project, addition("tide-table", "=0.3.0")).unwrap();
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("version = \"=0.3.0\""), "{manifest}");
    assert_eq!(world.fetched(), ["tide-table 0.3.0"]);
}

#[test]
fn adds_to_a_member_and_sees_packages_outside_of_the_workspace() {
    let world = world();
    let gauge = [("src/lib.rs", "pub use tide_table::VERSION;")];
    world.publish("gauge", "1.0.0", TABLE, &gauge);
    let outside = "[dependencies]\ngauge = { version = \"1\", registry = \"market\" }";
    world.package(
        "outside",
        ("outside", "0.1.0"),
        outside,
        &[("src/lib.rs", "")],
    );
    let more = "[dependencies]\noutside = { path = \"../../outside\" }";
    let main = [("src/main.rs", MAIN)];
    world.package("work/display", ("display", "0.1.0"), more, &main);
    let root = world.root().join("work");
    fs::write(
        root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"display\"]",
    )
    .unwrap();
    let request = AddRequest {
        folder: &root,
        additions: &[addition("tide-table", "0.3.1")],
        arguments: &words("-p display"),
    };
    assert_eq!(add(world.session(), request).unwrap().verified, 2);
    exec(world.session(), &root, &build("build")).unwrap();
    assert_eq!(built_version(&root), "0.3.1");
}

#[test]
fn leaves_a_project_as_it_was_if_an_addition_fails() {
    let world = world();
    let project = world.package(
        "project",
        ("display", "0.1.0"),
        "",
        &[("src/main.rs", MAIN)],
    );
    let before = fs::read(project.join("Cargo.toml")).unwrap();
    world.go_down();
    let error = add_here(&world, &project, addition("tide-table", "0.3.1")).unwrap_err();
    assert!(matches!(
        error,
        HandoverError::Resolve(ResolveError::Source { .. })
    ));
    assert_eq!(fs::read(project.join("Cargo.toml")).unwrap(), before);
    assert!(!project.join("Cargo.lock").exists());
}

fn install_here(
    world: &World,
    entry: &crate::trust::Verified<crate::model::Entry>,
    lock: Lock,
    arguments: &str,
) -> Result<Summary, HandoverError> {
    let request = BinaryRequest {
        entry,
        lock,
        arguments: &words(arguments),
    };
    install(world.session(), request)
}

fn installed(world: &World) -> (String, String) {
    let program = world.cargo.home.join("bin/tide-cli");
    let output = std::process::Command::new(program).output().unwrap();
    let list = world.raw_cargo(&world.root(), &["install", "--list"]);
    let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
    (text(output.stdout), text(list.stdout))
}

#[test]
fn installs_a_program_with_the_lock_file_that_it_ships() {
    let world = World::new();
    world.publish("tide-table", "0.3.0", CFG_IF, &[("src/lib.rs", LIB)]);
    let program = world.publish("tide-cli", "1.2.0", TABLE, &[("src/main.rs", MAIN)]);
    world.publish("tide-table", "0.3.1", CFG_IF, &[("src/lib.rs", LIB)]);
    let summary = install_here(&world, &program, Lock::AsShipped, "").unwrap();
    assert_eq!((summary.verified, summary.foreign), (2, 1));
    let list = format!("tide-cli v1.2.0 (registry `{INDEX}`):\n    tide-cli");
    assert_eq!(installed(&world), ("0.3.0".into(), list));
    // Installed already: cargo knows it by its public source.
    world.go_down();
    install_here(&world, &program, Lock::AsShipped, "").unwrap();
    install_here(&world, &program, Lock::AsShipped, "--force").unwrap();
    assert_eq!(world.fetched(), ["tide-cli 1.2.0", "tide-table 0.3.0"]);
}

#[test]
fn installs_a_program_with_the_newest_dependencies_on_request() {
    let world = World::new();
    world.publish("tide-table", "0.3.0", CFG_IF, &[("src/lib.rs", LIB)]);
    let program = world.publish("tide-cli", "1.2.0", TABLE, &[("src/main.rs", MAIN)]);
    world.publish("tide-table", "0.3.1", CFG_IF, &[("src/lib.rs", LIB)]);
    install_here(&world, &program, Lock::Newest, "").unwrap();
    assert_eq!(installed(&world).0, "0.3.1");
    // `cargo install` updates what it finds to be older.
    let newer = world.publish("tide-cli", "1.3.0", TABLE, &[("src/main.rs", MAIN)]);
    install_here(&world, &newer, Lock::AsShipped, "").unwrap();
    assert!(installed(&world).1.starts_with("tide-cli v1.3.0 "));
}

#[test]
fn newest_is_what_cargo_install_takes_whatever_rust_it_needs() {
    let world = World::new();
    world.publish("tide-table", "0.3.0", CFG_IF, &[("src/lib.rs", LIB)]);
    let program = world.publish("tide-cli", "1.2.0", TABLE, &[("src/main.rs", MAIN)]);
    let too_new = format!("rust-version = \"1.999\"\n{CFG_IF}");
    world.publish("tide-table", "0.3.1", &too_new, &[("src/lib.rs", LIB)]);
    // What was resolved beforehand is what cargo then asks for: it fails for the Rust version, and
    // not for want of an archive.
    let error = install_here(&world, &program, Lock::Newest, "").unwrap_err();
    assert!(
        matches!(error, HandoverError::Cargo(CargoError::Failed { .. })),
        "{error}"
    );
    assert_eq!(world.fetched(), ["tide-cli 1.2.0", "tide-table 0.3.1"]);
    install_here(&world, &program, Lock::AsShipped, "").unwrap();
}

#[test]
fn installs_without_the_archives_of_development_dependencies() {
    let world = World::new();
    world.publish("tide-table", "0.3.0", CFG_IF, &[("src/lib.rs", LIB)]);
    world.publish(
        "gauge",
        "1.0.0",
        "[features]\nfine = []",
        &[("src/lib.rs", "")],
    );
    let more = format!(
        "{TABLE}\n[dev-dependencies]\ngauge = {{ version = \"1\", registry = \"market\" }}\n[features]\nfine = [\"gauge/fine\"]"
    );
    let program = world.publish("tide-cli", "1.2.0", &more, &[("src/main.rs", MAIN)]);
    for lock in [Lock::AsShipped, Lock::Newest] {
        install_here(&world, &program, lock, "--force").unwrap();
    }
    assert_eq!(world.fetched(), ["tide-cli 1.2.0", "tide-table 0.3.0"]);
}

#[test]
fn refuses_to_install_a_library() {
    let world = World::new();
    let library = world.publish("tide-table", "0.3.0", "", &[("src/lib.rs", "")]);
    let error = install_here(&world, &library, Lock::AsShipped, "").unwrap_err();
    assert_eq!(error.to_string(), "`tide-table` has no binary to install");
}

#[test]
fn packages_may_name_the_registry_by_its_canonical_url() {
    let mut world = World::new();
    world.publish("tide-table", "0.3.0", CFG_IF, &[("src/lib.rs", LIB)]);
    let program = world.publish("tide-cli", "1.2.0", TABLE, &[("src/main.rs", MAIN)]);
    // Published under `INDEX`; this machine reads it from elsewhere.
    world.registry.index = "sparse+http://127.0.0.1:1/".into();
    world.registry.other_indexes = vec![INDEX.into()];
    install_here(&world, &program, Lock::AsShipped, "").unwrap();
    assert_eq!(installed(&world).0, "0.3.0");
    let project = project(&world);
    exec(world.session(), &project, &build("build")).unwrap();
    assert_eq!(built_version(&project), "0.3.0");
}
