//! How often packages were downloaded: published by the operator, fetched when it changes, refused when it is
//! not what was signed, and what it does to the order of a search.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use cargo_marketplace::formats::layout::{self, POPULARITY};
use cargo_marketplace::formats::popularity::MAX_BYTES;
use cargo_marketplace::model::Sha256Digest;
use insta::assert_snapshot;
use serde_json::Value;

use crate::env::{Outcome, TestEnv};
use crate::faults::{Fault, Files};
use crate::hostile_mirror::World;
use crate::samples::{folder_digest, init, words};
use crate::small_registry::{archive, files, make, next_day, set_target};
use crate::unsigned;

/// What chooses each backend of this build, and what it takes by itself.
fn backends() -> Vec<String> {
    let named = unsigned::backends().into_iter();
    let named = named.map(|backend| format!(" --backend {backend}"));
    named.chain([String::new()]).collect()
}

/// What a search for packages that are all alike finds, in its order.
fn order(found: &Outcome) -> Vec<String> {
    assert_eq!(found.code, Some(0), "{found}");
    let lines = found.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str(line).unwrap());
    let results = lines.filter(|line: &Value| line["reason"] == "search-result");
    results
        .map(|line| line["name"].as_str().unwrap().to_owned())
        .collect()
}

const SEARCH: &str = "search small --message-format json";

/// An operator's registry `work/registry` of three packages, added as `harbour`.
fn operator() -> TestEnv {
    let env = TestEnv::new();
    init(&env, "https://registry.example.org/");
    let names = ["anchor", "bollard", "capstan"];
    let archives = names.map(|name| {
        let path = format!("work/{name}.crate");
        env.write(&path, archive(name, "1.0.0", ""));
        format!("{name}.crate")
    });
    let import = words("registry import registry --as-own --vouch").into_iter();
    must(&env, import.chain(archives.iter().map(String::as_str)));
    let root = Sha256Digest::of(env.read("work/registry/tuf/1.root.json").as_bytes());
    let url = format!("file://{}", env.path("work/registry").display());
    let root = format!("sha256:{root}");
    must(&env, ["registry", "add", "harbour", &url, "--root", &root]);
    env
}

fn must<'a>(env: &TestEnv, arguments: impl IntoIterator<Item = &'a str>) {
    let outcome = env.command(arguments).run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

fn assert_order(env: &TestEnv, expected: &[&str]) {
    for backend in backends() {
        let found = env.command(words(&format!("{SEARCH}{backend}"))).run();
        assert_eq!(order(&found), expected, "{backend}");
    }
}

const PUBLISH: &str = "registry popularity registry counts.csv";

#[test]
fn what_is_used_more_comes_first() {
    let env = operator();
    assert_order(&env, &["anchor", "bollard", "capstan"]);
    env.write("work/counts.csv", "capstan,900\nbollard,70\n");
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 0
    --- stdout
    --- stderr
        Finished downloads of 2 packages published
    ");
    assert_eq!(
        env.read("work/registry/catalog/popularity.csv"),
        "package,downloads\nbollard,70\ncapstan,900\n"
    );
    assert_order(&env, &["capstan", "bollard", "anchor"]);
    // What is published later keeps it, and counts for what is new.
    env.write("work/anchor.crate", archive("anchor", "1.1.0", ""));
    env.write("work/davit.crate", archive("davit", "1.0.0", ""));
    let import = "registry import registry --as-own --vouch anchor.crate davit.crate";
    must(&env, words(import));
    assert_order(&env, &["capstan", "bollard", "anchor", "davit"]);
    env.write("work/counts.csv", "davit,1000000\nanchor,2\n");
    must(&env, words(PUBLISH));
    assert_order(&env, &["davit", "anchor", "bollard", "capstan"]);
    assert_snapshot!(env.run(words("registry check registry")), @"
    exit: 0
    --- stdout
    --- stderr
        Checking `registry`
    note: 21 files that nothing refers to; `--verbose` lists them
        Finished 4 packages, 5 releases, 63 files are in order; serial 2
    ");
}

#[test]
fn the_same_counts_are_no_change() {
    let env = operator();
    env.write(
        "work/counts.csv",
        "package,downloads\r\ncapstan,900\r\nbollard,70\r\n",
    );
    must(&env, words(PUBLISH));
    let before = folder_digest(&env.path("work/registry"));
    env.write("work/counts.csv", "bollard,70\ncapstan,900\n");
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged the registry says the same already
    ");
    assert_eq!(folder_digest(&env.path("work/registry")), before);
}

#[test]
fn counts_can_be_taken_away() {
    let env = operator();
    let remove = "registry popularity registry --remove";
    assert_snapshot!(env.run(words(remove)), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged the registry says nothing of downloads
    ");
    env.write("work/counts.csv", "capstan,900\n");
    must(&env, words(PUBLISH));
    assert_order(&env, &["capstan", "anchor", "bollard"]);
    assert_snapshot!(env.run(words(&format!("{remove} --message-format json"))), @r#"
    exit: 0
    --- stdout
    {"reason":"popularity","schema":1,"changed":true,"left_out":[],"packages":0}
    --- stderr
        Finished the registry says nothing of downloads any more
    "#);
    assert!(!env.path("work/registry/catalog/popularity.csv").exists());
    assert_order(&env, &["anchor", "bollard", "capstan"]);
    must(&env, words("registry check registry"));
}

#[test]
fn names_of_no_package_are_left_out() {
    let env = operator();
    env.write("work/counts.csv", "capstan,900\nserde,7\nAnchor,3\n");
    let line = format!("{PUBLISH} --message-format json");
    assert_snapshot!(env.run(words(&line)), @r#"
    exit: 0
    --- stdout
    {"reason":"warning","schema":1,"code":null,"message":"left out 2 names, which the registry has not: `Anchor`, `serde`"}
    {"reason":"popularity","schema":1,"changed":true,"left_out":["Anchor","serde"],"packages":1}
    --- stderr
    warning: left out 2 names, which the registry has not: `Anchor`, `serde`
        Finished downloads of 1 package published
    "#);
    assert_eq!(
        env.read("work/registry/catalog/popularity.csv"),
        "package,downloads\ncapstan,900\n"
    );
    let many: Vec<String> = (0..20)
        .map(|number| format!("other-{number},1\n"))
        .collect();
    let many = many.concat();
    env.write("work/counts.csv", format!("{many}capstan,900\n"));
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 0
    --- stdout
    --- stderr
    warning: left out 20 names, which the registry has not: `other-0`, `other-1`, `other-10`, `other-11`, `other-12`, `other-13`, `other-14`, `other-15`, …
       Unchanged the registry says the same already
    ");
    let before = folder_digest(&env.path("work/registry"));
    env.write("work/counts.csv", many);
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0612]: `counts.csv` names no package of the registry
    note: nothing was written
    help: `--remove` takes away what was published before
    ");
    assert_eq!(folder_digest(&env.path("work/registry")), before);
}

#[test]
fn counts_that_cannot_be_read_write_nothing() {
    let env = operator();
    let before = folder_digest(&env.path("work/registry"));
    let refused = |bytes: &[u8]| {
        env.write("work/counts.csv", bytes);
        let outcome = env.command(words(PUBLISH)).run();
        assert_eq!(outcome.code, Some(101), "{outcome}");
        assert_eq!(folder_digest(&env.path("work/registry")), before);
        outcome
    };
    assert_snapshot!(refused(b"capstan,900\nbollard,-1\n"), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0612]: `counts.csv` cannot be read as counts of downloads

    Caused by:
      line 2: `-1` is not a number of downloads

    note: nothing was written
    help: write a line `PACKAGE,DOWNLOADS` for each package, as `tide-table,1204`
    ");
    for (bytes, cause) in [
        (&b"capstan\n"[..], "line 1 is not `PACKAGE,DOWNLOADS`"),
        (b"capstan,9\ncapstan,9\n", "line 2 names `capstan` again"),
        (b"capstan,9\n\xff,1\n", "line 2 is not UTF-8"),
        (
            b"../capstan,9\n",
            "line 1 does not begin with a package's name",
        ),
        (b"capstan,\x1b[31m9\n", "is not a number of downloads"),
    ] {
        let text = refused(bytes).stderr;
        assert!(text.starts_with("error[MP0612]"), "{text}");
        assert!(text.contains(cause) && !text.contains('\x1b'), "{text}");
    }
}

#[test]
fn a_file_without_counts_or_too_long_or_away_writes_nothing() {
    let env = operator();
    let before = folder_digest(&env.path("work/registry"));
    env.write("work/counts.csv", "");
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0612]: `counts.csv` names no package of the registry
    note: nothing was written
    help: `--remove` takes away what was published before
    ");
    let file = fs::File::create(env.path("work/counts.csv")).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 101
    --- stdout
    --- stderr
    error: could not read `[ROOT]/work/counts.csv`

    Caused by:
      it is longer than 67108864 bytes
    ");
    fs::remove_file(env.path("work/counts.csv")).unwrap();
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 101
    --- stdout
    --- stderr
    error: could not read `[ROOT]/work/counts.csv`

    Caused by:
      No such file or directory (os error 2)
    ");
    assert_snapshot!(env.run(words("registry popularity registry")), @"
    exit: 1
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <FILE.csv>

    Usage: cargo marketplace registry popularity <DIR> <FILE.csv>

    For more information, try '--help'.
    ");
    assert_eq!(folder_digest(&env.path("work/registry")), before);
}

#[test]
fn counts_are_signed_with_the_online_key_alone() {
    let env = operator();
    env.write("work/counts.csv", "capstan,900\n");
    let keys = env.marketplace_home().join("keys");
    fs::rename(keys.join("online.pem"), keys.join("away")).unwrap();
    let before = folder_digest(&env.path("work/registry"));
    assert_snapshot!(env.run(words(PUBLISH)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0602]: role `catalog` needs 1 of its 1 keys, and 0 are at hand
    note: nothing was written
    help: put the registry's role keys into the key folder; see `cargo marketplace key list`
    ");
    assert_eq!(folder_digest(&env.path("work/registry")), before);
    fs::rename(keys.join("away"), keys.join("online.pem")).unwrap();
    fs::remove_file(keys.join("offline.pem")).unwrap();
    must(&env, words(PUBLISH));
}

/// What `docs/operators.md` shows makes counts of a web server's log.
#[cfg(unix)]
#[test]
fn counts_are_made_of_a_log_as_the_documents_show() {
    let env = operator();
    let line = |request: &str, status: u16| {
        format!(
            "192.0.2.7 - - [22/Nov/2026:12:00:00 +0000] \"{request}\" {status} 512 \"-\" \"cargo 1.95\"\n"
        )
    };
    let archive = |name: &str| format!("GET /crates/{name}/{}.crate HTTP/1.1", "0a".repeat(32));
    let log = [
        line(&archive("capstan"), 200),
        line(&archive("capstan"), 200),
        line(&archive("bollard"), 200),
        line(&archive("bollard"), 404),
        line(&archive("capstan").replace("GET", "HEAD"), 200),
        line(
            &archive("anchor").replace("/crates", "/registry/crates"),
            200,
        ),
        line("GET /tuf/timestamp.json HTTP/1.1", 200),
        line("\\x16\\x03", 400),
    ];
    env.write("work/access.log", log.concat());
    let documents = include_str!("../../docs/operators.md");
    let (_, shown) = documents.split_once("```sh\nawk").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let made = env.program("sh", ["-c", &format!("awk{shown}")]).run();
    assert_eq!(made.to_string(), "exit: 0\n--- stdout\n--- stderr\n");
    must(&env, words(PUBLISH));
    assert_eq!(
        env.read("work/registry/catalog/popularity.csv"),
        "package,downloads\nanchor,1\nbollard,1\ncapstan,2\n"
    );
}

/// The small registry as it is with counts, with other ones, and with those on the next day.
struct Served {
    counted: Files,
    recounted: Files,
    next_day: Files,
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let say = |text: &str| say(folder.path(), text.as_bytes());
        let counted = say("package,downloads\ntide-table,500\n");
        let recounted = say("package,downloads\nlibm_lite,90000\ntide-clock,90001\n");
        next_day(folder.path());
        Served {
            counted,
            recounted,
            next_day: files(folder.path()),
        }
    })
}

/// The files of a registry with a file of counts, whatever it says.
fn say(root: &Path, bytes: &[u8]) -> Files {
    set_target(root, "catalog", POPULARITY, bytes.to_vec());
    files(root)
}

/// Where clients read the counts.
fn location(files: &Files) -> String {
    layout::hashed(POPULARITY, &Sha256Digest::of(&files[POPULARITY]))
}

/// What a search finds, and what it asks for.
fn asked(world: &World, line: &str) -> (Vec<String>, Vec<String>) {
    let before = world.server.requests().len();
    let found = order(&world.command(line).run());
    let requests = world.server.requests().split_off(before).into_iter();
    let path = |head: String| head.split(' ').nth(1).unwrap_or_default().to_owned();
    (found, requests.map(path).collect())
}

fn ends(requests: &[String], end: &str) -> usize {
    requests.iter().filter(|path| path.ends_with(end)).count()
}

#[test]
fn counts_are_fetched_once_and_when_they_change() {
    let served = served();
    for backend in backends() {
        let line = format!("{SEARCH}{backend}");
        let world = World::of(served.counted.clone());
        let (found, requests) = asked(&world, &line);
        assert_eq!(found, ["tide-table", "libm_lite"], "{backend}");
        assert_eq!(ends(&requests, "popularity.csv"), 1, "{requests:?}");
        let (again, requests) = asked(&world, &line);
        assert_eq!((again, ends(&requests, ".csv")), (found, 0), "{requests:?}");
        // Other counts, and not a package besides.
        world.server.serve(Arc::new(served.recounted.clone()));
        let (found, requests) = asked(&world, &line);
        assert_eq!(found, ["libm_lite", "tide-table"], "{backend}");
        let counts = [".csv", ".zst", "index.json"].map(|end| ends(&requests, end));
        assert_eq!(counts, [1, 0, 0], "{requests:?}");
        // Other packages under the same counts.
        world.server.serve(Arc::new(served.next_day.clone()));
        let (found, requests) = asked(&world, &line);
        assert_eq!(
            found,
            ["libm_lite", "tide-clock", "tide-table"],
            "{backend}"
        );
        assert_eq!(ends(&requests, ".csv"), 0, "{requests:?}");
        let (offline, requests) = asked(&world, &format!("{line} --offline"));
        assert_eq!((offline, requests), (found, Vec::new()), "{backend}");
    }
}

#[test]
fn a_refresh_fetches_counts() {
    let served = served();
    let world = World::of(served.counted.clone());
    let refresh = |expected: usize| {
        let before = world.server.requests().len();
        let outcome = world.command("refresh").run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        let requests = world.server.requests().split_off(before);
        let csv = requests
            .iter()
            .filter(|head| head.contains("popularity.csv"));
        assert_eq!(csv.count(), expected, "{requests:?}");
    };
    refresh(1);
    refresh(0);
    world.server.serve(Arc::new(served.recounted.clone()));
    refresh(1);
    let (found, requests) = asked(&world, &format!("{SEARCH} --offline"));
    assert_eq!((found[0].as_str(), requests.len()), ("libm_lite", 0));
}

#[test]
fn counts_that_are_not_those_that_were_signed_are_refused() {
    let served = served();
    let path = location(&served.recounted);
    for backend in backends() {
        let line = format!("{SEARCH}{backend}");
        let world = World::of(served.counted.clone());
        let (before, _) = asked(&world, &line);
        world.server.serve(Arc::new(served.recounted.clone()));
        for fault in [
            Fault::Flip(200),
            Fault::Shorter(3),
            Fault::Longer(b"tide-table,1\n".to_vec()),
            Fault::Other(served.counted[POPULARITY].clone()),
        ] {
            world.server.only(&path, fault.clone());
            let refused = world.command(&line).run();
            assert_eq!(refused.code, Some(4), "{fault:?}: {refused}");
            assert!(refused.stderr.contains("error[MP0401]"), "{refused}");
            assert!(!refused.stdout.contains("search-result"), "{refused}");
        }
        // What was known before is there still.
        let (found, _) = asked(&world, &format!("{line} --offline"));
        assert_ne!(found, Vec::<String>::new());
        world.server.heal();
        let (found, _) = asked(&world, &line);
        assert_ne!(found, before, "{backend}");
    }
}

#[test]
fn where_counts_do_not_come_the_earlier_ones_are_taken_and_it_is_said() {
    let served = served();
    let world = World::of(served.counted.clone());
    let (before, _) = asked(&world, SEARCH);
    world.server.serve(Arc::new(served.recounted.clone()));
    world
        .server
        .only(&location(&served.recounted), Fault::Stall);
    let stalled = world.command(SEARCH).run();
    assert_eq!(order(&stalled), before);
    assert!(
        stalled.stderr.contains("answering from serial 3"),
        "{stalled}"
    );
    // A registry that answers, and has not what it announces, may hold something back.
    world
        .server
        .only(&location(&served.recounted), Fault::Status(404));
    let missing = world.command(SEARCH).run();
    assert_eq!(missing.code, Some(101), "{missing}");
    assert!(missing.stderr.contains("popularity.csv"), "{missing}");
}

#[test]
fn signed_counts_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let files = say(folder.path(), b"package,downloads\ntide-table,many\n");
    for backend in backends() {
        let refused = World::of(files.clone());
        let refused = refused.command(&format!("{SEARCH}{backend}")).run();
        assert_eq!(refused.code, Some(4), "{refused}");
        assert!(refused.stderr.contains("error[MP0406]"), "{refused}");
        assert!(refused.stderr.contains("line 2: `many`"), "{refused}");
    }
    let long = vec![b'\n'; usize::try_from(MAX_BYTES).unwrap() + 1];
    let world = World::of(say(folder.path(), &long));
    let refused = world.command(SEARCH).run();
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(
        refused.stderr.contains("is longer than the 67108864 bytes"),
        "{refused}"
    );
    let requests = world.server.requests();
    assert!(
        !requests.iter().any(|head| head.contains(".csv")),
        "{requests:?}"
    );
}

#[test]
fn a_damaged_copy_of_counts_is_fetched_anew() {
    let served = served();
    for backend in backends() {
        let line = format!("{SEARCH}{backend}");
        let world = World::of(served.recounted.clone());
        let (before, _) = asked(&world, &line);
        fs::write(world.state(POPULARITY), "package,downloads\ntide-table,9\n").unwrap();
        let columns = fs::read_dir(world.state("dataset")).into_iter().flatten();
        let columns = columns.map(|entry| entry.unwrap().path());
        for column in columns.filter(|path| path.extension().is_some_and(|end| end == "downloads"))
        {
            fs::write(column, [0; 8]).unwrap();
        }
        let (found, requests) = asked(&world, &line);
        assert_eq!((found, ends(&requests, ".csv")), (before, 1), "{backend}");
    }
}

#[test]
fn a_check_says_what_is_wrong_with_counts() {
    let env = TestEnv::new();
    let root = env.path("work/registry");
    make(&root);
    let check = || {
        let check = env.command(words("registry check registry"));
        check.redact_digests().run().stdout
    };
    say(&root, b"package,downloads\ntide-table,500\n");
    assert_eq!(check(), "");
    env.write("work/registry/catalog/popularity.csv", "tide-table,501\n");
    assert_snapshot!(check(), @"catalog/popularity.csv: it is not the same as `catalog/[DIGEST].popularity.csv`");
    for (bytes, expected) in [
        (&b"tide-table,500\n"[..], "it is not in its own form"),
        (
            b"package,downloads\ntide-table,+5\n",
            "it is not in its own form",
        ),
        (
            b"package,downloads\nserde,1\n",
            "it names `serde`, which is no package of the registry",
        ),
        (b"tide-table\n", "line 1 is not `PACKAGE,DOWNLOADS`"),
    ] {
        say(&root, bytes);
        assert_eq!(check(), format!("catalog/popularity.csv: {expected}\n"));
    }
}
