//! Records: `se/rd/serde.json`, the list of a package's statements and the digests of its
//! documents. Only the form is checked here; what the statements say and who signed them is for
//! `trust`.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::layout::Format;
use super::statement::{Envelope, EnvelopeError, WireEnvelope};
use crate::model::{DigestError, NameError, PackageName, Sha256Digest, TimeError, UtcTime};

/// The most bytes that a record may have.
pub const MAX_RECORD: usize = 64 << 20;

const SCHEMA: u64 = 1;

/// A package's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The package.
    pub package: PackageName,
    /// Its documents.
    pub documents: Documents,
    /// When the registry took each version in.
    pub accepted: BTreeMap<Version, UtcTime>,
    /// The statements, the first one first.
    pub statements: Vec<Envelope>,
}

/// The documents of a package, by digest; absent where the registry offers none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Documents {
    /// Cargo's index lines.
    pub v1: Option<FileDigest>,
    /// Turtle.
    pub v2: Option<FileDigest>,
}

impl Documents {
    /// The document in a format.
    #[must_use]
    pub const fn get(&self, format: Format) -> Option<FileDigest> {
        match format {
            Format::V1 => self.v1,
            Format::V2 => self.v2,
        }
    }
}

/// What a file must be: its digest and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// The digest of its bytes.
    pub sha256: Sha256Digest,
    /// Their number.
    pub length: u64,
}

impl FileDigest {
    /// Returns what `bytes` are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Sha256Digest::of(bytes),
            length: bytes.len() as u64,
        }
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordFormatError {
    /// Longer than anything that we write.
    #[error("the record has {0} bytes, more than {MAX_RECORD}")]
    TooLong(usize),
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the record has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the record is malformed: {0}")]
    Shape(String),
    /// The package's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A version is none, or not written as versions are.
    #[error("`{0}` is not a version")]
    Version(String),
    /// A time is none.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A statement's envelope is refused.
    #[error("statement {sequence}: {cause}")]
    Envelope {
        /// Its place, from 1.
        sequence: usize,
        /// Why.
        cause: EnvelopeError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u64,
    package: String,
    documents: WireDocuments,
    accepted: BTreeMap<String, String>,
    statements: Vec<WireEnvelope>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDocuments {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v1: Option<WireFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v2: Option<WireFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    sha256: String,
    length: u64,
}

/// Returns a record's bytes, the same ones for the same record.
pub fn encode(record: &Record) -> Result<Vec<u8>, RecordFormatError> {
    let file = |file: &FileDigest| WireFile {
        sha256: file.sha256.to_string(),
        length: file.length,
    };
    let accepted = record.accepted.iter();
    let wire = Wire {
        schema: SCHEMA,
        package: record.package.to_string(),
        documents: WireDocuments {
            v1: record.documents.v1.as_ref().map(file),
            v2: record.documents.v2.as_ref().map(file),
        },
        accepted: accepted
            .map(|(version, time)| (version.to_string(), time.to_string()))
            .collect(),
        statements: record.statements.iter().map(WireEnvelope::from).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&wire)
        .map_err(|error| RecordFormatError::Shape(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a record.
pub fn decode(bytes: &[u8]) -> Result<Record, RecordFormatError> {
    if bytes.len() > MAX_RECORD {
        return Err(RecordFormatError::TooLong(bytes.len()));
    }
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(RecordFormatError::UnknownSchema(schema));
    }
    let wire: Wire = serde_json::from_value(value)
        .map_err(|error| RecordFormatError::Shape(error.to_string()))?;
    let accepted = wire.accepted.iter();
    let statements = wire.statements.into_iter().zip(1..);
    Ok(Record {
        package: wire.package.parse()?,
        documents: Documents {
            v1: wire.documents.v1.as_ref().map(read_file).transpose()?,
            v2: wire.documents.v2.as_ref().map(read_file).transpose()?,
        },
        accepted: accepted
            .map(|(version, time)| Ok((read_version(version)?, time.parse()?)))
            .collect::<Result<_, RecordFormatError>>()?,
        statements: statements
            .map(|(wire, sequence)| {
                Envelope::try_from(wire)
                    .map_err(|cause| RecordFormatError::Envelope { sequence, cause })
            })
            .collect::<Result<_, _>>()?,
    })
}

fn read_file(wire: &WireFile) -> Result<FileDigest, DigestError> {
    Ok(FileDigest {
        sha256: wire.sha256.parse()?,
        length: wire.length,
    })
}

fn read_version(text: &str) -> Result<Version, RecordFormatError> {
    text.parse()
        .map_err(|_| RecordFormatError::Version(text.chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let signature = crate::model::Signature {
            key_id: crate::model::KeyId(Sha256Digest::of(b"key")),
            bytes: vec![7; 64],
        };
        let accepted = [("1.10.0", 5), ("1.9.0+b", 6), ("1.9.0", 7)];
        Record {
            package: "serde".parse().unwrap(),
            documents: Documents {
                v1: Some(FileDigest::of(b"v1")),
                v2: None,
            },
            accepted: accepted
                .map(|(version, time)| {
                    (version.parse().unwrap(), UtcTime::from_unix(time).unwrap())
                })
                .into(),
            statements: vec![Envelope {
                payload: b"{}".to_vec(),
                signatures: vec![signature],
            }],
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        let bytes = encode(&record()).unwrap();
        assert!(bytes.ends_with(b"}\n"));
        assert_eq!(decode(&bytes).unwrap(), record());
        assert_eq!(encode(&decode(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&record()).unwrap()).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        assert_eq!(
            refused("\"schema\": 1", "\"schema\": 2"),
            RecordFormatError::UnknownSchema(2)
        );
        for (from, to) in [
            ("\"schema\": 1", "\"schema\": \"1\""),
            ("\"schema\": 1", "\"schema\": 1, \"more\": 1"),
            ("\"v1\":", "\"v3\":"),
            ("\"length\": 2", "\"length\": -2"),
        ] {
            assert!(matches!(refused(from, to), RecordFormatError::Shape(_)));
        }
        assert!(matches!(
            refused("\"1.9.0\":", "\"1.9\":"),
            RecordFormatError::Version(_)
        ));
        assert!(matches!(
            refused("\"e30=\"", "\"e30\""),
            RecordFormatError::Envelope { sequence: 1, .. }
        ));
        assert!(matches!(
            refused("\"1.9.0\":", "\"1.10.0\":"),
            RecordFormatError::Json(JsonError::DuplicateKey(_))
        ));
    }
}
