//! Changes of a publisher's keys: the publisher's file as it is to be, signed by keys in force and by
//! each new one. Whether the change is one that a publisher may make is for `trust` to say.

use serde::{Deserialize, Serialize};

use super::canonical_json::{Form, JsonError, canonical, parse_strict};
use super::publisher::{self, Publisher, PublisherError};
use super::statement::{EnvelopeError, WireSignature, pae_of, read_signatures};
use crate::model::{DigestError, Sha256Digest, Signature};

/// The type of what is signed: a signature made for a statement never fits a change of keys.
pub const PAYLOAD_TYPE: &str = "application/vnd.cargo-marketplace.keys.v1+json";

/// The ending of the file's name.
pub const EXTENSION: &str = "keys";

const SCHEMA: u64 = 1;

/// A publisher's keys as they are to be, on their way to the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The registry that it is for.
    pub registry_id: Sha256Digest,
    /// The sha256 of the publisher's file that it replaces.
    pub previous: Sha256Digest,
    /// The publisher as they are to be.
    pub publisher: Publisher,
    /// Signatures over [`signed_bytes`].
    pub signatures: Vec<Signature>,
}

/// Why bytes are no change of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyChangeError {
    /// Not JSON, or JSON that has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the change of keys has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the change of keys is malformed: {0}")]
    Shape(String),
    /// A digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The publisher is refused.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// A signature is refused.
    #[error(transparent)]
    Signature(#[from] EnvelopeError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u64,
    registry_id: String,
    previous: String,
    publisher: publisher::Wire,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<WireSignature>,
}

impl From<&KeyChange> for Wire {
    fn from(change: &KeyChange) -> Self {
        Self {
            schema: SCHEMA,
            registry_id: change.registry_id.to_string(),
            previous: change.previous.to_string(),
            publisher: (&change.publisher).into(),
            signatures: change.signatures.iter().map(Into::into).collect(),
        }
    }
}

/// Returns the bytes that a signature covers: everything but the signatures, in canonical form, in
/// DSSE's pre-authentication encoding.
pub fn signed_bytes(change: &KeyChange) -> Result<Vec<u8>, KeyChangeError> {
    let unsigned = Wire {
        signatures: Vec::new(),
        ..change.into()
    };
    let value = serde_json::to_value(unsigned);
    let value = value.map_err(|error| KeyChangeError::Shape(error.to_string()))?;
    Ok(pae_of(PAYLOAD_TYPE, &canonical(&value, Form::Jcs)?))
}

/// Writes a change of keys, the same bytes for the same one.
#[must_use]
pub fn encode(change: &KeyChange) -> Vec<u8> {
    super::pretty(&Wire::from(change))
}

/// Reads a change of keys.
pub fn decode(bytes: &[u8]) -> Result<KeyChange, KeyChangeError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(KeyChangeError::UnknownSchema(schema));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| KeyChangeError::Shape(error.to_string()))?;
    Ok(KeyChange {
        registry_id: wire.registry_id.parse()?,
        previous: wire.previous.parse()?,
        publisher: wire.publisher.try_into()?,
        signatures: read_signatures(wire.signatures)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeyId, PublicKey};

    fn change() -> KeyChange {
        KeyChange {
            registry_id: Sha256Digest::of(b"root"),
            previous: Sha256Digest::of(b"file"),
            publisher: Publisher::new("ferris".parse().unwrap(), vec![PublicKey([1; 32])]),
            signatures: vec![Signature {
                key_id: KeyId(Sha256Digest::of(b"key")),
                bytes: vec![7; 64],
            }],
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        assert_eq!(decode(&encode(&change())).unwrap(), change());
    }

    #[test]
    fn signatures_cover_all_but_themselves() {
        let bytes = signed_bytes(&change()).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("DSSEv1 46 application/vnd.cargo-marketplace.keys.v1+json "));
        let mut unsigned = change();
        unsigned.signatures.clear();
        assert_eq!(signed_bytes(&unsigned).unwrap(), bytes);
        let mut other = change();
        other.previous = Sha256Digest::of(b"other");
        assert_ne!(signed_bytes(&other).unwrap(), bytes);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&change())).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        let newer = refused("\"schema\": 1", "\"schema\": 2");
        assert_eq!(newer, KeyChangeError::UnknownSchema(2));
        let shape = refused("\"previous\"", "\"before\"");
        assert!(matches!(shape, KeyChangeError::Shape(_)));
        let name = refused("ferris", "../up");
        assert!(matches!(name, KeyChangeError::Publisher(_)));
    }
}
