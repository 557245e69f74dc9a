//! Submissions that register somebody with keys that are not theirs, or more people than they show.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::samples::Market;

const APPLY: &str = "registry apply registry strait.submission --register-publisher";

/// A registry, and a submission by `mallory`, which would register her; it is not taken in yet.
fn submitted() -> Market {
    let market = Market::empty();
    let archive = crate::small_registry::archive("strait", "1.0.0", "");
    market.env.write("work/strait-1.0.0.crate", archive);
    for line in [
        "key new mallory --no-passphrase",
        "sign strait-1.0.0.crate --registry-dir registry --key mallory",
    ] {
        let outcome = market.run_as("mallory", line.split(' '));
        assert!(outcome.starts_with("exit: 0"), "{outcome}");
    }
    market
}

fn change(market: &Market, change: impl FnOnce(&mut Vec<Value>)) {
    let path = market.env.path("work/strait.submission/submission.json");
    let mut submission: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(submission["publishers"].as_array_mut().unwrap());
    fs::write(path, submission.to_string()).unwrap();
}

fn stranger() -> Value {
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
}

/// Nobody was registered, and the registry is in order.
fn is_refused(market: &Market) -> String {
    let before = crate::samples::folder_digest(&market.env.path("work/registry"));
    let outcome = market.run(APPLY.split(' '));
    assert!(outcome.starts_with("exit: 4"), "{outcome}");
    let after = crate::samples::folder_digest(&market.env.path("work/registry"));
    assert_eq!(before, after);
    outcome
}

#[test]
fn a_publisher_is_registered_with_what_they_signed_with() {
    let market = submitted();
    assert_snapshot!(market.run(APPLY.split(' ')), @"
    exit: 0
    --- stdout
    --- stderr
     Registering mallory with [DIGEST]
        Applying strait: genesis owned by mallory (1 of 1 must sign)
        Applying strait: release 1.0.0
        Finished serial 1, 13 files written
    ");
}

#[test]
fn a_key_that_would_sign_unseen_is_refused() {
    let market = submitted();
    // The operator is shown the key of an honest person, who never signed; the thief's own is called
    // revoked, but good for as long as there is a package.
    change(&market, |publishers| {
        let own = publishers[0]["keys"][0].take();
        publishers[0]["keys"] = json!([stranger()]);
        let last = json!({"sequence": 1_000_000, "sha256": "ab".repeat(32)});
        publishers[0]["revoked"] = json!([{"key": own, "last_good": {"strait": last}}]);
    });
    assert_snapshot!(is_refused(&market), @"
    exit: 4
    --- stdout
    --- stderr
     Registering mallory with [DIGEST]
    error[MP0403]: `mallory` would be registered with a key that did not sign for them
    note: nothing was written
    help: ask who handed the submission in; have it made and signed anew
    ");
}

#[test]
fn a_key_that_signed_nothing_is_refused() {
    let market = submitted();
    change(&market, |publishers| {
        let keys = publishers[0]["keys"].as_array_mut().unwrap();
        keys.insert(0, stranger());
    });
    let refused = is_refused(&market);
    assert!(
        refused.contains("with a key that did not sign"),
        "{refused}"
    );
}

#[test]
fn nobody_is_registered_in_the_shade_of_another() {
    let market = submitted();
    change(&market, |publishers| {
        let mut another = publishers[0].clone();
        another["id"] = "harbour-master".into();
        publishers.push(another);
    });
    // Each is shown before, and who owns nothing is refused even so.
    let asked = "registry apply registry strait.submission";
    assert_snapshot!(market.run(asked.split(' ')), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0403]: the publisher `mallory` is not registered
    note: nothing was written
    help: if these are the ids of their keys (`key show`), pass `--register-publisher`: `mallory`: [DIGEST]; `harbour-master`: [DIGEST]
    ");
    assert_snapshot!(is_refused(&market), @"
    exit: 4
    --- stdout
    --- stderr
     Registering mallory with [DIGEST]
     Registering harbour-master with [DIGEST]
    error[MP0403]: `harbour-master` would be registered with a key that did not sign for them
    note: nothing was written
    help: ask who handed the submission in; have it made and signed anew
    ");
}

#[test]
fn two_submissions_of_one_package_are_one_too_many() {
    let market = submitted();
    let apply = "registry apply registry strait.submission strait.submission --register-publisher";
    assert_snapshot!(market.run(apply.split(' ')), @"
    exit: 1
    --- stdout
    --- stderr
     Registering mallory with [DIGEST]
    error: two submissions are of `strait`
    note: nothing was written
    help: apply one, and let the other be signed again
    ");
}
