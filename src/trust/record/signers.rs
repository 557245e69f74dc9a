//! Who signed each statement of a record, for people who want to see it.

use super::authority::SigningKey;
use super::{RecordContext, RecordError, StatementRefusal, check_record};
use crate::formats::record;
use crate::formats::statement::{self, Envelope};
use crate::model::{PublicKey, PublisherId, Statement};
use crate::trust::Verified;
use crate::trust::tuf::Target;

/// A statement, and those whose signatures on it were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// What was signed.
    pub statement: Statement,
    /// Who signed it.
    pub signers: Vec<Signer>,
}

/// A key that signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signer {
    /// The owner whose key it is; none where the operator vouches.
    pub publisher: Option<PublisherId>,
    /// The key.
    pub key: PublicKey,
}

/// Lists the statements of a record that came through TUF. Every signature is checked, also those
/// on statements that were verified before: their digests do not cover who signed them.
pub fn signed_statements(
    target: &Verified<Target>,
    context: &RecordContext<'_>,
) -> Result<Verified<Vec<SignedStatement>>, RecordError> {
    let package = context.package;
    let record = record::decode(&target.bytes).map_err(|cause| RecordError::Format {
        package: package.clone(),
        cause,
    })?;
    let from_the_start = RecordContext {
        verified_before: None,
        ..*context
    };
    check_record(&record, &from_the_start)?;
    let keys = all_keys(context);
    let statements = record.statements.iter().zip(1..);
    let statements = statements.map(|(envelope, sequence)| {
        signed_statement(envelope, &keys).map_err(|cause| RecordError::Statement {
            package: package.clone(),
            sequence,
            cause,
        })
    });
    Ok(Verified::new(statements.collect::<Result<_, _>>()?))
}

/// The keys of all who can have signed anything in the record, revoked ones among them.
fn all_keys<'a>(context: &RecordContext<'a>) -> Vec<SigningKey<'a>> {
    let operators = context
        .policy
        .vouchers
        .iter()
        .chain(&context.policy.recovery);
    let publishers = context.publishers.values().flat_map(|publisher| {
        let revoked = publisher.revoked.iter().map(|revocation| &revocation.key);
        let keys = publisher.keys.iter().chain(revoked);
        keys.map(|key| (Some(&publisher.id), *key))
    });
    publishers
        .chain(operators.map(|key| (None, *key)))
        .collect()
}

/// A statement whose signatures are known to be good, each by one of these keys.
fn signed_statement(
    envelope: &Envelope,
    keys: &[SigningKey<'_>],
) -> Result<SignedStatement, StatementRefusal> {
    let statement = statement::parse_payload(&envelope.payload)?;
    let signed = |key: &PublicKey| envelope.signatures.iter().any(|s| s.key_id == key.id());
    let signers = keys.iter().filter(|(_, key)| signed(key));
    let signers = signers.map(|(publisher, key)| Signer {
        publisher: (*publisher).cloned(),
        key: *key,
    });
    Ok(SignedStatement {
        statement,
        signers: signers.collect(),
    })
}
