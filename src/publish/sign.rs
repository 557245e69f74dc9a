//! Signing: a publisher's statements on top of a package's present record. It runs no cargo and
//! writes nothing; the key is an argument.

use crate::formats::publisher::Publisher;
use crate::formats::statement::{Envelope, StatementError};
use crate::formats::submission::Submission;
use crate::model::{Body, PublisherId, Release, Statement};
use crate::trust::{PackageState, SecretKey, sign_statement};

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The publisher's id.
    pub publisher: &'a PublisherId,
    /// The publisher's key.
    pub key: &'a SecretKey,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The package has owners, and the signer is none of them.
    #[error("`{publisher}` does not own `{package}`; its owners are {owners}")]
    NotAnOwner {
        /// The signer.
        publisher: PublisherId,
        /// The package.
        package: String,
        /// Those who own it.
        owners: String,
    },
    /// The package is vouched for by the operator.
    #[error("`{0}` is vouched for by the registry's operator and has no owner")]
    Vouched(String),
    /// A statement cannot be written.
    #[error("the statement cannot be written")]
    Statement(#[from] StatementError),
}

/// Signs what follows on `state`: a genesis first, if the package is new, then each of `bodies`.
pub fn sign(
    state: &PackageState,
    bodies: Vec<Body>,
    signer: Signer<'_>,
) -> Result<Submission, SignError> {
    check_owner(state, signer.publisher)?;
    let genesis = (state.sequence() == 0).then(|| Body::Genesis {
        owners: vec![signer.publisher.clone()],
        threshold: 1,
    });
    let statements = chain(state, genesis.into_iter().chain(bodies), signer.key)?;
    Ok(Submission {
        registry_id: state.registry_id,
        package: state.document.package.clone(),
        publisher: Publisher {
            id: signer.publisher.clone(),
            keys: vec![signer.key.public()],
        },
        statements,
    })
}

/// Signs bodies as the next statements of a package's chain.
pub fn chain(
    state: &PackageState,
    bodies: impl IntoIterator<Item = Body>,
    key: &SecretKey,
) -> Result<Vec<Envelope>, StatementError> {
    let (mut sequence, mut previous) = (state.sequence(), state.last());
    let mut envelopes = Vec::new();
    for body in bodies {
        sequence += 1;
        let statement = Statement {
            registry_id: state.registry_id,
            package: state.document.package.clone(),
            sequence,
            previous,
            body,
        };
        let envelope = sign_statement(&statement, &[key])?;
        previous = Some(envelope.digest());
        envelopes.push(envelope);
    }
    Ok(envelopes)
}

/// The body that releases what was derived from an archive, in the publisher's name.
#[must_use]
pub fn release_body(mut release: Release, publisher: &PublisherId) -> Body {
    release.publisher = Some(publisher.clone());
    Body::Release(Box::new(release))
}

fn check_owner(state: &PackageState, publisher: &PublisherId) -> Result<(), SignError> {
    let package = || state.document.package.to_string();
    match &state.owners {
        Some(owners) if !owners.publishers.contains(publisher) => {
            let owners: Vec<String> = owners.publishers.iter().map(ToString::to_string).collect();
            Err(SignError::NotAnOwner {
                publisher: publisher.clone(),
                package: package(),
                owners: owners.join(", "),
            })
        }
        None if state.sequence() > 0 => Err(SignError::Vouched(package())),
        _ => Ok(()),
    }
}
