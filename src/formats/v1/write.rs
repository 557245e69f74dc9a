//! Entries as index lines: which key holds what, in crates.io's own form.

use std::collections::BTreeMap;

use super::foreign;
use super::wire::{KEYS, Line, LineDependency, MARKETPLACE_SCHEMA, Marketplace};
use crate::model::{Dependency, Entry, Kinds};
use serde_json::{Map, Value};

/// Returns the line of an entry, without a newline.
#[must_use]
pub fn encode_line(entry: &Entry) -> String {
    if entry.release.foreign.is_none() {
        our_text(entry)
    } else {
        foreign_text(line_object(entry))
    }
}

fn our_text(entry: &Entry) -> String {
    serde_json::to_string(&line(entry)).expect("a line has only string keys")
}

/// The line of an entry as a JSON object, what a foreign line has of its own included.
pub(super) fn line_object(entry: &Entry) -> Map<String, Value> {
    let mut object = our_object(entry);
    foreign::restore(&mut object, entry);
    object
}

/// The line that we would write for an entry if no other registry had written one before.
pub(super) fn our_object(entry: &Entry) -> Map<String, Value> {
    match serde_json::to_value(line(entry)) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("a line is an object with string keys"),
    }
}

/// Writes the keys that we know in our order and the others sorted, so that the text does not
/// depend on how `serde_json` happens to keep a map.
fn foreign_text(mut object: Map<String, Value>) -> String {
    let known = KEYS.map(|key| object.remove_entry(key));
    let mut others: Vec<_> = object.into_iter().collect();
    others.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let members: Vec<_> = known
        .into_iter()
        .flatten()
        .chain(others)
        .map(|(key, mut value)| {
            value.sort_all_objects();
            format!("{}:{value}", Value::String(key))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

fn line(entry: &Entry) -> Line {
    let release = &entry.release;
    let (features, features2) = split_features(release.features.clone());
    let features2 = Some(features2).filter(|features| !features.is_empty());
    Line {
        name: release.name.to_string(),
        vers: release.version.to_string(),
        deps: release.dependencies.iter().map(dependency).collect(),
        cksum: release.checksum.to_string(),
        features,
        yanked: Some(entry.yanked.is_some()),
        links: release.links.clone(),
        rust_version: release.rust_version.clone(),
        pubtime: entry.accepted.map(|time| time.to_string()),
        v: features2.is_some().then_some(2),
        features2,
        marketplace: marketplace(entry),
    }
}

type Features = BTreeMap<String, Vec<String>>;

/// Splits features as crates.io does. Cargo before 1.60 fails on `dep:` and `?/` and never looks
/// into `features2`; so there go the features that use them, and those that turn such ones on.
fn split_features(features: Features) -> (Features, Features) {
    /// crates.io stops here, too; what is left then stays where it is.
    const ROUNDS: usize = 100;
    let new_syntax = |value: &String| value.starts_with("dep:") || value.contains("?/");
    let (mut features2, mut features): (Features, Features) = features
        .into_iter()
        .partition(|(_, values)| values.iter().any(new_syntax));
    for _ in 0..ROUNDS {
        let (moved, left): (Features, Features) = features
            .into_iter()
            .partition(|(_, values)| values.iter().any(|value| features2.contains_key(value)));
        features = left;
        if moved.is_empty() {
            break;
        }
        features2.extend(moved);
    }
    (features, features2)
}

fn dependency(dependency: &Dependency) -> LineDependency {
    let package = dependency.package.to_string();
    let (name, package) = match &dependency.rename {
        Some(rename) => (rename.clone(), Some(package)),
        None => (package, None),
    };
    LineDependency {
        name,
        req: dependency.requirement.to_string(),
        features: dependency.features.clone(),
        optional: dependency.optional,
        default_features: dependency.default_features,
        target: dependency.target.clone(),
        kind: Some(dependency.kind.as_str().to_owned()),
        registry: dependency.source.index().map(str::to_owned),
        package,
    }
}

fn marketplace(entry: &Entry) -> Option<Marketplace> {
    let release = &entry.release;
    let filled = Marketplace {
        schema: MARKETPLACE_SCHEMA,
        size: release.size,
        description: release.description.clone(),
        license: release.license.clone(),
        keywords: release.keywords.clone(),
        categories: release.categories.clone(),
        repository: release.repository.clone(),
        homepage: release.homepage.clone(),
        documentation: release.documentation.clone(),
        edition: release.edition.clone(),
        kinds: kind_words(&release.kinds),
        publisher: release.publisher.as_ref().map(ToString::to_string),
        commit: release.commit.clone(),
        trust: entry.trust.map(|trust| trust.to_string()),
        yank_reason: entry.yanked.as_ref().and_then(|yank| yank.reason.clone()),
    };
    let empty = Marketplace {
        schema: MARKETPLACE_SCHEMA,
        ..Marketplace::default()
    };
    (filled != empty).then_some(filled)
}

fn kind_words(kinds: &Kinds) -> Vec<String> {
    let library = kinds.library.then(|| "library".to_owned());
    let template = kinds.template.then(|| "template".to_owned());
    let binaries = kinds.binaries.iter().map(|name| format!("binary:{name}"));
    library
        .into_iter()
        .chain(binaries)
        .chain(template)
        .collect()
}
