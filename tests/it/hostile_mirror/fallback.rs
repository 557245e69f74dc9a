//! Falling back from v2 to v1: for each cause that there is, what the program makes of it. The names
//! of the tests begin with those of the causes.

use std::fs;
use std::time::Duration;

use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::{catalog_index, v2};

use super::{Days, World, error, package};
use crate::env::Outcome;
use crate::faults::{Fault, FaultServer, PAGE};

/// What the program says of falling back.
fn reasons(outcome: &Outcome) -> Vec<String> {
    let start = "warning[MP0501]: v2 of `harbour` is not usable (";
    let lines = outcome.stderr.lines();
    let reasons = lines.filter_map(|line| line.strip_prefix(start));
    reasons
        .map(|rest| rest.split(" (").next().unwrap().to_owned())
        .collect()
}

/// What `info` shows where nothing is wrong.
fn shown() -> String {
    static SHOWN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SHOWN
        .get_or_init(|| {
            let outcome = World::fresh().info();
            assert_eq!((outcome.code, reasons(&outcome)), (Some(0), vec![]));
            outcome.stdout
        })
        .clone()
}

/// The same comes of v1 as would of v2, and the reason is said.
fn v1_serves(world: &World, reason: &str) {
    let info = world.info();
    assert_eq!(info.code, Some(0), "{info}");
    assert_eq!(info.stdout, shown());
    assert_eq!(reasons(&info), [reason], "{info}");
    let fetch = world.fetch();
    assert_eq!(fetch.code, Some(0), "{fetch}");
    assert_eq!(reasons(&fetch), [reason], "{fetch}");
    assert!(world.env.read("work/app/Cargo.lock").contains("0.2.0"));
}

/// `search` over v1 finds what it would over v2, and says so.
fn v1_is_searched(world: &World, reason: &str) {
    let healthy = World::fresh().command("search tide").run();
    let search = world.command("search tide").run();
    assert_eq!((search.code, &search.stdout), (Some(0), &healthy.stdout));
    assert_eq!(reasons(&search), [reason], "{search}");
}

/// `search` and `sparql` refuse the catalog alike.
fn search_refuses(world: &World) -> String {
    let [search, sparql] = [&["search", "tide"], &["sparql", "ASK {}"]].map(|arguments| {
        let outcome = world.env.command(arguments).redact_digests().run();
        assert_eq!(outcome.code, Some(4), "{outcome}");
        assert_eq!((reasons(&outcome), outcome.stdout.as_str()), (vec![], ""));
        error(&outcome)
    });
    assert_eq!(search, sparql);
    search
}

/// `sparql` says that it needs v2, or why there is none, and never reads v1.
fn sparql_fails(world: &World, says: &str) {
    let outcome = world.env.command(["sparql", "ASK {}"]).run();
    assert_eq!(outcome.code, Some(101), "{outcome}");
    assert!(outcome.stderr.contains(says), "{outcome}");
    assert_eq!((reasons(&outcome), outcome.stdout.as_str()), (vec![], ""));
}

/// Where the catalog's pack of a format is read.
fn pack(world: &World, format: Format) -> String {
    let index = catalog_index::decode(&world.file(layout::CATALOG_INDEX)).unwrap();
    layout::pack(&index.packs(format)[0].sha256, format)
}

/// A world in which a document has these bytes, and the record says so.
fn with_v2(bytes: &[u8]) -> World {
    let world = World::fresh();
    world.forge(|forge| forge.document(Format::V2, bytes));
    world
}

fn turtle() -> String {
    let bytes = Days::get().yesterday[&layout::document(&package(), Format::V2)].clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn missing_v2_document_is_read_as_v1() {
    for status in [403, 404, 410] {
        let world = World::fresh();
        world.fault(&world.document(Format::V2), Fault::Status(status));
        v1_serves(&world, "missing");
    }
}

#[test]
fn missing_v2_pack_is_searched_in_v1_and_not_queried() {
    let world = World::fresh();
    world.fault(&pack(&world, Format::V2), Fault::Status(404));
    v1_is_searched(&world, "missing");
    sparql_fails(&world, "is not in the registry");
}

#[test]
fn missing_v1_as_well_is_a_failure() {
    let world = World::fresh();
    let documents = Format::BOTH.map(|format| world.document(format));
    world.server.also(documents, &Fault::Status(404));
    let text = world.fails(101);
    assert!(
        text.ends_with(".tide-table` is not in the registry"),
        "{text}"
    );
}

#[test]
fn unavailable_v2_document_is_read_as_v1() {
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Closed,
        Fault::CutOff,
        Fault::Page,
        // To where nobody may lead us, and round in a circle.
        Fault::Redirect("https://127.0.0.1:1/".into()),
        Fault::Redirect("file:///etc/hostname".into()),
        Fault::Redirect("http://registry.example/".into()),
        Fault::Redirect(format!("/{}", World::fresh().document(Format::V2))),
    ] {
        let world = World::fresh();
        world.fault(&world.document(Format::V2), fault);
        v1_serves(&world, "unavailable");
    }
}

#[test]
fn unavailable_v2_pack_is_searched_in_v1_and_not_queried() {
    let world = World::fresh();
    world.fault(&pack(&world, Format::V2), Fault::Status(502));
    v1_is_searched(&world, "unavailable");
    sparql_fails(&world, "answered with status 502");
}

#[test]
#[ignore = "needs .ci/long: it waits for a minute"]
fn unavailable_v2_document_for_want_of_time_is_read_as_v1() {
    for fault in [Fault::Stall, Fault::Trickle(Duration::from_millis(50))] {
        let world = World::fresh();
        world.fault(&world.document(Format::V2), fault);
        v1_serves(&world, "unavailable");
    }
}

#[test]
fn not_listed_v2_document_is_read_as_v1() {
    let world = World::fresh();
    world.forge(|forge| forge.record(|record| record.documents.v2 = None));
    v1_serves(&world, "not listed");
}

#[test]
fn not_listed_v2_pack_is_searched_in_v1_and_not_queried() {
    let world = World::fresh();
    world.forge(|forge| {
        let index = catalog_index::decode(forge.file(layout::CATALOG_INDEX));
        let mut index = index.unwrap();
        index.v2.clear();
        let bytes = catalog_index::encode(&index);
        forge.target("catalog", layout::CATALOG_INDEX, &bytes);
    });
    v1_is_searched(&world, "not listed");
    sparql_fails(&world, "`sparql` needs v2");
}

#[test]
fn malformed_v2_document_of_the_right_digest_is_read_as_v1() {
    let cut = turtle();
    for bytes in [
        &b""[..],
        b"no Turtle at all",
        &cut.as_bytes()[..cut.len() / 2],
        PAGE,
        b"\xff\xfe",
        // Another package's.
        &Days::get().yesterday["li/bm/libm_lite.ttl"],
    ] {
        v1_serves(&with_v2(bytes), "malformed");
    }
}

#[test]
fn malformed_v2_document_that_says_more_than_its_releases_is_read_as_v1() {
    let more = turtle() + "<https://registry.example/x> <https://registry.example/y> \"z\" .\n";
    v1_serves(&with_v2(more.as_bytes()), "malformed");
}

#[test]
fn malformed_v2_pack_is_searched_in_v1_and_not_queried() {
    for junk in [
        b"not compressed".to_vec(),
        zstd::bulk::compress(b"no Turtle at all", 1).unwrap(),
    ] {
        let world = World::fresh();
        world.forge(|forge| {
            let index = catalog_index::decode(forge.file(layout::CATALOG_INDEX));
            let mut index = index.unwrap();
            let pack = &mut index.v2[0];
            pack.sha256 = cargo_marketplace::model::Sha256Digest::of(&junk);
            pack.length = junk.len() as u64;
            let path = layout::pack(&pack.sha256, Format::V2);
            let bytes = catalog_index::encode(&index);
            forge.target("catalog", layout::CATALOG_INDEX, &bytes);
            forge.serve(&path, &junk);
        });
        v1_is_searched(&world, "malformed");
        let outcome = world.env.command(["sparql", "ASK {}"]).run();
        assert_ne!(outcome.code, Some(0), "{outcome}");
        assert_eq!((reasons(&outcome), outcome.stdout.as_str()), (vec![], ""));
    }
}

#[test]
fn too_large_v2_document_is_read_as_v1() {
    let deep = "[".repeat(1000);
    v1_serves(&with_v2(deep.as_bytes()), "too large");
}

#[test]
#[ignore = "needs .ci/long: it writes 64 MiB"]
fn too_large_v2_document_in_bytes_is_read_as_v1() {
    let length = usize::try_from(v2::MAX_DOCUMENT_BYTES).unwrap() + 1;
    v1_serves(&with_v2(&vec![b'\n'; length]), "too large");
}

#[test]
fn unknown_schema_of_a_v2_document_is_read_as_v1() {
    let text = turtle();
    let schema = "mp:schema 1";
    assert!(text.contains(schema), "{text}");
    let newer = text.replace(schema, "mp:schema 2");
    v1_serves(&with_v2(newer.as_bytes()), "unknown schema");
}

#[test]
fn offline_copy_of_v1_serves_where_v2_was_never_fetched() {
    let world = World::fresh();
    let v1 = world.command("info tide-table --backend v1").run();
    assert_eq!(v1.code, Some(0), "{v1}");
    let offline = world.command("info tide-table --offline").run();
    assert_eq!(offline.code, Some(0), "{offline}");
    assert_eq!(reasons(&offline)[0], "not in the offline copy");
}

#[test]
fn local_faults_are_no_reason_to_read_v1() {
    let world = World::fresh();
    let copy = layout::document(&package(), Format::V2);
    fs::create_dir_all(world.state(&copy)).unwrap();
    let text = world.fails(101);
    assert!(text.starts_with("error: could not read `[ROOT]"), "{text}");
}

#[test]
fn mismatch_of_a_v2_document_is_refused() {
    let of = "error[MP0401]: `ti/de/[DIGEST].tide-table.ttl` is";
    for (fault, says) in [
        (Fault::Flip(8000), "not what the signed metadata says"),
        (Fault::Shorter(1), "not what the signed metadata says"),
        (
            Fault::Other(PAGE.into()),
            "not what the signed metadata says",
        ),
        (
            Fault::Longer(b"\n".into()),
            "longer than the [N] bytes that it may have",
        ),
        (Fault::Endless, "longer than the [N] bytes that it may have"),
    ] {
        let world = World::fresh();
        world.fault(&world.document(Format::V2), fault.clone());
        assert_eq!(world.refuses(), format!("{of} {says}"), "{fault:?}");
    }
}

#[test]
fn mismatch_behind_a_redirect_is_refused_and_the_right_bytes_are_taken() {
    let world = World::fresh();
    let document = world.document(Format::V2);
    let other = Fault::Redirect(format!("/{}", world.document(Format::V1)));
    world.fault(&document, other);
    assert!(world.refuses().starts_with("error[MP0401]"));
    let elsewhere = FaultServer::over(Days::get().yesterday.clone());
    let url = format!("{}{document}", elsewhere.url());
    world.fault(&document, Fault::Redirect(url));
    let info = world.info();
    assert_eq!((info.code, reasons(&info)), (Some(0), vec![]), "{info}");
    assert_eq!(info.stdout, shown());
}

#[test]
fn mismatch_of_the_v1_document_that_stands_in_is_refused() {
    let world = World::fresh();
    let [v1, v2] = Format::BOTH.map(|format| world.document(format));
    world.fault(&v1, Fault::Flip(80));
    world.server.also([v2], &Fault::Status(404));
    assert_eq!(
        world.refuses(),
        "error[MP0401]: `ti/de/[DIGEST].tide-table` is not what the signed metadata says"
    );
}

#[test]
fn mismatch_of_a_v2_pack_is_refused() {
    let world = World::fresh();
    world.fault(&pack(&world, Format::V2), Fault::Flip(80));
    assert_eq!(
        search_refuses(&world),
        "error[MP0401]: `catalog/[DIGEST].ttl.zst` is not what the signed metadata says"
    );
}

#[test]
fn disagreement_of_a_v2_document_with_the_statements_is_refused() {
    for (format, backend) in [(Format::V1, "v1"), (Format::V2, "v2")] {
        let world = World::fresh();
        world.forge(|forge| super::refusals::unyank_in_document(forge, format));
        let says = "error[MP0502]: the document of `tide-table` gives 0.1.0 another yank than its statement";
        let line = format!("info tide-table --backend {backend}");
        let outcome = world.command(&line).run();
        assert_eq!((outcome.code, error(&outcome).as_str()), (Some(4), says));
        if format == Format::V2 {
            assert_eq!(world.refuses(), says);
        }
    }
}

#[test]
fn trust_that_is_refused_of_the_catalog_is_no_reason_to_search_v1() {
    let world = World::fresh();
    let role = world.metadata("catalog");
    world.edit(&role, |file| file["signatures"] = serde_json::json!([]));
    // The copy of yesterday would be as good.
    fs::remove_dir_all(world.state("tuf")).unwrap();
    let root = world.file("tuf/1.root.json");
    fs::create_dir_all(world.state("tuf")).unwrap();
    fs::write(world.state("tuf/root.json"), root).unwrap();
    assert_eq!(
        search_refuses(&world),
        "error[MP0402]: the metadata of `catalog` has 0 of 1 required signatures"
    );
}

/// The causes, as their code names them, and the tests above.
#[test]
fn every_cause_has_a_test_through_the_program() {
    let source = include_str!("../../../src/rollout/fallback.rs");
    let list = source.split("pub enum Cause {").nth(1).unwrap();
    let list = list.split('}').next().unwrap().lines().map(str::trim);
    let causes: Vec<String> = list
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| snake(line.trim_end_matches(',')))
        .collect();
    assert!(causes.len() > 10, "{causes:?}");
    let tests = include_str!("fallback.rs");
    let without = causes
        .iter()
        .filter(|cause| !tests.contains(&format!("#[test]\nfn {cause}_")));
    assert_eq!(without.collect::<Vec<_>>(), Vec::<&String>::new());
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
