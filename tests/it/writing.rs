//! What the commands that write a registry say to bad input, and that they then write nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cargo_marketplace::model::Sha256Digest;
use insta::assert_snapshot;

use crate::env::{TestCommand, TestEnv};
use crate::samples::{Market, folder_digest};
use crate::small_registry::{self, BASE, archive, archive_of, fingerprint};

/// An operator with an empty registry in `market`.
struct Operator {
    env: TestEnv,
}

impl Operator {
    fn new() -> Self {
        let env = TestEnv::new();
        let init = ["registry", "init", "market", "--solo", "--no-passphrase"];
        let outcome = env.command([&init[..], &["--base-url", BASE]].concat());
        assert_eq!(outcome.run().code, Some(0));
        Self { env }
    }

    /// Puts an archive into the working folder.
    fn archive(&self, name: &str, version: &str, more: &str) -> String {
        let file = format!("{name}-{version}.crate");
        let path = format!("work/{file}");
        self.env.write(&path, archive(name, version, more));
        file
    }

    fn import_command(&self, files: &[&str]) -> TestCommand<'_> {
        let import = ["registry", "import", "market", "--as-mirror", "--vouch"];
        self.env.command([&import[..], files].concat())
    }

    fn import(&self, files: &[&str]) -> String {
        let import = self.import_command(files);
        import.redact_digests().run().to_string()
    }

    fn market(&self) -> PathBuf {
        self.env.path("work/market")
    }

    fn fingerprint(&self) -> Sha256Digest {
        fingerprint(&self.market())
    }

    /// Checks that an import fails and that the registry is what it was, and returns what it says.
    fn refused(&self, files: &[&str]) -> String {
        let before = self.fingerprint();
        let said = self.import(files);
        assert!(!said.starts_with("exit: 0"), "{said}");
        assert_eq!(self.fingerprint(), before, "{said}");
        said
    }

    /// The files of the registry.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        small_registry::files(&self.market())
    }

    /// Writes files of the registry as they were.
    fn restore(&self, files: &BTreeMap<String, Vec<u8>>) {
        for (path, bytes) in files {
            fs::write(self.market().join(path), bytes).unwrap();
        }
    }

    /// Removes the first file whose path ends so.
    fn remove(&self, end: &str) {
        let files = self.files();
        let path = files.keys().find(|path| path.ends_with(end)).unwrap();
        fs::remove_file(self.market().join(path)).unwrap();
    }
}

#[test]
fn a_version_that_exists_with_other_bytes_is_refused() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    assert_snapshot!(operator.import(&[&file]), @r"
    exit: 0
    --- stdout
    --- stderr
        Imported 1 release, 0 present before; serial 1
    ");
    operator.archive("tide", "1.0.0", "keywords = [\"other\"]\n");
    let other = operator.archive("other", "1.0.0", "");
    assert_snapshot!(operator.refused(&[&other, &file]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0604]: `tide` 1.0.0 exists with another archive
    note: nothing was written
    help: a version is published once; raise it in `Cargo.toml`
    ");
}

#[test]
fn the_same_bytes_again_change_nothing() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    operator.import(&[&file]);
    let before = operator.fingerprint();
    assert_snapshot!(operator.import(&[&file, &file]), @r"
    exit: 0
    --- stdout
    --- stderr
       Unchanged 1 release present before
    ");
    assert_eq!(operator.fingerprint(), before);
}

#[test]
fn one_version_in_two_archives_is_refused() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    operator.env.write(
        "work/other.crate",
        archive("tide", "1.0.0", "keywords = []\n"),
    );
    assert_snapshot!(operator.refused(&[&file, "other.crate", &file]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0604]: `tide` 1.0.0 is in two archives that differ
    note: nothing was written
    help: a version is published once, build metadata ignored
    ");
    let build = operator.archive("tide", "1.0.0+build", "");
    assert_snapshot!(operator.refused(&[&file, &build]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0604]: `tide` 1.0.0+build is in two archives that differ
    note: nothing was written
    help: a version is published once, build metadata ignored
    ");
}

#[test]
fn names_that_differ_only_in_case_or_sign_collide() {
    let operator = Operator::new();
    let first = operator.archive("tide-table", "1.0.0", "");
    operator.import(&[&first]);
    let sign = operator.archive("tide_table", "1.0.0", "");
    assert_snapshot!(operator.refused(&[&sign]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0603]: `tide_table` collides with `tide-table`
    note: nothing was written
    help: names that differ only in case or in `-` and `_` count as the same
    ");
    let case = operator.archive("Tide-Table", "2.0.0", "");
    assert_snapshot!(operator.refused(&[&case]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0603]: `Tide-Table` collides with `tide-table`
    note: nothing was written
    help: names that differ only in case or in `-` and `_` count as the same
    ");
    // In one import as well as one after the other.
    let (one, two) = (
        operator.archive("li-bm", "1.0.0", ""),
        operator.archive("li_bm", "1.0.0", ""),
    );
    assert_snapshot!(operator.refused(&[&one, &two]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0603]: `li_bm` collides with `li-bm`
    note: nothing was written
    help: names that differ only in case or in `-` and `_` count as the same
    ");
    let two = operator.archive("Li-Bm", "1.0.0", "");
    assert_snapshot!(operator.refused(&[&one, &two]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0603]: `li-bm` collides with `Li-Bm`
    note: nothing was written
    help: names that differ only in case or in `-` and `_` count as the same
    ");
}

#[test]
fn a_missing_role_key_is_named() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    let keys = operator.env.marketplace_home().join("keys");
    fs::rename(keys.join("online.pem"), operator.env.path("online.pem")).unwrap();
    fs::remove_file(keys.join("online.pub.pem")).unwrap();
    assert_snapshot!(operator.refused(&[&file]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0602]: no key that may vouch is in the key folder
    help: the registry's policy names the vouchers; a solo registry's is its online key
    ");
    let before = operator.fingerprint();
    operator
        .env
        .run(["key", "new", "harbour", "--no-passphrase"]);
    let own = [
        "registry", "import", "market", "--as-own", "--key", "harbour", &file,
    ];
    assert_snapshot!(operator.env.command(own).redact_digests().run().to_string(), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0602]: role `catalog` needs 1 of its 1 keys, and 0 are at hand
    note: nothing was written
    help: put the registry's role keys into the key folder; see `cargo marketplace key list`
    ");
    assert_eq!(operator.fingerprint(), before);
}

#[test]
fn a_new_publisher_can_hand_in_two_packages_at_once() {
    let operator = Operator::new();
    let env = &operator.env;
    env.run(["key", "new", "ferris", "--no-passphrase"]);
    for name in ["tide-table", "tide-cli"] {
        let file = operator.archive(name, "1.0.0", "");
        let to = ["--registry-dir", "market", "--key", "ferris", "-o", "in"];
        let signed = env.command([&["sign", &file][..], &to].concat()).run();
        assert_eq!(signed.code, Some(0), "{signed}");
    }
    let apply = ["registry", "apply", "market", "--register-publisher"];
    let bundles = ["in/tide-table.submission", "in/tide-cli.submission"];
    for more in [&["--dry-run"][..], &[]] {
        let applied = env.command([&apply[..], &bundles, more].concat()).run();
        assert_eq!(applied.code, Some(0), "{applied}");
    }
}

#[test]
fn a_wrong_passphrase_is_refused() {
    let env = TestEnv::new();
    let variable = "CARGO_MARKETPLACE_KEY_PASSPHRASE";
    let init = ["registry", "init", "market", "--solo", "--base-url", BASE];
    let outcome = env.command(init).env(variable, "right").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let operator = Operator { env };
    let file = operator.archive("tide", "1.0.0", "");
    let before = operator.fingerprint();
    let import = operator.import_command(&[&file]).env(variable, "wrong");
    assert_snapshot!(import.run().to_string(), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0605]: cannot use the key in `[ROOT]/home/.cargo/marketplace/keys/online.pem`

    Caused by:
      the passphrase does not fit the key

    help: type it again; a lost passphrase cannot be found again
    ");
    // There is no terminal to ask at.
    assert_snapshot!(operator.import_command(&[&file]).run().to_string(), @"
    exit: 101
    --- stdout
    --- stderr
    error: the passphrase of `online` cannot be asked for
    note: there is no terminal
    help: set CARGO_MARKETPLACE_KEY_PASSPHRASE
    ");
    assert_eq!(operator.fingerprint(), before);
}

#[test]
fn a_corrupt_archive_among_many_spoils_all() {
    let operator = Operator::new();
    let good = operator.archive("good", "1.0.0", "");
    let more = operator.archive("more", "1.0.0", "");
    let bytes = archive("tide", "1.0.0", "");
    operator
        .env
        .write("work/cut.crate", &bytes[..bytes.len() / 2]);
    operator.env.write("work/text.crate", "no archive");
    operator.env.write("work/empty.crate", "");
    assert_snapshot!(operator.refused(&[&good, "cut.crate", &more]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0407]: `cut.crate` cannot be imported

    Caused by:
      the archive is not a valid gzip file
      incomplete deflate stream

    note: nothing was written
    help: use another archive, and tell its publisher
    ");
    assert_snapshot!(operator.refused(&[&good, "text.crate", &more]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0407]: `text.crate` cannot be imported

    Caused by:
      the archive is not a valid gzip file
      invalid gzip header

    note: nothing was written
    help: use another archive, and tell its publisher
    ");
    assert_snapshot!(operator.refused(&[&good, "empty.crate", &more]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0407]: `empty.crate` cannot be imported

    Caused by:
      the archive is not a valid gzip file
      unexpected end of file

    note: nothing was written
    help: use another archive, and tell its publisher
    ");
}

#[test]
fn an_archive_with_more_behind_it_or_none_at_all_spoils_all() {
    let operator = Operator::new();
    let good = operator.archive("good", "1.0.0", "");
    let more = operator.archive("more", "1.0.0", "");
    let bytes = archive("tide", "1.0.0", "");
    operator
        .env
        .write("work/longer.crate", [&bytes[..], b"more"].concat());
    assert_snapshot!(operator.refused(&[&good, "longer.crate", &more]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0407]: `longer.crate` cannot be imported

    Caused by:
      4 bytes follow the end of the gzip file

    note: nothing was written
    help: use another archive, and tell its publisher
    ");
    assert_snapshot!(operator.refused(&[&good, "absent.crate", &more]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: cannot read `absent.crate`

    Caused by:
      No such file or directory (os error 2)
    ");
}

#[test]
fn a_registry_whose_metadata_is_damaged_is_not_built_on() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    operator.import(&[&file]);
    let next = operator.archive("tide", "1.1.0", "");
    let whole = operator.files();
    let bins = whole
        .keys()
        .filter(|path| path.starts_with("tuf/2.packages-"));
    for bin in bins {
        fs::remove_file(operator.market().join(bin)).unwrap();
    }
    assert_snapshot!(operator.refused(&[&next]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: the registry is damaged: `tuf/2.packages-3.json` is missing
    help: `cargo marketplace registry check DIR` lists what is wrong
    ");
    operator.restore(&whole);
    let snapshot = String::from_utf8(whole["tuf/2.snapshot.json"].clone()).unwrap();
    let damaged = snapshot.replace("\"version\":2", "\"version\":3");
    operator
        .env
        .write("work/market/tuf/2.snapshot.json", damaged);
    assert_snapshot!(operator.refused(&[&next]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: the registry is damaged: `tuf/2.snapshot.json` is refused

    Caused by:
      the metadata of `snapshot` has 0 of 1 required signatures

    help: `cargo marketplace registry check DIR` lists what is wrong
    ");
    operator
        .env
        .write("work/market/tuf/2.snapshot.json", &snapshot[..99]);
    assert_snapshot!(operator.refused(&[&next]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: the registry is damaged: `tuf/2.snapshot.json` is refused

    Caused by:
      what came for `snapshot` is no metadata

    help: `cargo marketplace registry check DIR` lists what is wrong
    ");
}

#[test]
fn a_registry_that_lacks_files_is_not_built_on() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    operator.import(&[&file]);
    let next = operator.archive("tide", "1.1.0", "");
    let whole = operator.files();
    operator.remove(".tide.json");
    assert_snapshot!(operator.refused(&[&next]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: the registry is damaged: `ti/de/[DIGEST].tide.json` is missing
    help: `cargo marketplace registry check DIR` lists what is wrong
    ");
    operator.restore(&whole);
    operator.remove(".jsonl.zst");
    assert_snapshot!(operator.refused(&[&next]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: the registry is damaged: `catalog/[DIGEST].jsonl.zst` is missing
    help: `cargo marketplace registry check DIR` lists what is wrong
    ");
    operator.restore(&whole);
    assert_snapshot!(operator.import(&[&next]), @r"
    exit: 0
    --- stdout
    --- stderr
        Imported 1 release, 0 present before; serial 2
    ");
}

#[test]
fn a_journal_that_is_damaged_stops_every_change() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    operator.env.write("work/market/.journal/plan.json", "{");
    assert_snapshot!(operator.refused(&[&file]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: the journal `[ROOT]/work/market/.journal/plan.json` is damaged

    Caused by:
      EOF while parsing an object at line 1 column 1

    note: nothing was written
    help: if `cargo marketplace registry check DIR` finds nothing else, remove that file
    ");
    let outside = r#"{"paths":["../../outside"]}"#;
    operator
        .env
        .write("work/market/.journal/plan.json", outside);
    operator
        .env
        .write("work/market/.journal/0.new", "written outside");
    assert_snapshot!(operator.refused(&[&file]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: the journal `[ROOT]/work/market/.journal/plan.json` names `../../outside`, which is not a path below the registry
    note: nothing was written
    help: if `cargo marketplace registry check DIR` finds nothing else, remove that file
    ");
    assert!(!operator.env.path("outside").exists());
}

#[test]
fn a_folder_without_a_registry_is_named() {
    let env = TestEnv::new();
    env.write("work/tide.crate", archive("tide", "1.0.0", ""));
    assert_snapshot!(env.run(["registry", "import", ".", "--as-mirror", "--vouch", "tide.crate"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/.` holds no registry
    help: `cargo marketplace registry init DIR --solo --base-url URL` makes one
    ");
    env.write("work/full/file", "x");
    let init = [
        "registry",
        "init",
        "full",
        "--solo",
        "--base-url",
        BASE,
        "--no-passphrase",
    ];
    assert_snapshot!(env.run(init), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/full` is not empty
    help: name a new or empty folder
    ");
}

#[test]
#[ignore = "needs mount, as root, for a tmpfs"]
fn a_full_disk_leaves_the_registry_as_it_was() {
    let operator = Operator::new();
    let small = operator.archive("small", "1.0.0", "");
    let disk = operator.env.path("work/disk");
    fs::create_dir(&disk).unwrap();
    let run = |command: &str| {
        let outcome = operator.env.program("sh", ["-c", command]).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    };
    run("$([ $(id -u) = 0 ] || echo sudo) mount -t tmpfs -o size=1m,mode=1777 tmpfs disk");
    run("cp -a market disk/market");
    let market = disk.join("market");
    let before = fingerprint(&market);
    // Bytes that do not compress, more than there is room for.
    let mut noise = Vec::new();
    for number in 0..60_000_u32 {
        noise.extend(Sha256Digest::of(&number.to_le_bytes()).as_bytes());
    }
    let large = archive_of("large", "1.0.0", "", &noise);
    operator.env.write("work/large.crate", large);
    let import = |file: &str| {
        let import = [
            "registry",
            "import",
            "disk/market",
            "--as-mirror",
            "--vouch",
        ];
        operator.env.run([&import[..], &[&small, file]].concat())
    };
    let full = import("large.crate");
    let after = fingerprint(&market);
    let next = import(&small);
    let check = operator.env.run(["registry", "check", "disk/market"]);
    run("$([ $(id -u) = 0 ] || echo sudo) umount disk");
    assert_snapshot!(full, @r"
    exit: 101
    --- stdout
    --- stderr
    error: could not write `[ROOT]/work/disk/market/.journal/0.new`

    Caused by:
      No space left on device (os error 28)

    note: nothing was written
    ");
    assert_eq!(after, before);
    assert_snapshot!(next, @r"
    exit: 0
    --- stdout
    --- stderr
        Imported 1 release, 0 present before; serial 1
    ");
    assert_snapshot!(check, @"
    exit: 0
    --- stdout
    --- stderr
        Checking `disk/market`
    note: 4 files that nothing refers to; `--verbose` lists them
        Finished 1 package, 1 release, 39 files are in order; serial 1
    ");
}

#[test]
fn nothing_is_built_on_an_older_state_of_a_role() {
    let market = Market::published();
    let tuf = market.env.path("work/registry/tuf");
    let names = fs::read_dir(&tuf).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for newer in names.filter(|name| name.starts_with("2.packages-")) {
        let older = newer.replacen('2', "1", 1);
        fs::copy(tuf.join(older), tuf.join(newer)).unwrap();
    }
    let before = folder_digest(&market.env.path("work/registry"));
    let yank = "yank tide-table@0.3.1 --registry-dir registry";
    let outcome = market.env.command(yank.split(' ')).run();
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.to_string().contains("version 1"), "{outcome}");
    assert_eq!(folder_digest(&market.env.path("work/registry")), before);
}

/// A file whose name is its own hash belongs to nobody else's change.
#[test]
fn a_damaged_archive_is_not_taken_for_what_somebody_else_published() {
    let operator = Operator::new();
    let file = operator.archive("tide", "1.0.0", "");
    let bytes = fs::read(operator.env.path(&format!("work/{file}"))).unwrap();
    let digest = Sha256Digest::of(&bytes);
    let archive = operator
        .market()
        .join(format!("crates/tide/{digest}.crate"));
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    fs::write(&archive, "cut off").unwrap();
    assert_snapshot!(operator.refused(&[&file]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0701]: `[ROOT]/work/market/crates/tide/[DIGEST].crate` is damaged: its bytes are not those that its name says
    note: nothing was written
    help: remove that file, and run the command again: it writes it anew
    ");
    fs::remove_file(&archive).unwrap();
    let taken = operator.import(&[&file]);
    assert!(taken.starts_with("exit: 0"), "{taken}");
    assert_eq!(fs::read(&archive).unwrap(), bytes);
}
