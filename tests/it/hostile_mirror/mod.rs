//! A mirror, a network or a thief of keys between a registry and its users: what the client reads in
//! another way, what it refuses, and that nothing else ever comes of it.

mod days;
#[cfg(all(feature = "marketplace-v1", feature = "marketplace-v2"))]
mod fallback;
mod floor;
mod forge;
mod mutations;
mod refusals;
mod withheld;

use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::model::{PackageName, Sha256Digest};
use regex::Regex;

use crate::env::{NOW, Outcome, TestCommand, TestEnv};
use crate::faults::{Fault, FaultServer, Files};
use crate::samples::folder_digest;
use crate::small_registry;
use forge::Forge;

/// The format that this build reads first.
pub(crate) const READ: Format = match cfg!(feature = "marketplace-v2") {
    true => Format::V2,
    false => Format::V1,
};

/// The package that the tests are about.
const PACKAGE: &str = "tide-table";

/// The small registry on two days.
pub(crate) struct Days {
    pub(crate) yesterday: Files,
    pub(crate) today: Files,
}

impl Days {
    /// Both, made on first use.
    pub(crate) fn get() -> &'static Self {
        static DAYS: OnceLock<Days> = OnceLock::new();
        DAYS.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            small_registry::make(folder.path());
            let yesterday = small_registry::files(folder.path());
            small_registry::next_day(folder.path());
            let today = small_registry::files(folder.path());
            Self { yesterday, today }
        })
    }

    /// The digest of the root, which is also the registry's id.
    pub(crate) fn root() -> Sha256Digest {
        Sha256Digest::of(&Self::get().yesterday["tuf/1.root.json"])
    }
}

/// A user of the registry, which is served over a faulty network.
pub(crate) struct World {
    pub(crate) env: TestEnv,
    pub(crate) server: FaultServer,
    files: Mutex<Files>,
}

impl World {
    /// The registry of yesterday is added, and nothing more is known of it.
    pub(crate) fn fresh() -> Self {
        Self::of(Days::get().yesterday.clone())
    }

    pub(crate) fn of(files: Files) -> Self {
        let env = TestEnv::new();
        let server = FaultServer::over(files.clone());
        let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ntide-table = { version = \"0.2\", registry = \"harbour\" }\n";
        env.write("work/app/Cargo.toml", manifest);
        env.write("work/app/src/lib.rs", "");
        let world = Self {
            env,
            server,
            files: Mutex::new(files),
        };
        let root = format!("--root=sha256:{}", Days::root());
        let add = [
            "registry",
            "add",
            "harbour",
            world.server.url().as_str(),
            &root,
        ]
        .map(str::to_owned);
        let added = world.env.command(add).run();
        assert_eq!(added.code, Some(0), "{added}");
        world
    }

    /// A user who has shown the package, and locked and fetched it in a project.
    pub(crate) fn warm() -> Self {
        let world = Self::fresh();
        for outcome in [world.info(), world.fetch()] {
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
        world
    }

    /// Changes what is served, by somebody who has the keys.
    fn forge(&self, change: impl FnOnce(&mut Forge)) {
        let mut files = self.files.lock().unwrap();
        let mut forge = Forge::open(&files);
        change(&mut forge);
        *files = forge.commit();
        self.server.serve(Arc::new(files.clone()));
    }

    /// Changes a JSON file in transit.
    fn edit(&self, path: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let mut value = serde_json::from_slice(&self.file(path)).unwrap();
        change(&mut value);
        let bytes = serde_json::to_vec(&value).unwrap();
        self.server.only(path, Fault::Other(bytes));
    }

    /// Something happens to a file on its way.
    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        assert!(self.files.lock().unwrap().contains_key(path), "{path}");
        self.server.only(path, fault);
    }

    fn file(&self, path: &str) -> Vec<u8> {
        self.files.lock().unwrap()[path].clone()
    }

    /// The files whose paths begin so.
    pub(crate) fn file_paths(&self, start: &str) -> Vec<String> {
        let files = self.files.lock().unwrap();
        let paths = files.keys().filter(|path| path.starts_with(start));
        paths.cloned().collect()
    }

    /// Where a package's file of that plain path is read: under its digest.
    fn hashed(&self, plain: &str) -> String {
        layout::hashed(plain, &Sha256Digest::of(&self.file(plain)))
    }

    /// Where the document of the package is read.
    fn document(&self, format: Format) -> String {
        self.hashed(&layout::document(&package(), format))
    }

    /// Where the record of the package is read.
    fn record(&self) -> String {
        self.hashed(&layout::record(&package()))
    }

    /// The file of a role in the version that the last snapshot lists.
    fn metadata(&self, role: &str) -> String {
        Forge::open(&self.files.lock().unwrap()).path(role)
    }

    pub(crate) fn command<'a>(&self, line: &'a str) -> TestCommand<'_> {
        self.env.command(line.split(' ').collect::<Vec<&'a str>>())
    }

    pub(crate) fn info(&self) -> Outcome {
        self.command("info tide-table").redact_digests().run()
    }

    fn fetch(&self) -> Outcome {
        let fetch = self.command("fetch").folder("work/app");
        fetch.redact_digests().run()
    }

    /// The registry's folder on the user's machine.
    pub(crate) fn state(&self, path: &str) -> std::path::PathBuf {
        let folder = Days::root().to_string();
        self.env.marketplace_home().join(folder).join(path)
    }

    /// Digests of all that users build on: the project, the archives and lists that cargo is given, and
    /// cargo's own folders. Copies of the registry's files are none of that: they are checked whenever
    /// they are read.
    fn belongings(&self) -> Vec<Sha256Digest> {
        let local = self.state("local");
        let handed_over = match local.exists() {
            true => small_registry::fingerprint(&local),
            false => Sha256Digest::of(b""),
        };
        let mut all = vec![folder_digest(&self.env.path("work")), handed_over];
        let cargo_home = fs::read_dir(self.env.cargo_home()).unwrap();
        let mut own: Vec<_> = cargo_home.map(|entry| entry.unwrap().path()).collect();
        own.retain(|path| *path != self.env.marketplace_home());
        own.sort();
        for path in own {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            all.push(Sha256Digest::of(name.as_bytes()));
            all.push(match path.is_dir() {
                true => folder_digest(&path),
                false => Sha256Digest::of(&fs::read(&path).unwrap()),
            });
        }
        all
    }

    /// What `info` and `fetch` say alike, who must fail with that exit code and leave all as it was.
    fn fails(&self, code: i32) -> String {
        let before = self.belongings();
        let [info, fetch] = [self.info(), self.fetch()].map(|outcome| {
            assert_eq!(outcome.code, Some(code), "{outcome}");
            assert_eq!(outcome.stdout, "");
            error(&outcome)
        });
        assert_eq!(info, fetch);
        assert_eq!(self.belongings(), before);
        info
    }

    /// As [`World::fails`] where trust is refused.
    fn refuses(&self) -> String {
        self.fails(4)
    }
}

fn package() -> PackageName {
    PACKAGE.parse().unwrap()
}

/// The line with the error, and the causes below it.
fn error(outcome: &Outcome) -> String {
    let numbers = Regex::new(r"\b\d+ bytes\b").unwrap();
    let text = numbers.replace_all(&outcome.stderr, "[N] bytes");
    let lines = text.lines().skip_while(|line| !line.starts_with("error"));
    let lines = lines.take_while(|line| !line.starts_with("note:") && !line.starts_with("help:"));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The time so many days after that of the tests.
pub(crate) fn day(days: i64) -> String {
    (NOW + days * 86_400).to_string()
}
