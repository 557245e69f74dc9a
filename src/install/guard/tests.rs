//! Attacks by a project or by a changed file. Each is first shown to work on stock cargo that is
//! told of the local registry under names that anybody can know, and then to fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::disk;
use crate::install::Registry;
use crate::install::handover::{FetchRequest, HandoverError, WriteConfig, exec, fetch};
use crate::install::local_registry::LocalRegistry;
use crate::install::lock_file;
use crate::install::resolve::closure;
use crate::install::source::Source as _;
use crate::install::testing::{INDEX, World, assert_success, build, document, entry};
use crate::install::unpacked::remove_changed;
use crate::trust::{Verified, verify_archive};

const TABLE: &str = "[dependencies]\ntide-table = { version = \"0.3\", registry = \"market\" }";
const MAIN: &str = "fn main() { println!(\"{}\", tide_table::WHO); }";

/// A registry with one honest package, and another package of the same name and version that leaves
/// a mark where it is built.
struct Scene {
    world: World,
    /// The folder of the other package.
    evil: PathBuf,
    /// A local registry that holds it.
    evil_registry: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let honest = [("src/lib.rs", "pub const WHO: &str = \"honest\";")];
        world.publish("tide-table", "0.3.1", "", &honest);
        let root = world.root();
        let build = format!(
            "fn main() {{ std::fs::write({:?}, \"\").unwrap(); }}",
            root.join("mark")
        );
        let files = [
            ("src/lib.rs", "pub const WHO: &str = \"evil\";"),
            ("build.rs", &build),
        ];
        let evil = world.package("evil", ("tide-table", "0.3.1"), "", &files);
        let evil_registry = root.join("evil-registry");
        let local = LocalRegistry::open(&evil_registry).unwrap();
        let bytes = world.archive_of(&evil, "tide-table", "0.3.1", local.folder());
        let mut listed = entry("tide-table", "0.3.1");
        listed.release.checksum = crate::model::Sha256Digest::of(&bytes);
        let verified = Verified::for_tests(listed.clone());
        local
            .put(&verify_archive(&verified, bytes).unwrap())
            .unwrap();
        let document = document("tide-table", vec![listed]);
        local
            .list(&Verified::for_tests(document), &BTreeSet::new())
            .unwrap();
        let scene = Self {
            world,
            evil,
            evil_registry,
        };
        // Fills the local registry, which the attacks on stock cargo need, too.
        let first = scene.project("first", "");
        scene.exec(&first, "build").unwrap();
        assert_eq!(Scene::who(&first), "honest");
        scene
    }

    fn project(&self, folder: &str, more: &str) -> PathBuf {
        let more = format!("{TABLE}\n{more}");
        let files = [("src/main.rs", MAIN)];
        self.world
            .package(folder, ("display", "0.1.0"), &more, &files)
    }

    fn configure(&self, folder: &Path, text: &str) {
        fs::create_dir_all(folder.join(".cargo")).unwrap();
        fs::write(folder.join(".cargo/config.toml"), self.filled(text)).unwrap();
    }

    fn filled(&self, text: &str) -> String {
        text.replace("EVIL_REGISTRY", &self.evil_registry.display().to_string())
            .replace("EVIL", &self.evil.display().to_string())
            .replace("INDEX", INDEX)
    }

    fn exec(&self, folder: &Path, line: &str) -> Result<(), HandoverError> {
        let status = exec(self.world.session(), folder, &build(line))?;
        assert!(status.success());
        Ok(())
    }

    /// Stock cargo, told of the local registry under fixed names.
    fn raw(&self, folder: &Path, line: &str) -> std::process::Output {
        let config = self
            .world
            .fixed_config("fixed", &self.world.registry.local());
        let mut arguments = vec!["--config", config.as_str()];
        arguments.extend(line.split_whitespace());
        self.world.raw_cargo(folder, &arguments)
    }

    /// Says whether the evil package was built since the last time, and forgets what was built.
    fn is_marked(&self, project: &Path) -> bool {
        for gone in ["target", "Cargo.lock"] {
            let path = project.join(gone);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
        fs::remove_file(self.world.root().join("mark")).is_ok()
    }

    fn who(project: &Path) -> String {
        let program = project.join("target/debug/display");
        let output = std::process::Command::new(program).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The attack works on stock cargo, and is refused here for that setting.
    fn works_and_is_refused(&self, project: &Path, line: &str, setting: &str) {
        assert_success(&self.raw(project, line));
        assert!(self.is_marked(project), "the attack does not work");
        let error = self.exec(project, line).unwrap_err();
        let HandoverError::Guard(GuardError::Setting { setting: found, .. }) = &error else {
            panic!("{error}")
        };
        assert_eq!(*found, self.filled(setting));
        assert!(!self.is_marked(project));
    }
}

#[test]
fn a_source_that_a_project_sends_elsewhere_is_not_ours() {
    let scene = Scene::new();
    let project = scene.project("project", "");
    scene.configure(
        &project,
        "[source.fixed]\nreplace-with = \"evil\"\n[source.evil]\nlocal-registry = \"EVIL_REGISTRY\"",
    );
    assert_success(&scene.raw(&project, "build"));
    assert!(scene.is_marked(&project), "the attack does not work");
    // Our name is another one at every call, so the project's says nothing: cargo refuses that.
    let error = scene.exec(&project, "build").unwrap_err();
    assert!(matches!(error, HandoverError::Cargo(_)), "{error}");
    assert!(!scene.is_marked(&project));
}

#[test]
fn a_source_redirected_without_our_defence_is_seen_in_the_lock_file() {
    let scene = Scene::new();
    let project = scene.project("project", "");
    scene.configure(
        &project,
        "[source.fixed]\nreplace-with = \"evil\"\n[source.evil]\nlocal-registry = \"EVIL_REGISTRY\"",
    );
    assert_success(&scene.raw(&project, "build"));
    let lock = lock_file::read(&project.join("Cargo.lock"), &scene.world.registry);
    let lock = lock.unwrap().unwrap();
    let names = lock
        .ours
        .iter()
        .map(|package| package.name.clone())
        .collect();
    let closure = closure(names, &lock.ours, &scene.world.shelf).unwrap();
    let error = closure.entries(&lock.ours).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the lock file gives another checksum for `tide-table` 0.3.1 than the registry"
    );
}

#[test]
fn refuses_a_patch_wherever_it_stands() {
    let scene = Scene::new();
    let table = "tide-table = { path = \"EVIL\" }";
    for key in ["market", "\"INDEX\"", "other"] {
        let project = scene.project("project", "");
        let patch = format!("[registries.other]\nindex = \"INDEX\"\n[patch.{key}]\n{table}");
        scene.configure(&project, &patch);
        let setting = format!("patch.{}", key.trim_matches('"'));
        scene.works_and_is_refused(&project, "build", &setting);
        fs::remove_dir_all(project).unwrap();
    }
    let project = scene.project(
        "manifest",
        &scene.filled(&format!("[patch.market]\n{table}")),
    );
    scene.works_and_is_refused(&project, "build", "patch.market");
}

#[test]
fn refuses_a_patch_in_an_included_file_an_old_file_and_a_folder_above() {
    let scene = Scene::new();
    let patch = "[patch.market]\ntide-table = { path = \"EVIL\" }";
    let project = scene.project("included", "");
    scene.configure(&project, "include = [{ path = \"../more.toml\" }]");
    fs::write(project.join("more.toml"), scene.filled(patch)).unwrap();
    scene.works_and_is_refused(&project, "build", "patch.market");

    let project = scene.project("old", "");
    scene.configure(&project, "");
    fs::write(project.join(".cargo/config"), scene.filled(patch)).unwrap();
    scene.works_and_is_refused(&project, "build", "patch.market");

    let project = scene.project("above/project", "");
    scene.configure(project.parent().unwrap(), patch);
    scene.works_and_is_refused(&project, "build", "patch.market");
}

#[test]
fn refuses_paths_and_aliases_that_configure() {
    let scene = Scene::new();
    let project = scene.project("paths", "");
    scene.configure(&project, "paths = [\"EVIL\"]");
    scene.works_and_is_refused(&project, "build", "paths");

    let project = scene.project("alias", "");
    scene.configure(
        &project,
        "[alias]\ngo = \"there\"\nthere = [\"build\", \"--config\", \"patch.market.tide-table.path='EVIL'\"]\nfine = \"build --release\"",
    );
    scene.works_and_is_refused(&project, "go", "alias.there");
    scene.exec(&project, "fine").unwrap();
}

#[test]
fn refuses_another_place_for_the_registry() {
    let scene = Scene::new();
    let project = scene.project("project", "");
    for (text, setting) in [
        (
            "[source.mine]\nregistry = \"INDEX\"\nreplace-with = \"evil\"\n[source.evil]\nlocal-registry = \"EVIL_REGISTRY\"",
            "source.mine",
        ),
        // What `fetch --write-config` writes, with another folder.
        (
            "[source.marketplace-market]\nregistry = \"INDEX\"\nreplace-with = \"marketplace-market-verified\"\n[source.marketplace-market-verified]\nlocal-registry = \"EVIL_REGISTRY\"",
            "source.marketplace-market",
        ),
        (
            "[registries.market]\nindex = \"sparse+https://evil.invalid/\"",
            "registries.market.index",
        ),
    ] {
        scene.configure(&project, text);
        let error = scene.exec(&project, "build").unwrap_err();
        let HandoverError::Guard(GuardError::Setting { setting: found, .. }) = &error else {
            panic!("{error}")
        };
        assert_eq!(found, setting);
        assert!(!scene.is_marked(&project));
    }
    // Stock cargo without us goes where the first of these leads.
    let known = "[registries.market]\nindex = \"INDEX\"\n[source.mine]\nregistry = \"INDEX\"\nreplace-with = \"evil\"\n[source.evil]\nlocal-registry = \"EVIL_REGISTRY\"";
    scene.configure(&project, known);
    assert_success(&scene.world.raw_cargo(&project, &["build"]));
    assert!(scene.is_marked(&project));
}

#[test]
fn leaves_alone_what_does_not_touch_the_registry() {
    let scene = Scene::new();
    let project = scene.project("project", "[patch.crates-io]\n");
    scene.configure(
        &project,
        "[registries.other]\nindex = \"sparse+https://other.invalid/\"\n[source.other]\nregistry = \"sparse+https://other.invalid/\"\nreplace-with = \"vendor\"\n[source.vendor]\ndirectory = \"vendor\"\n[alias]\nx = \"run\"\n[build]\njobs = 2",
    );
    scene.exec(&project, "build").unwrap();
    assert_eq!(Scene::who(&project), "honest");
}

#[test]
fn comparing_finds_what_refusing_would_have_missed() {
    let scene = Scene::new();
    let honest = scene.project("honest", "");
    let paths = scene.project("paths", "");
    scene.configure(&paths, "paths = [\"EVIL\"]");
    let patched = scene.project("patched", "");
    scene.configure(&patched, "[patch.market]\ntide-table = { path = \"EVIL\" }");
    for (project, is_honest) in [(honest, true), (paths, false), (patched, false)] {
        let output = scene.raw(&project, "metadata --format-version 1");
        assert_success(&output);
        let answer = String::from_utf8(output.stdout).unwrap();
        let metadata = cargo_metadata::MetadataCommand::parse(answer).unwrap();
        let registry: &Registry = &scene.world.registry;
        let entries = [Verified::for_tests(entry("tide-table", "0.3.1"))];
        let home = &scene.world.cargo.home;
        let checked = check_resolved(&metadata, &entries, registry, home);
        assert_eq!(checked.is_ok(), is_honest);
        if is_honest {
            let error = check_resolved(&metadata, &[], registry, home).unwrap_err();
            assert!(matches!(error, GuardError::NotVerified { .. }), "{error}");
        } else {
            let error = checked.unwrap_err();
            assert!(matches!(error, GuardError::Redirected { .. }), "{error}");
        }
    }
}

/// Where cargo unpacked the honest package.
fn unpacked(scene: &Scene) -> PathBuf {
    let sources = scene.world.cargo.home.join("registry/src");
    let folders = fs::read_dir(sources).unwrap();
    let folder = folders
        .map(|entry| entry.unwrap().path().join("tide-table-0.3.1"))
        .find(|folder| folder.join("src/lib.rs").is_file());
    folder.unwrap()
}

#[test]
fn a_folder_changed_after_unpacking_is_unpacked_anew() {
    let scene = Scene::new();
    let project = scene.project("project", "");
    let folder = unpacked(&scene);
    let change = || {
        fs::copy(scene.evil.join("build.rs"), folder.join("build.rs")).unwrap();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest = manifest.replace("build = false", "build = \"build.rs\"");
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    };
    change();
    assert_success(&scene.raw(&project, "build"));
    assert!(scene.is_marked(&project), "the attack does not work");
    scene.exec(&project, "build").unwrap();
    assert_eq!(Scene::who(&project), "honest");
    assert!(!scene.is_marked(&project) && !folder.join("build.rs").exists());
    assert_eq!(scene.world.told.warnings().len(), 1);

    change();
    let request = FetchRequest {
        folder: &project,
        manifest: None,
        locked: false,
        write_config: WriteConfig::No,
    };
    fetch(scene.world.session(), request).unwrap();
    assert!(!folder.join("build.rs").exists() && folder.join(".cargo-ok").exists());
}

#[test]
fn a_folder_that_another_cargo_is_unpacking_is_left_to_it() {
    let scene = Scene::new();
    scene.project("project", "");
    let folder = unpacked(&scene);
    let source = &scene.world.shelf;
    let document = source.document(&"tide-table".parse().unwrap()).unwrap();
    let entry = Verified::for_tests(document.unwrap().entries[0].clone());
    let archive = source.archive(&entry).unwrap();
    let home = &scene.world.cargo.home;
    let lock = disk::lock(&home.join(".package-cache")).unwrap();
    let path = folder.join("src/lib.rs");
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| remove_changed(&archive, home, &scene.world.told));
        std::thread::sleep(std::time::Duration::from_millis(300));
        fs::write(path, bytes).unwrap();
        drop(lock);
        looking.join().unwrap().unwrap();
    });
    assert!(folder.join(".cargo-ok").exists());
    assert_eq!(scene.world.told.warnings(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn the_cache_of_cargo_may_lie_elsewhere() {
    let scene = Scene::new();
    let cache = scene.world.cargo.home.join("registry");
    let elsewhere = scene.world.root().join("elsewhere");
    fs::rename(&cache, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &cache).unwrap();
    let project = scene.project("project", "");
    scene.exec(&project, "build").unwrap();
    assert_eq!(Scene::who(&project), "honest");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_an_unpacked_folder_is_removed_and_not_followed() {
    let scene = Scene::new();
    let project = scene.project("project", "");
    let folder = unpacked(&scene);
    let elsewhere = scene.world.root().join("elsewhere");
    fs::rename(&folder, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
    scene.exec(&project, "build").unwrap();
    assert_eq!(Scene::who(&project), "honest");
    assert!(folder.is_dir() && !folder.is_symlink() && elsewhere.join("src/lib.rs").exists());
}

#[cfg(unix)]
#[test]
fn looking_at_a_project_does_not_run_its_compiler() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let project = scene.project("project", "");
    let wrapper = scene.world.root().join("wrapper");
    let mark = scene.world.root().join("mark");
    let text = format!("#!/bin/sh\n: > '{}'\nexec \"$@\"\n", mark.display());
    fs::write(&wrapper, text).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let text = format!("[build]\nrustc-wrapper = \"{}\"", wrapper.display());
    scene.configure(&project, &text);
    // Cargo remembers what the compiler answered.
    let _ = fs::remove_file(scene.world.cargo.home.join(".rustc_info.json"));
    assert_success(&scene.raw(&project, "metadata --format-version 1"));
    assert!(scene.is_marked(&project), "the attack does not work");
    let request = FetchRequest {
        folder: &project,
        manifest: None,
        locked: false,
        write_config: WriteConfig::No,
    };
    fetch(scene.world.session(), request).unwrap();
    assert!(!mark.exists());
}
