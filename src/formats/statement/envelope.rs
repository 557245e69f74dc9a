//! The DSSE envelope around a statement, and the bytes that its signatures cover.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use serde_json::Value;

use super::{MAX_SIGNATURES, PAYLOAD_TYPE};
use crate::model::{DigestError, KeyId, Sha256Digest, Signature};

/// Returns the bytes that a signature covers: DSSE's pre-authentication encoding of the payload.
#[must_use]
pub fn pae(payload: &[u8]) -> Vec<u8> {
    pae_of(PAYLOAD_TYPE, payload)
}

/// DSSE's pre-authentication encoding of a payload of some type.
pub(in crate::formats) fn pae_of(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_length, length) = (payload_type.len(), payload.len());
    let head = format!("DSSEv1 {type_length} {payload_type} {length} ");
    [head.as_bytes(), payload].concat()
}

/// A statement's bytes and the signatures over them (DSSE v1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The canonical bytes of the statement.
    pub payload: Vec<u8>,
    /// Signatures over [`pae`] of the payload.
    pub signatures: Vec<Signature>,
}

/// Why a JSON value is no envelope of a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A key is missing, unknown or holds something else than it should.
    #[error("the envelope is malformed: {0}")]
    Shape(String),
    /// It holds something else than a statement.
    #[error("the envelope holds {0:?}, which this program does not know")]
    PayloadType(String),
    /// Not base64 in its one canonical form.
    #[error("the {0} is not canonical base64")]
    Base64(&'static str),
    /// A key id is none.
    #[error(transparent)]
    KeyId(#[from] DigestError),
    /// One key is said to have signed twice.
    #[error("the key {0} signed twice")]
    DuplicateKey(KeyId),
    /// More signatures than any statement needs.
    #[error("the envelope has {0} signatures, more than {MAX_SIGNATURES}")]
    TooManySignatures(usize),
}

/// An envelope as it stands in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::formats) struct WireEnvelope {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::formats) struct WireSignature {
    keyid: String,
    sig: String,
}

impl From<&Signature> for WireSignature {
    fn from(signature: &Signature) -> Self {
        Self {
            keyid: signature.key_id.to_string(),
            sig: STANDARD.encode(&signature.bytes),
        }
    }
}

impl Envelope {
    /// The digest by which the next statement names this one.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest::of(&self.payload)
    }
}

#[cfg(test)]
impl Envelope {
    /// The envelope as JSON.
    pub(crate) fn to_json(&self) -> Value {
        serde_json::to_value(WireEnvelope::from(self)).unwrap()
    }

    /// Reads an envelope from JSON.
    pub(crate) fn from_json(value: &Value) -> Result<Self, EnvelopeError> {
        let wire = WireEnvelope::deserialize(value);
        Self::try_from(wire.map_err(|error| EnvelopeError::Shape(error.to_string()))?)
    }
}

impl From<&Envelope> for WireEnvelope {
    fn from(envelope: &Envelope) -> Self {
        Self {
            payload_type: PAYLOAD_TYPE.into(),
            payload: STANDARD.encode(&envelope.payload),
            signatures: envelope.signatures.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<WireEnvelope> for Envelope {
    type Error = EnvelopeError;

    fn try_from(wire: WireEnvelope) -> Result<Self, EnvelopeError> {
        if wire.payload_type != PAYLOAD_TYPE {
            let found = wire.payload_type.chars().take(80).collect();
            return Err(EnvelopeError::PayloadType(found));
        }
        let signatures = read_signatures(wire.signatures)?;
        Ok(Self {
            payload: decode(&wire.payload, "payload")?,
            signatures,
        })
    }
}

/// Reads signatures, of which there is one for each key.
pub(in crate::formats) fn read_signatures(
    wire: Vec<WireSignature>,
) -> Result<Vec<Signature>, EnvelopeError> {
    if wire.len() > MAX_SIGNATURES {
        return Err(EnvelopeError::TooManySignatures(wire.len()));
    }
    let mut seen = BTreeSet::new();
    let mut signatures = Vec::new();
    for signature in wire {
        let key_id: KeyId = signature.keyid.parse()?;
        if !seen.insert(key_id) {
            return Err(EnvelopeError::DuplicateKey(key_id));
        }
        let bytes = decode(&signature.sig, "signature")?;
        signatures.push(Signature { key_id, bytes });
    }
    Ok(signatures)
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD
        .decode(text)
        .map_err(|_| EnvelopeError::Base64(what))
}
