//! Stock cargo with no plug-in as a referee: what it makes of our registries over HTTP.

#![expect(clippy::print_stdout, reason = "the counts are what the test is for")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use cargo_marketplace::registry::serve::{self, Running};
use insta::assert_snapshot;
use toml::{Table, Value};

use crate::env::{TestEnv, free_port};
use crate::samples::{Market, cached, crates_io, init, project_folder};

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
    // Stock cargo installs a program by the addresses in its manifest, which are public ones.
    let operator = TestEnv::new();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    init(&operator, &url);
    let _server = serve::spawn(&operator.path("work/registry"), port).expect("the port is free");
    let market = Market::served_at(operator, url);
    market.publish(&["--workspace", "--no-verify"]);
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
fn our_own_lock_file_comes_out_of_a_mirror() {
    let lock = Lock::ours();
    let Some(archives) = archives(&lock) else {
        println!("skipped: not all archives of Cargo.lock are here: run `cargo fetch --locked`");
        return;
    };
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

/// The archives of all packages in our lock file. Cargo has those of this machine's platform; it
/// gets the others, if it can.
fn archives(lock: &Lock) -> Option<Vec<PathBuf>> {
    let all = || -> Option<Vec<PathBuf>> {
        lock.foreign()
            .iter()
            .map(|package| cached(package))
            .collect()
    };
    all().or_else(|| {
        let mut cargo = Command::new(env!("CARGO"));
        let fetched = cargo
            .args(["fetch", "--locked", "--quiet"])
            .current_dir(project_folder());
        fetched.status().ok().filter(ExitStatus::success)?;
        all()
    })
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
