//! Releases that nobody signed: listed by the offline key, or refused.

use insta::assert_snapshot;

use crate::samples::Market;
use crate::small_registry::archive;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

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
fn backends() -> Vec<&'static str> {
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
