//! What foreign code can learn of keys: a build script looks through the environment of every process
//! above its own and through the key folder, while the program packages, publishes, installs and builds.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::env::{Outcome, TestCommand};
use crate::samples::Market;
use crate::terminal::Terminal;

/// A passphrase that is nowhere else.
const PASSPHRASE: &str = "correct horse battery staple";
/// A token that is nowhere else.
const TOKEN: &str = "Bearer token of the harbour";
const VARIABLE: &str = "CARGO_MARKETPLACE_KEY_PASSPHRASE";

/// The tests here look at every process, and one would find what another one sets.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The build script. It writes a line for all that it looked at, and one for each thing that it found.
const SPY: &str = r#"
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

fn main() {
    let mut log = fs::File::options().append(true).create(true).open("[LOG]").unwrap();
    let secret = ["correct horse", "battery staple"].join(" ");
    let mut above = Vec::new();
    let mut process = std::process::id();
    while let Some(next) = parent(process).filter(|next| *next > 1) {
        above.push(next);
        process = next;
    }
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        for file in ["environ", "cmdline"] {
            let Ok(bytes) = fs::read(process.path().join(file)) else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let is_above = above.contains(&id);
            // Other tests may set the variable in processes of their own.
            if text.contains(&secret) || is_above && text.contains("KEY_PASSPHRASE") {
                writeln!(log, "found the passphrase in {file} of {id}").unwrap();
            }
            if is_above && file == "environ" {
                writeln!(log, "looked at {id}").unwrap();
            }
        }
    }
    // What cargo was given, down to here: the token is cut in two, so that this text has it not.
    let token = ["Bearer token", "of the harbour"].join(" ");
    for process in std::iter::once(std::process::id()).chain(above) {
        let comm = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        if comm.starts_with("cargo-marketpla") {
            break;
        }
        let Ok(bytes) = fs::read(format!("/proc/{process}/environ")) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.contains(&token) {
            writeln!(log, "found the token in environ of {process}").unwrap();
        }
        writeln!(log, "handed down to {process}").unwrap();
    }
    if std::env::vars().any(|(_, value)| value == token) {
        writeln!(log, "found the token").unwrap();
    }
    if let Ok(other) = std::env::var("CARGO_REGISTRIES_WORK_TOKEN") {
        writeln!(log, "other token: {other}").unwrap();
    }
    let home = PathBuf::from(std::env::var_os("CARGO_HOME").unwrap());
    for key in fs::read_dir(home.join("marketplace/keys")).unwrap().flatten() {
        let text = fs::read_to_string(key.path()).unwrap();
        writeln!(log, "key {} {}", key.file_name().display(), text.lines().next().unwrap()).unwrap();
    }
}
"#;

/// The sample registry with encrypted keys only, and a package whose build script spies.
struct Spied {
    market: Market,
}

impl Spied {
    fn new() -> Self {
        let market = Market::empty_with_passphrase(PASSPHRASE);
        let log = market.env.path("work/log").display().to_string();
        let manifest = "[package]\nname = \"spy\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
                        description = \"A spy\"\nlicense = \"MIT\"\n";
        market.env.write("work/spy/Cargo.toml", manifest);
        market
            .env
            .write("work/spy/build.rs", SPY.replace("[LOG]", &log));
        market.env.write("work/spy/src/lib.rs", "");
        market.env.write("work/spy/src/main.rs", "fn main() {}\n");
        Self { market }
    }

    fn command(&self, line: &str) -> TestCommand<'_> {
        let command = self.market.env.command(line.split(' '));
        command.folder("work/spy")
    }

    /// What the build script has seen since the last call; it must have run.
    fn seen(&self) -> String {
        let log = self.market.env.path("work/log");
        let seen = fs::read_to_string(&log).unwrap();
        fs::remove_file(log).unwrap();
        seen
    }

    fn has_run(&self) -> bool {
        self.market.env.path("work/log").exists()
    }
}

/// It looked at the test, at us and at cargo, and all that it has is encrypted.
fn assert_nothing_found(seen: &str) {
    let looked = seen.lines().filter(|line| line.starts_with("looked at"));
    assert!(looked.count() >= 3, "{seen}");
    assert!(seen.contains("key harbour.pem -----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert!(seen.contains("key online.pem -----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert!(!seen.contains("-----BEGIN PRIVATE KEY-----"), "{seen}");
    assert!(!seen.contains("found"), "{seen}");
}

/// The tokens of the registry and of crates.io went no further than to us; that of another registry,
/// from which cargo may have to fetch something, is cargo's.
fn assert_no_token_handed_on(seen: &str) {
    let below = seen.lines().filter(|line| line.starts_with("handed down"));
    assert!(below.count() >= 2, "{seen}");
    assert!(!seen.contains("found"), "{seen}");
    assert!(seen.contains("other token: Bearer of others"), "{seen}");
}

#[test]
fn a_build_script_is_handed_no_token_that_cargo_has_no_use_for() {
    let _alone = alone();
    let spied = Spied::new();
    // Names that only the project gives the registry, at both of its addresses.
    let config = format!(
        "[registries.alias]\nindex = \"sparse+{}\"\n\n[registries.the-harbour]\n\
         index = \"sparse+https://registry.example.org/\"\n",
        spied.market.url()
    );
    let path = "work/spy/.cargo/config.toml";
    spied.market.env.write(path, config);
    let with_tokens = |line: &str| {
        let command = spied.command(line);
        let command = command.env("CARGO_REGISTRIES_ALIAS_TOKEN", TOKEN);
        let command = command.env("CARGO_REGISTRIES_THE_HARBOUR_TOKEN", TOKEN);
        let command = command.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN);
        let command = command.env("CARGO_REGISTRY_TOKEN", TOKEN);
        command.env("CARGO_REGISTRIES_WORK_TOKEN", "Bearer of others")
    };
    for line in ["package --registry-dir ../registry", "exec -- build"] {
        succeeded(&with_tokens(line).run());
        assert_no_token_handed_on(&spied.seen());
    }
    let elsewhere = "package --registry-dir registry --manifest-path spy/Cargo.toml";
    succeeded(&with_tokens(elsewhere).folder("work").run());
    assert_no_token_handed_on(&spied.seen());
    let mut terminal = Terminal::open();
    let publish = "publish --registry-dir ../registry --key harbour";
    let mut child = terminal.start(with_tokens(publish));
    for key in ["harbour", "offline", "online"] {
        terminal.wait_for(&format!("Passphrase of `{key}`: "));
        terminal.write(&format!("{PASSPHRASE}\n"));
    }
    assert!(child.wait().unwrap().success(), "{}", terminal.shown());
    assert_no_token_handed_on(&spied.seen());
    succeeded(&with_tokens("install spy --debug --root ../programs").run());
    assert_no_token_handed_on(&spied.seen());
}

fn succeeded(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(!outcome.stderr.contains("not encrypted"), "{outcome}");
}

#[test]
fn a_build_script_finds_no_passphrase_and_no_key_that_it_could_use() {
    let _alone = alone();
    let spied = Spied::new();
    succeeded(&spied.command("package --registry-dir ../registry").run());
    assert_nothing_found(&spied.seen());

    // The passphrase is typed when cargo has come to its end.
    let mut terminal = Terminal::open();
    let publish = spied.command("publish --registry-dir ../registry --key harbour");
    let mut child = terminal.start(publish);
    for key in ["harbour", "offline", "online"] {
        terminal.wait_for(&format!("Passphrase of `{key}`: "));
        terminal.write(&format!("{PASSPHRASE}\n"));
    }
    let status = child.wait().unwrap();
    let shown = terminal.shown();
    assert!(status.success(), "{shown}");
    assert!(!shown.contains(PASSPHRASE), "{shown}");
    assert_nothing_found(&spied.seen());

    succeeded(
        &spied
            .command("install spy --debug --root ../programs")
            .run(),
    );
    assert_nothing_found(&spied.seen());

    let market = &spied.market;
    market.env.write("work/app/src/main.rs", "fn main() {}\n");
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [dependencies]\nspy = { version = \"1\", registry = \"harbour\" }\n";
    market.env.write("work/app/Cargo.toml", manifest);
    // Fetching runs nothing, not even beside a passphrase.
    let fetch = market.env.command(["fetch"]).folder("work/app");
    succeeded(&fetch.env(VARIABLE, PASSPHRASE).run());
    assert!(!spied.has_run());
    let exec = market.env.command(["exec", "--", "check"]);
    succeeded(&exec.folder("work/app").run());
    assert_nothing_found(&spied.seen());
}

#[test]
fn nothing_foreign_runs_while_a_passphrase_is_in_the_environment() {
    let _alone = alone();
    let spied = Spied::new();
    for line in [
        "package",
        "package --registry-dir ../registry",
        "publish --registry-dir ../registry --key harbour",
        "exec -- build",
        "install spy",
    ] {
        let outcome = spied.command(line).env(VARIABLE, PASSPHRASE).run();
        assert_eq!(outcome.code, Some(101), "{line}: {outcome}");
        let refused = "a passphrase is in the environment";
        assert!(outcome.stderr.contains(refused), "{line}: {outcome}");
        assert!(
            !outcome.to_string().contains(PASSPHRASE),
            "{line}: {outcome}"
        );
        assert!(!spied.has_run(), "{line}");
    }
}

#[test]
fn a_key_that_is_not_encrypted_is_within_reach_and_that_is_said() {
    let _alone = alone();
    let spied = Spied::new();
    spied
        .market
        .must(["key", "new", "careless", "--no-passphrase"]);
    let packaged = spied.command("package").run();
    assert_eq!(packaged.code, Some(0), "{packaged}");
    let warning =
        "warning: the key `careless` is not encrypted: a build script that runs now can read it";
    assert!(packaged.stderr.contains(warning), "{packaged}");
    assert!(
        spied
            .seen()
            .contains("key careless.pem -----BEGIN PRIVATE KEY-----")
    );
    spied.market.must(["key", "new", "more", "--no-passphrase"]);
    let packaged = spied.command("package").run();
    let warning = "the keys `careless`, `more` are not encrypted";
    assert!(packaged.stderr.contains(warning), "{packaged}");
    // Without building, nothing foreign runs.
    spied.seen();
    let packaged = spied.command("package --no-verify").run();
    assert!(!packaged.stderr.contains("not encrypted"), "{packaged}");
    assert!(!spied.has_run());
}
