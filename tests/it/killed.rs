//! Programs that are killed just before each of their steps that change the disk: the next command
//! works, and ends as if nothing had happened. Only builds for tests can be ended so; see `disk/step.rs`.
//!
//! `cargo test` tries some of the steps; the ignored tests, which `.ci/long` runs, try all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::publish::check::{Depth, check};

use crate::env::{TestCommand, TestEnv};
use crate::fixture::Fixture;
use crate::samples::{Market, copy};
use crate::small_registry::{BASE, Silent, archive, files, now};

/// How `disk/step.rs` is told.
const STEPS: &str = "CARGO_MARKETPLACE_TEST_STEPS";

/// How many of the steps are tried.
#[derive(Clone, Copy)]
enum Tried {
    All,
    /// So many, the first and the last among them.
    Some(usize),
}

/// A command that can be begun again and again from the same place.
struct Scene<'a> {
    env: &'a TestEnv,
    /// Folders below the temporary one that the command changes.
    changes: &'a [&'a str],
    command: &'a dyn Fn() -> TestCommand<'a>,
    /// What cannot be the same, or need not be there.
    is_apart: fn(&str) -> bool,
}

type Files = BTreeMap<String, Vec<u8>>;

impl Scene<'_> {
    /// Kills the command before the steps and runs it again after each. `check` looks at what is
    /// there when the command was killed, and again at the end.
    fn kill(&self, tried: Tried, check: impl Fn(&str)) {
        self.save();
        let log = self.env.path("steps");
        let undisturbed = self.run(0, &log);
        assert_eq!(undisturbed.code, Some(0), "{undisturbed}");
        let text = fs::read_to_string(&log).unwrap();
        let steps: Vec<&str> = text.lines().collect();
        let expected = self.state();
        self.restore();
        for number in chosen(steps.len(), tried) {
            let place = format!("before step {number}, `{}`", steps[number - 1]);
            let killed = self.run(number, &log);
            // Parallel writes come in any order, but not in any number.
            assert_eq!(killed.code, None, "{place}: {killed}");
            check(&place);
            let again = (self.command)().run();
            assert_eq!(again.code, Some(0), "{place}: {again}");
            check(&place);
            let state = self.state();
            for (path, bytes) in &expected {
                assert!(state.get(path) == Some(bytes), "{place}: `{path}` differs");
            }
            let more = state.keys().filter(|path| !expected.contains_key(*path));
            let more: Vec<&String> = more.collect();
            assert!(more.is_empty(), "{place}: {more:?} should not be there");
            self.restore();
        }
    }

    fn run(&self, last: usize, log: &Path) -> crate::env::Outcome {
        fs::write(log, "").unwrap();
        let value = format!("{last}:{}", log.display());
        (self.command)().env(STEPS, value).run()
    }

    fn saved(&self, folder: &str) -> PathBuf {
        self.env.path(&format!("saved/{folder}"))
    }

    fn save(&self) {
        for folder in self.changes {
            if self.saved(folder).exists() {
                fs::remove_dir_all(self.saved(folder)).unwrap();
            }
            if self.env.path(folder).exists() {
                copy(&self.env.path(folder), &self.saved(folder));
            }
        }
    }

    fn restore(&self) {
        for folder in self.changes {
            if self.env.path(folder).exists() {
                fs::remove_dir_all(self.env.path(folder)).unwrap();
            }
            if self.saved(folder).exists() {
                copy(&self.saved(folder), &self.env.path(folder));
            }
        }
    }

    fn state(&self) -> Files {
        let mut state = Files::new();
        for folder in self.changes {
            read(&self.env.path(folder), folder, &mut state);
        }
        state.retain(|path, _| !(self.is_apart)(path));
        state
    }
}

fn read(folder: &Path, name: &str, found: &mut Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &name, found);
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

/// Numbers from 1 to `count`.
fn chosen(count: usize, tried: Tried) -> Vec<usize> {
    match tried {
        Tried::Some(some) if some < count => {
            let place = |number| 1 + number * (count - 1) / (some - 1);
            (0..some).map(place).collect()
        }
        Tried::Some(_) | Tried::All => (1..=count).collect(),
    }
}

/// One draft for each place that is written under a lock may stay; the next write takes it.
fn is_draft(path: &str) -> bool {
    path.ends_with("/.draft")
}

/// The files of a dataset have new names each time; answers show that nothing of it is half there.
fn is_draft_or_dataset(path: &str) -> bool {
    is_draft(path) || path.contains("/dataset/")
}

/// What a client reads of a registry, from nothing but its root and from an earlier state.
fn refresh(tried: Tried) {
    let env = TestEnv::new();
    let market = Market::published();
    Fixture::get().add_to(&env);
    let scene = Scene {
        env: &env,
        changes: &["home/.cargo/marketplace"],
        command: &|| env.command(["search", "tide"]),
        is_apart: is_draft_or_dataset,
    };
    scene.kill(tried, |_| {});
    market.must(["search", "tide"]);
    market.must(["info", "tide-table"]);
    market.publish_next();
    let scene = Scene {
        env: &market.env,
        changes: &["home/.cargo/marketplace"],
        command: &|| market.env.command(["info", "tide-table"]),
        is_apart: is_draft_or_dataset,
    };
    scene.kill(tried, |place| {
        // What was known before is never lost, whatever is there now.
        let offline = market
            .env
            .command(["info", "tide-table", "--offline"])
            .run();
        let allowed = [Some(0), Some(101)];
        assert!(allowed.contains(&offline.code), "{place}: {offline}");
    });
}

/// What a client makes of the catalog, from nothing and from an earlier serial. What a killed program
/// leaves there stays until the next change; the answers show that nothing is half there.
#[cfg(feature = "marketplace-v2")]
fn dataset(tried: Tried) {
    let market = Market::published();
    let ask = || {
        market
            .env
            .command(["sparql", "ASK { ?package ?says \"0.3.2\" }"])
    };
    let kill = |expected: &str| {
        let scene = Scene {
            env: &market.env,
            changes: &["home/.cargo/marketplace"],
            command: &ask,
            is_apart: is_draft_or_dataset,
        };
        scene.kill(tried, |_| {
            let answer = ask().run();
            assert!(answer.stdout.contains(expected), "{answer}");
            assert!(!answer.stderr.contains("damaged"), "{answer}");
        });
    };
    kill("false");
    let known = ask().run();
    assert_eq!(known.code, Some(0), "{known}");
    market.publish_next();
    kill("true");
}

/// `refresh`, from nothing and from an earlier serial. What could be asked before can be asked, whatever is
/// there now.
fn refresh_command(tried: Tried) {
    let market = Market::published();
    let kill = |check: &dyn Fn(&str)| {
        let scene = Scene {
            env: &market.env,
            changes: &["home/.cargo/marketplace"],
            command: &|| market.env.command(["refresh"]),
            is_apart: is_draft_or_dataset,
        };
        scene.kill(tried, check);
    };
    kill(&|_| {});
    market.must(["search", "tide"]);
    market.must(["refresh"]);
    market.publish_next();
    let question = match cfg!(feature = "marketplace-v2") {
        true => "sparql --offline SELECT?n{?p<https://schema.org/name>?n}",
        false => "search --offline tide",
    };
    kill(&|place| {
        let asked = market.env.command(question.split(' ')).run();
        assert_eq!(asked.code, Some(0), "{place}: {asked}");
        assert!(asked.stdout.contains("tide-table"), "{place}: {asked}");
        assert!(!asked.stderr.contains("damaged"), "{place}: {asked}");
    });
}

/// What an operator has: a registry of one package.
fn operator() -> TestEnv {
    let env = TestEnv::new();
    let init = ["registry", "init", "market", "--solo", "--no-passphrase"];
    let outcome = env.command([&init[..], &["--base-url", BASE]].concat());
    assert_eq!(outcome.run().code, Some(0));
    for name in ["first", "second", "third"] {
        env.write(&format!("work/{name}.crate"), archive(name, "1.0.0", ""));
    }
    let line = "registry import market --as-mirror --vouch first.crate";
    assert_eq!(env.command(line.split(' ')).run().code, Some(0));
    env
}

/// Clients see the old state or the new one; at the end nothing is found wrong.
fn change(env: &TestEnv, line: &str, tried: Tried) {
    let root = env.path("work/market");
    let before = files(&root);
    let scene = Scene {
        env,
        changes: &["work/market"],
        command: &|| env.command(line.split(' ')),
        is_apart: |_| false,
    };
    scene.kill(tried, |place| {
        let report = check(&root, now(), Depth::Usual, &Silent).unwrap();
        assert_eq!(report.unchecked, None, "{place}");
        for finding in &report.findings {
            let is_metadata = finding.path.starts_with("tuf/");
            let is_plain = finding.path.rsplit('/').next().unwrap().len() < 64;
            assert!(is_plain && !is_metadata, "{place}: {finding:?}");
        }
    });
    assert!(files(&root) == before);
    assert_eq!(env.command(line.split(' ')).run().code, Some(0));
    let report = check(&root, now(), Depth::Usual, &Silent).unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    let journal = fs::read_dir(root.join(".journal")).unwrap();
    assert_eq!(journal.count(), 1, "only the lock stays");
}

fn import(tried: Tried) {
    let line = "registry import market --as-mirror --vouch second.crate third.crate";
    change(&operator(), line, tried);
}

/// Counts of downloads, published and taken away, and what a client makes of them.
fn popularity(tried: Tried) {
    let env = operator();
    env.write("work/counts.csv", "first,70\n");
    change(&env, "registry popularity market counts.csv", tried);
    change(&env, "registry popularity market --remove", tried);
    let market = Market::published();
    market.must(["search", "tide"]);
    market.env.write("work/counts.csv", "tide-cli,1000000\n");
    market.must("registry popularity registry counts.csv".split(' '));
    let scene = Scene {
        env: &market.env,
        changes: &["home/.cargo/marketplace"],
        command: &|| market.env.command(["search", "tide"]),
        is_apart: is_draft_or_dataset,
    };
    scene.kill(tried, |place| {
        let asked = market.env.command(["search", "tide", "--offline"]).run();
        assert_eq!(asked.code, Some(0), "{place}: {asked}");
        assert!(!asked.stderr.contains("damaged"), "{place}: {asked}");
    });
}

fn apply(tried: Tried) {
    let env = operator();
    let key = "key new harbour --no-passphrase";
    let sign = "sign second.crate --registry-dir market --key harbour --output in";
    for line in [key, sign] {
        let outcome = env.command(line.split(' ')).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    change(
        &env,
        "registry apply market in/second.submission --register-publisher",
        tried,
    );
}

fn install(tried: Tried) {
    let market = Market::published();
    let scene = Scene {
        env: &market.env,
        changes: &["home/.cargo/marketplace", "work/programs"],
        command: &|| {
            let line = "install tide-cli --debug --force --root programs";
            market.env.command(line.split(' '))
        },
        // The program itself is cargo's work, which is not the same twice.
        is_apart: |path| is_draft(path) || path.ends_with("/bin/tide-cli"),
    };
    scene.kill(tried, |_| {});
    market.must("install tide-cli --debug --root programs".split(' '));
    let program = market.env.path("work/programs/bin/tide-cli");
    assert_eq!(market.env.program(program, [""; 0]).run().code, Some(0));
}

fn fetch(tried: Tried) {
    let market = Market::published();
    market.project(
        "app",
        "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n",
    );
    let scene = Scene {
        env: &market.env,
        changes: &["home/.cargo/marketplace", "work/app"],
        command: &|| {
            market
                .env
                .command(["fetch", "--write-config"])
                .folder("work/app")
        },
        is_apart: |path| is_draft(path) || is_left_by_a_kill(path),
    };
    scene.kill(tried, |_| {});
}

/// A file beside one that was being replaced in a folder of the user's; nobody reads it.
fn is_left_by_a_kill(path: &str) -> bool {
    path.contains("/.cargo-marketplace-")
}

#[test]
fn a_killed_refresh_is_done_again() {
    refresh(Tried::Some(9));
}

#[test]
fn a_killed_refresh_command_is_done_again() {
    refresh_command(Tried::Some(9));
}

#[test]
#[cfg(feature = "marketplace-v2")]
fn a_killed_dataset_is_done_again() {
    dataset(Tried::Some(6));
}

#[test]
fn a_killed_import_is_finished_or_done_again() {
    import(Tried::Some(12));
}

#[test]
fn killed_counts_are_finished_or_done_again() {
    popularity(Tried::Some(6));
}

#[test]
fn a_killed_apply_is_finished_or_done_again() {
    apply(Tried::Some(12));
}

#[test]
fn a_killed_install_is_done_again() {
    install(Tried::Some(4));
}

#[test]
fn a_killed_fetch_is_done_again() {
    fetch(Tried::Some(6));
}

#[test]
#[ignore = "needs long: .ci/long"]
fn refresh_is_killed_before_every_step() {
    refresh(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn refresh_command_is_killed_before_every_step() {
    refresh_command(Tried::All);
}

#[test]
#[cfg(feature = "marketplace-v2")]
#[ignore = "needs long: .ci/long"]
fn dataset_is_killed_before_every_step() {
    dataset(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn import_is_killed_before_every_step() {
    import(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn popularity_is_killed_before_every_step() {
    popularity(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn apply_is_killed_before_every_step() {
    apply(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn install_is_killed_before_every_step() {
    install(Tried::All);
}

#[test]
#[ignore = "needs long: .ci/long"]
fn fetch_is_killed_before_every_step() {
    fetch(Tried::All);
}
