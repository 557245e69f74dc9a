//! Stock cargo with no plug-in as a referee: what it makes of our registries over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use cargo_marketplace::registry::serve::{self, Running};
use insta::assert_snapshot;
use toml::{Table, Value};

use crate::env::TestEnv;
use crate::samples::{Market, cached, crates_io, project_folder};

/// A machine that knows a registry's address and nothing else of us.
pub(crate) fn stranger(url: &str) -> TestEnv {
    let env = TestEnv::new();
    crates_io(&env, &["strsim-0.11.1"]);
    let config = env.read("home/.cargo/config.toml");
    let registry = format!("{config}\n[registries.harbour]\nindex = \"sparse+{url}\"\n");
    env.write("home/.cargo/config.toml", registry);
    env
}

pub(crate) fn succeed(env: &TestEnv, folder: &str, line: &str) {
    let outcome = env.cargo(line.split(' ')).folder(folder).run();
    assert_eq!(outcome.code, Some(0), "cargo {line}\n{outcome}");
}

#[test]
fn builds_a_library_and_a_program_from_the_registry() {
    let market = Market::published();
    let env = stranger(market.url());
    succeed(&env, "work", "new --quiet app");
    succeed(&env, "work/app", "add tide-table --registry harbour");
    succeed(&env, "work/app", "add strsim");
    let main = "fn main() {\n    println!(\"{} {}\", tide_table::HARBOURS.len(), strsim::hamming(\"a\", \"b\").unwrap());\n}\n";
    env.write("work/app/src/main.rs", main);
    succeed(&env, "work/app", "build");
    let program = env.path("work/app/target/debug/app");
    assert_eq!(env.program(program, [""; 0]).run().stdout, "2 1\n");

    // By default cargo takes the versions of the lock file that a program ships; then the newest.
    succeed(&env, "work", "install tide-cli --registry harbour --locked");
    succeed(&env, "work", "install tide-cli --registry harbour --force");
    let program = env.cargo_home().join("bin/tide-cli");
    assert_snapshot!(env.program(program, ["south-qauy"]).run(), @r"
    exit: 1
    --- stdout
    --- stderr
    error: no harbour `south-qauy`; did you mean `south-quay`?
    ");
}

#[test]
fn a_yanked_release_stays_in_lock_files_and_is_not_chosen_anew() {
    let market = Market::published();
    let env = stranger(market.url());
    succeed(&env, "work", "new --quiet old");
    succeed(&env, "work/old", "add tide-table --registry harbour");
    market.must([
        "yank",
        "tide-table@0.3.1",
        "--registry-dir",
        "registry",
        "--key",
        "harbour",
    ]);
    succeed(&env, "work/old", "check --locked");
    succeed(&env, "work", "new --quiet new");
    let outcome = env.cargo(["add", "tide-table", "--registry", "harbour"]);
    let outcome = outcome.folder("work/new").run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
}

/// Our own lock file, whose packages are all on crates.io but for our own.
struct Lock {
    text: String,
    packages: Vec<Table>,
}

impl Lock {
    fn parse(text: String) -> Self {
        let table: Table = text.parse().expect("cargo wrote it");
        let packages = table["package"].as_array().expect("cargo wrote it");
        let packages = packages
            .iter()
            .filter_map(Value::as_table)
            .cloned()
            .collect();
        Self { text, packages }
    }

    fn ours() -> Self {
        Self::parse(
            fs::read_to_string(project_folder().join("Cargo.lock")).expect("it is committed"),
        )
    }

    /// The packages of crates.io, as `name-version`.
    fn foreign(&self) -> Vec<String> {
        let foreign = self
            .packages
            .iter()
            .filter(|package| package.contains_key("source"));
        foreign.map(stem).collect()
    }

    /// The packages that `name` leads to, and itself.
    fn closure(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        while let Some(wanted) = next.pop() {
            // As `name`, or `name version` where there are several.
            let (name, version) = wanted.split_once(' ').unwrap_or((&wanted, ""));
            let mut fitting = self.packages.iter().filter(|package| {
                text(package, "name") == name
                    && (version.is_empty() || text(package, "version") == version)
            });
            let package = fitting.next().expect("cargo wrote the lock file");
            if found.insert(stem(package)) {
                let needed = package.get("dependencies").and_then(Value::as_array);
                let needed = needed.into_iter().flatten().filter_map(Value::as_str);
                next.extend(needed.map(ToOwned::to_owned));
            }
        }
        found
    }
}

fn text<'a>(package: &'a Table, key: &str) -> &'a str {
    package[key].as_str().expect("cargo wrote it")
}

fn stem(package: &Table) -> String {
    format!("{}-{}", text(package, "name"), text(package, "version"))
}

/// A registry that holds the archives of crates.io packages, served, and a machine on which it
/// stands in for crates.io.
fn mirror(archives: &[PathBuf]) -> (TestEnv, Running) {
    let env = TestEnv::new();
    let init = "registry init mirror --solo --no-passphrase --base-url https://mirror.example.org/";
    let outcome = env.command(init.split(' ')).run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let import = ["registry", "import", "mirror", "--as-mirror", "--vouch"];
    let files = archives.iter().map(|path| path.as_os_str().to_owned());
    let start = Instant::now();
    let outcome = env
        .command(import.iter().map(Into::into).chain(files))
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    println!(
        "{} archives imported in {:.1?}",
        archives.len(),
        start.elapsed()
    );
    let server = serve::spawn(&env.path("work/mirror"), 0).expect("it was just made");
    let config = format!(
        "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+{}\"\n",
        server.url()
    );
    env.write("home/.cargo/config.toml", config);
    (env, server)
}

/// The archives that cargo fetched, on the machine of a test.
fn fetched(env: &TestEnv) -> usize {
    let caches = fs::read_dir(env.cargo_home().join("registry/cache")).expect("cargo fetched");
    let files = caches
        .flatten()
        .flat_map(|cache| fs::read_dir(cache.path()).expect("it was listed"));
    files.count()
}

/// Crates.io replaced by a registry of ours that holds what this project depends on: cargo resolves
/// this project to the lock file that we have, byte for byte, and accepts every archive.
#[test]
#[ignore = "needs the archives of all platforms: cargo fetch --locked"]
fn our_own_lock_file_comes_out_of_a_mirror() {
    let lock = Lock::ours();
    let archives = lock.foreign().into_iter().map(|package| {
        cached(&package)
            .unwrap_or_else(|| panic!("no archive of {package}: run `cargo fetch --locked`"))
    });
    let archives: Vec<PathBuf> = archives.collect();
    let (env, _server) = mirror(&archives);
    skeleton(&env);
    let start = Instant::now();
    succeed(&env, "work/project", "generate-lockfile");
    println!("resolved in {:.1?}", start.elapsed());
    let found = env.read("work/project/Cargo.lock");
    assert!(found == lock.text, "{}", difference(&lock.text, &found));
    let start = Instant::now();
    succeed(&env, "work/project", "fetch --locked");
    println!(
        "{} archives fetched in {:.1?}",
        fetched(&env),
        start.elapsed()
    );
    assert_eq!(fetched(&env), archives.len());
}

/// The manifests of this project, and an empty file for each target, in `work/project`.
fn skeleton(env: &TestEnv) {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(project_folder())
        .no_deps()
        .exec()
        .expect("this is a project");
    let path = |path: &cargo_metadata::camino::Utf8Path| {
        let below = path
            .strip_prefix(&metadata.workspace_root)
            .expect("it lies below");
        format!("work/project/{below}")
    };
    let root = metadata.workspace_root.join("Cargo.toml");
    env.write(&path(&root), fs::read(&root).expect("it is there"));
    for package in &metadata.packages {
        let manifest = fs::read(&package.manifest_path).expect("it is there");
        env.write(&path(&package.manifest_path), manifest);
        for target in &package.targets {
            env.write(&path(&target.src_path), "fn main() {}\n");
        }
    }
}

fn difference(expected: &str, found: &str) -> String {
    let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<BTreeSet<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let gone = expected.difference(&found).map(|line| format!("-{line}"));
    let come = found.difference(&expected).map(|line| format!("+{line}"));
    gone.chain(come).collect::<Vec<_>>().join("\n")
}

/// As above, with those of our dependencies whose whole closure lies in cargo's cache after
/// building for one platform.
#[test]
fn a_part_of_our_lock_file_comes_out_of_a_mirror() {
    let lock = Lock::ours();
    let roots = ["minijinja", "oxttl", "spdx", "strsim", "toml_edit"];
    let packages: BTreeSet<String> = roots.iter().flat_map(|root| lock.closure(root)).collect();
    let archives: Vec<PathBuf> = packages
        .iter()
        .filter_map(|package| cached(package))
        .collect();
    assert_eq!(archives.len(), packages.len(), "{packages:?}");
    let (env, _server) = mirror(&archives);
    env.write("work/project/Cargo.toml", part_of_our_manifest(&roots));
    env.write("work/project/src/lib.rs", "");
    succeed(&env, "work/project", "generate-lockfile");
    let found = Lock::parse(env.read("work/project/Cargo.lock"));
    let known: BTreeMap<String, &Table> = lock.packages.iter().map(|p| (stem(p), p)).collect();
    for package in found
        .packages
        .iter()
        .filter(|package| package.contains_key("source"))
    {
        let expected = known[&stem(package)];
        assert_eq!(package["checksum"], expected["checksum"], "{package:?}");
        assert_eq!(package["source"], expected["source"], "{package:?}");
    }
    succeed(&env, "work/project", "fetch --locked");
    assert_eq!(fetched(&env), found.foreign().len());
    println!(
        "{} of {} packages resolved and fetched",
        found.foreign().len(),
        packages.len()
    );
}

/// A manifest with some of our dependencies, as we have them.
fn part_of_our_manifest(dependencies: &[&str]) -> String {
    let path = project_folder().join("Cargo.toml");
    let manifest = fs::read_to_string(path).expect("it is there");
    let mut manifest: toml_edit::DocumentMut = manifest.parse().expect("it is a manifest");
    let table = manifest["dependencies"]
        .as_table_mut()
        .expect("it is a manifest");
    table.retain(|name, _| dependencies.contains(&name));
    let package = "[package]\nname = \"project\"\nedition = \"2024\"\n\n";
    format!("{package}[dependencies]\n{}", manifest["dependencies"])
}
