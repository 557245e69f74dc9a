//! Lines that another registry wrote: what sets them apart is kept, so that the same JSON value can
//! be written again.
//!
//! `yanked`, `pubtime`, `marketplace.trust` and `marketplace.yank_reason` belong to the registry that
//! holds the line, not to the release: what is kept must never speak against the entry.

use serde_json::{Map, Value};

use crate::model::{Entry, ForeignLine};

/// The keys of `marketplace` that the registry sets beside the publisher's statement.
pub(super) const REGISTRY_KEYS: [&str; 2] = ["trust", "yank_reason"];

/// Returns what sets `theirs` apart from `ours`, if anything does.
pub(super) fn difference(
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
) -> Option<ForeignLine> {
    let (ours, theirs) = (publishers_part(ours), publishers_part(theirs));
    let differs = |(key, value): &(&String, &Value)| ours.get(*key) != Some(*value);
    let foreign = ForeignLine {
        set: theirs
            .iter()
            .filter(differs)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        absent: ours
            .keys()
            .filter(|key| !theirs.contains_key(*key))
            .cloned()
            .collect(),
    };
    (foreign != ForeignLine::default()).then_some(foreign)
}

fn publishers_part(line: &Map<String, Value>) -> Map<String, Value> {
    let mut line = line.clone();
    if let Some(Value::Object(marketplace)) = line.get_mut("marketplace") {
        marketplace.retain(|key, _| !REGISTRY_KEYS.contains(&key.as_str()));
        if marketplace.len() == 1 {
            // The schema alone says nothing, and is not written without the registry's keys.
            line.remove("marketplace");
        }
    }
    line
}

/// Turns the line that we would write for an entry into the one that was read.
pub(super) fn restore(line: &mut Map<String, Value>, entry: &Entry) {
    let Some(foreign) = &entry.release.foreign else {
        return;
    };
    let keeps = |key: &str| match key {
        "yanked" => entry.yanked.is_none(),
        "pubtime" => entry.accepted.is_none(),
        _ => true,
    };
    line.retain(|key, _| !(foreign.absent.contains(key) && keeps(key)));
    let ours = line.get("marketplace").cloned();
    for (key, value) in foreign.set.iter().filter(|(key, _)| keeps(key)) {
        line.insert(key.clone(), value.clone());
    }
    if let (Some(Value::Object(line)), Some(Value::Object(ours))) =
        (line.get_mut("marketplace"), ours)
    {
        let registrys = ours
            .into_iter()
            .filter(|(key, _)| REGISTRY_KEYS.contains(&key.as_str()));
        line.extend(registrys);
    }
}
