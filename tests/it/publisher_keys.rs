//! Keys of publishers that are exchanged, revoked and exported.

use cargo_marketplace::formats::key_change;
use cargo_marketplace::model::Sha256Digest;
use cargo_marketplace::publish::keystore::{KeyName, Keystore};
use cargo_marketplace::trust::sign_key_change;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::samples::{Market, copy, folder_digest, words};

const ROTATE: &str = "key rotate harbour --registry-dir registry --no-passphrase";

/// The id of a key in the key folder.
fn key_id(market: &Market, name: &str) -> String {
    let shown = market.env.command(["key", "show", name]).run().stdout;
    let mut lines = shown.lines();
    let id = lines.find_map(|line| line.strip_prefix("id: "));
    id.unwrap().to_owned()
}

/// A registry that knows two keys of `harbour`.
fn rotated() -> Market {
    let market = Market::published();
    market.must(words(ROTATE));
    market.must(words("registry apply registry harbour.keys"));
    market
}

/// Raises the version of `tide-table`, and publishes it with a key.
fn publish_with(market: &Market, key: &str) -> String {
    market.raise("0.3.1", "0.3.2");
    let publish =
        format!("publish -p tide-table --no-verify --registry-dir ../registry --key {key}");
    market.run_in("work/samples", words(&publish))
}

#[test]
fn a_new_key_publishes_for_the_same_publisher_and_clients_follow() {
    let market = Market::published();
    // A client that has verified the package under the old key alone.
    market.must(words("verify tide-table@0.3.1"));
    assert_snapshot!(market.run(words(ROTATE)), @"
    exit: 0
    --- stdout
    [ROOT]/work/harbour.keys
    --- stderr
         Created key `harbour-2` in [ROOT]/home/.cargo/marketplace/keys/harbour-2.pem
    warning: the key is not encrypted: whoever reads the file can sign with it
          Adding [DIGEST] of `harbour`
    note: the registry's operator takes it in: `cargo marketplace registry apply`
    ");
    // Until the operator has taken it in, the new key is nobody's.
    let early = publish_with(&market, "harbour-2");
    assert!(
        early.contains("`harbour-2` does not own `tide-table`"),
        "{early}"
    );
    assert_snapshot!(market.run(words("registry apply registry harbour.keys --dry-run")), @"
    exit: 0
    --- stdout
    --- stderr
          Adding [DIGEST] of `harbour`
    warning: nothing was written, as this is a dry run
    ");
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 0
    --- stdout
    --- stderr
          Adding [DIGEST] of `harbour`
         Changed keys of `harbour`
    ");
    let published = publish_with(&market, "harbour-2");
    assert!(published.starts_with("exit: 0"), "{published}");
    assert_snapshot!(market.run(words("verify tide-table@0.3.2")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.2: checksum, manifest, signed
    ");
    assert_snapshot!(market.run(words("owner list tide-table")), @"
    exit: 0
    --- stdout
    harbour  [FINGERPRINT]  [DIGEST]
    harbour  [FINGERPRINT]  [DIGEST]
    --- stderr
        Updating `harbour` index
    note: 1 of 1 must sign; 3 statements so far
    ");
    market.must(words("registry check registry"));
}

#[test]
fn a_change_of_keys_is_taken_in_once() {
    let market = rotated();
    // Again it changes nothing, and after another one it is refused.
    let before = folder_digest(&market.env.path("work/registry"));
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged all of it is in the registry already; serial 1
    ");
    assert_eq!(folder_digest(&market.env.path("work/registry")), before);
    let old = market.env.read("work/harbour.keys");
    market.env.write("work/old.keys", old);
    let third = "key rotate harbour --registry-dir registry --no-passphrase --new-name third";
    market.must(words(third));
    market.must(words("registry apply registry harbour.keys"));
    assert_snapshot!(market.run(words("registry apply registry old.keys")), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0609]: the change of the keys of `harbour` is refused

    Caused by:
      the keys of `harbour` changed since it was made

    note: nothing was written
    help: make it anew
    ");
    market.must(words("registry check registry"));
}

/// The number of changes that the registry has seen.
fn changes(market: &Market) -> u64 {
    let timestamp: serde_json::Value =
        serde_json::from_str(&market.file("tuf/timestamp.json")).unwrap();
    timestamp["signed"]["version"].as_u64().unwrap()
}

/// Packages the next version of `tide-cli`, and signs it with a key for a registry in a folder.
fn signed_next(market: &Market, key: &str, registry: &str) {
    let manifest = "work/samples/tide-cli/Cargo.toml";
    let text = market.env.read(manifest).replace("1.2.0", "1.2.1");
    market.env.write(manifest, text);
    let package = "package -p tide-cli --no-verify --registry-dir ../registry -o ../packaged";
    let packaged = market.run_in("work/samples", words(package));
    assert!(packaged.starts_with("exit: 0"), "{packaged}");
    let sign = format!("sign packaged/tide-cli-1.2.1.crate --registry-dir {registry} --key {key}");
    market.must(words(&sign));
}

#[test]
fn a_new_key_and_what_it_signed_are_taken_in_by_one_change() {
    let market = Market::published();
    market.must(words(ROTATE));
    // The publisher goes ahead on a copy of their own.
    copy(
        &market.env.path("work/registry"),
        &market.env.path("work/ahead"),
    );
    market.must(words("registry apply ahead harbour.keys"));
    signed_next(&market, "harbour-2", "ahead");
    let before = (
        changes(&market),
        folder_digest(&market.env.path("work/registry")),
    );
    let alone = market.run(words(
        "registry apply registry packaged/tide-cli.submission",
    ));
    assert!(alone.starts_with("exit: 4"), "{alone}");

    let both = "registry apply registry packaged/tide-cli.submission harbour.keys";
    let plan = format!("{both} --dry-run");
    assert_snapshot!(market.run(words(&plan)), @"
    exit: 0
    --- stdout
    --- stderr
          Adding [DIGEST] of `harbour`
        Applying tide-cli: release 1.2.1
    warning: nothing was written, as this is a dry run
    ");
    assert_eq!(folder_digest(&market.env.path("work/registry")), before.1);
    assert_snapshot!(market.run(words(both)), @"
    exit: 0
    --- stdout
    --- stderr
          Adding [DIGEST] of `harbour`
        Applying tide-cli: release 1.2.1
         Changed keys of `harbour`
        Finished serial 2, 13 files written
    ");
    assert_eq!(changes(&market), before.0 + 1);
    market.must(words("registry check registry --deep"));
    // The same once more, as after a call whose end nobody saw.
    let after = folder_digest(&market.env.path("work/registry"));
    assert_snapshot!(market.run(words(both)), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged all of it is in the registry already; serial 2
    ");
    assert_eq!(folder_digest(&market.env.path("work/registry")), after);
}

#[test]
fn keys_stay_as_they_are_where_what_comes_with_them_is_refused() {
    let market = Market::published();
    market.must(words(ROTATE));
    signed_next(&market, "harbour", "registry");
    // Another statement comes before.
    market.must(words(
        "yank tide-cli@1.2.0 --registry-dir registry --key harbour",
    ));
    let before = folder_digest(&market.env.path("work/registry"));
    let both = "registry apply registry harbour.keys packaged/tide-cli.submission";
    for line in [format!("{both} --dry-run"), both.to_owned()] {
        let refused = market.run(words(&line));
        assert!(refused.starts_with("exit: 101"), "{refused}");
        assert!(refused.contains("note: nothing was written"), "{refused}");
        assert_eq!(folder_digest(&market.env.path("work/registry")), before);
    }
}

#[test]
fn a_change_of_keys_that_somebody_meddled_with_is_refused() {
    let market = Market::published();
    market.must(words(ROTATE));
    market.must(words("key new thief --no-passphrase"));
    let public = |name: &str| {
        let line = format!("key export {name} --format hex");
        let shown = market.env.command(words(&line)).run().stdout;
        shown.trim().to_owned()
    };
    let text = market.env.read("work/harbour.keys");
    let changed = text.replace(&public("harbour-2"), &public("thief"));
    assert_ne!(changed, text);
    market.env.write("work/harbour.keys", changed);
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0609]: the change of the keys of `harbour` is refused

    Caused by:
      the signature does not fit the key [DIGEST] and the signed bytes

    note: nothing was written
    help: make the change anew, with keys that are in force
    ");
}

#[test]
fn a_revocation_names_statements_that_are_in_the_registry() {
    let market = rotated();
    let revoke = "key revoke harbour --key harbour-2 --registry-dir registry";
    market.must(words(revoke));
    let told = format!("{revoke} --message-format json");
    let told = market.env.command(words(&told)).run().stdout;
    let told: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    let honest = market.env.read("work/harbour.keys");
    let mut change = key_change::decode(honest.as_bytes()).unwrap();
    let last = change.publisher.revoked[0].last_good.values_mut();
    let last = last.last().unwrap();
    let expected = json!({"sequence": 2, "sha256": last.sha256.to_string()});
    assert_eq!(told["last_good"]["tide-table"], expected);
    // Another statement, signed by the publisher, as one would who has not seen all of the registry.
    last.sha256 = Sha256Digest::of(b"another statement");
    change.signatures.clear();
    let store = Keystore::new(market.env.path("home/.cargo/marketplace/keys"));
    let name: KeyName = "harbour-2".parse().unwrap();
    let key = store.load(&name, None).unwrap();
    sign_key_change(&mut change, &[&key]).unwrap();
    let bytes = key_change::encode(&change);
    std::fs::write(market.env.path("work/harbour.keys"), bytes).unwrap();
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 4
    --- stdout
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
    error[MP0609]: the change of the keys of `harbour` is refused

    Caused by:
      the key [DIGEST] is revoked, and would be good for another statement 2 of `tide-table` than the registry has

    note: nothing was written
    help: make the change anew, with keys that are in force
    ");
    market.env.write("work/harbour.keys", honest);
    market.must(words("registry apply registry harbour.keys"));
    market.must(words("registry check registry --deep"));
}

#[test]
fn what_a_key_signed_is_not_taken_in_once_it_is_revoked() {
    let market = rotated();
    // Signed with the old key, and not handed in yet.
    signed_next(&market, "harbour", "registry");

    let revoke = "key revoke harbour --key harbour-2 --registry-dir registry";
    assert_snapshot!(market.run(words(revoke)), @"
    exit: 0
    --- stdout
    [ROOT]/work/harbour.keys
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
    note: the registry's operator takes it in: `cargo marketplace registry apply`
    ");
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 0
    --- stdout
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
         Changed keys of `harbour`
    ");
    let apply = "registry apply registry packaged/tide-cli.submission";
    assert_snapshot!(market.run(words(apply)), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0403]: publisher `harbour` is registered with other keys
    note: nothing was written
    help: ask who handed the submission in; have it made and signed anew
    ");
}

#[test]
fn a_revoked_key_signs_nothing_new_and_what_it_signed_stays() {
    let market = rotated();
    let revoke = "key revoke harbour --key harbour-2 --registry-dir registry";
    market.must(words(revoke));
    market.must(words("registry apply registry harbour.keys"));
    assert_snapshot!(publish_with(&market, "harbour"), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0403]: the key `harbour` of `harbour` is revoked
    note: nothing was written
    help: sign with another key of yours: `--key NAME`
    ");
    assert_snapshot!(market.run(words("verify tide-table@0.3.1")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    ");
    let published = publish_with(&market, "harbour-2");
    assert!(published.starts_with("exit: 0"), "{published}");
    assert_snapshot!(market.run(words("info tide-table --signatures")), @"
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
    dependents: 1
    features:
      +default = [std]
      +std     = []
    signatures:
      1 genesis owned by harbour (1 of 1 must sign), [FINGERPRINT] by harbour
      2 release 0.3.1, [FINGERPRINT] by harbour
      3 release 0.3.2, [FINGERPRINT] by harbour
    --- stderr
        Updating `harbour` index
    ");
    assert_snapshot!(market.run(words("owner list tide-table")), @"
    exit: 0
    --- stdout
    harbour  [FINGERPRINT]  [DIGEST]
    harbour  [FINGERPRINT]  [DIGEST] (revoked)
    --- stderr
        Updating `harbour` index
    note: 1 of 1 must sign; 3 statements so far
    ");
    let again = market.run(words(revoke));
    assert!(again.contains("revoked already"), "{again}");
    market.must(words("registry check registry"));
}

#[test]
fn an_older_copy_of_a_package_is_no_attack_after_a_key_is_revoked() {
    let market = rotated();
    market.must(words("registry rebin registry --bits 4"));
    market.must(words("verify tide-table@0.3.1"));
    market.must(words("verify tide-cli"));
    // Statement 3 of `tide-table` becomes the last good one of the key, and is in no copy of this user.
    let published = publish_with(&market, "harbour");
    assert!(published.starts_with("exit: 0"), "{published}");
    market.must(words(
        "key revoke harbour --key harbour-2 --registry-dir registry",
    ));
    market.must(words("registry apply registry harbour.keys"));
    market.must(words("verify tide-cli"));
    let offline = market.run(words("--offline info tide-table"));
    assert_snapshot!(offline, @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0202]: `tide-table` is not in the offline copy of `harbour`
    help: run it once with the registry in reach and without `--offline`
    ");
    for line in ["info tide-table --signatures", "verify tide-table@0.3.1"] {
        let offline = market.run(words(&format!("--offline {line}")));
        assert!(offline.contains("error[MP0202]"), "{offline}");
    }
    market.must(words("--offline verify tide-cli"));
    // Online nothing of it is old, and the copy is whole from then on.
    market.must(words("info tide-table"));
    market.must(words("--offline info tide-table"));
}

#[test]
fn the_operator_revokes_a_publishers_only_key() {
    let market = Market::published();
    let id = key_id(&market, "harbour");
    let revoke = format!("key revoke {id} --registry-dir registry");
    let plan = format!("{revoke} --dry-run");
    assert_snapshot!(market.run(words(&plan)), @"
    exit: 0
    --- stdout
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
    warning: nothing was written, as this is a dry run
    ");
    let file = market.file("publishers/harbour.json");
    assert!(!file.contains("revoked"), "{file}");
    assert_snapshot!(market.run(words(&revoke)), @"
    exit: 0
    --- stdout
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
         Changed keys of `harbour`
    ");
    assert_snapshot!(market.run(words("verify tide-table@0.3.1")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified tide-table v0.3.1: checksum, manifest, signed
    ");
    market.must(words("registry check registry"));
}

#[test]
fn revoking_needs_another_key_of_the_same_publisher_or_the_operators() {
    let market = rotated();
    market.must(words("key new bob --no-passphrase"));
    let by = |key: &str| format!("key revoke harbour --key {key} --registry-dir registry");
    for key in ["harbour", "bob"] {
        let refused = market.run(words(&by(key)));
        let text = format!("`{key}` is not another key of `harbour`");
        assert!(refused.contains(&text), "{refused}");
    }
    std::fs::remove_file(market.env.marketplace_home().join("keys/offline.pem")).unwrap();
    let refused = market.run(words("key revoke harbour --registry-dir registry"));
    assert!(refused.contains("error[MP0602]"), "{refused}");
    let unknown = market.run(words("key revoke bob --registry-dir registry"));
    assert!(
        unknown.contains("the registry knows no publisher with that key"),
        "{unknown}"
    );
}

#[test]
fn a_release_after_the_revocation_was_prepared_has_it_made_anew() {
    let market = rotated();
    market.must(words(
        "key revoke harbour --key harbour-2 --registry-dir registry",
    ));
    let published = publish_with(&market, "harbour");
    assert!(published.starts_with("exit: 0"), "{published}");
    assert_snapshot!(market.run(words("registry apply registry harbour.keys")), @"
    exit: 4
    --- stdout
    --- stderr
        Revoking [DIGEST] of `harbour`
    note: what it signed stays good up to: sensor-template 2, tide-cli 2, tide-table 2
    error[MP0609]: with the changed keys of `harbour`, the record of `tide-table` would be refused

    Caused by:
      statement 3 of `tide-table` is refused: it is signed by the key [DIGEST], which may not sign it

    note: nothing was written
    help: make it anew, with what the key has signed by now
    ");
}

#[test]
fn keys_are_exported_for_others_and_secrets_only_encrypted_and_into_files() {
    let market = Market::empty();
    assert_snapshot!(market.env.run(words("key export harbour --secret -o backup.pem")), @"
    exit: 101
    --- stdout
    --- stderr
    error: the key `harbour` is not encrypted
    note: nothing was written
    help: a copy of an unencrypted key is as good as the key
    ");
    let new = market.env.command(words("key new anchor"));
    let new = new
        .env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "not a secret")
        .run();
    assert_eq!(new.code, Some(0), "{new}");
    let to_stdout = market.env.run(words("key export anchor --secret"));
    assert!(to_stdout.starts_with("exit: 1"), "{to_stdout}");
    assert_snapshot!(market.env.run(words("key export anchor --secret -o backup.pem")), @"
    exit: 0
    --- stdout
    --- stderr
        Exported key `anchor` to backup.pem
    ");
    let secret = market.env.read("work/backup.pem");
    assert_eq!(
        secret,
        market.env.read("home/.cargo/marketplace/keys/anchor.pem")
    );
    assert!(secret.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(market.env.path("work/backup.pem")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let again = market
        .env
        .run(words("key export anchor --secret -o backup.pem"));
    assert!(again.starts_with("exit: 101"), "{again}");
    let export = |format: &str| {
        let line = format!("key export anchor --format {format}");
        market.env.command(words(&line)).run().stdout
    };
    assert_eq!(
        export("pem"),
        market
            .env
            .read("home/.cargo/marketplace/keys/anchor.pub.pem")
    );
    assert_eq!(export("hex").trim().len(), 64);
    assert!(export("openssh").starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
}
