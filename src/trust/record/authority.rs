//! Who must sign which statement, and whether they did.

use std::collections::BTreeSet;

use super::{RecordContext, StatementRefusal};
use crate::formats::statement::{self, Envelope};
use crate::model::{Body, Owners, PublicKey, PublisherId, Signature, Statement};
use crate::trust::ed25519;

/// Who must sign a statement: all of these demands must be met.
#[derive(Debug, Default)]
struct Demand<'a> {
    /// As many of the owners as their threshold says.
    owners: Option<&'a Owners>,
    /// Each of these publishers.
    each: Vec<&'a PublisherId>,
    /// The holder of one of these keys, if there are any.
    operator: &'a [PublicKey],
    is_operators: bool,
}

/// A key that may sign, and the publisher for whom; nobody, where it is the operator's.
pub(super) type SigningKey<'a> = (Option<&'a PublisherId>, PublicKey);

/// Checks that those who must sign a statement did. `owners` are those before it.
pub fn check_signatures(
    envelope: &Envelope,
    statement: &Statement,
    owners: Option<&Owners>,
    context: &RecordContext<'_>,
) -> Result<(), StatementRefusal> {
    let demand = Demand::of(&statement.body, owners, context);
    let keys = demand.keys(statement.sequence, context)?;
    let signers = verified_signers(envelope, &keys)?;
    if let Some(owners) = demand.owners {
        let found = signing(&owners.publishers, &keys, &signers).len();
        enough(found, owners.threshold as usize)?;
    }
    if demand.is_operators {
        let mut operators = demand.operator.iter();
        enough(usize::from(operators.any(|key| signers.contains(key))), 1)?;
    }
    let signed = signing(demand.each.iter().copied(), &keys, &signers);
    let missing = demand.each.iter().find(|id| !signed.contains(*id));
    match missing {
        None => Ok(()),
        Some(id) => Err(StatementRefusal::DidNotSign((*id).clone())),
    }
}

impl<'a> Demand<'a> {
    fn of(body: &'a Body, owners: Option<&'a Owners>, context: &RecordContext<'a>) -> Self {
        let operator = |operator: &'a [PublicKey]| Self {
            operator,
            is_operators: true,
            ..Self::default()
        };
        let policy = context.policy;
        let by_owners = || match owners {
            Some(_) => Self {
                owners,
                ..Self::default()
            },
            None => operator(&policy.vouchers),
        };
        match body {
            Body::Genesis(new) => Self {
                each: new.publishers.iter().collect(),
                ..Self::default()
            },
            Body::Owners(new) => {
                let old = owners.map_or(&[][..], |owners| &owners.publishers);
                let added = new.publishers.iter().filter(|id| !old.contains(id));
                Self {
                    each: added.collect(),
                    ..by_owners()
                }
            }
            Body::Assign(new) => Self {
                each: new.publishers.iter().collect(),
                ..operator(&policy.recovery)
            },
            Body::Release(release) => Self {
                each: release.publisher.iter().collect(),
                ..by_owners()
            },
            Body::Yank { .. } | Body::Unyank { .. } => by_owners(),
            Body::Withdraw { .. } => operator(&policy.recovery),
            Body::Vouch { .. } => operator(&policy.vouchers),
        }
    }

    /// All keys whose signatures have a place on the statement.
    fn keys(
        &self,
        sequence: u64,
        context: &RecordContext<'a>,
    ) -> Result<Vec<SigningKey<'a>>, StatementRefusal> {
        let owners = self.owners.map_or(&[][..], |owners| &owners.publishers);
        let publishers: BTreeSet<&PublisherId> =
            owners.iter().chain(self.each.iter().copied()).collect();
        let mut keys: Vec<SigningKey<'a>> = self.operator.iter().map(|key| (None, *key)).collect();
        for id in publishers {
            let publisher = context.publishers.get(id);
            let publisher = publisher.ok_or_else(|| StatementRefusal::UnknownOwner(id.clone()))?;
            let theirs = publisher.keys_for(context.package, sequence);
            keys.extend(theirs.map(|key| (Some(&publisher.id), *key)));
        }
        Ok(keys)
    }
}

/// Those of the publishers who signed. A key that two of them share counts for one.
fn signing<'a>(
    publishers: impl IntoIterator<Item = &'a PublisherId>,
    keys: &[SigningKey<'_>],
    signers: &BTreeSet<PublicKey>,
) -> BTreeSet<&'a PublisherId> {
    let mut free = signers.clone();
    let mut signed = BTreeSet::new();
    for id in publishers {
        let mut theirs = keys.iter().filter(|(owner, _)| *owner == Some(id));
        if let Some((_, key)) = theirs.find(|(_, key)| free.contains(key)) {
            free.remove(key);
            signed.insert(id);
        }
    }
    signed
}

/// The distinct keys that signed. One signature that is not in order spoils all.
fn verified_signers(
    envelope: &Envelope,
    keys: &[SigningKey<'_>],
) -> Result<BTreeSet<PublicKey>, StatementRefusal> {
    let signed = statement::pae(&envelope.payload);
    let mut signers = BTreeSet::new();
    for Signature { key_id, bytes } in &envelope.signatures {
        let (_, key) = keys
            .iter()
            .find(|(_, key)| key.id() == *key_id)
            .ok_or(StatementRefusal::UnknownKey(*key_id))?;
        ed25519::verify(key, &signed, bytes)?;
        signers.insert(*key);
    }
    Ok(signers)
}

fn enough(found: usize, needed: usize) -> Result<(), StatementRefusal> {
    if found < needed {
        return Err(StatementRefusal::TooFewSignatures { found, needed });
    }
    Ok(())
}
