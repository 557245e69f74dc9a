//! Publishers: `publishers/ID.json`, an id and its keys.

use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::public_key::{KeyListError, WireKey, read_keys, write_keys};
use crate::model::{NameError, PublicKey, PublisherId};

const SCHEMA: u64 = 1;

/// Somebody who signs releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// By which packages name them.
    pub id: PublisherId,
    /// Their keys; any of them signs for them.
    pub keys: Vec<PublicKey>,
}

/// Why bytes are no publisher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the publisher's file has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the publisher's file is malformed: {0}")]
    Shape(String),
    /// The id is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The keys are refused.
    #[error(transparent)]
    Keys(#[from] KeyListError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    schema: u64,
    id: String,
    keys: Vec<WireKey>,
}

/// Returns a publisher's bytes, the same ones for the same publisher.
#[must_use]
pub fn encode(publisher: &Publisher) -> Vec<u8> {
    super::pretty(&Wire::from(publisher))
}

/// Reads a publisher.
pub fn decode(bytes: &[u8]) -> Result<Publisher, PublisherError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(PublisherError::UnknownSchema(schema));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| PublisherError::Shape(error.to_string()))?;
    wire.try_into()
}

impl From<&Publisher> for Wire {
    fn from(publisher: &Publisher) -> Self {
        Self {
            schema: SCHEMA,
            id: publisher.id.to_string(),
            keys: write_keys(&publisher.keys),
        }
    }
}

impl TryFrom<Wire> for Publisher {
    type Error = PublisherError;

    fn try_from(wire: Wire) -> Result<Self, PublisherError> {
        if wire.schema != SCHEMA {
            return Err(PublisherError::UnknownSchema(wire.schema));
        }
        Ok(Self {
            id: wire.id.parse()?,
            keys: read_keys(wire.keys)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher() -> Publisher {
        Publisher {
            id: "ferris".parse().unwrap(),
            keys: vec![PublicKey([1; 32]), PublicKey([2; 32])],
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        let bytes = encode(&publisher());
        assert_eq!(decode(&bytes).unwrap(), publisher());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&publisher())).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replace(from, to).as_bytes()).unwrap_err()
        };
        assert_eq!(
            refused("\"schema\": 1", "\"schema\": 9"),
            PublisherError::UnknownSchema(9)
        );
        assert!(matches!(
            refused("ed25519", "rsa"),
            PublisherError::Keys(KeyListError::UnknownKind { .. })
        ));
        assert!(matches!(
            refused(&"02".repeat(32), &"01".repeat(32)),
            PublisherError::Keys(KeyListError::Duplicate(_))
        ));
        assert!(matches!(
            refused("ferris", "../up"),
            PublisherError::Name(_)
        ));
    }
}
