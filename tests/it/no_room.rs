//! Disks that are full and homes that nobody may write: what can be done is done, what cannot be is
//! said, and nothing is lost.

use std::path::Path;

use insta::assert_snapshot;

use crate::env::{Outcome, TestEnv};
use crate::fixture::Fixture;
use crate::samples::Market;
use crate::small_registry::{BASE, archive_of, files, fingerprint};

/// Runs the program with a limit on how long a file may become, in blocks of 512 bytes.
#[cfg(target_os = "linux")]
fn limited(env: &TestEnv, blocks: u32, line: &str) -> Outcome {
    // Without the trap the kernel would end it.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_cargo-marketplace");
    let all = ["-c", &script, program].into_iter().chain(line.split(' '));
    env.program("sh", all).redact_digests().run()
}

#[cfg(target_os = "linux")]
fn lines(bytes: &[u8]) -> std::collections::BTreeSet<&[u8]> {
    bytes.split(|byte| *byte == b'\n').collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_without_room_says_which_file_it_could_not_write() {
    let env = TestEnv::new();
    Fixture::get().add_to(&env);
    let before = files(&env.marketplace_home());
    let refused = limited(&env, 1, "search tide").to_string();
    // Each build fetches what it reads.
    let refused = refused.replace(".jsonl.zst", ".ttl.zst");
    assert_snapshot!(refused, @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: could not write `[ROOT]/home/.cargo/marketplace/[DIGEST]/catalog/[DIGEST].ttl.zst`

    Caused by:
      File too large (os error 27)
    ");
    for (path, bytes) in before {
        let after = std::fs::read(env.marketplace_home().join(&path)).unwrap();
        if path.ends_with("tuf/upheld") {
            // A line for each role: there was room for what was learnt of one more.
            assert!(lines(&bytes).is_subset(&lines(&after)));
            continue;
        }
        assert!(after == bytes, "`{path}` differs");
    }
    assert_eq!(env.command(["search", "tide"]).run().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_operator_without_room_loses_nothing() {
    let env = TestEnv::new();
    let init = ["registry", "init", "market", "--solo", "--no-passphrase"];
    let outcome = env.command([&init[..], &["--base-url", BASE]].concat());
    assert_eq!(outcome.run().code, Some(0));
    let library = (0..2_000).map(|number| number.to_string());
    let library = library.collect::<Vec<_>>().join(" ");
    let bytes = archive_of("large", "1.0.0", "", library.as_bytes());
    env.write("work/large.crate", bytes);
    let market = env.path("work/market");
    let before = fingerprint(&market);
    let import = "registry import market --as-mirror --vouch large.crate";
    assert_snapshot!(limited(&env, 4, import).to_string(), @"
    exit: 101
    --- stdout
    --- stderr
    error: could not write `[ROOT]/work/market/.journal/0.new`

    Caused by:
      File too large (os error 27)

    note: nothing was written
    ");
    assert_eq!(fingerprint(&market), before);
    let outcome = env.command(import.split(' ')).run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let check = env.command(["registry", "check", "market"]).run();
    assert_eq!(check.code, Some(0), "{check}");
}

/// Runs a script in a place where it may mount what it likes; `$0` is the program.
fn mounted(env: &TestEnv, script: &str) -> Outcome {
    let program = env!("CARGO_BIN_EXE_cargo-marketplace");
    let all = ["--map-root-user", "--mount", "sh", "-c", script, program];
    env.program("unshare", all).redact_digests().run()
}

/// Runs the program with a home that cannot be written.
fn read_only(env: &TestEnv, folder: &str, line: &str) -> Outcome {
    let home = env.path("home").display().to_string();
    let folder = env.path(folder).display().to_string();
    mounted(
        env,
        &format!(
            "mount --bind {home} {home} && mount -o remount,bind,ro {home} && cd {folder} && \"$0\" {line}"
        ),
    )
}

#[test]
#[ignore = "needs mount"]
fn a_home_that_cannot_be_written_can_be_read_by() {
    let market = Market::published();
    let env = &market.env;
    // Nothing is known yet but the root.
    assert_snapshot!(read_only(env, "work", "search tide-table").to_string(), @r#"
    exit: 0
    --- stdout
    tide-table = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli   = "1.2.0"  # Print tide tables in the terminal  signed
    --- stderr
        Updating `harbour` index
    warning: nothing can be kept in `[ROOT]/home/.cargo/marketplace/[DIGEST]` (Read-only file system (os error 30)): what is learnt of `harbour` now is forgotten, so that the next command does not notice if the registry goes back to an older state
    note: 2 of 2 results; searched a local copy, nothing was sent
    "#);
    market.must(["search", "tide"]);
    market.must(["info", "tide-table"]);
    let timestamp = env.path("work/registry/tuf/timestamp.json");
    let old = std::fs::read(&timestamp).unwrap();
    market.publish_next();
    let before = files(&env.marketplace_home());
    let shown = read_only(env, "work", "info tide-table");
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("0.3.2"), "{shown}");
    assert_eq!(shown.stderr.matches("warning:").count(), 1, "{shown}");
    let verified = read_only(env, "work", "verify tide-table");
    assert_eq!(verified.code, Some(0), "{verified}");
    let offline = read_only(env, "work", "info tide-table --offline");
    assert_eq!(offline.code, Some(0), "{offline}");
    assert!(offline.stdout.contains("0.3.1"), "{offline}");
    assert!(files(&env.marketplace_home()) == before);
    // What was known is still a guard.
    market.must(["info", "tide-table"]);
    std::fs::write(timestamp, old).unwrap();
    let shown = read_only(env, "work", "info tide-table");
    assert!(shown.stdout.contains("0.3.2"), "{shown}");
    market.project(
        "app",
        "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n",
    );
    let install = "install tide-cli --root programs";
    for (folder, line) in [
        ("work/app", "fetch"),
        ("work/app", "add tide-cli"),
        ("work/app", "exec -- build"),
        ("work", install),
    ] {
        let refused = read_only(env, folder, line);
        assert_eq!(refused.code, Some(101), "{refused}");
        let (_, text) = refused.stderr.split_once("error: ").unwrap();
        assert_eq!(
            text,
            "nothing can be written in `[ROOT]/home/.cargo/marketplace`\n\n\
             Caused by:\n  Read-only file system (os error 30)\n\n\
             note: nothing was written\n\
             help: make it writable, or name another home with `CARGO_HOME` and add the registry there\n",
            "{line}"
        );
    }
    let refused = read_only(env, "work/app", "verify");
    assert_eq!(refused.code, Some(101), "{refused}");
    let help = "help: `cargo marketplace verify --workspace` writes nothing";
    assert!(refused.stderr.contains(help), "{refused}");
    assert!(!Path::new(&env.path("work/programs")).exists());
}

#[cfg(feature = "marketplace-v2")]
#[test]
#[ignore = "needs mount"]
fn what_only_reads_needs_no_home_that_can_be_written() {
    use crate::samples::copy;

    let market = Market::published();
    let env = &market.env;
    let app = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";
    market.project("app", app);
    // The lock file comes from another home.
    let other = env.path("home/other");
    copy(&env.cargo_home(), &other);
    let fetch = env.command(["fetch"]).folder("work/app");
    let fetched = fetch.env("CARGO_HOME", other).run();
    assert_eq!(fetched.code, Some(0), "{fetched}");
    let before = files(&env.marketplace_home());
    let query = "sparql 'ASK { ?package ?says \"tide-table\" }'";
    // Without any copy.
    let ask_all = || {
        let answer = read_only(env, "work", query);
        assert_eq!(answer.code, Some(0), "{answer}");
        assert!(answer.stdout.contains("true"), "{answer}");
        for line in [
            "search tide",
            "info tide-table --dependents",
            "verify tide-table",
            "verify --workspace",
            "audit",
            "audit --policy-example nothing-unsigned",
        ] {
            let outcome = read_only(env, "work/app", line);
            assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
        }
    };
    ask_all();
    assert!(files(&env.marketplace_home()) == before);
    // With one that is up to date.
    for line in ["search tide", "info tide-table"] {
        market.must(line.split(' '));
    }
    let sparql = env.command(["sparql", "ASK { ?s ?p ?o }"]).run();
    assert_eq!(sparql.code, Some(0), "{sparql}");
    ask_all();
    let offline = read_only(env, "work", &format!("{query} --offline"));
    assert_eq!(offline.code, Some(0), "{offline}");
    assert!(offline.stdout.contains("true"), "{offline}");
}

#[cfg(feature = "marketplace-v2")]
#[test]
#[ignore = "needs mount"]
fn a_damaged_dataset_in_a_home_that_cannot_be_written_is_built_in_memory() {
    use crate::dataset::{QUESTIONS, damage_unnoticed};

    let market = Market::published();
    let env = &market.env;
    for (end, question) in QUESTIONS {
        let expected = env.command(question.split(' ')).redact_digests().run();
        assert_eq!(expected.code, Some(0), "{expected}");
        damage_unnoticed(&market, end);
        let before = files(&env.marketplace_home());
        let line = question
            .replace('{', "'{")
            .replace('}', "}'")
            .replace('*', "'*'");
        // The second one finds what the first one could not take away.
        for line in [line.clone(), line.clone(), format!("{line} --offline")] {
            let answer = read_only(env, "work", &line);
            assert_eq!(answer.code, Some(0), "{answer}");
            assert_eq!(answer.stdout, expected.stdout);
            let warnings = answer.stderr.matches("the dataset is damaged").count();
            assert_eq!(warnings, 1, "{answer}");
        }
        assert!(files(&env.marketplace_home()) == before);
        // Where it can be taken away, it is.
        for warnings in [1, 0] {
            let answer = env.command(question.split(' ')).run();
            assert_eq!(
                answer.stderr.matches("damaged").count(),
                warnings,
                "{answer}"
            );
        }
    }
}

#[test]
#[ignore = "needs mount"]
fn a_disk_that_is_full_is_named_and_loses_nothing() {
    let market = Market::published();
    let env = &market.env;
    let home = env.marketplace_home().display().to_string();
    let script = format!(
        "set -e; cp -a {home} saved; mount -t tmpfs -o size=1m tmpfs {home}; cp -a saved/. {home}
        dd if=/dev/zero of={home}/filler bs=1k 2> /dev/null || true
        \"$0\" search tide && exit 1 || echo \"ended with $?\"
        rm {home}/filler
        \"$0\" search tide
        dd if=/dev/zero of={home}/filler bs=1k 2> /dev/null || true
        \"$0\" search tide --offline
        \"$0\" install tide-cli --root programs && exit 1 || echo \"ended with $?\"
        rm {home}/filler
        \"$0\" install tide-cli --quiet --debug --root programs"
    );
    assert_snapshot!(mounted(env, &script).to_string(), @r#"
    exit: 0
    --- stdout
    ended with 101
    tide-table      = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    tide-table      = "0.3.1"  # Harmonic tide prediction for small displays  signed
    tide-cli        = "1.2.0"  # Print tide tables in the terminal  signed
    sensor-template = "2.0.0"  # A project that reads a sensor and prints tides  signed
    ended with 101
    --- stderr
        Updating `harbour` index
    error: could not write `[ROOT]/home/.cargo/marketplace/[DIGEST]/tuf/timestamp.json`

    Caused by:
      No space left on device (os error 28)
        Updating `harbour` index
    note: 3 of 3 results; searched a local copy, nothing was sent
    note: 3 of 3 results; searched a local copy, nothing was sent
        Updating `harbour` index
    error: could not write `[ROOT]/home/.cargo/marketplace/[DIGEST]/tuf/refreshed`

    Caused by:
      No space left on device (os error 28)
    "#);
}
