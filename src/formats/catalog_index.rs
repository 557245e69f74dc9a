//! `catalog/index.json`: which packs hold the union of the documents, by range of serials.
//!
//! Ranges may overlap: beside a pack of many changes lie some that it was merged from, so that whoever
//! has most of them need not fetch all.

mod path;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::layout::Format;
use crate::model::{NameError, PackageName, Sha256Digest};

const SCHEMA: u64 = 1;

/// The list of packs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogIndex {
    /// The registry's serial: one more with each change.
    pub serial: u64,
    /// Packs of v1 documents.
    pub v1: Vec<Pack>,
    /// Packs of v2 documents.
    pub v2: Vec<Pack>,
}

/// Releases that are gone, by package.
pub type Withdrawn = BTreeMap<PackageName, BTreeSet<Version>>;

/// One pack: the releases that changed after serial `from`, as they were at serial `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The serial before the first change in the pack; 0 for a base.
    pub from: u64,
    /// The serial of the last change in the pack.
    pub to: u64,
    /// The sha256 of the compressed bytes.
    pub sha256: Sha256Digest,
    /// The number of compressed bytes.
    pub length: u64,
    /// The number of bytes when decompressed.
    pub uncompressed: u64,
    /// The releases that were withdrawn in the meantime; none in a pack that starts at 0.
    pub withdrawn: Withdrawn,
}

/// Why bytes are no catalog index.
#[derive(Debug, thiserror::Error)]
pub enum CatalogIndexError {
    /// Not JSON that every reader reads as the same.
    #[error("the catalog index is not valid")]
    Json(#[from] JsonError),
    /// A key is missing or holds something else than it should.
    #[error("the catalog index is malformed")]
    Shape(#[source] serde_json::Error),
    /// Written by a later version of the program.
    #[error("the catalog index has schema {0}, which this version does not know")]
    Schema(u64),
    /// A digest that is none.
    #[error("the catalog index names a pack wrongly")]
    Digest(#[from] crate::model::DigestError),
    /// A name of a package that is none.
    #[error("the catalog index names a package wrongly")]
    Name(#[from] NameError),
    /// A version that is none.
    #[error("the catalog index names a version wrongly")]
    Version(#[from] semver::Error),
}

impl CatalogIndex {
    /// The packs of a format.
    #[must_use]
    pub fn packs(&self, format: Format) -> &[Pack] {
        match format {
            Format::V1 => &self.v1,
            Format::V2 => &self.v2,
        }
    }

    /// The packs of a format, to be changed.
    pub fn packs_mut(&mut self, format: Format) -> &mut Vec<Pack> {
        match format {
            Format::V1 => &mut self.v1,
            Format::V2 => &mut self.v2,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct WireIndex {
    schema: u64,
    serial: u64,
    v1: Vec<WirePack>,
    v2: Vec<WirePack>,
}

#[derive(Serialize, Deserialize)]
struct WirePack {
    from: u64,
    to: u64,
    sha256: String,
    length: u64,
    uncompressed: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    withdrawn: BTreeMap<String, BTreeSet<String>>,
}

/// Writes the index as its file's bytes.
#[must_use]
pub fn encode(index: &CatalogIndex) -> Vec<u8> {
    let wire = WireIndex {
        schema: SCHEMA,
        serial: index.serial,
        v1: index.v1.iter().map(to_wire).collect(),
        v2: index.v2.iter().map(to_wire).collect(),
    };
    super::pretty(&wire)
}

/// Reads the bytes of the file.
pub fn decode(bytes: &[u8]) -> Result<CatalogIndex, CatalogIndexError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(CatalogIndexError::Schema(schema));
    }
    let wire: WireIndex = serde_json::from_value(value).map_err(CatalogIndexError::Shape)?;
    let packs = |wire: &[WirePack]| wire.iter().map(from_wire).collect::<Result<_, _>>();
    Ok(CatalogIndex {
        serial: wire.serial,
        v1: packs(&wire.v1)?,
        v2: packs(&wire.v2)?,
    })
}

fn to_wire(pack: &Pack) -> WirePack {
    WirePack {
        from: pack.from,
        to: pack.to,
        sha256: pack.sha256.to_string(),
        length: pack.length,
        uncompressed: pack.uncompressed,
        withdrawn: pack.withdrawn.iter().map(to_wire_versions).collect(),
    }
}

fn to_wire_versions(
    (package, versions): (&PackageName, &BTreeSet<Version>),
) -> (String, BTreeSet<String>) {
    (
        package.to_string(),
        versions.iter().map(Version::to_string).collect(),
    )
}

fn from_wire(wire: &WirePack) -> Result<Pack, CatalogIndexError> {
    Ok(Pack {
        from: wire.from,
        to: wire.to,
        sha256: wire.sha256.parse()?,
        length: wire.length,
        uncompressed: wire.uncompressed,
        withdrawn: wire
            .withdrawn
            .iter()
            .map(from_wire_versions)
            .collect::<Result<_, _>>()?,
    })
}

fn from_wire_versions(
    (package, versions): (&String, &BTreeSet<String>),
) -> Result<(PackageName, BTreeSet<Version>), CatalogIndexError> {
    let versions = versions.iter().map(|version| version.parse());
    Ok((package.parse()?, versions.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_refuses_other_schemas() {
        let pack = Pack {
            from: 0,
            to: 7,
            sha256: Sha256Digest::of(b"pack"),
            length: 4,
            uncompressed: 40,
            withdrawn: [("demo".parse().unwrap(), ["1.0.0".parse().unwrap()].into())].into(),
        };
        let index = CatalogIndex {
            serial: 7,
            v1: vec![pack.clone()],
            v2: vec![pack],
        };
        let bytes = encode(&index);
        assert_eq!(decode(&bytes).unwrap(), index);
        let later = String::from_utf8(bytes)
            .unwrap()
            .replace("\"schema\": 1", "\"schema\": 2");
        assert!(matches!(
            decode(later.as_bytes()),
            Err(CatalogIndexError::Schema(2))
        ));
    }
}
