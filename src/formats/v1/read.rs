//! Index lines as entries: every value is parsed into its type, and a line that cannot be written
//! again as it was read is refused.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::foreign;
use super::wire::{Line, LineDependency, MARKETPLACE_SCHEMA, Marketplace, NEWEST_LINE_VERSION};
use super::write::{encode_line, line_object, our_object};
use crate::formats::canonical_json::{JsonError, parse_strict};
use crate::formats::releases::is_commit;
use crate::model::{
    Dependency, DependencyKind, DependencySource, DigestError, Entry, Kinds, NameError, Release,
    RequirementError, TimeError, TrustState, Yank,
};

/// Why one index line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON that we accept.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON of another shape than an index line.
    #[error("not an index line: {0}")]
    Shape(String),
    /// Cargo's `v` is newer than we know.
    #[error("index line version {0} is newer than this program knows")]
    UnknownVersion(u64),
    /// The schema of our key is newer than we know.
    #[error("`marketplace` schema {0} is newer than this program knows")]
    UnknownSchema(u64),
    /// A name of a package or publisher.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A version.
    #[error("`{text}` is not a version: {reason}")]
    Version {
        /// The text.
        text: String,
        /// What `SemVer` has against it.
        reason: String,
    },
    /// A checksum.
    #[error(transparent)]
    Checksum(#[from] DigestError),
    /// A dependency's requirement.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// The time of acceptance.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A value that its key does not have.
    #[error("`{value}` is no value of `{key}`")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
    /// A reason for a yank beside `yanked: false`.
    #[error("a reason for a yank, but the release is not yanked")]
    ReasonWithoutYank,
    /// A key in a statement that only the registry sets.
    #[error("`{0}` has no place in a statement")]
    RegistryKey(&'static str),
    /// The line holds something that would be lost.
    #[error("the line cannot be written again as it was read")]
    Unrepresentable,
}

/// Reads one line.
pub(super) fn decode_line(bytes: &[u8]) -> Result<Entry, LineError> {
    // Bytes that we would write ourselves hold no unknown and no duplicate keys: the usual case is
    // done here; all errors come from the strict reading below.
    if let Some(entry) = serde_json::from_slice(bytes)
        .ok()
        .and_then(|line: Line| entry(line).ok())
        .filter(|entry| encode_line(entry).as_bytes() == bytes)
    {
        return Ok(entry);
    }
    match parse_strict(bytes)? {
        Value::Object(object) => decode_object(&object),
        _ => Err(LineError::Shape("not an object".into())),
    }
}

/// Reads a line that is parsed already, and keeps what is foreign to us.
pub(super) fn decode_object(object: &Map<String, Value>) -> Result<Entry, LineError> {
    check_schemas(object)?;
    let line = Line::deserialize(object).map_err(|error| LineError::Shape(error.to_string()))?;
    let mut entry = entry(line)?;
    entry.release.foreign = foreign::difference(&our_object(&entry), object);
    if line_object(&entry) == *object {
        Ok(entry)
    } else {
        Err(LineError::Unrepresentable)
    }
}

/// Looks at the version numbers before anything else: a newer line may have any shape.
fn check_schemas(object: &Map<String, Value>) -> Result<(), LineError> {
    if let Some(version) = object.get("v").and_then(Value::as_u64)
        && version > NEWEST_LINE_VERSION
    {
        return Err(LineError::UnknownVersion(version));
    }
    match object
        .get("marketplace")
        .map(|ours| ours.get("schema").and_then(Value::as_u64))
    {
        None | Some(Some(MARKETPLACE_SCHEMA)) => Ok(()),
        Some(Some(other)) => Err(LineError::UnknownSchema(other)),
        Some(None) => Err(LineError::Shape(
            "`marketplace` has no schema number".into(),
        )),
    }
}

fn entry(line: Line) -> Result<Entry, LineError> {
    let ours = line.marketplace.unwrap_or_default();
    let yanked = line.yanked.unwrap_or(false);
    if !yanked && ours.yank_reason.is_some() {
        return Err(LineError::ReasonWithoutYank);
    }
    Ok(Entry {
        accepted: line.pubtime.map(|time| time.parse()).transpose()?,
        yanked: yanked.then(|| Yank {
            reason: ours.yank_reason.clone(),
        }),
        trust: ours.trust.as_deref().map(trust).transpose()?,
        release: Release {
            name: line.name.parse()?,
            version: version(&line.vers)?,
            dependencies: line
                .deps
                .into_iter()
                .map(dependency)
                .collect::<Result<_, _>>()?,
            checksum: line.cksum.parse()?,
            features: features(line.features, line.features2),
            links: line.links,
            rust_version: line.rust_version,
            kinds: kinds(&ours)?,
            publisher: ours.publisher.map(|id| id.parse()).transpose()?,
            commit: ours.commit.map(commit).transpose()?,
            size: ours.size,
            description: ours.description,
            license: ours.license,
            keywords: ours.keywords,
            categories: ours.categories,
            repository: ours.repository,
            homepage: ours.homepage,
            documentation: ours.documentation,
            edition: ours.edition,
            foreign: None,
        },
    })
}

fn refused(key: &'static str, value: &str) -> LineError {
    let value = value.chars().take(80).collect();
    LineError::Value { key, value }
}

fn version(text: &str) -> Result<semver::Version, LineError> {
    text.parse()
        .map_err(|reason: semver::Error| LineError::Version {
            text: text.chars().take(80).collect(),
            reason: reason.to_string(),
        })
}

fn trust(word: &str) -> Result<TrustState, LineError> {
    TrustState::from_word(word).ok_or_else(|| refused("trust", word))
}

fn commit(text: String) -> Result<String, LineError> {
    if is_commit(&text) {
        Ok(text)
    } else {
        Err(refused("commit", &text))
    }
}

/// Joins the two halves as Cargo does: values of the same feature are appended.
fn features(
    mut features: BTreeMap<String, Vec<String>>,
    features2: Option<BTreeMap<String, Vec<String>>>,
) -> BTreeMap<String, Vec<String>> {
    for (name, values) in features2.unwrap_or_default() {
        features.entry(name).or_default().extend(values);
    }
    features
}

fn kinds(ours: &Marketplace) -> Result<Kinds, LineError> {
    let mut kinds = Kinds::default();
    for word in &ours.kinds {
        match (word.as_str(), word.strip_prefix("binary:")) {
            ("library", _) => kinds.library = true,
            ("template", _) => kinds.template = true,
            (_, Some(name)) => kinds.binaries.push(name.to_owned()),
            _ => return Err(refused("kinds", word)),
        }
    }
    kinds.binaries.sort_unstable();
    kinds.binaries.dedup();
    Ok(kinds)
}

fn dependency(line: LineDependency) -> Result<Dependency, LineError> {
    let (package, rename) = match line.package {
        Some(package) => (package, Some(line.name)),
        None => (line.name, None),
    };
    Ok(Dependency {
        package: package.parse()?,
        rename,
        requirement: line.req.parse()?,
        features: line.features,
        optional: line.optional,
        default_features: line.default_features,
        target: line.target,
        kind: match line.kind.as_deref() {
            None | Some("normal") => DependencyKind::Normal,
            Some("build") => DependencyKind::Build,
            Some("dev") => DependencyKind::Dev,
            Some(other) => return Err(refused("kind", other)),
        },
        source: line
            .registry
            .map_or(DependencySource::SameRegistry, DependencySource::Other),
    })
}
