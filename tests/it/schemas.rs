//! The JSON Schemas of `schemas/`: they are schemas, and they tell right from wrong.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

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
    assert_eq!(found, 12);
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
