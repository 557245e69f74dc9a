//! The JSON Schemas of `schemas/`: they are schemas, and they tell right from wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cargo_marketplace::formats::key_change::{self, KeyChange};
use cargo_marketplace::formats::layout;
use cargo_marketplace::formats::popularity;
use cargo_marketplace::formats::publisher::Publisher;
use cargo_marketplace::formats::record;
use cargo_marketplace::formats::submission;
use cargo_marketplace::model::{Body, Sha256Digest};
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::import::Attestation;
use cargo_marketplace::trust::sign_key_change;
use regex::Regex;
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::fixture::Fixture;
use crate::small_registry;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");

/// A schema of the folder, or a part of one: `v1-line.schema.json#/$defs/release`.
pub(crate) fn schema(reference: &str) -> jsonschema::Validator {
    jsonschema::options()
        .with_base_uri(format!("file://{FOLDER}/"))
        .build(&json!({"$ref": reference}))
        .unwrap()
}

#[test]
fn every_schema_is_one() {
    let mut found = 0;
    for file in fs::read_dir(Path::new(FOLDER)).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".schema.json") {
            let text = fs::read_to_string(format!("{FOLDER}/{name}")).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(jsonschema::meta::is_valid(&value), "{name}");
            schema(&name);
            found += 1;
        }
    }
    assert_eq!(found, 17);
}

/// Each example is a value that its schema takes, and changes to it after which it must not.
#[test]
fn schemas_tell_right_from_wrong() {
    let examples = include_str!("../fixtures/schema-examples.json");
    let examples: Vec<Value> = serde_json::from_str(examples).unwrap();
    for example in examples {
        let name = example["schema"].as_str().unwrap();
        let (schema, good) = (schema(name), &example["accepted"]);
        if let Err(error) = schema.validate(good) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        for change in example["refused"].as_array().unwrap() {
            let at = change["at"].as_str().unwrap();
            let bad = changed(good, at, &change["value"]);
            assert!(!schema.is_valid(&bad), "{name} with another {at}");
        }
    }
}

/// The value with another value, or one more, at a JSON pointer.
fn changed(value: &Value, at: &str, to: &Value) -> Value {
    let mut changed = value.clone();
    if let Some(place) = changed.pointer_mut(at) {
        *place = to.clone();
    } else {
        let (parent, key) = at.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = to.clone();
    }
    changed
}

/// How a file is held against schemas.
#[derive(Clone, Copy)]
enum Form {
    /// One JSON value.
    Json,
    /// A JSON value on each line.
    Lines,
    /// Not JSON: SHACL shapes, and the digest in a record, are for these.
    Other,
}

/// Which files a registry has, and the schema of each: the first pattern that fits counts.
const FILES: [(&str, &str, Form); 18] = [
    (r"config\.json", "config", Form::Json),
    (r"([0-9a-f]{64}\.)?policy\.json", "policy", Form::Json),
    (r"([0-9a-f]{64}\.)?unsigned\.json", "unsigned", Form::Json),
    (r"harbour\.keys", "key-change", Form::Json),
    (r"tuf/timestamp\.json", "tuf-timestamp", Form::Json),
    (r"tuf/[0-9]+\.root\.json", "tuf-root", Form::Json),
    (r"tuf/[0-9]+\.snapshot\.json", "tuf-snapshot", Form::Json),
    (r"tuf/[0-9]+\.[a-z0-9-]+\.json", "tuf-targets", Form::Json),
    (
        r"catalog/([0-9a-f]{64}\.)?index\.json",
        "catalog-index",
        Form::Json,
    ),
    (r"catalog/[0-9a-f]{64}\.(jsonl|ttl)\.zst", "", Form::Other),
    (r"catalog/([0-9a-f]{64}\.)?popularity\.csv", "", Form::Other),
    (
        r"publishers/([0-9a-f]{64}\.)?[a-z0-9-]+\.json",
        "publisher",
        Form::Json,
    ),
    (r"crates/[^/]+/[0-9a-f]{64}\.crate", "", Form::Other),
    (
        r"([12]|3/.|../..)/([0-9a-f]{64}\.)?[^./]+\.json",
        "record",
        Form::Json,
    ),
    (
        r"([12]|3/.|../..)/([0-9a-f]{64}\.)?[^./]+\.ttl",
        "",
        Form::Other,
    ),
    (
        r"([12]|3/.|../..)/([0-9a-f]{64}\.)?[^./]+",
        "v1-line",
        Form::Lines,
    ),
    (r"submission\.json", "submission", Form::Json),
    (r"\.drafts/[a-z0-9-]+\.json", "draft", Form::Json),
];

/// Holds a file against the schema of its kind. Returns which one that is.
fn validate(path: &str, bytes: &[u8]) -> &'static str {
    let fits = |pattern: &str| {
        Regex::new(&format!("^({pattern})$"))
            .unwrap()
            .is_match(path)
    };
    let kind = FILES.iter().find(|(pattern, ..)| fits(pattern));
    let Some((_, name, form)) = kind else {
        panic!("no schema is for `{path}`");
    };
    let values: Vec<Value> = match form {
        Form::Json => vec![serde_json::from_slice(bytes).unwrap()],
        Form::Lines => {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            lines
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect()
        }
        Form::Other => return name,
    };
    for value in values {
        require(&format!("{name}.schema.json"), &value, path);
    }
    if *name == "record" {
        for envelope in record::decode(bytes).unwrap().statements {
            let statement = serde_json::from_slice(&envelope.payload).unwrap();
            require("statement.schema.json", &statement, path);
        }
    }
    name
}

/// Another key for the publisher of the small registry.
fn key_change() -> Vec<u8> {
    let (old, new) = (small_registry::key(3), small_registry::key(4));
    let keys = vec![old.public(), new.public()];
    let mut change = KeyChange {
        registry_id: Sha256Digest::of(b"root"),
        previous: Sha256Digest::of(b"file"),
        publisher: Publisher::new("harbour".parse().unwrap(), keys),
        signatures: Vec::new(),
    };
    sign_key_change(&mut change, &[&old, &new]).unwrap();
    key_change::encode(&change)
}

fn require(name: &str, value: &Value, path: &str) {
    if let Err(error) = schema(name).validate(value) {
        panic!(
            "{path} against {name}: {error} at {}",
            error.instance_path()
        );
    }
}

#[test]
fn every_file_that_is_written_has_a_schema_and_fits_it() {
    let env = TestEnv::new();
    let small = env.path("small");
    small_registry::make(&small);
    let yank = Body::Unyank {
        version: "0.1.0".parse().unwrap(),
    };
    let submission = small_registry::submission(&small, "tide-table", yank);
    let mut used = BTreeSet::from([validate(
        "submission.json",
        &submission::encode(&submission),
    )]);
    let mut folder = Folder::open(&small).unwrap();
    let roles = ["root", "targets", "claimed"].map(str::to_owned);
    let pending = folder.renew(&roles, small_registry::now()).unwrap();
    pending.drafts().save(&small).unwrap();
    drop(folder);
    let drafts = fs::read_dir(small.join(".drafts")).unwrap();
    let drafts: Vec<_> = drafts.map(|draft| draft.unwrap().path()).collect();
    assert_eq!(drafts.len(), 3 + 8);
    for path in drafts {
        let name = format!(".drafts/{}", path.file_name().unwrap().to_str().unwrap());
        used.insert(validate(&name, &fs::read(path).unwrap()));
    }
    let unsigned = [small_registry::archive("sluice", "1.0.0", "")];
    small_registry::take(&small, &unsigned, Attestation::Nobody { source: None });
    let counts = popularity::encode(&popularity::decode(b"tide-table,7").unwrap());
    small_registry::set_target(&small, "catalog", layout::POPULARITY, counts);
    used.insert(validate("harbour.keys", &key_change()));
    for root in [small, Fixture::get().registry_dir(&env)] {
        for (path, bytes) in small_registry::files(&root) {
            used.insert(validate(&path, &bytes));
        }
    }
    let all: BTreeSet<&str> = FILES.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(used, all);
}
