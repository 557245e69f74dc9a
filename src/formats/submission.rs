//! Submissions: what a publisher hands to a registry. A bundle is a folder with `submission.json`
//! and the archives that its statements release, each as `NAME-VERSION.crate`.

use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::publisher::{self, Publisher, PublisherError};
use super::statement::{Envelope, EnvelopeError, WireEnvelope};
use crate::model::{DigestError, NameError, PackageName, Sha256Digest};

const SCHEMA: u64 = 1;

/// The name of the file in a bundle.
pub const FILE: &str = "submission.json";

/// Signed statements on their way into a package's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The registry that they are for.
    pub registry_id: Sha256Digest,
    /// The package that they are about.
    pub package: PackageName,
    /// Those who signed them, with the keys to be registered if the registry does not know them.
    pub publishers: Vec<Publisher>,
    /// The statements, in their order in the chain.
    pub statements: Vec<Envelope>,
}

/// Why bytes are no submission.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// Not JSON, or not as strict as it must be.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the submission has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the submission is malformed: {0}")]
    Shape(String),
    /// The package's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The registry's id is none.
    #[error(transparent)]
    Registry(#[from] DigestError),
    /// The publisher is refused.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// A statement's envelope is refused.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: u64,
    registry_id: String,
    package: String,
    publishers: Vec<publisher::Wire>,
    statements: Vec<WireEnvelope>,
}

/// Writes a submission, the same bytes for the same one.
#[must_use]
pub fn encode(submission: &Submission) -> Vec<u8> {
    super::pretty(&Wire {
        schema: SCHEMA,
        registry_id: submission.registry_id.to_string(),
        package: submission.package.to_string(),
        publishers: submission.publishers.iter().map(Into::into).collect(),
        statements: submission
            .statements
            .iter()
            .map(WireEnvelope::from)
            .collect(),
    })
}

/// Reads a submission.
pub fn decode(bytes: &[u8]) -> Result<Submission, SubmissionError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(SubmissionError::UnknownSchema(schema));
    }
    let shape = |error: serde_json::Error| SubmissionError::Shape(error.to_string());
    let wire: Wire = serde_json::from_value(value).map_err(shape)?;
    Ok(Submission {
        registry_id: wire.registry_id.parse()?,
        package: wire.package.parse()?,
        publishers: wire
            .publishers
            .into_iter()
            .map(Publisher::try_from)
            .collect::<Result<_, _>>()?,
        statements: wire
            .statements
            .into_iter()
            .map(Envelope::try_from)
            .collect::<Result<_, _>>()?,
    })
}
