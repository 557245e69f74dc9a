//! `marketplace.trust`: what a project demands of registries. It is committed with the project and
//! read by whoever builds it. It only ever adds demands: it never makes anything trusted.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{RegistryName, Sha256Digest};

/// The name of the file, at the root of a workspace.
pub const FILE_NAME: &str = "marketplace.trust";

/// The schema of files that this program writes.
pub const SCHEMA: u64 = 1;

/// The table that holds one table for each registry.
pub const REGISTRIES: &str = "registries";

/// What a project demands of one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What the project calls it.
    pub name: RegistryName,
    /// The sha256 of its first root file: a registry of that name must be this one.
    pub registry_id: Sha256Digest,
    /// The sha256 of a root file that it must have had.
    pub root: Sha256Digest,
    /// The version that its snapshot must have reached.
    pub minimum_snapshot: u64,
}

/// Why a text is no `marketplace.trust`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustFileError {
    /// A newer program wrote it.
    #[error("it has schema {0}, which this program does not know")]
    UnknownSchema(i64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("it is malformed: {0}")]
    Shape(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Wire {
    #[serde(rename = "schema")]
    _schema: u64,
    #[serde(default)]
    registries: BTreeMap<String, WireDemand>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WireDemand {
    registry_id: String,
    root: String,
    minimum_snapshot: u64,
}

/// Reads a `marketplace.trust`.
pub fn decode(text: &str) -> Result<Vec<Demand>, TrustFileError> {
    let shape = |error: toml::de::Error| TrustFileError::Shape(error.message().to_owned());
    let table: toml::Table = text.parse().map_err(shape)?;
    let schema = table.get("schema").and_then(toml::Value::as_integer);
    if let Some(schema) = schema.filter(|schema| u64::try_from(*schema) != Ok(SCHEMA)) {
        return Err(TrustFileError::UnknownSchema(schema));
    }
    let wire: Wire = table.try_into().map_err(shape)?;
    wire.registries.into_iter().map(demand).collect()
}

fn demand((name, wire): (String, WireDemand)) -> Result<Demand, TrustFileError> {
    let wrong = |field: &str, reason: &dyn std::fmt::Display| {
        TrustFileError::Shape(format!("`{REGISTRIES}.{name}{field}`: {reason}"))
    };
    let root = wire.root.strip_prefix("sha256:");
    let root = root.ok_or_else(|| wrong(".root", &"it does not start with `sha256:`"))?;
    Ok(Demand {
        registry_id: wire
            .registry_id
            .parse()
            .map_err(|error| wrong(".registry-id", &error))?,
        root: root.parse().map_err(|error| wrong(".root", &error))?,
        minimum_snapshot: wire.minimum_snapshot,
        name: name.parse().map_err(|error| wrong("", &error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let (id, root) = ("1".repeat(64), "2".repeat(64));
        format!(
            "# Why.\nschema = 1\n\n[registries.harbour]\nregistry-id = \"{id}\"\nroot = \"sha256:{root}\"\nminimum-snapshot = 7\n"
        )
    }

    #[test]
    fn reads_what_is_demanded() {
        let demands = decode(&text()).unwrap();
        let [demand] = demands.as_slice() else {
            panic!("{demands:?}")
        };
        assert_eq!(demand.name.as_str(), "harbour");
        assert_eq!(demand.registry_id.to_string(), "1".repeat(64));
        assert_eq!(demand.root.to_string(), "2".repeat(64));
        assert_eq!(demand.minimum_snapshot, 7);
        assert_eq!(decode("schema = 1\n").unwrap(), []);
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_passed_over() {
        for (from, to) in [
            ("schema = 1", ""),
            ("schema = 1", "schema = 1\nallow = true"),
            ("minimum-snapshot = 7", ""),
            ("minimum-snapshot = 7", "minimum-snapshot = -7"),
            ("minimum-snapshot", "minimum_snapshot"),
            ("sha256:2", "2"),
            ("\"1", "\"x"),
            ("[registries.harbour]", "[registries.\"a b\"]"),
            ("[registries.harbour]", "[registries.harbour"),
        ] {
            let text = text().replacen(from, to, 1);
            assert!(
                matches!(decode(&text), Err(TrustFileError::Shape(_))),
                "{text}"
            );
        }
        let newer = text().replacen("schema = 1", "schema = 2", 1);
        assert_eq!(decode(&newer), Err(TrustFileError::UnknownSchema(2)));
    }
}
