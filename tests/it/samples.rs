//! The sample workspace, a registry that it is published to, and packages of crates.io that this
//! machine has: what end-to-end tests begin with. Uses no network but loopback.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::v1;
use cargo_marketplace::install::archive::{Limits, derive};
use cargo_marketplace::model::{Entry, PackageName, Sha256Digest};
use cargo_marketplace::registry::serve::{self, Running};
use regex::Regex;

use crate::env::{TestCommand, TestEnv, real_cargo_home};

/// A registry in `work/registry`, served on loopback and added as `harbour`; the sample workspace
/// in `work/samples`.
pub(crate) struct Market {
    pub(crate) env: TestEnv,
    url: String,
    server: Option<Running>,
}

/// The roles that have keys.
const ROLES: &[&str] = &[
    "root",
    "targets",
    "policy",
    "rollout",
    "catalog",
    "claimed",
    "packages",
    "bins",
    "snapshot",
    "timestamp",
    "vouchers",
    "recovery",
];

impl Market {
    /// Without packages.
    pub(crate) fn empty() -> Self {
        Self::with_keys(None)
    }

    /// Without packages; all keys are encrypted.
    pub(crate) fn empty_with_passphrase(passphrase: &str) -> Self {
        Self::with_keys(Some(passphrase))
    }

    fn with_keys(passphrase: Option<&str>) -> Self {
        let env = TestEnv::new();
        let base = "https://registry.example.org/";
        let init = ["registry", "init", "registry", "--solo", "--base-url", base];
        protected(&env, &init, passphrase);
        Self::served(env, passphrase)
    }

    /// Without packages, with a key of its own for each role; two of three keys sign a root. A key is
    /// called by its role.
    pub(crate) fn of_many_keys() -> Self {
        let env = TestEnv::new();
        let mut init: Vec<String> = ["registry", "init", "registry", "--base-url"]
            .map(str::to_owned)
            .into();
        init.push("https://registry.example.org/".into());
        for role in ROLES {
            let keys = match *role {
                "root" => vec!["root-one", "root-two", "root-three"],
                role => vec![role],
            };
            for key in &keys {
                let outcome = env.command(["key", "new", key, "--no-passphrase"]).run();
                assert_eq!(outcome.code, Some(0), "{outcome}");
            }
            let threshold = if keys.len() > 1 { ":2" } else { "" };
            init.push("--role-key".into());
            init.push(format!("{role}={}{threshold}", keys.join(",")));
        }
        let outcome = env.command(&init).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        Self::served(env, None)
    }

    fn served(env: TestEnv, passphrase: Option<&str>) -> Self {
        let server = serve::spawn(&env.path("work/registry"), 0).expect("it was just made");
        let url = server.url().to_owned();
        Self::known(env, url, Some(server), passphrase)
    }

    /// Without packages, and served by somebody else.
    pub(crate) fn served_at(env: TestEnv, url: String) -> Self {
        Self::known(env, url, None, None)
    }

    fn known(env: TestEnv, url: String, server: Option<Running>, passphrase: Option<&str>) -> Self {
        crates_io(&env, &["strsim-0.11.1"]);
        copy(&project_folder().join("samples"), &env.path("work/samples"));
        let market = Self { env, url, server };
        market.add();
        protected(&market.env, &["key", "new", "harbour"], passphrase);
        market
    }

    /// Adds the registry, in the place where the program then keeps what it knows.
    fn add(&self) {
        let root = format!("sha256:{}", self.root());
        self.must(["registry", "add", "harbour", self.url(), "--root", &root]);
    }

    /// The sha256 of the registry's root file.
    pub(crate) fn root(&self) -> Sha256Digest {
        Sha256Digest::of(self.file("tuf/1.root.json").as_bytes())
    }

    /// With the packages of the sample workspace.
    pub(crate) fn published() -> Self {
        let market = Self::empty();
        market.publish(&["--workspace", "--no-verify"]);
        market
    }

    pub(crate) fn publish(&self, arguments: &[&str]) {
        let publish = [
            "publish",
            "--registry-dir",
            "../registry",
            "--key",
            "harbour",
        ];
        let all = publish.iter().chain(arguments);
        let outcome = self.env.command(all).folder("work/samples").run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }

    /// Publishes `tide-table` 0.3.2 besides.
    pub(crate) fn publish_next(&self) {
        self.raise("0.3.1", "0.3.2");
        self.publish(&["-p", "tide-table", "--no-verify"]);
    }

    /// Gives the `tide-table` of the workspace another version.
    pub(crate) fn raise(&self, from: &str, to: &str) {
        let manifest = "work/samples/tide-table/Cargo.toml";
        let text = self.env.read(manifest).replace(from, to);
        self.env.write(manifest, text);
    }

    /// The address of the registry.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Takes the server down.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// Runs the program in `work`, and shows all that it did.
    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        show(self.env.command(arguments))
    }

    /// Runs the program in a folder, and shows all that it did.
    pub(crate) fn run_in<'a>(
        &self,
        folder: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> String {
        show(self.env.command(arguments).folder(folder))
    }

    /// Runs the program, which must not fail.
    pub(crate) fn must<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) {
        let outcome = self.env.command(arguments).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }

    /// Runs the program in `work` as another person, whose home lies elsewhere, and shows all that it
    /// did.
    pub(crate) fn run_as<'a>(
        &self,
        person: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> String {
        let home = self.env.path(&format!("home/{person}"));
        show(self.env.command(arguments).env("CARGO_HOME", home))
    }

    /// A binary package `work/NAME` that prints the water level, and depends on what is given.
    pub(crate) fn project(&self, name: &str, dependencies: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}"
        );
        self.env.write(&format!("work/{name}/Cargo.toml"), manifest);
        let main = "fn main() {\n    println!(\"{:.2}\", tide_table::HARBOURS[0].level(0.0));\n}\n";
        self.env.write(&format!("work/{name}/src/main.rs"), main);
    }

    /// The program's own configuration.
    pub(crate) fn marketplace_config(&self) -> String {
        self.env.read("home/.cargo/marketplace/config.toml")
    }

    /// A file of the registry.
    pub(crate) fn file(&self, path: &str) -> String {
        self.env.read(&format!("work/registry/{path}"))
    }

    /// Where the registry has the archive of a package, of which it must have one.
    pub(crate) fn archive(&self, package: &str) -> PathBuf {
        let folder = self.env.path(&format!("work/registry/crates/{package}"));
        let mut archives = fs::read_dir(folder).expect("the package is published");
        archives
            .next()
            .expect("the package is published")
            .expect("it can be read")
            .path()
    }
}

/// A line of arguments.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Runs a command, and shows all that it did but for what differs from run to run and for what cargo
/// tells of its own work.
pub(crate) fn show(command: TestCommand<'_>) -> String {
    let text = command.redact_digests().run().to_string();
    let text = replace(&text, CARGOS_OWN, "");
    let text = replace(&text, r"\d+(\.\d+)?([KM]i)?B\b|\b\d+ bytes\b", "[SIZE]");
    replace(&text, r#""size":\d+"#, r#""size":[SIZE]"#)
}

/// Lines in which cargo tells what it does; their text and order are cargo's.
const CARGOS_OWN: &str = r"(?m)^ *(Compiling|Checking|Locking|Downloading|Downloaded|Packaged|Unpacking|Adding \S+ v\S+ (to|\(registry)|Finished `|Updating crates.io index).*\n( +(Features:|[+-] ).*\n)*";

fn replace(text: &str, pattern: &str, by: &str) -> String {
    let pattern = Regex::new(pattern).expect("the patterns are fixed");
    pattern.replace_all(text, by).into_owned()
}

/// Runs a command that makes keys, with a passphrase for them or without.
fn protected(env: &TestEnv, arguments: &[&str], passphrase: Option<&str>) {
    let command = match passphrase {
        Some(passphrase) => env
            .command(arguments)
            .env("CARGO_MARKETPLACE_KEY_PASSPHRASE", passphrase),
        None => env.command(arguments.iter().chain(&["--no-passphrase"])),
    };
    let outcome = command.run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

/// Makes an empty registry in `work/registry`.
pub(crate) fn init(env: &TestEnv, base: &str) {
    let line = "registry init registry --solo --no-passphrase --base-url";
    let outcome = env.command(line.split(' ').chain([base])).run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

/// Copies a folder; `Cargo.toml.in` becomes `Cargo.toml`.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("it was listed").to_string_lossy();
        let target = to.join(name.trim_end_matches(".in"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the folder is ours");
        }
    }
}

/// The folder of this project.
pub(crate) fn project_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Stands in for crates.io with archives (`name-version`) that cargo downloaded to build this
/// project, so that stock cargo needs no network for them.
pub(crate) fn crates_io(env: &TestEnv, packages: &[&str]) {
    for package in packages {
        let archive = cached(package).expect("this project depends on the package");
        let bytes = fs::read(archive).expect("cargo reads it, too");
        let release = derive(&bytes, &Home::Mirror, &Limits::default()).expect("it is well-formed");
        let index = format!("crates-io/index/{}", release.name.index_path());
        let line = v1::encode_line(&Entry {
            release,
            accepted: None,
            yanked: None,
            trust: None,
        });
        env.write(&index, line + "\n");
        env.write(&format!("crates-io/{package}.crate"), bytes);
    }
    let config = format!(
        "[source.crates-io]\nreplace-with = \"cached\"\n\n[source.cached]\nlocal-registry = '{}'\n",
        env.path("crates-io").display()
    );
    env.write("home/.cargo/config.toml", config);
}

/// The archive of `name-version` in the cache of the cargo that runs the tests.
pub(crate) fn cached(package: &str) -> Option<PathBuf> {
    let caches = fs::read_dir(real_cargo_home().join("registry/cache")).ok()?;
    let paths = caches
        .flatten()
        .map(|cache| cache.path().join(format!("{package}.crate")));
    paths.into_iter().find(|path| path.is_file())
}

/// One digest over the names and contents of all that is below a folder.
pub(crate) fn folder_digest(folder: &Path) -> Sha256Digest {
    let mut lines = Vec::new();
    collect(folder, folder, &mut lines);
    lines.sort();
    Sha256Digest::of(lines.join("\n").as_bytes())
}

fn collect(root: &Path, folder: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path
            .strip_prefix(root)
            .expect("it lies below")
            .display()
            .to_string();
        if path.is_dir() {
            lines.push(name);
            collect(root, &path, lines);
        } else {
            let bytes = fs::read(&path).expect("it was listed");
            lines.push(format!("{name} {}", Sha256Digest::of(&bytes)));
        }
    }
}

/// A package's folder in an index, as `ti/de/tide-table`.
pub(crate) fn index_path(package: &str) -> String {
    let name: PackageName = package.parse().expect("tests use valid names");
    name.index_path()
}
