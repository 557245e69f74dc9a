//! Releases that nobody signed: listed by the offline key, or refused.

use cargo_marketplace::formats::{layout, policy, record};
use cargo_marketplace::model::{Body, Release, Sha256Digest};
use cargo_marketplace::publish::apply;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::journal::Change;
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::publish::sign::chain;
use cargo_marketplace::trust::SecretKey;
use insta::assert_snapshot;

use crate::samples::{Market, words};
use crate::small_registry::{archive, now};

/// A registry with an unsigned `sluice` 1.0.0.
fn with_sluice() -> Market {
    let market = Market::published();
    for version in ["1.0.0", "1.1.0"] {
        market.env.write(
            &format!("work/sluice-{version}.crate"),
            archive("sluice", version, ""),
        );
    }
    let import = "registry import registry --as-own --unsigned sluice-1.0.0.crate";
    market.must(words(import));
    market
}

#[test]
fn what_is_listed_is_shown_as_unsigned() {
    let market = with_sluice();
    market.must(words("registry check registry"));
    assert_snapshot!(market.run(words("info sluice --versions --signatures")), @"
    exit: 0
    --- stdout
    sluice
    A small sluice
    version: 1.0.0 (latest)
    license: MIT OR Apache-2.0
    contains: library
    unsigned: listed by the registry (verified, root v1)
    dependencies: none
    dependents: 0
    versions:
      1.0.0  2026-11-22  unsigned
    signatures:
      1 unsigned 1.0.0, unsigned
    --- stderr
        Updating `harbour` index
    ");
    assert_snapshot!(market.run(words("verify sluice@1.0.0")), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` index
        Verified sluice v1.0.0: checksum, manifest, unsigned
    ");
    for backend in backends() {
        let line = format!("info sluice --backend {backend}");
        let shown = market.run(words(&line));
        assert!(
            shown.contains("unsigned: listed by the registry"),
            "{shown}"
        );
    }
    assert_snapshot!(market.file("unsigned.json"), @r#"
    {
      "schema": 1,
      "releases": [
        {
          "name": "sluice",
          "version": "1.0.0",
          "sha256": "d728bc291edd59f602dbb2c0301d53bc4341400435343c892e5db60029f39b21"
        }
      ]
    }
    "#);
    // The operator speaks for what nobody owns.
    market.must(words("yank sluice@1.0.0 --registry-dir registry"));
}

/// The formats that this build reads.
pub(crate) fn backends() -> Vec<&'static str> {
    let all = [
        ("v1", cfg!(feature = "marketplace-v1")),
        ("v2", cfg!(feature = "marketplace-v2")),
    ];
    all.into_iter()
        .filter_map(|(name, is_in)| is_in.then_some(name))
        .collect()
}

#[test]
fn unsigned_releases_need_the_offline_key() {
    let market = with_sluice();
    std::fs::remove_file(market.env.marketplace_home().join("keys/offline.pem")).unwrap();
    let import = "registry import registry --as-own --unsigned sluice-1.1.0.crate";
    assert_snapshot!(market.run(words(import)), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0602]: role `policy` needs 1 of its 1 keys, and 0 are at hand
    note: nothing was written
    help: put the registry's role keys into the key folder; see `cargo marketplace key list`
    ");
}

#[test]
fn a_package_with_an_owner_takes_no_unsigned_release() {
    let market = Market::published();
    market
        .env
        .write("work/next.crate", archive("tide-table", "9.0.0", ""));
    let import = "registry import registry --as-own --unsigned next.crate";
    assert_snapshot!(market.run(words(import)), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0406]: statement 3 of `tide-table` is refused: version 9.0.0 is unsigned, but the package has an owner
    note: nothing was written
    help: tell the registry's operator; `cargo marketplace registry check DIR` shows them what is wrong
    ");
    // Nor does one that was given an owner.
    let market = with_sluice();
    market.must(words(
        "owner assign sluice harbour --key harbour --registry-dir registry",
    ));
    market.must(words("registry apply registry sluice.submission"));
    let import = "registry import registry --as-own --unsigned sluice-1.1.0.crate";
    let refused = market.run(words(import));
    assert!(
        refused.contains("version 1.1.0 is unsigned, but the package has an owner"),
        "{refused}"
    );
    let known = market.run(words("verify sluice@1.0.0"));
    assert!(
        known.contains("unsigned") && known.starts_with("exit: 0"),
        "{known}"
    );
}

/// A role key of the registry, as a thief has it.
fn stolen(market: &Market, name: &str) -> SecretKey {
    let text = market
        .env
        .read(&format!("home/.cargo/marketplace/keys/{name}.pem"));
    SecretKey::from_pem(&text, None).unwrap()
}

/// Adds an unsigned release to a record with the online key alone.
fn smuggle(market: &Market, package: &str, version: &str) {
    let mut folder = Folder::open(&market.env.path("work/registry")).unwrap();
    let package = package.parse().unwrap();
    let state = apply::state(&mut folder, &package).unwrap();
    let known = &state.document.entries[0].release;
    let release = Release {
        version: version.parse().unwrap(),
        publisher: None,
        ..known.clone()
    };
    let mut record = folder.record(&package).unwrap().unwrap();
    record.accepted.insert(release.version.clone(), now());
    let body = Body::Unsigned {
        release: Box::new(release),
        source: None,
    };
    record
        .statements
        .extend(chain(&state, [body], &[]).unwrap());
    let bytes = record::encode(&record).unwrap();
    folder.set_record(&package, &bytes).unwrap();
    let mut change = Change::default();
    change.add_hashed(&layout::record(&package), bytes);
    let keys = RoleKeys::new([stolen(market, "online")]);
    folder.commit(change, &keys, now()).unwrap();
}

#[test]
fn a_thief_of_the_online_key_adds_no_unsigned_release() {
    let market = with_sluice();
    // A client that knows the package, and below one that does not.
    market.must(words("verify sluice@1.0.0"));
    smuggle(&market, "sluice", "1.2.0");
    smuggle(&market, "tide-table", "9.0.0");
    assert_snapshot!(market.run(words("info sluice")), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0406]: statement 2 of `sluice` is refused: version 1.2.0 is unsigned, and the registry does not list it as such
    note: nothing was written
    help: tell the registry's operator; `cargo marketplace registry check DIR` shows them what is wrong
    ");
    assert_snapshot!(market.run(words("verify tide-table@9.0.0")), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0406]: statement 3 of `tide-table` is refused: version 9.0.0 is unsigned, but the package has an owner
    note: nothing was written
    help: tell the registry's operator; `cargo marketplace registry check DIR` shows them what is wrong
    ");
    let root = format!("sha256:{}", market.root());
    let add = ["registry", "add", "harbour", market.url(), "--root", &root];
    let added = market.run_as("fresh", add);
    assert!(added.starts_with("exit: 0"), "{added}");
    let refused = market.run_as("fresh", words("verify sluice@1.0.0"));
    assert!(refused.starts_with("exit: 4"), "{refused}");
    let checked = market.run(words("registry check registry"));
    assert!(checked.starts_with("exit: 3"), "{checked}");
}

#[test]
fn the_policy_ends_the_time_of_unsigned_releases() {
    let market = with_sluice();
    let mut folder = Folder::open(&market.env.path("work/registry")).unwrap();
    let mut changed = folder.policy().unwrap();
    changed.signing_required_from = Some(2);
    let bytes = policy::encode(&changed).unwrap();
    folder.set_target("policy", layout::POLICY, &bytes).unwrap();
    // Read before it is committed, for the lifetimes that it states.
    let path = layout::hashed(layout::POLICY, &Sha256Digest::of(&bytes));
    market.env.write(&format!("work/registry/{path}"), &bytes);
    let mut change = Change::default();
    change.add_hashed(layout::POLICY, bytes);
    let keys = RoleKeys::new(["offline", "online"].map(|name| stolen(&market, name)));
    folder.commit(change, &keys, now()).unwrap();
    let import = "registry import registry --as-own --unsigned sluice-1.1.0.crate";
    assert_snapshot!(market.run(words(import)), @"
    exit: 101
    --- stdout
    --- stderr
    error: the registry takes no unsigned release from serial 2 on
    note: nothing was written
    help: import it with `--vouch` or `--key NAME`
    ");
    market.must(words("verify sluice@1.0.0"));
}
