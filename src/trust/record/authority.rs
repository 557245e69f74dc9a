//! Who must sign which statement, and whether they did.

use std::collections::BTreeSet;

use super::{Placed, RecordContext, StatementRefusal};
use crate::formats::statement::{self, Envelope};
use crate::model::{Body, Owners, PublicKey, PublisherId, Signature};
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

/// Whose signatures a statement has, and whose it still lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signing {
    /// The publishers whose signatures have a place on it.
    pub may_sign: BTreeSet<PublisherId>,
    /// The number of signatures of owners, or of the operator, that it has and that it needs.
    pub count: (usize, usize),
    /// The owners who did not sign, if too few did.
    pub owners_left: BTreeSet<PublisherId>,
    /// Those without whose own signature it does not count, and who did not sign.
    pub each_left: BTreeSet<PublisherId>,
}

impl Signing {
    /// Says whether all who must have signed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count.0 >= self.count.1 && self.each_left.is_empty()
    }

    fn complete(self) -> Result<(), StatementRefusal> {
        let (found, needed) = self.count;
        if found < needed {
            return Err(StatementRefusal::TooFewSignatures { found, needed });
        }
        match self.each_left.into_iter().next() {
            None => Ok(()),
            Some(id) => Err(StatementRefusal::DidNotSign(id)),
        }
    }
}

/// Checks that those who must sign a statement did.
pub(super) fn check_signatures(
    placed: &Placed<'_>,
    context: &RecordContext<'_>,
) -> Result<(), StatementRefusal> {
    let demand = Demand::of(&placed.statement.body, placed.owners.as_ref(), context);
    let mut publishers = demand.publishers().into_iter();
    if let Some(id) = publishers.find(|id| !context.publishers.contains_key(*id)) {
        return Err(StatementRefusal::UnknownOwner(id.clone()));
    }
    signing_of(placed, context)?.complete()
}

/// Says who signed a statement and who still must; each signature that is there must be in order.
pub(super) fn signing_of(
    placed: &Placed<'_>,
    context: &RecordContext<'_>,
) -> Result<Signing, StatementRefusal> {
    let body = &placed.statement.body;
    check_listed(body, context)?;
    let demand = Demand::of(body, placed.owners.as_ref(), context);
    let keys = demand.keys(placed, context);
    let signers = verified_signers(placed.envelope, &keys)?;
    let mut signing = Signing {
        may_sign: demand.publishers().into_iter().cloned().collect(),
        ..Signing::default()
    };
    if let Some(owners) = demand.owners {
        let signed = signed_by(&owners.publishers, &keys, &signers);
        signing.count = (signed.len(), owners.threshold as usize);
        if signing.count.0 < signing.count.1 {
            let left = owners.publishers.iter().filter(|id| !signed.contains(id));
            signing.owners_left = left.cloned().collect();
        }
    }
    if demand.is_operators {
        let mut operators = demand.operator.iter();
        let found = operators.any(|key| signers.contains(key));
        signing.count = (usize::from(found), 1);
    }
    let signed = signed_by(demand.each.iter().copied(), &keys, &signers);
    let left = demand.each.iter().filter(|id| !signed.contains(*id));
    signing.each_left = left.map(|id| (*id).clone()).collect();
    Ok(signing)
}

/// What nobody signs is listed by the registry's offline keys.
fn check_listed(body: &Body, context: &RecordContext<'_>) -> Result<(), StatementRefusal> {
    match body {
        Body::Unsigned { release, .. } if !context.unsigned.lists(release) => {
            Err(StatementRefusal::NotListed(release.version.clone()))
        }
        _ => Ok(()),
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
            Body::Unsigned { .. } => Self::default(),
        }
    }

    /// The publishers whose signatures have a place on the statement.
    fn publishers(&self) -> BTreeSet<&'a PublisherId> {
        let owners = self.owners.map_or(&[][..], |owners| &owners.publishers);
        owners.iter().chain(self.each.iter().copied()).collect()
    }

    /// All keys whose signatures have a place on the statement.
    fn keys(&self, placed: &Placed<'_>, context: &RecordContext<'a>) -> Vec<SigningKey<'a>> {
        let sequence = placed.statement.sequence;
        let mut keys: Vec<SigningKey<'a>> = self.operator.iter().map(|key| (None, *key)).collect();
        let publishers = self.publishers().into_iter();
        for publisher in publishers.filter_map(|id| context.publishers.get(id)) {
            let theirs = publisher.keys_for(context.package, sequence, placed.chain);
            keys.extend(theirs.map(|key| (Some(&publisher.id), *key)));
        }
        keys
    }
}

/// Those of the publishers who signed. A key that two of them share counts for one.
fn signed_by<'a>(
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
