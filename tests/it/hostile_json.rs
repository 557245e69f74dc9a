//! JSON that two readers could read in two ways, or that asks for more than there is: every reader of a
//! registry's files refuses it, and none of them panics or recurses without end.

use cargo_marketplace::formats::canonical_json::parse_strict;
use cargo_marketplace::formats::{
    catalog_index, key_change, policy, publisher, record, statement, submission, unsigned, v1,
};
use cargo_marketplace::model::UtcTime;
use cargo_marketplace::trust::tuf::{Mode, Settings, Updater, ed25519_only};

use crate::fixture::Fixture;

/// A reader: whether it takes the bytes.
type Reader = fn(&[u8]) -> bool;

const READERS: [(&str, Reader); 10] = [
    ("strict", |bytes| parse_strict(bytes).is_ok()),
    ("publisher", |bytes| publisher::decode(bytes).is_ok()),
    ("policy", |bytes| policy::decode(bytes).is_ok()),
    ("catalog index", |bytes| {
        catalog_index::decode(bytes).is_ok()
    }),
    ("record", |bytes| record::decode(bytes).is_ok()),
    ("submission", |bytes| submission::decode(bytes).is_ok()),
    ("change of keys", |bytes| key_change::decode(bytes).is_ok()),
    ("unsigned releases", |bytes| unsigned::decode(bytes).is_ok()),
    ("statement", |bytes| statement::parse_payload(bytes).is_ok()),
    ("v1 line", |bytes| {
        let package = "tide-table".parse().unwrap();
        v1::decode(&package, bytes).is_ok_and(|document| !document.entries.is_empty())
    }),
];

fn is_root(bytes: &[u8]) -> bool {
    let settings = Settings {
        now: UtcTime::from_unix(1_800_000_000).unwrap(),
        mode: Mode::Online,
        verifier: ed25519_only,
    };
    Updater::start(bytes, settings).is_ok()
}

/// One defect each.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".to_vec()),
        ("a mark of byte order", b"\xef\xbb\xbf{}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a zero at the end", b"{}\0".to_vec()),
        ("two values", b"{}{}".to_vec()),
        ("a comment", b"{}//".to_vec()),
        ("a comma at the end", b"{\"a\":1,}".to_vec()),
        ("a duplicate key", b"{\"schema\":1,\"schema\":1}".to_vec()),
        (
            "a duplicate key, escaped",
            b"{\"schema\":1,\"\\u0073chema\":1}".to_vec(),
        ),
        (
            "a duplicate key, deep",
            b"{\"a\":[{\"b\":1,\"b\":2}]}".to_vec(),
        ),
        ("a lone surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
        (
            "surrogates the wrong way round",
            b"{\"a\":\"\\udc00\\ud800\"}".to_vec(),
        ),
        ("a surrogate in UTF-8", b"{\"a\":\"\xed\xa0\x80\"}".to_vec()),
        ("a byte that is no UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
        ("UTF-8 that is too long", b"{\"a\":\"\xc0\xaf\"}".to_vec()),
        ("a line feed in a string", b"{\"a\":\"\n\"}".to_vec()),
        ("an unknown escape", b"{\"a\":\"\\x41\"}".to_vec()),
        ("a fraction", b"{\"schema\":1.0}".to_vec()),
        ("an exponent", b"{\"schema\":1e0}".to_vec()),
        ("minus zero", b"{\"schema\":-0}".to_vec()),
        ("not a number", b"{\"schema\":NaN}".to_vec()),
        (
            "more than 64 bits",
            b"{\"schema\":18446744073709551617}".to_vec(),
        ),
        ("beyond floats", b"{\"schema\":1e999999}".to_vec()),
        ("zeros in front", b"{\"schema\":01}".to_vec()),
        ("a hexadecimal number", b"{\"schema\":0x1}".to_vec()),
    ];
    let depth = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    all.extend([
        ("lists in lists", depth("[", "]").into_bytes()),
        ("objects in objects", depth("{\"a\":", "}").into_bytes()),
        ("lists that never end", "[".repeat(1 << 20).into_bytes()),
        (
            "a number of a million digits",
            format!("{{\"schema\":{}}}", "9".repeat(1 << 20)).into_bytes(),
        ),
        (
            "a fraction of a million digits",
            format!("{{\"schema\":0.{}1}}", "0".repeat(1 << 20)).into_bytes(),
        ),
        (
            "a string that never ends",
            format!("{{\"a\":\"{}", "a".repeat(1 << 20)).into_bytes(),
        ),
    ]);
    all
}

#[test]
fn no_reader_takes_what_can_be_read_in_two_ways() {
    for (defect, bytes) in hostile() {
        for (reader, takes) in READERS {
            assert!(!takes(&bytes), "{reader}: {defect}");
        }
        assert!(!is_root(&bytes), "root: {defect}");
    }
}

/// Values that are JSON, and of no shape that any reader knows.
#[test]
fn no_reader_takes_what_is_of_another_shape() {
    for text in [
        "null",
        "0",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "{\"schema\":null}",
        "{\"schema\":[]}",
    ] {
        for (reader, takes) in &READERS[1..] {
            assert!(!takes(text.as_bytes()), "{reader}: {text}");
        }
        assert!(!is_root(text.as_bytes()), "root: {text}");
    }
}

/// A file that is right but for one thing at its end, its start or in its middle.
#[test]
fn no_reader_takes_a_file_with_something_hidden() {
    let registry = Fixture::get();
    let files: [(&str, Reader); 5] = [
        ("publishers/harbour.json", READERS[1].1),
        ("policy.json", READERS[2].1),
        ("catalog/index.json", READERS[3].1),
        ("ti/de/tide-table.json", READERS[4].1),
        ("tuf/1.root.json", is_root),
    ];
    for (path, takes) in files {
        let good = registry.file(path);
        assert!(takes(good), "{path}");
        let text = std::str::from_utf8(good).unwrap().trim_end();
        let inner = text.strip_prefix('{').unwrap();
        for (change, bytes) in [
            ("a mark of byte order", ["\u{feff}", text].concat()),
            ("a second value", [text, "{}"].concat()),
            ("a zero", [text, "\0"].concat()),
            (
                "a key that stands twice",
                ["{\"x\":1,\"x\":1,", inner].concat(),
            ),
            ("a fraction", ["{\"x\":1.5,", inner].concat()),
            (
                "depth",
                ["{\"x\":", &"[".repeat(100), &"]".repeat(100), ",", inner].concat(),
            ),
        ] {
            assert!(!takes(bytes.as_bytes()), "{path}: {change}");
        }
    }
}

#[test]
fn long_strings_are_read_as_what_they_are() {
    let long = "é\u{1f980}\\u0000\\ud83e\\udd80".repeat(1 << 16);
    let value = parse_strict(format!("[\"{long}\"]").as_bytes()).unwrap();
    assert_eq!(value[0].as_str().unwrap().chars().count(), 4 << 16);
}
