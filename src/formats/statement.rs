//! Statements as bytes: the canonical payload, the DSSE envelope around it, and the bytes that are
//! signed. It never says whether a signature is good: that is `trust`'s alone.

mod envelope;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical_json::{Form, JsonError, canonical, parse_strict};
use super::v1::{self, V1Error};
use crate::model::{Body, DigestError, NameError, Owners, Statement};

pub use envelope::{Envelope, EnvelopeError, pae};
pub(super) use envelope::{WireEnvelope, WireSignature, pae_of, read_signatures};

/// The type of a statement's payload, part of what is signed: a signature made for anything else
/// never fits a statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.cargo-marketplace.statement.v1+json";

/// The most bytes that a payload may have.
pub const MAX_PAYLOAD: usize = 4 << 20;

const SCHEMA: u64 = 1;
const KINDS: [&str; 9] = [
    "assign", "genesis", "owners", "release", "unsigned", "unyank", "vouch", "withdraw", "yank",
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
    Unsigned {
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
        Body::Unsigned { release, source } => WireBody::Unsigned {
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
        WireBody::Unsigned { release, source } => Body::Unsigned {
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

#[cfg(test)]
mod tests;
