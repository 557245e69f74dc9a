//! Owners who join, leave and sign together, and packages that the operator assigns.

use insta::assert_snapshot;

use crate::samples::{Market, words};

const OWNER: &str = "--registry-dir registry --key harbour";

/// A registry whose `tide-table` belongs to `harbour`; `bob`, with a home of his own, has a key.
fn with_bob() -> Market {
    let market = Market::published();
    let new = market.run_as("bob", words("key new bob --no-passphrase"));
    assert!(new.starts_with("exit: 0"), "{new}");
    market
}

/// `tide-table` belongs to both, and both must sign.
fn shared() -> Market {
    let market = with_bob();
    market.must(words(&format!(
        "owner add tide-table bob --threshold 2 {OWNER}"
    )));
    let sign = "sign tide-table.submission --registry-dir registry --key bob";
    let signed = market.run_as("bob", words(sign));
    assert!(signed.starts_with("exit: 0"), "{signed}");
    let apply = "registry apply registry tide-table.submission --register-publisher";
    market.must(words(apply));
    market
}

#[test]
fn an_owner_joins_by_signing() {
    let market = with_bob();
    let add = format!("owner add tide-table bob --threshold 2 {OWNER}");
    assert_snapshot!(market.run(words(&add)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: owners owned by bob, harbour (2 of 2 must sign)
    note: still to sign: `bob` (`cargo marketplace sign`)
    ");
    // Nobody is made an owner who did not sign.
    let apply = "registry apply registry tide-table.submission --register-publisher";
    assert_snapshot!(market.run(words(apply)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0610]: signatures are missing on the submission of `tide-table`
    note: still to sign: `bob`; nothing was written
    help: `cargo marketplace sign [ROOT]/work/tide-table.submission --registry-dir [ROOT]/work/registry --key NAME` adds one
    ");
    let sign = "sign tide-table.submission --registry-dir registry --key bob";
    assert_snapshot!(market.run_as("bob", words(sign)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: owners owned by bob, harbour (2 of 2 must sign)
          Signed tide-table with [FINGERPRINT]
    ");
    assert_snapshot!(market.run_as("bob", words(sign)), @"
    exit: 101
    --- stdout
    --- stderr
         Signing tide-table: owners owned by bob, harbour (2 of 2 must sign)
    error: `bob` has signed it already
    note: nothing was written
    ");
    assert_snapshot!(market.run(words("registry apply registry tide-table.submission")), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0403]: the publisher `bob` is not registered
    note: nothing was written
    help: if [DIGEST] is the id of their key (`key show`), pass `--register-publisher`
    ");
    assert_snapshot!(market.run(words(apply)), @"
    exit: 0
    --- stdout
    --- stderr
     Registering bob with [DIGEST]
        Applying tide-table: owners owned by bob, harbour (2 of 2 must sign)
        Finished serial 2, 12 files written
    ");
}

#[test]
fn owners_and_their_keys_are_listed() {
    let market = shared();
    assert_snapshot!(market.run(words("owner list tide-table")), @"
    exit: 0
    --- stdout
    bob  [FINGERPRINT]  [DIGEST]
    harbour  [FINGERPRINT]  [DIGEST]
    --- stderr
        Updating `harbour` index
    note: 2 of 2 must sign; 3 statements so far
    ");
    let json = market.run(words("owner list tide-table --message-format json"));
    assert!(
        json.contains(r#""threshold":2"#) && json.contains(r#""sequence":3"#),
        "{json}"
    );
    market.must(words("registry check registry"));
}

#[test]
fn where_two_must_sign_one_publishes_and_the_other_signs() {
    let market = shared();
    market.raise("0.3.1", "0.3.2");
    let publish =
        "publish -p tide-table --no-verify --registry-dir ../registry --key harbour -o ../handed";
    assert_snapshot!(market.run_in("work/samples", words(publish)), @"
    exit: 0
    --- stdout
    [ROOT]/work/samples/../handed/tide-table.submission
    --- stderr
        Updating `harbour` index
        Updating tide-table v0.3.1 ([ROOT]/work/samples/tide-table) -> v0.3.2
       Packaging tide-table v0.3.2 ([ROOT]/work/samples/tide-table)
         Signing tide-table v0.3.2 with [FINGERPRINT]
    note: still to sign: `bob` (`cargo marketplace sign`)
    ");
    let bundle = "handed/tide-table.submission";
    let apply = format!("registry apply registry {bundle}");
    assert_snapshot!(market.run(words(&apply)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0610]: signatures are missing on the submission of `tide-table`
    note: still to sign: `bob`; nothing was written
    help: `cargo marketplace sign [ROOT]/work/handed/tide-table.submission --registry-dir [ROOT]/work/registry --key NAME` adds one
    ");
    let sign = format!("sign {bundle} --registry-dir registry --key bob");
    assert_snapshot!(market.run_as("bob", words(&sign)), @"
    exit: 0
    --- stdout
    [ROOT]/work/handed/tide-table.submission
    --- stderr
         Signing tide-table: release 0.3.2
          Signed tide-table with [FINGERPRINT]
    ");
    assert_snapshot!(market.run(words(&apply)), @"
    exit: 0
    --- stdout
    --- stderr
        Applying tide-table: release 0.3.2
        Finished serial 3, 11 files written
    ");
    assert_snapshot!(market.run(words("verify tide-table@0.3.2")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.2: checksum, manifest, signed
    ");
    // A yank, too.
    let yank = "yank tide-table@0.3.2 --registry-dir registry --key harbour -o handed-again";
    assert_snapshot!(market.run(words(yank)), @"
    exit: 0
    --- stdout
    [ROOT]/work/handed-again/tide-table.submission
    --- stderr
         Yanking tide-table@0.3.2
    note: still to sign: `bob` (`cargo marketplace sign`)
    ");
}

#[test]
fn a_stranger_has_nothing_to_sign() {
    let market = with_bob();
    let add = format!("owner add tide-table carol {OWNER}");
    market.must(words(&add));
    let before = market
        .env
        .read("work/tide-table.submission/submission.json");
    let sign = "sign tide-table.submission --registry-dir registry --key bob";
    assert_snapshot!(market.run_as("bob", words(sign)), @"
    exit: 101
    --- stdout
    --- stderr
    error: `bob` has nothing to sign here
    note: nothing was written
    ");
    let add = "owner add tide-table carol --registry-dir registry --key bob";
    assert_snapshot!(market.run_as("bob", words(add)), @"
    exit: 101
    --- stdout
    --- stderr
    error: `bob` does not own `tide-table`; its owners are harbour
    help: sign with an owner's key: `--key NAME`
    ");
    assert_eq!(
        market
            .env
            .read("work/tide-table.submission/submission.json"),
        before
    );
}

#[test]
fn who_left_publishes_no_more() {
    let market = shared();
    let remove = format!("owner remove tide-table harbour {OWNER}");
    assert_snapshot!(market.run(words(&remove)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: owners owned by bob (1 of 1 must sign)
    note: still to sign: `bob` (`cargo marketplace sign`)
    ");
    let sign = "sign tide-table.submission --registry-dir registry --key bob";
    market.run_as("bob", words(sign));
    market.must(words("registry apply registry tide-table.submission"));
    market.raise("0.3.1", "0.3.2");
    let publish = "publish -p tide-table --no-verify --registry-dir ../registry --key harbour";
    assert_snapshot!(market.run_in("work/samples", words(publish)), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error: `harbour` does not own `tide-table`; its owners are bob
    help: sign with an owner's key: `--key NAME`
    ");
    // What was released before is as good as it was.
    assert_snapshot!(market.run(words("verify tide-table@0.3.1")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    ");
}

#[test]
fn what_was_signed_before_somebody_left_is_refused_afterwards() {
    let market = with_bob();
    market.raise("0.3.1", "0.3.2");
    let package = "package -p tide-table --no-verify -o ../packaged";
    let packaged = market.run_in("work/samples", words(package));
    assert!(packaged.starts_with("exit: 0"), "{packaged}");
    let sign = format!("sign packaged/tide-table-0.3.2.crate {OWNER}");
    market.must(words(&sign));
    for line in [
        "owner add tide-table bob --registry-dir registry --key harbour",
        "owner remove tide-table harbour --registry-dir registry --key harbour",
    ] {
        market.must(words(line));
        market.run_as(
            "bob",
            words("sign tide-table.submission --registry-dir registry --key bob"),
        );
        let apply = "registry apply registry tide-table.submission --register-publisher";
        market.must(words(apply));
    }
    let late = market.run(words(
        "registry apply registry packaged/tide-table.submission",
    ));
    assert!(
        late.contains("its sequence is 3 where 5 must follow"),
        "{late}"
    );
    // Signed anew, it is a stranger's.
    let again = market.run(words(&sign));
    assert!(
        again.contains("`harbour` does not own `tide-table`"),
        "{again}"
    );
}

#[test]
fn changes_that_make_no_sense_are_refused() {
    let market = Market::published();
    for (line, text) in [
        ("owner add tide-table harbour", "`harbour` owns it already"),
        (
            "owner add tide-table bob --threshold 3",
            "3 of 2 owners cannot sign",
        ),
        (
            "owner remove tide-table harbour",
            "nobody would own it any more",
        ),
        ("owner remove tide-table bob", "`bob` does not own it"),
        (
            "owner add tide-tabel bob",
            "no package `tide-tabel` in the registry",
        ),
        (
            "owner assign tide-tabel bob",
            "no package `tide-tabel` in the registry",
        ),
        (
            "owner assign tide-table harbour",
            "the owners are these already",
        ),
        (
            "owner assign tide-table bob",
            "`harbour` is not one of the new owners",
        ),
    ] {
        let shown = market.run(words(&format!("{line} {OWNER}")));
        assert!(shown.contains(text), "{line}: {shown}");
        let is_of_owners = !text.starts_with("no package") && !text.contains("new owners");
        let which = "error: the owners of `tide-table` stay as they are";
        assert_eq!(shown.contains(which), is_of_owners, "{line}: {shown}");
        assert!(
            !market.env.path("work/tide-table.submission").exists(),
            "{line}"
        );
    }
    for (line, help) in [
        (
            "owner remove tide-table harbour",
            "help: add another one first: `cargo marketplace owner add tide-table PUBLISHER",
        ),
        (
            "owner add tide-table --threshold 2",
            "help: `--threshold` may be 1 here",
        ),
        (
            "owner add tide-table bob --threshold 3",
            "help: `--threshold` may be from 1 to 2 here",
        ),
    ] {
        let shown = market.run(words(&format!("{line} {OWNER}")));
        assert!(shown.contains(help), "{line}: {shown}");
    }
    let none = market.run(words("owner add tide-table --registry-dir registry"));
    assert!(none.starts_with("exit: 1"), "{none}");
}

/// A registry in which the operator vouches for `tide-table`.
fn vouched() -> Market {
    let market = Market::empty();
    let package = "package -p tide-table --no-verify -o ../packaged";
    let packaged = market.run_in("work/samples", words(package));
    assert!(packaged.starts_with("exit: 0"), "{packaged}");
    let import = "registry import registry --as-own --vouch packaged/tide-table-0.3.1.crate";
    market.must(words(import));
    market
}

#[test]
fn nobody_publishes_over_a_vouched_name() {
    let market = vouched();
    market.raise("0.3.1", "0.3.2");
    let publish = "publish -p tide-table --no-verify --registry-dir ../registry --key harbour";
    assert_snapshot!(market.run_in("work/samples", words(publish)), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0608]: `tide-table` was taken in by the registry's operator and has no owner
    note: nothing was written
    help: the registry's operator gives it one: `cargo marketplace owner assign tide-table PUBLISHER --registry-dir DIR`
    ");
    assert_snapshot!(market.run(words("owner list tide-table")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
    note: `tide-table` has no owner
    ");
}

#[test]
fn an_assigned_package_is_published_by_its_new_owner() {
    let market = vouched();
    market.raise("0.3.1", "0.3.2");
    let assign = "owner assign tide-table harbour --registry-dir registry";
    assert_snapshot!(market.run(words(assign)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: assign owned by harbour (1 of 1 must sign)
    note: still to sign: `harbour` (`cargo marketplace sign`)
    ");
    let sign = format!("sign tide-table.submission {OWNER}");
    assert_snapshot!(market.run(words(&sign)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: assign owned by harbour (1 of 1 must sign)
          Signed tide-table with [FINGERPRINT]
    ");
    let apply = "registry apply registry tide-table.submission --register-publisher";
    assert_snapshot!(market.run(words(apply)), @"
    exit: 0
    --- stdout
    --- stderr
     Registering harbour with [DIGEST]
        Applying tide-table: assign owned by harbour (1 of 1 must sign)
        Finished serial 2, 12 files written
    ");
    market.publish(&["-p", "tide-table", "--no-verify"]);
    assert_snapshot!(market.run(words("info tide-table --versions --signatures")), @"
    exit: 0
    --- stdout
    tide-table #tides #embedded #prediction
    Harmonic tide prediction for small displays
    version: 0.3.2 (latest; 1 other)
    license: MIT OR Apache-2.0
    rust-version: 1.85
    contains: library
    signed: [FINGERPRINT] by harbour (verified, root v1)
    owners: harbour (1 of 1 must sign)
    repository: https://registry.example.org/source/tides
    dependencies: none
    dependents: 0
    features:
      +default = [std]
      +std     = []
    versions:
      0.3.2  2026-11-22  signed
      0.3.1  2026-11-22  vouched
    signatures:
      1 vouch 0.3.1, [FINGERPRINT] by the registry's operator
      2 assign owned by harbour (1 of 1 must sign), [FINGERPRINT] by harbour, [FINGERPRINT] by the registry's operator
      3 release 0.3.2, [FINGERPRINT] by harbour
    --- stderr
        Updating `harbour` index
    ");
    market.must(words("registry check registry"));
}

#[test]
fn a_package_whose_owner_lost_the_key_is_assigned_anew() {
    let market = with_bob();
    let assign = "owner assign tide-table bob --registry-dir registry";
    assert_snapshot!(market.run(words(assign)), @"
    exit: 0
    --- stdout
    [ROOT]/work/tide-table.submission
    --- stderr
         Signing tide-table: assign owned by bob (1 of 1 must sign)
    warning: this takes `tide-table` from harbour
    note: still to sign: `bob` (`cargo marketplace sign`)
    ");
    market.run_as(
        "bob",
        words("sign tide-table.submission --registry-dir registry --key bob"),
    );
    let apply = "registry apply registry tide-table.submission --register-publisher";
    market.must(words(apply));
    let yank = |key: &str| format!("yank tide-table@0.3.1 --registry-dir registry --key {key}");
    let refused = market.run(words(&yank("harbour")));
    assert!(
        refused.contains("`harbour` does not own `tide-table`"),
        "{refused}"
    );
    let handed = market.run_as("bob", words(&format!("{} --dry-run", yank("bob"))));
    assert!(handed.starts_with("exit: 0"), "{handed}");
}

#[test]
fn only_a_recovery_key_assigns() {
    let market = vouched();
    std::fs::remove_file(market.env.marketplace_home().join("keys/offline.pem")).unwrap();
    let assign = "owner assign tide-table harbour --registry-dir registry";
    assert_snapshot!(market.run(words(assign)), @"
    exit: 101
    --- stdout
    --- stderr
         Signing tide-table: assign owned by harbour (1 of 1 must sign)
    error[MP0602]: no recovery key is in the key folder
    help: the registry's policy names them; a solo registry's is its offline key
    ");
}
