//! A registry with mirrors: one that is dead, slow, behind or lying is left for the next, and said
//! once; nothing that is wrong is taken from any.

use std::net::TcpListener;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::env::{Outcome, TestEnv};
use crate::faults::{Answer, FolderServer, answer};
use crate::samples::{Market, copy, crates_io};

/// A machine that reads a registry at several addresses, the first as its own.
struct Reader {
    env: TestEnv,
    root: String,
}

impl Reader {
    fn of(market: &Market) -> Self {
        let env = TestEnv::new();
        crates_io(&env, &["strsim-0.11.1"]);
        let root = format!("sha256:{}", market.root());
        Self { env, root }
    }

    fn add(&self, urls: &[&str]) -> Outcome {
        let mut line = vec!["registry", "add", "harbour", urls[0], "--root", &self.root];
        for mirror in &urls[1..] {
            line.extend(["--mirror", mirror]);
        }
        self.env.command(line).run()
    }

    fn run(&self, line: &str) -> Outcome {
        self.env.command(line.split(' ')).run()
    }

    fn must_add(&self, urls: &[&str]) {
        let added = self.add(urls);
        assert_eq!(added.code, Some(0), "{added}");
    }

    /// Runs a command that must work, and returns what it said.
    fn must(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
        outcome.stderr
    }
}

/// The address of nobody.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// What is found where there is no fault.
fn honest(_: &str, _: &str) -> Option<Answer> {
    None
}

fn folder(market: &Market) -> PathBuf {
    market.env.path("work/registry")
}

/// Bytes that are not the ones, of whatever file is named by a digest.
fn lie(_: &str, path: &str) -> Option<Answer> {
    let is_immutable = path.starts_with("crates/") || path.contains(".tide-");
    is_immutable.then(|| answer("200 OK", "other bytes"))
}

fn times(text: &str, words: &str) -> usize {
    text.matches(words).count()
}

#[test]
fn a_dead_address_is_left_for_its_mirror_and_said_once() {
    let market = Market::published();
    let reader = Reader::of(&market);
    let mirror = FolderServer::start(&folder(&market), honest);
    reader.must_add(&[&dead(), &mirror.url()]);
    let said = reader.must("install tide-cli");
    assert_eq!(
        times(&said, "is left for another mirror: connection refused"),
        1,
        "{said}"
    );
    let list = reader.run("registry list").stdout;
    assert_eq!(times(&list, "(mirror)"), 1, "{list}");
}

#[test]
fn a_folder_is_a_mirror() {
    let market = Market::published();
    let reader = Reader::of(&market);
    let folder = format!("file://{}/", folder(&market).display());
    reader.must_add(&[&dead(), &folder]);
    reader.must("verify tide-table");
}

#[test]
fn a_server_that_says_nothing_is_left_for_its_mirror() {
    let market = Market::published();
    let reader = Reader::of(&market);
    let silent = FolderServer::start(&folder(&market), |_, path| {
        path.starts_with("crates/").then_some(Answer::Stall(
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        ))
    });
    let mirror = FolderServer::start(&folder(&market), honest);
    reader.must_add(&[&silent.url(), &mirror.url()]);
    let said = reader.must("install tide-cli");
    assert_eq!(
        times(&said, "is left for another mirror: no answer in time"),
        1,
        "{said}"
    );
}

#[test]
fn a_liar_is_left_for_another_and_not_asked_again() {
    let market = Market::published();
    let reader = Reader::of(&market);
    let liar = FolderServer::start(&folder(&market), lie);
    let mirror = FolderServer::start(&folder(&market), honest);
    reader.must_add(&[&liar.url(), &mirror.url()]);
    let before = liar.requests().len();
    let said = reader.must("install tide-cli");
    assert_eq!(times(&said, "is left for another mirror"), 1, "{said}");
    let asked = liar.requests().split_off(before);
    let lied = asked.iter().filter(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        lie("", path.trim_start_matches('/')).is_some()
    });
    assert_eq!(lied.count(), 1, "{asked:?}");
}

#[test]
fn where_all_lie_or_are_dead_it_is_a_matter_of_trust_and_each_is_named() {
    let market = Market::published();
    let reader = Reader::of(&market);
    let liars = [lie, lie].map(|lie| FolderServer::start(&folder(&market), lie));
    reader.must_add(&[&liars[0].url(), &liars[1].url()]);
    assert_snapshot!(reader.run("install tide-cli").to_string().replace("http://127.0.0.1", "U"), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    warning: `U:[PORT]/` is left for another mirror: `ti/de/tide-cli.json` is not the file that the registry signed for: expected 2800 bytes and the signed digest, got 11 bytes with sha256 a3ead5eedad5df82318c51685dbc1c147a36d1ff8584fc82de6b08d0bf63a795
    warning: `U:[PORT]/` is left for another mirror: `ti/de/tide-cli.json` is not the file that the registry signed for: expected 2800 bytes and the signed digest, got 11 bytes with sha256 a3ead5eedad5df82318c51685dbc1c147a36d1ff8584fc82de6b08d0bf63a795
    error[MP0401]: `ti/de/tide-cli.json` is not the file that the registry signed for: expected 2800 bytes and the signed digest, got 11 bytes with sha256 a3ead5eedad5df82318c51685dbc1c147a36d1ff8584fc82de6b08d0bf63a795

    Caused by:
      U:[PORT]/: `ti/de/tide-cli.json` is not the file that the registry signed for: expected 2800 bytes and the signed digest, got 11 bytes with sha256 a3ead5eedad5df82318c51685dbc1c147a36d1ff8584fc82de6b08d0bf63a795
      U:[PORT]/: `ti/de/tide-cli.json` is not the file that the registry signed for: expected 2800 bytes and the signed digest, got 11 bytes with sha256 a3ead5eedad5df82318c51685dbc1c147a36d1ff8584fc82de6b08d0bf63a795

    note: nothing was written
    help: fetch it anew, from another mirror if there is one, and tell the registry's operator
    ");

    let other = Reader::of(&market);
    let liar = FolderServer::start(&folder(&market), lie);
    other.must_add(&[&liar.url(), &dead()]);
    let refused = other.run("install tide-cli");
    assert_eq!(refused.code, Some(4), "{refused}");
    let said = refused.to_string();
    assert!(said.contains("error[MP0401]"), "{said}");
    assert!(said.contains(": connection refused"), "{said}");
    assert!(!other.env.cargo_home().join("bin/tide-cli").exists());
}

#[test]
fn the_newest_state_counts_whoever_has_it() {
    let market = Market::published();
    let old = market.env.path("old");
    copy(&folder(&market), &old);
    market.publish_next();
    let old = FolderServer::start(&old, honest);
    let new = FolderServer::start(&folder(&market), honest);
    let [old, new] = [old.url(), new.url()];
    for urls in [[old.as_str(), new.as_str()], [new.as_str(), old.as_str()]] {
        let reader = Reader::of(&market);
        reader.must_add(&urls);
        let found = reader.run("info tide-table");
        assert!(found.stdout.contains("0.3.2"), "{found}");
        assert_eq!(found.code, Some(0), "{found}");
    }
}

#[test]
fn a_state_that_went_back_or_expired_is_not_taken_from_any() {
    let market = Market::published();
    let old = market.env.path("old");
    copy(&folder(&market), &old);
    market.publish_next();
    let new = FolderServer::start(&folder(&market), honest);
    let old = FolderServer::start(&old, honest);
    let reader = Reader::of(&market);
    reader.must_add(&[&old.url(), &new.url()]);
    reader.must("info tide-table");
    // The newer one is known; now only the old one is there.
    reader.must(&format!("registry mirror harbour --remove {}", new.url()));
    let found = reader.run("info tide-table");
    assert!(found.stdout.contains("0.3.2"), "{found}");
    // Ten days later its timestamp has expired; elsewhere it was signed anew.
    let later = (crate::env::NOW + 10 * 86_400).to_string();
    let at = |env: &TestEnv, line: &str| {
        let command = env
            .command(line.split(' '))
            .env("CARGO_MARKETPLACE_NOW", &later);
        command.run()
    };
    let refused = at(&reader.env, "info tide-table");
    assert_eq!(refused.code, Some(4), "{refused}");
    let signed = at(&market.env, "registry refresh registry");
    assert_eq!(signed.code, Some(0), "{signed}");
    reader.must(&format!("registry mirror harbour --add {}", new.url()));
    let found = at(&reader.env, "info tide-table");
    assert_eq!(found.code, Some(0), "{found}");
}

#[test]
fn the_page_of_a_captive_portal_is_no_mirror() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
    let market = Market::published();
    let portal = FolderServer::start(&folder(&market), move |_, _| Some(Answer::Raw(page.into())));
    // One that does not even say that it is a page.
    let bare = FolderServer::start(&folder(&market), |_, _| Some(answer("200 OK", "<html>")));
    let mirror = FolderServer::start(&folder(&market), honest);
    for portal in [portal, bare] {
        let reader = Reader::of(&market);
        reader.must_add(&[&portal.url(), &mirror.url()]);
        let said = reader.must("verify tide-table");
        assert_eq!(times(&said, "is left for another mirror"), 1, "{said}");
        let alone = Reader::of(&market);
        assert_eq!(alone.add(&[&portal.url()]).code, Some(101));
    }
}

#[test]
fn mirrors_that_the_registry_names_serve_when_its_own_address_is_gone() {
    let operator = TestEnv::new();
    let mirror = FolderServer::start(&operator.path("work/registry"), honest);
    let line = format!(
        "registry init registry --solo --no-passphrase --base-url https://registry.example.org/ --mirror {}",
        mirror.url()
    );
    let made = operator.command(line.split(' ')).run();
    assert_eq!(made.code, Some(0), "{made}");
    let checked = operator.command(["registry", "check", "registry"]).run();
    assert_eq!(checked.code, Some(0), "{checked}");
    let gone = operator.path("gone");
    std::os::unix::fs::symlink(operator.path("work/registry"), &gone).unwrap();
    let first = FolderServer::start(&gone, honest);
    let market = Market::served_at(operator, first.url());
    std::fs::remove_file(&gone).unwrap();
    // Its own address has no file any more; what the policy named was kept from the first time.
    market.publish(&["--workspace", "--no-verify"]);
    let found = market.env.command(["info", "tide-table"]).run();
    assert_eq!(found.code, Some(0), "{found}");
    assert!(found.stderr.contains("is behind or incomplete"), "{found}");
    let shown = market.env.command(["registry", "show"]).run();
    assert!(shown.stdout.contains("(named by the registry)"), "{shown}");
}

#[test]
fn mirrors_are_named_and_taken_back() {
    let market = Market::published();
    let reader = Reader::of(&market);
    reader.must_add(&[market.url()]);
    let line = "registry mirror harbour --add https://a.example --add https://b.example/x";
    let listed = reader.run(line).stdout;
    assert_eq!(listed, "https://a.example/\nhttps://b.example/x/\n");
    let line = "registry mirror harbour --remove https://a.example --message-format json";
    assert_snapshot!(reader.run(line).stdout, @r#"{"reason":"registry-mirrors","schema":1,"mirrors":["https://b.example/x/"],"name":"harbour"}"#);
    let line = "registry mirror harbour --remove https://c.example";
    assert_snapshot!(reader.run(line).to_string(), @"
    exit: 101
    --- stdout
    --- stderr
    error: `https://c.example/` is no mirror of `harbour`
    help: `cargo marketplace registry mirror harbour` lists them
    ");
    // To add it again without a word of mirrors changes none.
    reader.must(&format!(
        "registry mirror harbour --remove https://b.example/x --add {}",
        market.url()
    ));
    reader.must_add(&[market.url()]);
    assert_eq!(reader.run("registry mirror harbour").stdout, "");
    assert_eq!(
        reader
            .run("registry mirror harbour --add http://c.example")
            .code,
        Some(1)
    );
}
