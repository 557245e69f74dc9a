//! Unsigned releases: `unsigned.json`, signed offline beside the policy. It lists the releases that
//! nobody answers for and that clients take all the same, each by its sha256.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use crate::model::{DigestError, NameError, PackageName, Release, Sha256Digest};

const SCHEMA: u64 = 1;

/// The releases that need no signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnsignedList(BTreeMap<(PackageName, Version), Sha256Digest>);

impl UnsignedList {
    /// Says whether this very release is listed.
    #[must_use]
    pub fn lists(&self, release: &Release) -> bool {
        let listed = self.0.get(&(release.name.clone(), release.version.clone()));
        listed == Some(&release.checksum)
    }

    /// Lists a release.
    pub fn add(&mut self, release: &Release) {
        let key = (release.name.clone(), release.version.clone());
        self.0.insert(key, release.checksum);
    }
}

/// Why bytes are no list of unsigned releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsignedError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the list of unsigned releases has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the list of unsigned releases is malformed: {0}")]
    Shape(String),
    /// A package's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A version is none.
    #[error("`{0}` is not a version")]
    Version(String),
    /// A digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The releases are not in their order, or one stands twice.
    #[error("the unsigned releases are not sorted")]
    Order,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u64,
    releases: Vec<WireRelease>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRelease {
    name: String,
    version: String,
    sha256: String,
}

/// Returns a list's bytes, the same ones for the same list.
#[must_use]
pub fn encode(list: &UnsignedList) -> Vec<u8> {
    let release = |((name, version), sha256): (&(PackageName, Version), &Sha256Digest)| {
        let (name, version) = (name.to_string(), version.to_string());
        let sha256 = sha256.to_string();
        WireRelease {
            name,
            version,
            sha256,
        }
    };
    super::pretty(&Wire {
        schema: SCHEMA,
        releases: list.0.iter().map(release).collect(),
    })
}

/// Reads a list.
pub fn decode(bytes: &[u8]) -> Result<UnsignedList, UnsignedError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(UnsignedError::UnknownSchema(schema));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| UnsignedError::Shape(error.to_string()))?;
    let mut list = BTreeMap::new();
    for WireRelease {
        name,
        version,
        sha256,
    } in wire.releases
    {
        let number = version.parse();
        let number = number.map_err(|_| UnsignedError::Version(version.chars().take(80).collect()));
        let key: (PackageName, Version) = (name.parse()?, number?);
        if list.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(UnsignedError::Order);
        }
        list.insert(key, sha256.parse()?);
    }
    Ok(UnsignedList(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> UnsignedList {
        let mut list = UnsignedList::default();
        for (name, version) in [("tide", "1.10.0"), ("tide", "1.9.0"), ("moon", "0.1.0")] {
            list.add(&Release::sample(name, version));
        }
        list
    }

    #[test]
    fn comes_back_as_it_was() {
        assert_eq!(decode(&encode(&list())).unwrap(), list());
        let empty = UnsignedList::default();
        assert_eq!(decode(&encode(&empty)).unwrap(), empty);
    }

    #[test]
    fn lists_a_release_by_all_of_name_version_and_digest() {
        let listed = Release::sample("tide", "1.9.0");
        assert!(list().lists(&listed));
        let mut other = listed.clone();
        other.checksum = Sha256Digest::of(b"other bytes");
        assert!(!list().lists(&other));
        for (name, version) in [("tide", "1.9.1"), ("tides", "1.9.0"), ("tide", "1.9.0+b")] {
            assert!(!list().lists(&Release::sample(name, version)));
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&list())).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        let newer = refused("\"schema\": 1", "\"schema\": 9");
        assert_eq!(newer, UnsignedError::UnknownSchema(9));
        assert_eq!(refused("1.9.0", "2.0.0"), UnsignedError::Order);
        assert_eq!(refused("1.9.0", "1.10.0"), UnsignedError::Order);
        let version = refused("1.9.0", "1.9");
        assert_eq!(version, UnsignedError::Version("1.9".into()));
        let shape = refused("\"name\"", "\"package\"");
        assert!(matches!(shape, UnsignedError::Shape(_)));
        assert!(matches!(refused("moon", "../up"), UnsignedError::Name(_)));
    }
}
