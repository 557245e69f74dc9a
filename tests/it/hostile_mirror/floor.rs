//! The floor below which no format is read, as the offline policy says it.

use cargo_marketplace::formats::layout;
use cargo_marketplace::formats::policy::{self, FormatFloor};
use cargo_marketplace::registry::client::{Client, Opening};
use cargo_marketplace::registry::freshness::Need;
use cargo_marketplace::registry::mirrors::Mirrors;
use cargo_marketplace::registry::transport::Network;
#[cfg(any(feature = "marketplace-parallel", not(feature = "marketplace-v2")))]
use insta::assert_snapshot;

#[cfg(feature = "marketplace-parallel")]
use super::error;
use super::forge::Forge;
use super::{Days, World, package};
#[cfg(feature = "marketplace-parallel")]
use crate::faults::Fault;
use crate::small_registry::{self, Silent};

/// Has the policy demand v2.
fn demand_v2(world: &World) {
    world.forge(raise_floor);
}

fn raise_floor(forge: &mut Forge) {
    let mut policy = policy::decode(forge.file(layout::POLICY)).unwrap();
    policy.format_floor = FormatFloor::V2;
    let bytes = policy::encode(&policy).unwrap();
    forge.target("policy", layout::POLICY, &bytes);
}

/// The registry, opened in the test's own process.
fn client(world: &World) -> Client<'static> {
    let url = world.server.url();
    Client::open(Opening {
        name: "harbour".parse().unwrap(),
        registry_id: Days::root(),
        home: world.env.marketplace_home(),
        mirrors: Some(Mirrors::open(&url, Network::default(), None, &Silent)),
        now: small_registry::now(),
        need: Need::Latest,
        demands: Vec::new(),
        events: &Silent,
    })
    .unwrap()
}

#[test]
fn who_was_overtaken_judges_by_the_policy_that_it_catches_up_with() {
    let world = World::fresh();
    let slow = client(&world);
    assert_eq!(slow.policy().format_floor, FormatFloor::V1);
    world.files.lock().unwrap().clone_from(&Days::get().today);
    world.forge(|forge| {
        raise_floor(forge);
        forge.at_last("timestamp", |signed| {
            signed["expires"] = small_registry::now().plus_days(5).to_string().into();
        });
    });
    let other = client(&world);
    let newest = other.package(&package()).unwrap().unwrap();
    let caught_up = slow.package(&package()).unwrap().unwrap();
    assert_eq!(caught_up.sequence(), newest.sequence());
    assert_eq!(slow.snapshot_version(), other.snapshot_version());
    assert_eq!(slow.policy().format_floor, FormatFloor::V2);
    assert_eq!(slow.freshness(), other.freshness());
}

#[cfg(feature = "marketplace-v2")]
#[test]
fn v2_is_read_as_ever() {
    let world = World::warm();
    demand_v2(&world);
    for outcome in [
        world.info(),
        world.fetch(),
        world.command("search tide").run(),
    ] {
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert!(!outcome.stderr.contains("MP05"), "{outcome}");
    }
}

#[cfg(not(feature = "marketplace-v2"))]
#[test]
fn a_build_that_reads_v1_alone_says_what_to_do() {
    let world = World::warm();
    demand_v2(&world);
    assert_snapshot!(world.info(), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0503]: the registry's policy lets no v1 be read
    note: nothing was written
    help: install a build that reads v2: `cargo install cargo-marketplace`
    ");
    world.refuses();
}

#[cfg(feature = "marketplace-parallel")]
#[test]
fn v1_is_refused_where_it_is_asked_for() {
    let world = World::warm();
    demand_v2(&world);
    assert_snapshot!(world.command("info tide-table --backend v1").run(), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0503]: the registry's policy lets no v1 be read
    note: nothing was written
    help: leave `--backend` away, and v2 is read
    ");
    assert_snapshot!(world.command("search tide --backend v1").run(), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0503]: the registry's policy lets no v1 be read
    note: nothing was written
    help: leave `--backend` away, and v2 is read
    ");
}

#[cfg(feature = "marketplace-parallel")]
#[test]
fn v1_never_stands_in_for_v2_that_is_not_to_be_had() {
    use cargo_marketplace::formats::layout::Format;

    let world = World::fresh();
    demand_v2(&world);
    world.fault(&world.document(Format::V2), Fault::Status(404));
    assert_snapshot!(world.info(), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0503]: v2 is not usable, and the registry's policy lets no v1 be read in its place

    Caused by:
      `ti/de/[DIGEST].tide-table.ttl` is not in the registry

    help: try again later, or tell the registry's operator
    ");
    world.fails(101);
}

#[cfg(feature = "marketplace-parallel")]
#[test]
fn a_package_without_v2_is_refused() {
    let world = World::fresh();
    demand_v2(&world);
    world.forge(|forge| forge.record(|record| record.documents.v2 = None));
    assert_snapshot!(world.info(), @"
    exit: 4
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0503]: v2 is not usable, and the registry's policy lets no v1 be read in its place

    Caused by:
      the registry has no v2 document of `tide-table`

    note: nothing was written
    help: tell the registry's operator
    ");
    world.refuses();
}

#[cfg(feature = "marketplace-parallel")]
#[test]
fn a_floor_that_was_seen_is_not_lowered_by_who_serves_yesterdays_files() {
    use std::sync::Arc;

    use cargo_marketplace::formats::layout::Format;

    let world = World::fresh();
    demand_v2(&world);
    let search = world.command("search tide").run();
    assert_eq!(search.code, Some(0), "{search}");
    // The mirror turns back, and withholds v2 besides.
    world.server.serve(Arc::new(Days::get().yesterday.clone()));
    world
        .server
        .only(&world.document(Format::V2), Fault::Status(404));
    let outcome = world.info();
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert!(!outcome.stderr.contains("using v1"), "{outcome}");
    // And the copy keeps it, too.
    let offline = world.command("search tide --backend v1 --offline").run();
    assert_eq!(
        error(&offline),
        "error[MP0503]: the registry's policy lets no v1 be read"
    );
}
