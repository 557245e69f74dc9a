//! Drafts of a registry's roles that several people sign: whoever signs agrees to what they are shown, and
//! of two who sign at the same time nobody's signature is lost.

use std::fs::{self, File, TryLockError};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use rustix::process::{Pid, WaitOptions, waitpid};
use serde_json::Value;

use crate::env::{TestCommand, TestEnv};
use crate::samples::{copy, folder_digest};
use crate::terminal::Terminal;

const PASSPHRASE: &str = "horse";

/// People with encrypted keys of their own, and a folder `market`.
struct People(TestEnv);

impl People {
    fn new() -> Self {
        let people = Self(TestEnv::new());
        for name in ["ann", "bob"] {
            people.must(name, &format!("key new {name}"));
        }
        people
    }

    /// The last signature, with which the drafts are published, counted as `disk/step.rs` says.
    fn last(&self, steps: &str) -> TestCommand<'_> {
        let command = self.by("bob", "registry sign market --role root --yes");
        let command = command.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", PASSPHRASE);
        command.env("CARGO_MARKETPLACE_TEST_STEPS", steps)
    }

    /// The steps of the last signature; the registry is as before, and lies in `saved`, too.
    fn last_steps(&self) -> Vec<String> {
        let (market, saved) = (self.0.path("work/market"), self.0.path("saved"));
        copy(&market, &saved);
        let log = self.0.path("steps");
        fs::write(&log, "").unwrap();
        let undisturbed = self.last(&format!("0:{}", log.display())).run();
        assert_eq!(undisturbed.code, Some(0), "{undisturbed}");
        let steps = fs::read_to_string(&log).unwrap();
        fs::write(&log, "").unwrap();
        fs::remove_dir_all(&market).unwrap();
        copy(&saved, &market);
        steps.lines().map(str::to_owned).collect()
    }

    /// A registry of one person, whose next root waits for `ann` and `bob`, too.
    fn growing() -> Self {
        let people = Self::new();
        people.operator(
            "registry init market --solo --no-passphrase --base-url https://new.example.org/",
        );
        people.operator(&rotation(3));
        people
    }

    /// A registry that is being made; `ann` and `bob` sign its root.
    fn founding() -> Self {
        let people = Self::new();
        people.operator("key new keeper --no-passphrase");
        people.operator("key new clock --no-passphrase");
        people.operator(
            "registry init market --base-url https://new.example.org/ --role-key targets=keeper \
             --role-key root=../ann/ann.pub.pem,../bob/bob.pub.pem:2 --role-key timestamp=clock",
        );
        people
    }

    fn by(&self, person: &str, line: &str) -> TestCommand<'_> {
        let command = self.0.command(line.split_whitespace());
        command.env("CARGO_MARKETPLACE_KEYS", self.0.path(person))
    }

    fn must(&self, person: &str, line: &str) -> String {
        let command = self.by(person, line);
        let outcome = command
            .env("CARGO_MARKETPLACE_KEY_PASSPHRASE", PASSPHRASE)
            .run();
        assert_eq!(outcome.code, Some(0), "{line}\n{outcome}");
        outcome.to_string()
    }

    fn operator(&self, line: &str) -> String {
        let outcome = self.0.command(line.split_whitespace()).run();
        assert_eq!(outcome.code, Some(0), "{line}\n{outcome}");
        outcome.to_string()
    }

    /// `ann` at her terminal, who has been shown what is drafted and is about to type her passphrase.
    fn ann_signs(&self) -> (Terminal, Child) {
        let mut terminal = Terminal::open();
        let line = "registry sign market --role root --key ann --yes";
        let child = terminal.start(self.by("ann", line));
        terminal.wait_for("Passphrase of `ann`: ");
        (terminal, child)
    }

    /// Those who have signed the draft of the root.
    fn signed(&self) -> usize {
        let draft: Value =
            serde_json::from_str(&self.0.read("work/market/.drafts/root.json")).unwrap();
        draft["signatures"].as_array().unwrap().len()
    }

    fn drafts(&self) -> PathBuf {
        self.0.path("work/market/.drafts")
    }
}

/// What the operator drafts: `ann` and `bob` may sign the root, and so many must.
fn rotation(threshold: u32) -> String {
    format!(
        "registry rotate-key market --role root --add ../ann/ann.pub.pem --add ../bob/bob.pub.pem \
         --threshold {threshold}"
    )
}

fn ended((mut terminal, mut child): (Terminal, Child)) -> (Option<i32>, String) {
    terminal.write(&format!("{PASSPHRASE}\n"));
    let code = child.wait().unwrap().code();
    (code, terminal.shown())
}

#[test]
fn two_who_sign_at_once_both_count() {
    let people = People::founding();
    assert_eq!(people.signed(), 0);
    let ann = people.ann_signs();
    people.must("bob", "registry sign market --role root --key bob --yes");
    let (code, shown) = ended(ann);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(people.signed(), 2, "{shown}");

    let people = People::growing();
    let ann = people.ann_signs();
    people.must("bob", "registry sign market --role root --key bob --yes");
    let (code, shown) = ended(ann);
    assert_eq!(code, Some(0), "{shown}");
    // It was the last one.
    assert!(shown.contains("Published root"), "{shown}");
    assert!(!people.drafts().exists());
    people.operator("registry check market");
}

#[test]
fn where_nothing_was_drafted_nothing_is_thrown_away() {
    let people = People::growing();
    let check = people.operator("registry check market");
    let help = "drafts wait for signatures: root; `cargo marketplace registry sign market`";
    assert!(check.contains(help), "{check}");
    let discard = || people.0.run(["registry", "sign", "market", "--discard"]);
    discard();
    assert_snapshot!(discard(), @"
    exit: 0
    --- stdout
    --- stderr
    note: there were no drafts to discard
    ");
}

#[test]
fn what_is_thrown_away_or_exchanged_while_somebody_types_is_not_signed() {
    for people in [People::founding(), People::growing()] {
        let ann = people.ann_signs();
        people.operator("registry sign market --discard");
        let (code, shown) = ended(ann);
        assert!(code.is_some_and(|code| code != 0), "{shown}");
        assert!(!people.drafts().exists(), "{shown}");
    }
    let people = People::growing();
    let ann = people.ann_signs();
    people.operator("registry sign market --discard");
    people.operator(&rotation(2));
    let other = folder_digest(&people.drafts());
    let (code, shown) = ended(ann);
    assert_eq!(code, Some(101), "{shown}");
    assert!(
        shown.contains("error[MP0607]: what is drafted is not what was shown"),
        "{shown}"
    );
    assert_eq!(folder_digest(&people.drafts()), other);
}

#[test]
fn nobody_signs_unasked() {
    let people = People::growing();
    let before = folder_digest(&people.drafts());
    let sign = "registry sign market";
    let unasked = people.by("bob", sign).redact_digests().run();
    assert_snapshot!(unasked.to_string(), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0611]: nobody has agreed to what is drafted
    note: nothing was written
    help: look at it with `--dry-run`, then pass `--yes`
    ");
    assert_eq!(folder_digest(&people.drafts()), before);
    for answer in ["n\n", "\n", "\u{4}"] {
        let mut terminal = Terminal::open();
        let mut child = terminal.start(people.by("bob", sign));
        terminal.wait_for("  Sign this with `bob`? [y/N] ");
        terminal.write(answer);
        assert_eq!(child.wait().unwrap().code(), Some(4));
        let shown = terminal.shown();
        for change in ["root version 2, until", "root: 3 of "] {
            assert!(shown.contains(change), "{shown}");
        }
        assert_eq!(folder_digest(&people.drafts()), before);
    }
    let mut terminal = Terminal::open();
    let mut child = terminal.start(people.by("bob", sign));
    terminal.wait_for("  Sign this with `bob`? [y/N] ");
    terminal.write("y\n");
    terminal.wait_for("Passphrase of `bob`: ");
    terminal.write(&format!("{PASSPHRASE}\n"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The operator has signed what they drafted.
    assert_eq!(people.signed(), 2);
}

#[test]
fn drafts_that_were_published_are_removed_under_the_same_lock() {
    let people = People::growing();
    people.must("ann", "registry sign market --role root --yes");
    let (market, log) = (people.0.path("work/market"), people.0.path("steps"));
    let is_removal = |step: &str| step.starts_with("remove ") && step.contains("/.drafts/");
    let removal = 1 + people
        .last_steps()
        .iter()
        .position(|step| is_removal(step))
        .unwrap();

    // Stopped before the first of the drafts is removed.
    let stopped = people.last(&format!("stop:{removal}:{}", log.display()));
    let mut child = stopped
        .into_command()
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped(), "{status:?}");
    let lock = File::open(market.join(".journal/lock")).unwrap();
    let is_published = market.join("tuf/2.root.json").exists();
    let is_free = lock.try_lock();
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert!(is_published && people.drafts().exists());
    assert!(
        matches!(is_free, Err(TryLockError::WouldBlock)),
        "{is_free:?}"
    );
}

/// Ended before a plan is there, between the files of the publication, and before the drafts are removed.
#[test]
fn drafts_whose_publication_had_begun_are_published_and_not_discarded() {
    let people = People::growing();
    people.must("ann", "registry sign market --role root --yes");
    let (market, saved) = (people.0.path("work/market"), people.0.path("saved"));
    let log = people.0.path("steps");
    let steps = people.last_steps();
    let killed_before = |action: &str, end: &str| {
        let is_it = |step: &String| step.starts_with(action) && step.ends_with(end);
        let step = 1 + steps.iter().position(is_it).unwrap();
        fs::remove_dir_all(&market).unwrap();
        copy(&saved, &market);
        fs::write(&log, "").unwrap();
        let killed = people.last(&format!("{step}:{}", log.display())).run();
        assert_eq!(killed.code, None, "{killed}");
    };
    let root = market.join("tuf/2.root.json");
    let discard = || people.0.run(["registry", "sign", "market", "--discard"]);

    killed_before("rename", ".journal/plan.json");
    assert_snapshot!(discard(), @"
    exit: 0
    --- stdout
    --- stderr
       Discarded the drafts of root
    ");
    assert!(!root.exists() && !people.drafts().exists());
    killed_before("rename", "tuf/2.root.json");
    assert!(!root.exists());
    let shown = discard();
    assert_snapshot!(shown, @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0607]: published and not discarded: the drafts of root
    note: their publication had begun before, and is finished now
    help: what is published is taken back by another change of the roles
    ");
    assert!(root.exists() && !people.drafts().exists());
    people.operator("registry check market");
    killed_before("remove", ".drafts/root.json");
    assert!(root.exists());
    assert_eq!(discard(), shown);
    assert!(root.exists() && !people.drafts().exists());
    people.operator("registry check market");
}
