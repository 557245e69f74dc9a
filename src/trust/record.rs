//! Records: who signed a package's statements, and what they add up to. Nothing else turns a
//! record into something that installs may use.

mod authority;
mod compare;
mod fold;
mod signers;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Verified;
use super::ed25519::{SecretKey, SignatureError};
use super::tuf::Target;
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::formats::record::{self, Record, RecordFormatError};
use crate::formats::statement::{self, Envelope, StatementError};
use crate::formats::unsigned::UnsignedList;
use crate::model::{Body, KeyId, Owners, PackageName, PublisherId, Sha256Digest, Statement};

use authority::check_signatures;

pub use authority::Signing;
pub use compare::{Disagreement, Regression, compare, no_regression};
pub use fold::{FoldError, PackageState, Seen};
pub use signers::{SignedStatement, Signer, signed_statements};

/// What a record is judged by.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext<'a> {
    /// The registry that the record must be made for.
    pub registry_id: Sha256Digest,
    /// The package that it must be of.
    pub package: &'a PackageName,
    /// Those whom [`owners_needed`] names.
    pub publishers: &'a BTreeMap<PublisherId, Publisher>,
    /// Whose keys may vouch, withdraw and assign.
    pub policy: &'a Policy,
    /// Which releases need no signature.
    pub unsigned: &'a UnsignedList,
    /// The statement by which its owners have the package, as the offline role `claimed` says; nothing
    /// if the package is not claimed.
    pub claim: Option<Sha256Digest>,
    /// How far this record was verified before. The signatures up to there are not checked again,
    /// as the chain of digests shows that the statements are the same; but for those of publishers
    /// who revoked a key, which may have counted then and not now.
    pub verified_before: Option<Seen>,
}

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record is not even a list of envelopes.
    #[error("the record of `{package}` is refused: {cause}")]
    Format {
        /// The package that was asked for.
        package: PackageName,
        /// Why.
        cause: RecordFormatError,
    },
    /// The record lies at the place of another package.
    #[error("the record of `{found}` stands where the one of `{expected}` should")]
    OtherPackage {
        /// The package that was asked for.
        expected: PackageName,
        /// The one that the record names.
        found: PackageName,
    },
    /// The record holds no statement at all.
    #[error("the record of `{0}` holds no statement")]
    Empty(PackageName),
    /// A statement is refused.
    #[error("statement {sequence} of `{package}` is refused: {cause}")]
    Statement {
        /// The package.
        package: PackageName,
        /// The statement's place, from 1.
        sequence: u64,
        /// Why.
        cause: StatementRefusal,
    },
    /// A time of acceptance for a version that no statement names.
    #[error(
        "the record of `{package}` has a time of acceptance for {version}, which was not released"
    )]
    AcceptedExtra {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
    },
    /// The record is not that of the owner of the name.
    #[error(
        "the record of `{package}` lacks the statement {claim}, by which its owners have the name"
    )]
    NotClaimed {
        /// The package.
        package: PackageName,
        /// What the offline role `claimed` names.
        claim: Sha256Digest,
    },
    /// It does not continue the record that was verified before.
    #[error(transparent)]
    Regression(#[from] Regression),
}

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementRefusal {
    /// Its bytes are no statement.
    #[error(transparent)]
    Bytes(#[from] StatementError),
    /// It cannot follow on those before it.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The keys of an owner are not at hand.
    #[error("the keys of its owner `{0}` are not known")]
    UnknownOwner(PublisherId),
    /// A signature of somebody who may not sign here.
    #[error("it is signed by the key {0}, which may not sign it")]
    UnknownKey(KeyId),
    /// A signature that does not fit, or by a key that is none.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Too few of those who may sign did.
    #[error("it has {found} of {needed} signatures")]
    TooFewSignatures {
        /// How many distinct signers there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// One who must sign this statement did not: the publisher of a release, a new owner.
    #[error("`{0}` did not sign it")]
    DidNotSign(PublisherId),
    /// An unsigned release that the registry's offline keys do not list.
    #[error("version {0} is unsigned, and the registry does not list it as such")]
    NotListed(Version),
}

impl RecordError {
    /// Says whether a newer program would understand the record.
    #[must_use]
    pub const fn needs_update(&self) -> bool {
        match self {
            Self::Format { cause, .. } => matches!(cause, RecordFormatError::UnknownSchema(_)),
            Self::Statement {
                cause: StatementRefusal::Bytes(error),
                ..
            } => error.needs_update(),
            _ => false,
        }
    }

    /// Says whether the record itself is in order, and refused for what the registry says beside it:
    /// whose keys count, who has the name, what is listed. Judged by what was said at another time, a
    /// good record fails so, too.
    #[must_use]
    pub const fn is_of_its_context(&self) -> bool {
        match self {
            Self::NotClaimed { .. } => true,
            Self::Statement { cause, .. } => matches!(
                cause,
                StatementRefusal::UnknownOwner(_)
                    | StatementRefusal::UnknownKey(_)
                    | StatementRefusal::TooFewSignatures { .. }
                    | StatementRefusal::DidNotSign(_)
                    | StatementRefusal::NotListed(_)
            ),
            _ => false,
        }
    }
}

/// Returns the publishers whose keys are needed to verify a record. They come from bytes that
/// nobody has verified yet: good for knowing what to fetch, and for nothing else.
#[must_use]
pub fn owners_needed(record: &Record) -> BTreeSet<PublisherId> {
    let envelopes = record.statements.iter();
    let parsed = envelopes.filter_map(|one| statement::parse_payload(&one.payload).ok());
    parsed
        .filter_map(|statement| statement.body.owners().cloned())
        .flat_map(|owners| owners.publishers)
        .collect()
}

/// Says whether a record has releases that are to be looked up in the list of unsigned ones. As with
/// [`owners_needed`], nobody has verified that yet.
#[must_use]
pub fn has_unsigned(record: &Record) -> bool {
    let mut envelopes = record.statements.iter();
    envelopes.any(|one| {
        let statement = statement::parse_payload(&one.payload);
        statement.is_ok_and(|statement| matches!(statement.body, Body::Unsigned { .. }))
    })
}

/// Verifies a record that came through TUF: every signature, the whole chain, and what it says.
pub fn verify_record(
    target: &Verified<Target>,
    context: &RecordContext<'_>,
) -> Result<Verified<PackageState>, RecordError> {
    let record = record::decode(&target.bytes).map_err(|cause| RecordError::Format {
        package: context.package.clone(),
        cause,
    })?;
    check_record(&record, context).map(Verified::new)
}

/// As [`verify_record`], for the writer, whose own folder is not read through TUF.
pub fn check_record(
    record: &Record,
    context: &RecordContext<'_>,
) -> Result<PackageState, RecordError> {
    let mut publishers = context.publishers.values();
    let checked = match publishers.any(|publisher| !publisher.revoked.is_empty()) {
        true => 0,
        false => context.verified_before.map_or(0, |seen| seen.sequence),
    };
    let mut state = fold(record, context.registry_id, context.package, |one| {
        match one.statement.sequence <= checked {
            true => Ok(()),
            false => check_signatures(one, context),
        }
    })?;
    if let Some(before) = &context.verified_before {
        no_regression(before, &state)?;
    }
    refuse_extra_times(record, &state)?;
    if let Some(claim) = context.claim {
        if !state.holds(&claim) {
            return Err(RecordError::NotClaimed {
                package: context.package.clone(),
                claim,
            });
        }
        // Since then it may have been given to others, by a recovery key alone.
        state.is_claimed = state.title() == Some(claim);
    }
    state.documents = record.documents;
    Ok(state)
}

/// Says of each statement after the first `checked` ones of a record who signed it and who still must.
/// Everything else is checked as by [`check_record`].
pub fn signing(
    record: &Record,
    checked: u64,
    context: &RecordContext<'_>,
) -> Result<Vec<Signing>, RecordError> {
    let mut all = Vec::new();
    fold(record, context.registry_id, context.package, |one| {
        if one.statement.sequence <= checked {
            return check_signatures(one, context);
        }
        all.push(authority::signing_of(one, context)?);
        Ok(())
    })?;
    Ok(all)
}

/// A statement in its place.
struct Placed<'a> {
    envelope: &'a Envelope,
    statement: Statement,
    /// The owners before it.
    owners: Option<Owners>,
    /// The digests of all statements of the record, those after it among them.
    chain: &'a [Sha256Digest],
}

/// Adds up a record's statements, of which each is judged when it is known to follow on those before.
fn fold(
    record: &Record,
    registry_id: Sha256Digest,
    package: &PackageName,
    mut judge: impl FnMut(&Placed<'_>) -> Result<(), StatementRefusal>,
) -> Result<PackageState, RecordError> {
    if record.package != *package {
        return Err(RecordError::OtherPackage {
            expected: package.clone(),
            found: record.package.clone(),
        });
    }
    if record.statements.is_empty() {
        return Err(RecordError::Empty(package.clone()));
    }
    let mut state = PackageState::empty(registry_id, package.clone());
    let chain: Vec<Sha256Digest> = record.statements.iter().map(Envelope::digest).collect();
    for ((envelope, digest), sequence) in record.statements.iter().zip(&chain).zip(1..) {
        let added = add(&mut state, envelope, *digest, record).and_then(|(statement, owners)| {
            judge(&Placed {
                envelope,
                statement,
                owners,
                chain: &chain,
            })
        });
        added.map_err(|cause| RecordError::Statement {
            package: package.clone(),
            sequence,
            cause,
        })?;
    }
    Ok(state)
}

/// Every release has a time of acceptance by now; this is about times without a release.
fn refuse_extra_times(record: &Record, state: &PackageState) -> Result<(), RecordError> {
    let entries = state.document.entries.iter();
    let released: BTreeSet<_> = entries
        .map(|entry| &entry.release.version)
        .chain(&state.withdrawn)
        .collect();
    let mut versions = record.accepted.keys();
    let extra = versions.find(|version| !released.contains(version));
    extra.map_or(Ok(()), |version| {
        Err(RecordError::AcceptedExtra {
            package: record.package.clone(),
            version: version.clone(),
        })
    })
}

/// Adds one statement to the state. Returns it, and the owners before it.
fn add(
    state: &mut PackageState,
    envelope: &Envelope,
    digest: Sha256Digest,
    record: &Record,
) -> Result<(Statement, Option<Owners>), StatementRefusal> {
    let statement = statement::parse_payload(&envelope.payload)?;
    let owners = state.owners.clone();
    // The statement counts from here on; if it is refused, the state is dropped with it.
    state.apply(&statement, digest, &record.accepted)?;
    Ok((statement, owners))
}

/// Adds a key's signature to a statement; its payload stays as it is.
pub fn countersign(envelope: &mut Envelope, key: &SecretKey) {
    let signature = key.sign(&statement::pae(&envelope.payload));
    envelope.signatures.push(signature);
}

/// Signs a statement with each of the keys.
pub fn sign_statement(
    statement: &Statement,
    keys: &[&SecretKey],
) -> Result<Envelope, StatementError> {
    let payload = statement::payload(statement)?;
    let signed = statement::pae(&payload);
    let signatures = keys.iter().map(|key| key.sign(&signed)).collect();
    Ok(Envelope {
        payload,
        signatures,
    })
}

#[cfg(test)]
mod tests;
