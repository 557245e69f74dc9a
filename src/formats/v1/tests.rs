//! What v1 documents hold, keep and refuse.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::formats::arbitrary;
use crate::model::{DependencyKind, DependencySource, TrustState};

const CHECKSUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn package() -> PackageName {
    "tide-table".parse().unwrap()
}

/// A line with every key that we write.
fn full() -> String {
    let dependencies = concat!(
        r#"{"name":"m","req":"^0.2.4","features":["sin"],"optional":true,"default_features":false,"#,
        r#""target":"cfg(unix)","kind":"normal","registry":"sparse+https://other.example.org/","package":"libm-lite"},"#,
        r#"{"name":"probe","req":"*","features":[],"optional":false,"default_features":true,"target":null,"kind":"dev"}"#
    );
    let ours = concat!(
        r#"{"schema":1,"size":18342,"description":"Tides\nfor all","license":"MIT OR Apache-2.0","#,
        r#""keywords":["tides","embedded"],"categories":["science"],"repository":"https://git.example.org/tides","#,
        r#""homepage":"https://tides.example.org","documentation":"https://docs.example.org","edition":"2024","#,
        r#""kinds":["library","binary:tides","template"],"publisher":"harbour","commit":"9f1c2ab09f1c2ab09f1c2ab09f1c2ab09f1c2ab0","#,
        r#""trust":"signed","yank_reason":"wrong datum"}"#
    );
    format!(
        r#"{{"name":"tide-table","vers":"0.3.1+b1","deps":[{dependencies}],"cksum":"{CHECKSUM}","features":{{"default":["std"],"std":[]}},"features2":{{"fast":["dep:m","m?/sin"]}},"yanked":true,"links":"tide","rust_version":"1.74","pubtime":"2026-11-20T09:14:03Z","v":2,"marketplace":{ours}}}"#
    )
}

fn minimal() -> Value {
    json!({"name": "tide-table", "vers": "1.0.0", "deps": [], "cksum": CHECKSUM, "features": {}, "yanked": false})
}

fn decode_value(line: &Value) -> Result<Document, V1Error> {
    decode(&package(), line.to_string().as_bytes())
}

/// The cause for which one line is refused.
fn refusal(line: &Value) -> LineError {
    match decode_value(line) {
        Err(V1Error::Line { number: 1, cause }) => *cause,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_we_write_comes_back_byte_for_byte() {
    let bytes = full() + "\n";
    let document = decode(&package(), bytes.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(encode(&document)).unwrap(), bytes);
    let entry = &document.entries[0];
    let [renamed, plain] = &entry.release.dependencies[..] else {
        panic!("two dependencies")
    };
    assert_eq!(
        (renamed.package.as_str(), renamed.rename.as_deref()),
        ("libm-lite", Some("m"))
    );
    assert_eq!(
        (plain.kind, &plain.source),
        (DependencyKind::Dev, &DependencySource::SameRegistry)
    );
    assert_eq!(entry.release.features.len(), 3);
    assert_eq!(entry.trust, Some(TrustState::Signed));
    assert_eq!(entry.release.foreign, None);
}

#[test]
fn a_release_in_a_statement_has_nothing_of_the_registry() {
    let document = decode(&package(), full().as_bytes()).unwrap();
    let release = &document.entries[0].release;
    let value = release_to_json(release);
    assert_eq!(release_from_json(&value).as_ref(), Ok(release));
    for key in ["yanked", "pubtime"] {
        assert_eq!(value.get(key), None);
        let mut with = value.clone();
        with[key] = Value::Null;
        assert!(release_from_json(&with).is_err(), "{key}");
    }
    for key in ["trust", "yank_reason"] {
        assert_eq!(value["marketplace"].get(key), None);
        let mut with = value.clone();
        with["marketplace"][key] = json!("signed");
        let error = V1Error::Release(Box::new(LineError::RegistryKey(key)));
        assert_eq!(release_from_json(&with), Err(error));
    }
    assert!(release_from_json(&json!([])).is_err());
}

#[test]
fn foreign_lines_keep_their_value() {
    let dependency = |extra: Value| {
        let mut dependency = json!({"name": "a", "req": ">= 0.9"});
        for (key, value) in extra.as_object().unwrap() {
            dependency[key] = value.clone();
        }
        dependency
    };
    for change in [
        json!({"yanked": null}),
        json!({"pubtime": null, "v": 1, "links": null}),
        json!({"extra": {"b": [1, {"z": 1, "a": null}], "a": "\u{1f600}"}}),
        json!({"features": {"x": ["dep:y"]}, "v": 2}),
        json!({"features": {"x": ["y"]}, "features2": {"x": ["z"], "w": []}, "v": 2}),
        json!({"features2": {}}),
        json!({"deps": [dependency(json!({}))]}),
        json!({"deps": [dependency(json!({"artifact": ["bin"], "kind": null, "package": "a"}))]}),
        json!({"marketplace": {"schema": 1, "size": null, "unknown": 1}}),
        json!({"marketplace": {"schema": 1, "kinds": ["template", "library"], "trust": "vouched"}}),
    ] {
        let mut line = minimal();
        for (key, value) in change.as_object().unwrap() {
            line[key] = value.clone();
        }
        let document = decode_value(&line).unwrap();
        let bytes = encode(&document);
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), line);
        assert_eq!(decode(&package(), &bytes).as_ref(), Ok(&document));
        assert!(document.entries[0].release.foreign.is_some(), "{line}");
    }
    let mut line = minimal();
    line.as_object_mut().unwrap().remove("yanked");
    let document = decode_value(&line).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&encode(&document)).unwrap(),
        line
    );
}

#[test]
fn what_is_kept_of_a_foreign_line_never_hides_a_yank_or_trust() {
    let mut line = minimal();
    line["yanked"] = Value::Null;
    line["pubtime"] = Value::Null;
    line["marketplace"] = json!({"schema": 1, "unknown": 1});
    let mut document = decode_value(&line).unwrap();
    let entry = &mut document.entries[0];
    entry.yanked = Some(crate::model::Yank {
        reason: Some("leaks".into()),
    });
    entry.accepted = crate::model::UtcTime::from_unix(0);
    entry.trust = Some(TrustState::Unsigned);
    let again: Value = serde_json::from_str(&encode_line(entry)).unwrap();
    line["yanked"] = true.into();
    line["pubtime"] = "1970-01-01T00:00:00Z".into();
    line["marketplace"] =
        json!({"schema": 1, "unknown": 1, "trust": "unsigned", "yank_reason": "leaks"});
    assert_eq!(again, line);
}

#[test]
fn newer_lines_are_named_as_such_whatever_their_shape() {
    assert_eq!(refusal(&json!({"v": 3})), LineError::UnknownVersion(3));
    assert_eq!(
        refusal(&json!({"marketplace": {"schema": 2}})),
        LineError::UnknownSchema(2)
    );
}

#[test]
fn refuses_what_is_no_line() {
    for (key, value) in [
        ("name", json!("../etc")),
        ("vers", json!("1.0")),
        ("cksum", json!("00")),
        ("cksum", json!(CHECKSUM.to_uppercase())),
        ("deps", json!(null)),
        ("deps", json!([{"name": "a", "req": "one"}])),
        ("deps", json!([{"name": "a", "req": "1", "kind": "maybe"}])),
        ("features", json!([])),
        ("yanked", json!("no")),
        ("pubtime", json!("2026-11-20T09:14:03.5Z")),
        ("extra", json!(1.5)),
        ("marketplace", json!("x")),
        ("marketplace", json!({})),
        ("marketplace", json!({"schema": 1})),
        ("marketplace", json!({"schema": 1, "size": -1})),
        ("marketplace", json!({"schema": 1, "kinds": ["plugin"]})),
        ("marketplace", json!({"schema": 1, "trust": "certified"})),
        ("marketplace", json!({"schema": 1, "trust": null})),
        ("marketplace", json!({"schema": 1, "yank_reason": "why"})),
        ("marketplace", json!({"schema": 1, "publisher": "Harbour"})),
        ("marketplace", json!({"schema": 1, "commit": "HEAD"})),
    ] {
        let mut line = minimal();
        line[key] = value;
        assert!(decode_value(&line).is_err(), "{line}");
    }
    let twice = full().replacen('{', r#"{"name":"tide-table","#, 1);
    assert!(decode(&package(), twice.as_bytes()).is_err());
    assert!(decode(&package(), b"[]").is_err());
}

#[test]
fn refuses_lines_of_other_packages_and_versions_that_stand_twice() {
    let other: PackageName = "tide_table".parse().unwrap();
    let line = minimal().to_string();
    assert!(matches!(
        decode(&other, line.as_bytes()),
        Err(V1Error::WrongPackage { number: 1, .. })
    ));
    let twice = format!("{line}\n{}\n", line.replace("1.0.0", "1.0.0+other"));
    assert!(matches!(
        decode(&package(), twice.as_bytes()),
        Err(V1Error::DuplicateVersion { .. })
    ));
    let limit = MAX_DOCUMENT_BYTES;
    let length = limit + 1;
    let long = vec![b'\n'; usize::try_from(length).unwrap()];
    assert_eq!(
        decode(&package(), &long),
        Err(V1Error::TooLarge { length, limit })
    );
}

#[test]
fn packs_hold_documents_one_after_the_other() {
    let line = |name: &str, version: &str| {
        let mut line = minimal();
        line["name"] = name.into();
        line["vers"] = version.into();
        line.to_string() + "\n"
    };
    let pack = line("a", "1.0.0") + &line("a", "2.0.0") + &line("b", "1.0.0");
    let documents = decode_pack(pack.as_bytes()).unwrap();
    let sizes: Vec<_> = documents
        .iter()
        .map(|d| (d.package.as_str(), d.entries.len()))
        .collect();
    assert_eq!(sizes, [("a", 2), ("b", 1)]);
    let joined: Vec<u8> = documents.iter().flat_map(encode).collect();
    assert_eq!(decode_pack(&joined).unwrap(), documents);
    let scattered = pack + &line("a", "3.0.0");
    assert!(matches!(
        decode_pack(scattered.as_bytes()),
        Err(V1Error::Scattered(_))
    ));
}

#[test]
fn features_are_split_as_crates_io_does() {
    let mut line = minimal();
    line["features"] = json!({"plain": ["a/b"], "a": []});
    line["features2"] =
        json!({"default": ["fast"], "fast": ["std"], "std": ["dep:a"], "weak": ["a?/b"]});
    line["v"] = 2.into();
    let document = decode_value(&line).unwrap();
    assert_eq!(document.entries[0].release.foreign, None);
    assert_eq!(document.entries[0].release.features.len(), 6);
}

#[test]
fn what_we_write_is_as_the_schema_says() {
    let line = arbitrary::schema("v1-line.schema.json");
    let stated = arbitrary::schema("statement.schema.json#/$defs/statedRelease");
    proptest!(|(entry in arbitrary::entry())| {
        let written: Value = serde_json::from_str(&encode_line(&entry)).unwrap();
        prop_assert!(line.validate(&written).is_ok(), "{}", written);
        let release = release_to_json(&entry.release);
        prop_assert!(stated.validate(&release).is_ok(), "{}", release);
    });
    let mut entry = decode(&package(), full().as_bytes())
        .unwrap()
        .entries
        .remove(0);
    let written: Value = serde_json::from_str(&encode_line(&entry)).unwrap();
    assert!(!stated.is_valid(&written));
    entry.release.commit = Some("HEAD".into());
    assert!(!line.is_valid(&serde_json::from_str(&encode_line(&entry)).unwrap()));
}
