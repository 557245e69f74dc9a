//! Whose a name is, by the operator's offline word.

use std::fs;

use insta::assert_snapshot;

use crate::samples::Market;

/// A second package of the publisher, who is registered by now: the offline key is not read for it.
pub(crate) fn with_a_new_package() -> Market {
    let market = Market::published();
    let manifest = "[package]\nname = \"tide-clock\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"A clock\"\n";
    market
        .env
        .write("work/clock/Cargo.toml", format!("[workspace]\n{manifest}"));
    market.env.write("work/clock/src/lib.rs", "");
    let publish = "publish --registry-dir ../registry --key harbour --no-verify";
    let publish = market.env.command(publish.split(' ')).folder("work/clock");
    let outcome = publish.run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    market
}

#[test]
fn a_new_name_is_by_the_online_keys_word_only_until_it_is_claimed() {
    let market = with_a_new_package();
    let owners = || {
        let info = market.env.run(["info", "tide-clock"]);
        let line = info.lines().find(|line| line.starts_with("owners"));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(
        owners(),
        "owners: harbour (1 of 1 must sign); new, by the online key's word only"
    );
    assert_snapshot!(market.run(["registry", "check", "registry"]), @"
    exit: 0
    --- stdout
    --- stderr
    note: 1 package not claimed yet: `cargo marketplace registry claim registry`
    note: 15 files that nothing refers to; `--verbose` lists them
        Finished 4 packages, 4 releases, 62 files are in order; serial 2
    ");
    assert_snapshot!(market.run(["registry", "claim", "registry", "--dry-run"]), @"
    exit: 0
    --- stdout
    --- stderr
        Claiming `tide-clock` for harbour (1 of 1 must sign)
    warning: nothing was written, as this is a dry run
    ");
    assert_snapshot!(market.run(["registry", "claim", "registry", "no-such"]), @"
    exit: 101
    --- stdout
    --- stderr
    error[MP0203]: the registry has no package `no-such`
    help: `cargo marketplace search WORDS` looks for packages, `info NAME --versions` lists releases
    ");
    assert_snapshot!(market.run(["registry", "claim", "registry"]), @"
    exit: 0
    --- stdout
    --- stderr
        Claiming `tide-clock` for harbour (1 of 1 must sign)
        Finished 1 package claimed
    ");
    assert_eq!(owners(), "owners: harbour (1 of 1 must sign)");
    assert_snapshot!(market.run(["registry", "claim", "registry"]), @"
    exit: 0
    --- stdout
    --- stderr
       Unchanged every package with an owner is claimed
    ");
    market.must(["registry", "check", "registry"]);
}

/// The draft of fewer bins is of nobody's fault when a name is claimed before it is signed.
#[test]
fn fewer_bins_that_were_drafted_before_a_claim_are_refused_with_a_true_word() {
    let market = with_a_new_package();
    let rebin = "registry rebin registry --role claimed --bits 1";
    let rebin = market.env.command(rebin.split(' '));
    let rebin = rebin.env("CARGO_MARKETPLACE_KEYS", market.env.path("nobody"));
    let waiting = rebin.run();
    assert_eq!(waiting.code, Some(0), "{waiting}");
    market.must(["registry", "claim", "registry"]);
    assert_snapshot!(market.run(["registry", "sign", "registry", "--yes"]), @"
    exit: 4
    --- stdout
    --- stderr
    error[MP0607]: with the drafts `claimed-0` would list other claims than the registry has: it has moved on since, or a draft was changed
    note: nothing was written
    help: `cargo marketplace registry sign DIR --discard` throws the drafts away; then start again
    ");
}

#[test]
fn claiming_needs_the_offline_key() {
    let market = with_a_new_package();
    let keys = market.env.path("home/.cargo/marketplace/keys");
    fs::remove_file(keys.join("offline.pem")).unwrap();
    let before = market.file("tuf/timestamp.json");
    assert_snapshot!(market.run(["registry", "claim", "registry"]), @"
    exit: 101
    --- stdout
    --- stderr
        Claiming `tide-clock` for harbour (1 of 1 must sign)
    error[MP0602]: role `claimed-3` needs 1 of its 1 keys, and 0 are at hand
    note: nothing was written
    help: put the registry's role keys into the key folder; see `cargo marketplace key list`
    ");
    assert_eq!(market.file("tuf/timestamp.json"), before);
}
