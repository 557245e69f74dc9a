//! A small world for the tests of this folder: packages made by real `cargo package`, a source that
//! can be down, and a cargo home of its own. Compiled for tests only.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use semver::Version;

use super::archive::{Limits, derive};
use super::handover::Session;
use super::local_registry::LocalRegistry;
use super::{Cargo, Registry, Source, SourceError};
use crate::formats::manifest::Home;
use crate::model::{Document, Entry, Event, EventSink, PackageName, Release, Sha256Digest, Yank};
use crate::trust::{Archive, Verified, verify_archive};

/// The index URL of the registry in these tests; nobody answers there.
pub(crate) const INDEX: &str = "sparse+https://market.invalid/";

/// An entry of which only name and version matter.
pub(crate) fn entry(name: &str, version: &str) -> Entry {
    Entry {
        release: Release::sample(name, version),
        accepted: None,
        yanked: None,
        trust: None,
    }
}

/// A document with these entries.
pub(crate) fn document(name: &str, entries: Vec<Entry>) -> Document {
    Document {
        package: name.parse().unwrap(),
        entries,
    }
}

/// A registry in memory, whose documents and archives count as verified.
#[derive(Default)]
pub(crate) struct Shelf {
    documents: Mutex<BTreeMap<PackageName, Document>>,
    archives: Mutex<BTreeMap<Sha256Digest, Vec<u8>>>,
    fetched: Mutex<Vec<String>>,
    down: Mutex<bool>,
    held_back: Mutex<BTreeMap<PackageName, BTreeSet<Version>>>,
}

impl Source for Shelf {
    fn may_choose(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn document(&self, name: &PackageName) -> Result<Option<Verified<Document>>, SourceError> {
        let documents = self.documents.lock().unwrap();
        Ok(documents.get(name).cloned().map(Verified::for_tests))
    }

    fn held_back(&self, document: &Document) -> Result<BTreeSet<Version>, SourceError> {
        let held = self.held_back.lock().unwrap();
        Ok(held.get(&document.package).cloned().unwrap_or_default())
    }

    fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError> {
        let name = format!("{} {}", entry.release.name, entry.release.version);
        if *self.down.lock().unwrap() {
            return Err(format!("no copy of {name}").into());
        }
        self.fetched.lock().unwrap().push(name);
        let archives = self.archives.lock().unwrap();
        let bytes = archives[&entry.release.checksum].clone();
        Ok(verify_archive(entry, bytes)?)
    }
}

/// Everything that was told.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<Event>>);

impl EventSink for Told {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Told {
    pub(crate) fn warnings(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let warnings = events.iter().filter_map(|event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

/// A temporary folder with a cargo home, a registry and room for projects.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) cargo: Cargo,
    pub(crate) registry: Registry,
    pub(crate) shelf: Shelf,
    pub(crate) told: Told,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let home = root.join("home");
        copy_from_crates_io(&home, "cf/g-", "cfg-if");
        Self {
            cargo: Cargo {
                program: env!("CARGO").into(),
                home: home.clone(),
                offline: true,
                quiet: true,
                withheld: Vec::new(),
            },
            registry: Registry {
                name: "market".parse().unwrap(),
                index: INDEX.into(),
                other_indexes: Vec::new(),
                siblings: Vec::new(),
                state: home.join("marketplace").join("id"),
            },
            shelf: Shelf::default(),
            told: Told::default(),
            folder,
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session {
            cargo: &self.cargo,
            registry: &self.registry,
            source: &self.shelf,
            events: &self.told,
        }
    }

    /// From now on no archive can be fetched.
    pub(crate) fn go_down(&self) {
        *self.shelf.down.lock().unwrap() = true;
    }

    /// The archives that were fetched, as `name version`, sorted.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let mut fetched = self.shelf.fetched.lock().unwrap().clone();
        fetched.sort();
        fetched
    }

    /// Writes a package; the lines after `[package]`'s first ones are the caller's.
    pub(crate) fn package(
        &self,
        folder: &str,
        (name, version): (&str, &str),
        more: &str,
        files: &[(&str, &str)],
    ) -> PathBuf {
        let folder = self.root().join(folder);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\nrepository = \"https://example.org/\"\n{more}\n"
        );
        for (path, text) in files.iter().chain(&[("Cargo.toml", manifest.as_str())]) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// Packages a package and puts it on the shelf.
    pub(crate) fn publish(
        &self,
        name: &str,
        version: &str,
        more: &str,
        files: &[(&str, &str)],
    ) -> Verified<Entry> {
        let folder = format!("source/{name}-{version}");
        let folder = self.package(&folder, (name, version), more, files);
        self.publish_folder(&folder, name, version)
    }

    /// Packages a folder and puts it on the shelf.
    pub(crate) fn publish_folder(
        &self,
        folder: &Path,
        name: &str,
        version: &str,
    ) -> Verified<Entry> {
        let local = LocalRegistry::open(&self.root().join("publisher")).unwrap();
        for document in self.shelf.documents.lock().unwrap().values() {
            local
                .list(&Verified::for_tests(document.clone()), &BTreeSet::new())
                .unwrap();
        }
        let bytes = self.archive_of(folder, name, version, local.folder());
        let mut index_urls = vec![self.registry.index.clone()];
        index_urls.extend(self.registry.other_indexes.clone());
        let release = derive(&bytes, &Home::Own { index_urls }, &Limits::default()).unwrap();
        let entry = Entry {
            release,
            ..entry(name, version)
        };
        let mut archives = self.shelf.archives.lock().unwrap();
        archives.insert(entry.release.checksum, bytes);
        let mut documents = self.shelf.documents.lock().unwrap();
        let package: PackageName = name.parse().unwrap();
        let document = documents
            .entry(package)
            .or_insert_with(|| document(name, Vec::new()));
        document.entries.push(entry.clone());
        Verified::for_tests(entry)
    }

    /// Packages a folder with the local registry at hand; returns the archive.
    pub(crate) fn archive_of(
        &self,
        folder: &Path,
        name: &str,
        version: &str,
        local: &Path,
    ) -> Vec<u8> {
        let config = self.fixed_config("fixed", local);
        let output = self.raw_cargo(
            folder,
            &[
                "package",
                "--no-verify",
                "--allow-dirty",
                "--config",
                &config,
            ],
        );
        assert_success(&output);
        let archive = format!("target/package/{name}-{version}.crate");
        fs::read(folder.join(archive)).unwrap()
    }

    pub(crate) fn yank(&self, name: &str, version: &str) {
        let mut documents = self.shelf.documents.lock().unwrap();
        let document = documents.get_mut(&name.parse().unwrap()).unwrap();
        let version = version.parse().unwrap();
        let entry = document.entries.iter_mut();
        let mut entry = entry.filter(|entry| entry.release.version == version);
        entry.next().unwrap().yanked = Some(Yank::default());
    }

    /// The hand-over without defence: a configuration with names that a project can know.
    pub(crate) fn fixed_config(&self, target: &str, local: &Path) -> String {
        let path = self.root().join("fixed.toml");
        let others = self.registry.other_indexes.iter().enumerate();
        let others: Vec<String> = others
            .map(|(n, index)| {
                format!("[source.other{n}]\nregistry = \"{index}\"\nreplace-with = \"{target}\"\n")
            })
            .collect();
        let others = others.concat();
        let text = format!(
            "[registries.market]\nindex = \"{}\"\n[source.market]\nregistry = \"{}\"\nreplace-with = \"{target}\"\n{others}[source.{target}]\nlocal-registry = \"{}\"\n",
            self.registry.index,
            self.registry.index,
            local.display()
        );
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Stock cargo without us.
    pub(crate) fn raw_cargo(&self, folder: &Path, arguments: &[&str]) -> Output {
        Command::new(&self.cargo.program)
            .args(["--offline"])
            .args(arguments)
            .current_dir(folder)
            .env("CARGO_HOME", &self.cargo.home)
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap()
    }
}

pub(crate) fn assert_success(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

pub(crate) fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(Into::into).collect()
}

/// The arguments of a build, with the target folder where these tests look for it.
pub(crate) fn build(line: &str) -> Vec<OsString> {
    words(&format!("{line} --target-dir target"))
}

/// Takes one package of our own closure from the cargo cache that built this test.
fn copy_from_crates_io(home: &Path, prefix: &str, name: &str) {
    for kind in ["index", "cache"] {
        let from = real_cargo_home().join("registry").join(kind);
        for registry in fs::read_dir(&from).unwrap() {
            let registry = registry.unwrap();
            if !registry
                .file_name()
                .to_string_lossy()
                .starts_with("index.crates.io-")
            {
                continue;
            }
            let to = home.join("registry").join(kind).join(registry.file_name());
            let wanted = |file: &str| kind == "index" || file.starts_with(&format!("{name}-"));
            if kind == "index" {
                let cached = Path::new(".cache").join(prefix).join(name);
                for file in [Path::new("config.json"), &cached] {
                    fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
                    fs::copy(registry.path().join(file), to.join(file)).unwrap();
                }
                continue;
            }
            fs::create_dir_all(&to).unwrap();
            for file in fs::read_dir(registry.path()).unwrap() {
                let file = file.unwrap();
                if wanted(&file.file_name().to_string_lossy()) {
                    fs::copy(file.path(), to.join(file.file_name())).unwrap();
                }
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests take one crates.io package from the cache that built them"
)]
fn real_cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(
        || std::env::home_dir().unwrap().join(".cargo"),
        PathBuf::from,
    )
}
