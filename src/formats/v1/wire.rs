//! The shape of an index line as serde sees it: key order, what is left out when empty, what older
//! lines may lack. Private to this folder; nothing here decides whether a line is acceptable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The keys of a line in the order in which they are written: crates.io's, then ours.
pub(super) const KEYS: [&str; 12] = [
    "name",
    "vers",
    "deps",
    "cksum",
    "features",
    "features2",
    "yanked",
    "links",
    "rust_version",
    "pubtime",
    "v",
    "marketplace",
];

/// The newest value of `v` that we know (Cargo's index format 2, with `features2`).
pub(super) const NEWEST_LINE_VERSION: u64 = 2;

/// The value of `marketplace.schema` that we know.
pub(super) const MARKETPLACE_SCHEMA: u64 = 1;

/// One line of a v1 document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) vers: String,
    pub(super) deps: Vec<LineDependency>,
    pub(super) cksum: String,
    pub(super) features: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) features2: Option<BTreeMap<String, Vec<String>>>,
    pub(super) yanked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) links: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rust_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pubtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) v: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marketplace: Option<Marketplace>,
}

/// A dependency in a line. Cargo's own defaults apply to what old lines lack.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LineDependency {
    pub(super) name: String,
    pub(super) req: String,
    #[serde(default)]
    pub(super) features: Vec<String>,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default = "default_features")]
    pub(super) default_features: bool,
    pub(super) target: Option<String>,
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<String>,
}

const fn default_features() -> bool {
    true
}

/// The extra key that stock cargo ignores.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Marketplace {
    pub(super) schema: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) license: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) documentation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edition: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) kinds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trust: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) yank_reason: Option<String>,
}
