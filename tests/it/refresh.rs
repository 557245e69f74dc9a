//! Copies that are recent, copies that are not, and how they are brought up to date: without asking too
//! often, without waiting for long, and without fetching anything twice.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cargo_marketplace::formats::record::FileDigest;
use cargo_marketplace::model::{Sha256Digest, Silent};
use cargo_marketplace::registry::error::ClientError;
use cargo_marketplace::registry::files::Files as Copies;
use cargo_marketplace::registry::mirrors::Mirrors;
use cargo_marketplace::registry::transport::{BaseUrl, Limits, Network};
use insta::assert_snapshot;
use regex::Regex;

use crate::env::{NOW, Outcome, TestCommand, TestEnv};
use crate::faults::{Fault, FaultServer, Files};
use crate::hostile_mirror::{Days, READ, World, day};
use crate::samples::{Market, copy, init};
use crate::small_registry::{BASE, archive, files};

const AFTER: &str = "CARGO_MARKETPLACE_REFRESH_AFTER";

/// A question without a space.
const NAMES: &str = "sparql SELECT?n{?p<https://schema.org/name>?n}";

/// A command of somebody who has set nothing, so many seconds after the refresh of all that the tests begin
/// with.
fn later<'a>(world: &'a World, line: &'a str, seconds: i64) -> TestCommand<'a> {
    let now = (NOW + seconds).to_string();
    let command = world.command(line).env("CARGO_MARKETPLACE_NOW", now);
    command.env_remove(AFTER).redact_digests()
}

/// What a command has done, which must work, and what it asked for.
fn asked(world: &World, command: TestCommand<'_>) -> (Outcome, Vec<String>) {
    let before = world.server.requests().len();
    let outcome = command.run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let requests = world.server.requests().split_off(before);
    let path = |head: String| head.split(' ').nth(1).unwrap_or_default().to_owned();
    (outcome, requests.into_iter().map(path).collect())
}

fn questions() -> Vec<&'static str> {
    let mut all = vec!["search tide", "info tide-table"];
    if cfg!(feature = "marketplace-v2") {
        all.push(NAMES);
    }
    all
}

/// A user who has asked all of it once, at the time of the tests.
fn warm() -> World {
    let world = World::fresh();
    for line in questions() {
        asked(&world, world.command(line));
    }
    world
}

/// From now on today's files are served.
fn next_day(world: &World) {
    world.server.serve(Arc::new(Days::get().today.clone()));
}

/// Today's files whose paths end so.
fn todays(end: &str) -> impl Iterator<Item = String> {
    let paths = Days::get().today.keys();
    paths.filter(move |path| path.ends_with(end)).cloned()
}

#[test]
fn a_recent_copy_is_read_without_asking() {
    let world = warm();
    next_day(&world);
    for line in questions() {
        for seconds in [0, 899] {
            let (outcome, requests) = asked(&world, later(&world, line, seconds));
            assert_eq!(requests, Vec::<String>::new(), "{line}: {outcome}");
            assert!(!outcome.stderr.contains("Updating"), "{outcome}");
            assert!(!outcome.stdout.contains("tide-clock"), "{outcome}");
        }
    }
    // A clock that goes back, and one that goes on.
    for seconds in [-1, 900] {
        let (outcome, requests) = asked(&world, later(&world, "search tide", seconds));
        assert!(requests.contains(&"/tuf/timestamp.json".to_owned()));
        assert!(outcome.stdout.contains("tide-clock"), "{outcome}");
    }
}

#[test]
fn what_is_chosen_is_always_asked_for() {
    let world = warm();
    let others = ["registry show", "owner list tide-table", "refresh"];
    for line in ["fetch", "audit"].into_iter().chain(others) {
        let command = later(&world, line, 0).folder("work/app");
        let (_, requests) = asked(&world, command);
        assert!(
            requests.contains(&"/tuf/timestamp.json".to_owned()),
            "{line}"
        );
    }
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn a_policy_is_asked_what_was_refreshed_for_the_audit() {
    let world = warm();
    world.env.write("work/app/none.rq", "ASK { FILTER(false) }");
    asked(&world, later(&world, "fetch", 0).folder("work/app"));
    let line = "audit --policy none.rq --policy none.rq";
    let audit = |seconds| {
        // However old a copy may be that only shows something.
        let audit = later(&world, line, seconds).env(AFTER, "0");
        let (_, requests) = asked(&world, audit.folder("work/app"));
        let is_timestamp = |path: &&String| *path == "/tuf/timestamp.json";
        requests.iter().filter(is_timestamp).count()
    };
    assert_eq!([audit(1), audit(1), audit(60)], [1, 1, 1]);
    // What has changed is fetched for the first policy, which asks again.
    next_day(&world);
    assert_eq!([audit(61), audit(62)], [2, 1]);
    // By hand, the registries are asked.
    let by_hand = later(&world, "sparql --with-lock --file none.rq", 62).folder("work/app");
    let (_, requests) = asked(&world, by_hand);
    assert!(requests.contains(&"/tuf/timestamp.json".to_owned()));
    let since = |time: &str| {
        let line = format!("sparql --with-lock --file none.rq --refreshed-since {time}");
        let command = world.env.command(line.split(' ')).folder("work/app");
        asked(
            &world,
            command.env("CARGO_MARKETPLACE_NOW", (NOW + 90).to_string()),
        )
        .1
    };
    assert_eq!(since(&after_now(62)), Vec::<String>::new());
    assert_ne!(since(&after_now(63)), Vec::<String>::new());
}

/// So many seconds after the time of the tests.
#[cfg(feature = "marketplace-v2")]
fn after_now(seconds: i64) -> String {
    let time = cargo_marketplace::model::UtcTime::from_unix(NOW + seconds);
    time.unwrap().to_string()
}

#[test]
fn how_old_a_copy_may_be_is_the_users_to_say() {
    let world = warm();
    let asks = |command: TestCommand<'_>| !asked(&world, command).1.is_empty();
    let config = world.env.read("home/.cargo/marketplace/config.toml");
    let set = |after: &str| {
        let text = format!("{config}\n[refresh]\nafter = {after}\n");
        world.env.write("home/.cargo/marketplace/config.toml", text);
    };
    assert!(!asks(later(&world, "search tide", 60)));
    assert!(asks(later(&world, "search tide", 60).env(AFTER, "0")));
    set("\"1m\"");
    assert!(!asks(later(&world, "search tide", 119)));
    assert!(asks(later(&world, "search tide", 180)));
    assert!(!asks(later(&world, "search tide", 7000).env(AFTER, "2h")));
    set("\"soon\"");
    assert_snapshot!(later(&world, "search tide", 0).run(), @"
    exit: 101
    --- stdout
    --- stderr
    error: `refresh.after` in `[ROOT]/home/.cargo/marketplace/config.toml` is not usable: `soon` is not a time such as 3d, 12h or 2w
    ");
    set("5");
    assert_snapshot!(later(&world, "search tide", 0).run(), @"
    exit: 101
    --- stdout
    --- stderr
    error: `refresh.after` in `[ROOT]/home/.cargo/marketplace/config.toml` is not a text
    ");
    assert_snapshot!(later(&world, "search tide", 0).env(AFTER, "soon").run(), @"
    exit: 1
    --- stdout
    --- stderr
    error: CARGO_MARKETPLACE_REFRESH_AFTER gives no time

    Caused by:
      `soon` is not a time such as 3d, 12h or 2w
    ");
}

#[test]
fn what_a_recent_copy_does_not_hold_is_fetched() {
    let world = World::fresh();
    asked(&world, world.command("registry show"));
    // A package of which nothing is here, and the packs.
    for line in ["search tide", "info tide-table"] {
        let (outcome, requests) = asked(&world, later(&world, line, 1));
        assert_ne!(requests, Vec::<String>::new(), "{line}");
        assert!(!outcome.stderr.contains("warning"), "{outcome}");
        let (_, again) = asked(&world, later(&world, line, 2));
        assert_eq!(again, Vec::<String>::new(), "{line}");
    }
    // One that was not there a moment ago, and a new release of another.
    next_day(&world);
    let (outcome, _) = asked(&world, later(&world, "info tide-table@0.2.1", 3));
    assert!(outcome.stdout.contains("version: 0.2.1"), "{outcome}");
    asked(&world, later(&world, "info tide-clock", 3));
    let unknown = later(&world, "info tide-clok", 3).run();
    assert_eq!(unknown.code, Some(101), "{unknown}");
    assert!(
        unknown.stderr.contains("did you mean `tide-clock`?"),
        "{unknown}"
    );
    // What was damaged is no copy.
    for file in [
        "tuf/snapshot.json",
        "tuf/catalog.json",
        "catalog/index.json",
        "policy.json",
    ] {
        fs::write(world.state(file), "{}").unwrap();
        let (outcome, requests) = asked(&world, later(&world, "search tide", 4));
        assert_ne!(requests, Vec::<String>::new(), "{file}: {outcome}");
    }
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn what_was_meant_is_looked_up_where_a_search_looks() {
    let world = World::fresh();
    let suggested = |command: TestCommand<'_>| {
        let unknown = command.run();
        assert_eq!(unknown.code, Some(101), "{unknown}");
        let meant = "help: did you mean `tide-table`?";
        assert!(unknown.stderr.contains(meant), "{unknown}");
    };
    // A small catalog is read; nothing is made of it for that alone.
    suggested(world.command("info tide-tabel"));
    assert!(!world.state("dataset/dataset.json").exists());
    asked(&world, world.command("search tide"));
    // Where there is a dataset, no pack is needed.
    let catalog = fs::read_dir(world.state("catalog")).unwrap();
    let packs = catalog.map(|entry| entry.unwrap().path());
    let packs: Vec<PathBuf> = packs
        .filter(|path| path.extension() == Some("zst".as_ref()))
        .collect();
    assert!(!packs.is_empty());
    for pack in packs {
        fs::remove_file(pack).unwrap();
    }
    let before = world.server.requests().len();
    for line in ["info tide-tabel", "install tide-tabel", "info tide_tables"] {
        suggested(world.command(line));
    }
    let requests = world.server.requests().split_off(before);
    assert!(
        !requests.iter().any(|head| head.contains(PACKED)),
        "{requests:?}"
    );
    suggested(world.command("info tide-tabel --offline"));
}

#[test]
fn a_recent_copy_is_no_way_around_expiry_or_a_projects_demands() {
    let world = warm();
    let expired = world.command("search tide").env(AFTER, "52w");
    let expired = expired.env("CARGO_MARKETPLACE_NOW", day(8)).run();
    assert_eq!(expired.code, Some(4), "{expired}");
    assert!(expired.stderr.contains("error[MP0404]"), "{expired}");
    let trust = format!(
        "schema = 1\n\n[registries.harbour]\nregistry-id = \"{0}\"\nroot = \"sha256:{0}\"\nminimum-snapshot = 1000\n",
        Days::root()
    );
    world.env.write("work/marketplace.trust", trust);
    let behind = later(&world, "search tide", 1).run();
    assert_eq!(behind.code, Some(4), "{behind}");
    assert!(behind.stderr.contains("error[MP0405]"), "{behind}");
}

/// A port that takes connections and never answers.
fn hanging() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

/// Leads the user of a registry to another address.
fn move_to(world: &World, url: &str) {
    let config = world.env.read("home/.cargo/marketplace/config.toml");
    let config = config.replace(world.server.url().as_str(), url);
    world
        .env
        .write("home/.cargo/marketplace/config.toml", config);
}

#[test]
fn who_does_not_answer_is_not_waited_for_by_those_who_have_a_copy() {
    let world = warm();
    let (_listener, url) = hanging();
    move_to(&world, &url);
    for line in questions() {
        let outcome = later(&world, line, 3_600).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        let told = "could not update `harbour` (no answer in time); using copy from 60 min ago";
        assert!(outcome.stderr.contains(told), "{outcome}");
    }
}

#[test]
fn whatever_does_not_come_the_copy_does() {
    let world = warm();
    next_day(&world);
    let metadata: Vec<String> = todays("").filter(|path| path.starts_with("tuf/")).collect();
    for fault in [
        Fault::Stall,
        Fault::Late(Duration::from_mins(1)),
        Fault::Closed,
    ] {
        world.server.also(metadata.clone(), &fault);
        let outcome = later(&world, "search tide", 3_600).run();
        assert_eq!(outcome.code, Some(0), "{fault:?}: {outcome}");
        assert!(
            outcome.stderr.contains("using copy from 60 min ago"),
            "{outcome}"
        );
        world.server.heal();
    }
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn where_packs_do_not_come_what_was_made_of_earlier_ones_is_asked() {
    let world = warm();
    next_day(&world);
    world.server.also(todays(".ttl.zst"), &Fault::Stall);
    let outcome = later(&world, NAMES, 3_600).run();
    assert_snapshot!(outcome.stderr, @"
        Updating `harbour` index
    warning: could not fetch what has changed in `harbour` (no answer in time); answering from serial 3
    note: 4 rows in [TIME], harbour v2 serial 3
    ");
    // That is no reason to take it for the present state.
    world.server.heal();
    let (outcome, requests) = asked(&world, later(&world, NAMES, 3_601));
    assert!(requests.iter().any(|path| path.ends_with(".ttl.zst")));
    assert!(outcome.stdout.contains("tide-clock"), "{outcome}");
}

#[test]
fn a_refresh_says_what_it_did() {
    let world = World::fresh();
    // Each build fetches what it reads.
    let size = Regex::new(r#""bytes":\d+|[\d.]+(KiB|B)\b"#).unwrap();
    let run = |line: &str| {
        let outcome = world.command(line).run().to_string();
        size.replace_all(&outcome, "[SIZE]").into_owned()
    };
    assert_snapshot!(run("refresh"), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Finished `harbour` serial 3, 3 changes ([SIZE] in 5 requests)
    ");
    assert_snapshot!(run("refresh"), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Finished `harbour` serial 3, up to date ([SIZE] in 2 requests)
    ");
    next_day(&world);
    assert_snapshot!(run("refresh harbour --message-format json"), @r#"
    exit: 0
    --- stdout
    {"reason":"index-refreshed","schema":1,[SIZE],"from":3,"registry":"harbour","requests":6,"serial":5}
    --- stderr
        Updating `harbour` index
        Finished `harbour` serial 5, 2 changes ([SIZE] in 6 requests)
    "#);
    assert_snapshot!(run("refresh harbor"), @"
    exit: 101
    --- stdout
    --- stderr
    error: no registry is called `harbor`
    help: did you mean `harbour`?
    ");
    assert_snapshot!(run("refresh --offline"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `refresh` asks registries, and `--offline` forbids it
    help: leave `--offline`, or `CARGO_NET_OFFLINE`, away
    ");
    // What is fresh is read without asking.
    if READ == cargo_marketplace::formats::layout::Format::V2 {
        let (outcome, requests) = asked(&world, later(&world, NAMES, 1));
        assert_eq!(requests, Vec::<String>::new(), "{outcome}");
    }
}

#[test]
fn a_registry_that_fails_keeps_no_other_from_being_refreshed() {
    let world = warm();
    let (listener, _) = hanging();
    let dead = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let config = world.env.read("home/.cargo/marketplace/config.toml");
    let (_, harbour) = config.split_once("[registries.harbour]").unwrap();
    let other = harbour.replace(world.server.url().as_str(), &dead);
    // Never read here, and known as another one.
    let other = other.replace(&Days::root().to_string(), &"0".repeat(64));
    let both = format!("{config}\n[registries.atlantis]{other}");
    world.env.write("home/.cargo/marketplace/config.toml", both);
    let outcome = world.command("refresh").redact_digests().run();
    assert_snapshot!(outcome, @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
        Finished `harbour` serial 3, up to date (470B in 2 requests)
    error[MP0101]: the root of `atlantis` is not trusted yet
    note: nothing was written
    help: `cargo marketplace registry add atlantis URL --root sha256:…`
    ");
    // A registry that is known and does not answer is a failure, too, for who must know.
    world
        .env
        .write("home/.cargo/marketplace/config.toml", config);
    move_to(&world, &dead);
    assert_snapshot!(world.command("refresh").run(), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: `http://127.0.0.1:[PORT]/tuf/2.root.json` is unreachable (connection refused)
    ");
}

#[test]
fn a_refresh_refuses_what_is_wrong() {
    let world = warm();
    next_day(&world);
    world.server.also(todays(".zst"), &Fault::Flip(300));
    let refused = world.command("refresh").run();
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("error[MP0401]"), "{refused}");
}

/// As in use, but in milliseconds, and with one try.
fn impatient() -> Network {
    Network {
        limits: Limits {
            first_answer: Duration::from_secs(5),
            silence: Duration::from_millis(300),
            tries: 1,
            ..Limits::default()
        },
        ..Network::default()
    }
}

const PACK: &str = "catalog/pack";

/// How the names of packs end.
const PACKED: &str = ".zst";

/// A long file behind a server, and a place for copies.
struct Long {
    server: FaultServer,
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl Long {
    fn new() -> Self {
        let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        let server = FaultServer::over(Files::from([(PACK.to_owned(), bytes.clone())]));
        let folder = tempfile::tempdir().unwrap();
        Self {
            server,
            folder,
            bytes,
        }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("catalog/pack.part")
    }

    /// What another process gets.
    fn fetch(&self, mirrors: &[BaseUrl], network: Network) -> Result<Vec<u8>, ClientError> {
        let mirrors = Mirrors::open_all(&self.server.url(), mirrors, network, None, &Silent);
        let copies = Copies::new(self.folder.path().to_owned(), Some(mirrors));
        copies.named_by_digest(PACK, &FileDigest::of(&self.bytes))
    }

    /// From which bytes on it was asked for since the server was healed.
    fn ranges(&self) -> Vec<String> {
        ranges(&self.server)
    }

    /// It comes whole, and no part of it stays.
    fn comes(&self) {
        assert!(self.fetch(&[], impatient()).unwrap() == self.bytes);
        assert!(!self.part().exists());
        fs::remove_file(self.folder.path().join(PACK)).unwrap();
    }
}

fn ranges(server: &FaultServer) -> Vec<String> {
    let range = |head: &String| {
        let lines = head.lines().map(str::to_ascii_lowercase);
        let range = lines.filter_map(|line| Some(line.strip_prefix("range: ")?.to_owned()));
        range.collect::<String>()
    };
    server.requests().iter().map(range).collect()
}

#[test]
fn a_pack_that_was_cut_off_is_gone_on_with() {
    let long = Long::new();
    let length = long.bytes.len();
    for at in [1, 1_000, 300_000, 1_000_001, length - 1] {
        long.server.only(PACK, Fault::CutAfter(at));
        long.fetch(&[], impatient()).unwrap_err();
        assert!(fs::read(long.part()).unwrap() == long.bytes[..at]);
        // And once more on the way.
        long.server.only(PACK, Fault::CutAfter(0));
        long.fetch(&[], impatient()).unwrap_err();
        long.server.heal();
        long.comes();
        assert_eq!(long.ranges(), [format!("bytes={at}-")]);
    }
    // In one process, too.
    long.server.heal();
    long.server.only(PACK, Fault::CutAfter(length / 2 + 1));
    let mut network = impatient();
    network.limits.tries = 2;
    assert!(long.fetch(&[], network).unwrap() == long.bytes);
    assert_eq!(
        long.ranges(),
        [String::new(), format!("bytes={}-", length / 2 + 1)]
    );
}

#[test]
fn a_refresh_goes_on_with_what_was_cut_off() {
    let market = Market::published();
    let refresh = |home: &Path| {
        let refresh = ["refresh", "--message-format", "json"];
        let outcome = market.env.command(refresh).env("CARGO_HOME", home).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        let done: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let number = |key: &str| done[key].as_u64().unwrap();
        (number("bytes"), number("requests"))
    };
    let catalog = |home: &Path| {
        let all = files(&home.join("marketplace")).into_iter();
        let packs = all.filter(|(path, _)| path.contains("/catalog/"));
        packs.collect::<Files>()
    };
    let [whole, rest] = ["home/whole", "home/rest"].map(|home| market.env.path(home));
    for home in [&whole, &rest] {
        copy(&market.env.cargo_home(), home);
    }
    assert!(!catalog(&rest).keys().any(|path| path.ends_with(PACKED)));
    let (bytes, requests) = refresh(&whole);
    let mut saved = 0;
    for (path, pack) in catalog(&whole) {
        if path.ends_with(PACKED) {
            let part = &pack[..pack.len() / 2];
            saved += part.len() as u64;
            let path = rest.join("marketplace").join(format!("{path}.part"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, part).unwrap();
        }
    }
    assert!(saved > 0);
    assert_eq!(refresh(&rest), (bytes - saved, requests));
    assert!(catalog(&rest) == catalog(&whole));
}

#[test]
fn a_part_that_is_wrong_is_begun_anew() {
    let long = Long::new();
    let length = long.bytes.len();
    let mut flipped = long.bytes[..5_000].to_vec();
    flipped[17] ^= 1;
    let mut longer = long.bytes.clone();
    longer.push(0);
    let mut wrong = long.bytes.clone();
    wrong[length / 2] ^= 1;
    fs::create_dir(long.folder.path().join("catalog")).unwrap();
    for (part, asked) in [
        (flipped, vec!["bytes=5000-".to_owned(), String::new()]),
        (longer, vec![String::new()]),
        // Nothing comes after it; which the server says.
        (wrong, vec![format!("bytes={length}-"), String::new()]),
        // It was whole, and its process ended before it said so.
        (long.bytes.clone(), vec![]),
    ] {
        long.server.heal();
        fs::write(long.part(), part).unwrap();
        long.comes();
        assert_eq!(long.ranges(), asked);
    }
}

#[test]
fn a_server_that_gives_no_parts_gives_the_whole() {
    let long = Long::new();
    fs::create_dir(long.folder.path().join("catalog")).unwrap();
    fs::write(long.part(), &long.bytes[..5_000]).unwrap();
    long.server.only(PACK, Fault::NoRanges);
    long.comes();
    assert_eq!(long.ranges(), ["bytes=5000-"]);
}

#[test]
fn another_mirror_goes_on_where_one_was_cut_off() {
    let long = Long::new();
    let mirror = FaultServer::over(Files::from([(PACK.to_owned(), long.bytes.clone())]));
    long.server.only(PACK, Fault::CutAfter(400_000));
    let fetched = long.fetch(&[mirror.url()], impatient()).unwrap();
    assert!(fetched == long.bytes);
    assert_eq!(ranges(&mirror), ["bytes=400000-"]);
    // One that lies does no more harm than that the next one gives it all.
    fs::remove_file(long.folder.path().join(PACK)).unwrap();
    mirror.heal();
    let mut wrong = long.bytes.clone();
    wrong[3] ^= 1;
    long.server.only(PACK, Fault::Other(wrong));
    let fetched = long.fetch(&[mirror.url()], impatient()).unwrap();
    assert!(fetched == long.bytes);
    assert_eq!(ranges(&mirror), [""]);
}

#[test]
fn many_who_fetch_one_pack_all_get_it() {
    let long = Long::new();
    long.server.only(PACK, Fault::CutAfter(900_000));
    let mut network = impatient();
    network.limits.tries = 5;
    std::thread::scope(|scope| {
        let fetch = || long.fetch(&[], network.clone()).unwrap() == long.bytes;
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(fetch)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
    assert!(!long.part().exists());
}

/// A registry at each of its serials: every one has one more package than that before it.
fn serials(env: &TestEnv, count: usize) -> Vec<Files> {
    init(env, BASE);
    let serials = (0..count).map(|number| {
        let path = format!("work/{number}.crate");
        let package = archive(&format!("tide-{number:02}"), "1.0.0", "");
        env.write(&path, package);
        let name = format!("{number}.crate");
        let import = ["registry", "import", "registry", "--as-mirror", "--vouch"];
        let imported = env.command(import.iter().chain(&[name.as_str()])).run();
        assert_eq!(imported.code, Some(0), "{imported}");
        files(&env.path("work/registry"))
    });
    serials.collect()
}

/// The packages that an answer names, which must be those of one serial.
fn serial_of(outcome: &Outcome) -> usize {
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let name = Regex::new(r"tide-\d\d").unwrap();
    let names = name.find_iter(&outcome.stdout).map(|name| name.as_str());
    let names: BTreeSet<&str> = names.collect();
    for (number, name) in names.iter().enumerate() {
        assert_eq!(*name, format!("tide-{number:02}"), "{outcome}");
    }
    names.len()
}

#[test]
fn who_reads_while_another_refreshes_sees_one_serial() {
    const COUNT: usize = 12;
    let env = TestEnv::new();
    let serials = serials(&env, COUNT);
    let server = FaultServer::over(serials[0].clone());
    let root = Sha256Digest::of(&serials[0]["tuf/1.root.json"]);
    let root = format!("--root=sha256:{root}");
    let add = ["registry", "add", "harbour", server.url().as_str(), &root].map(str::to_owned);
    assert_eq!(env.command(add).run().code, Some(0));
    let mut lines = vec!["search tide --limit 99", "search tide --limit 99 --offline"];
    if cfg!(feature = "marketplace-v2") {
        lines.extend([
            NAMES,
            "sparql --offline SELECT?n{?p<https://schema.org/name>?n}",
        ]);
    }
    let refresh = || {
        for line in lines.iter().filter(|line| !line.contains("--offline")) {
            let outcome = env.command(line.split(' ')).run();
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
        let outcome = env.command(["refresh"]).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    };
    refresh();
    let (env, is_over) = (&env, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let readers = lines.iter().map(|line| {
            let read = move || {
                let (mut last, mut seen) = (0, BTreeSet::new());
                while !is_over.load(Ordering::Relaxed) {
                    let command = env.command(line.split(' ')).env_remove(AFTER);
                    let serial = serial_of(&command.run());
                    assert!(serial >= last, "{line}: {serial} after {last}");
                    last = serial;
                    seen.insert(serial);
                }
                seen
            };
            scope.spawn(read)
        });
        let readers: Vec<_> = readers.collect();
        for files in &serials[1..] {
            server.serve(Arc::new(files.clone()));
            refresh();
        }
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            let seen = reader.join().unwrap();
            assert!(seen.len() > 1, "{seen:?}");
        }
    });
    assert_eq!(
        serial_of(&env.command(["search", "tide", "--limit", "99"]).run()),
        COUNT
    );
}
