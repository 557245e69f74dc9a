//! A release as JSON inside a statement: its index line without what only the registry says.

use serde_json::{Map, Value};

use super::V1Error;
use super::foreign::REGISTRY_KEYS;
use super::read::{LineError, decode_object};
use super::write::line_object;
use crate::model::{Entry, Release};

/// The top-level keys that only the registry sets.
const LINE_KEYS: [&str; 2] = ["yanked", "pubtime"];

/// Returns the release as it stands in a statement.
///
/// How another registry wrote `yanked` and `pubtime` is no part of it.
#[must_use]
pub fn release_to_json(release: &Release) -> Value {
    let mut object = line_object(&Entry {
        release: release.clone(),
        accepted: None,
        yanked: None,
        trust: None,
    });
    object.retain(|key, _| !LINE_KEYS.contains(&key.as_str()));
    Value::Object(object)
}

/// Reads a release from a statement.
pub fn release_from_json(value: &Value) -> Result<Release, V1Error> {
    let object = value
        .as_object()
        .ok_or_else(|| LineError::Shape("not an object".into()));
    let entry = object.and_then(|object| {
        refuse_registry_keys(object)?;
        let mut line = object.clone();
        line.insert("yanked".into(), false.into());
        decode_object(&line)
    });
    match entry {
        Ok(entry) => Ok(entry.release),
        Err(cause) => Err(V1Error::Release(Box::new(cause))),
    }
}

fn refuse_registry_keys(object: &Map<String, Value>) -> Result<(), LineError> {
    let ours = object.get("marketplace");
    let registrys = LINE_KEYS
        .into_iter()
        .filter(|key| object.contains_key(*key))
        .chain(
            REGISTRY_KEYS
                .into_iter()
                .filter(|key| ours.is_some_and(|ours| ours.get(key).is_some())),
        )
        .next();
    registrys.map_or(Ok(()), |key| Err(LineError::RegistryKey(key)))
}
