//! Statements as bytes: the canonical payload, the DSSE envelope around it, and the bytes that are
//! signed. It never says whether a signature is good: that is `trust`'s alone.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical_json::{Form, JsonError, canonical, parse_strict};
use super::v1::{self, V1Error};
use crate::model::{
    Body, DigestError, KeyId, NameError, Owners, Sha256Digest, Signature, Statement,
};

/// The type of a statement's payload, part of what is signed: a signature made for anything else
/// never fits a statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.cargo-marketplace.statement.v1+json";

/// The most bytes that a payload may have.
pub const MAX_PAYLOAD: usize = 4 << 20;

const SCHEMA: u64 = 1;
const KINDS: [&str; 8] = [
    "assign", "genesis", "owners", "release", "unyank", "vouch", "withdraw", "yank",
];
const MAX_SIGNATURES: usize = 64;

/// Why bytes are no statement, or a statement has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Longer than anything that we write.
    #[error("the statement has {0} bytes, more than {MAX_PAYLOAD}")]
    TooLong(usize),
    /// Not JSON, or JSON that has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the statement has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A newer program wrote it.
    #[error("the statement is of the kind {0:?}, which this program does not know")]
    UnknownKind(String),
    /// A key is missing or holds something else than it should.
    #[error("the statement is malformed: {0}")]
    Shape(String),
    /// The bytes say what they say in another way than the one that is signed.
    #[error("the statement is not written in its canonical form")]
    NotCanonical,
    /// A name in it is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A digest in it is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A version in it is none.
    #[error("`{0}` is not a version")]
    Version(String),
    /// The release in it is refused.
    #[error(transparent)]
    Release(#[from] V1Error),
    /// Owners that are not sorted, stand twice, are none or too many, or a threshold beyond them.
    #[error("it needs sorted owners and a threshold from 1 to their number")]
    Owners,
}

impl StatementError {
    /// Says whether a newer program would understand the statement.
    #[must_use]
    pub const fn needs_update(&self) -> bool {
        matches!(self, Self::UnknownSchema(_) | Self::UnknownKind(_))
    }
}

/// A statement as it is signed (RFC 8785); the order of the fields is of no account.
#[derive(Serialize, Deserialize)]
struct Wire {
    body: WireBody,
    package: String,
    previous: Option<String>,
    registry_id: String,
    schema: u64,
    sequence: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum WireBody {
    Genesis(WireOwners),
    Owners(WireOwners),
    Assign(WireOwners),
    Release {
        release: Value,
    },
    Yank {
        version: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Unyank {
        version: String,
    },
    Withdraw {
        version: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Vouch {
        release: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct WireOwners {
    owners: Vec<String>,
    threshold: u32,
}

/// Returns the bytes of a statement that are hashed and signed.
pub fn payload(statement: &Statement) -> Result<Vec<u8>, StatementError> {
    let wire = Wire {
        body: write_body(&statement.body)?,
        package: statement.package.to_string(),
        previous: statement.previous.map(|digest| digest.to_string()),
        registry_id: statement.registry_id.to_string(),
        schema: SCHEMA,
        sequence: statement.sequence,
    };
    let value =
        serde_json::to_value(wire).map_err(|error| StatementError::Shape(error.to_string()))?;
    let bytes = canonical(&value, Form::Jcs)?;
    if bytes.len() > MAX_PAYLOAD {
        return Err(StatementError::TooLong(bytes.len()));
    }
    Ok(bytes)
}

/// Reads a statement. The bytes must be exactly those that [`payload`] gives for it, so that no
/// two readers can see two things in them.
pub fn parse_payload(bytes: &[u8]) -> Result<Statement, StatementError> {
    if bytes.len() > MAX_PAYLOAD {
        return Err(StatementError::TooLong(bytes.len()));
    }
    let value = parse_strict(bytes)?;
    refuse_unknown(&value)?;
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| StatementError::Shape(error.to_string()))?;
    let statement = Statement {
        registry_id: wire.registry_id.parse()?,
        package: wire.package.parse()?,
        sequence: wire.sequence,
        previous: wire.previous.map(|digest| digest.parse()).transpose()?,
        body: read_body(wire.body)?,
    };
    // This also refuses keys that we do not know: writing the statement loses them.
    if payload(&statement)? != bytes {
        return Err(StatementError::NotCanonical);
    }
    Ok(statement)
}

/// Says "update" before anything else: a newer schema may have changed every other key.
fn refuse_unknown(value: &Value) -> Result<(), StatementError> {
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(StatementError::UnknownSchema(schema));
    }
    match value["body"]["kind"].as_str() {
        Some(kind) if !KINDS.contains(&kind) => {
            Err(StatementError::UnknownKind(kind.chars().take(40).collect()))
        }
        _ => Ok(()),
    }
}

fn write_body(body: &Body) -> Result<WireBody, StatementError> {
    Ok(match body {
        Body::Genesis(owners) => WireBody::Genesis(write_owners(owners)?),
        Body::Owners(owners) => WireBody::Owners(write_owners(owners)?),
        Body::Assign(owners) => WireBody::Assign(write_owners(owners)?),
        Body::Release(release) => WireBody::Release {
            release: v1::release_to_json(release),
        },
        Body::Yank { version, reason } => WireBody::Yank {
            version: version.to_string(),
            reason: reason.clone(),
        },
        Body::Unyank { version } => WireBody::Unyank {
            version: version.to_string(),
        },
        Body::Withdraw { version, reason } => WireBody::Withdraw {
            version: version.to_string(),
            reason: reason.clone(),
        },
        Body::Vouch { release, source } => WireBody::Vouch {
            release: v1::release_to_json(release),
            source: source.clone(),
        },
    })
}

fn read_body(body: WireBody) -> Result<Body, StatementError> {
    Ok(match body {
        WireBody::Genesis(owners) => Body::Genesis(read_owners(&owners)?),
        WireBody::Owners(owners) => Body::Owners(read_owners(&owners)?),
        WireBody::Assign(owners) => Body::Assign(read_owners(&owners)?),
        WireBody::Release { release } => Body::Release(Box::new(v1::release_from_json(&release)?)),
        WireBody::Yank { version, reason } => Body::Yank {
            version: read_version(&version)?,
            reason,
        },
        WireBody::Unyank { version } => Body::Unyank {
            version: read_version(&version)?,
        },
        WireBody::Withdraw { version, reason } => Body::Withdraw {
            version: read_version(&version)?,
            reason,
        },
        WireBody::Vouch { release, source } => Body::Vouch {
            release: Box::new(v1::release_from_json(&release)?),
            source,
        },
    })
}

fn write_owners(owners: &Owners) -> Result<WireOwners, StatementError> {
    check_owners(owners)?;
    Ok(WireOwners {
        owners: owners.publishers.iter().map(ToString::to_string).collect(),
        threshold: owners.threshold,
    })
}

fn read_owners(wire: &WireOwners) -> Result<Owners, StatementError> {
    let publishers = wire.owners.iter().map(|owner| owner.parse());
    let owners = Owners {
        publishers: publishers.collect::<Result<_, NameError>>()?,
        threshold: wire.threshold,
    };
    check_owners(&owners)?;
    Ok(owners)
}

fn check_owners(owners: &Owners) -> Result<(), StatementError> {
    let Owners {
        publishers,
        threshold,
    } = owners;
    let sorted = publishers.windows(2).all(|pair| pair[0] < pair[1]);
    let reachable = (1..=publishers.len()).contains(&(*threshold as usize));
    if sorted && reachable && publishers.len() <= MAX_SIGNATURES {
        Ok(())
    } else {
        Err(StatementError::Owners)
    }
}

fn read_version(text: &str) -> Result<Version, StatementError> {
    text.parse()
        .map_err(|_| StatementError::Version(text.chars().take(80).collect()))
}

/// Returns the bytes that a signature covers: DSSE's pre-authentication encoding of the payload.
#[must_use]
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        payload.len()
    );
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
pub(super) struct WireEnvelope {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: String,
    sig: String,
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
        let signatures = envelope.signatures.iter().map(|signature| WireSignature {
            keyid: signature.key_id.to_string(),
            sig: STANDARD.encode(&signature.bytes),
        });
        Self {
            payload_type: PAYLOAD_TYPE.into(),
            payload: STANDARD.encode(&envelope.payload),
            signatures: signatures.collect(),
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
        if wire.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::TooManySignatures(wire.signatures.len()));
        }
        let mut seen = BTreeSet::new();
        let mut signatures = Vec::new();
        for signature in wire.signatures {
            let key_id: KeyId = signature.keyid.parse()?;
            if !seen.insert(key_id) {
                return Err(EnvelopeError::DuplicateKey(key_id));
            }
            let bytes = decode(&signature.sig, "signature")?;
            signatures.push(Signature { key_id, bytes });
        }
        Ok(Self {
            payload: decode(&wire.payload, "payload")?,
            signatures,
        })
    }
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD
        .decode(text)
        .map_err(|_| EnvelopeError::Base64(what))
}

#[cfg(test)]
mod tests;
