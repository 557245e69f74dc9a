//! Claims: the operator's word, signed offline, on whose a package is. A thief of the online key can
//! then give the name to nobody else, not even for a client that was never here before.

use super::apply::{ApplyError, Authority, state};
use super::folder::Folder;
use super::journal::Change;
use super::role_keys::RoleKeys;
use crate::formats::record::Record;
use crate::formats::statement::Envelope;
use crate::model::{Owners, PackageName};
use crate::trust::PackageState;

/// A package that is to be claimed for its owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The package.
    pub package: PackageName,
    /// Who owns it now.
    pub owners: Owners,
    /// The statement by which they have it, or those before them whom they followed.
    pub title: Envelope,
}

/// The packages with an owner that are not claimed, or claimed for owners before an `assign`. Their
/// records are checked first.
pub fn pending(folder: &mut Folder) -> Result<Vec<Claim>, ApplyError> {
    let mut claims = Vec::new();
    for record in folder.records()? {
        let state = state(folder, &record.package)?;
        claims.extend(claim_of(folder, &record, &state)?);
    }
    Ok(claims)
}

/// Claims packages, in one change.
pub fn claim(
    mut folder: Folder,
    claims: &[Claim],
    authority: &Authority<'_>,
) -> Result<(), ApplyError> {
    for claim in claims {
        folder.set_claim(&claim.package, &claim.title.payload)?;
    }
    Ok(folder.commit(Change::default(), authority.keys, authority.now)?)
}

/// Claims a package in a change that is under way, if the offline keys are at hand anyway.
pub(super) fn claim_with(
    folder: &mut Folder,
    record: &Record,
    state: &PackageState,
    keys: &RoleKeys,
) -> Result<(), ApplyError> {
    if keys.can_seal(&folder.claims_description(&record.package)?)
        && let Some(claim) = claim_of(folder, record, state)?
    {
        folder.set_claim(&claim.package, &claim.title.payload)?;
    }
    Ok(())
}

/// What is to be claimed of a package; nothing if nobody owns it, or all is said.
fn claim_of(
    folder: &mut Folder,
    record: &Record,
    state: &PackageState,
) -> Result<Option<Claim>, ApplyError> {
    let mut statements = record.statements.iter();
    let title = statements.find(|envelope| state.title() == Some(envelope.digest()));
    let (Some(owners), Some(title)) = (&state.owners, title) else {
        return Ok(None);
    };
    let is_said = folder.claim(&record.package)? == Some(title.digest());
    Ok((!is_said).then(|| Claim {
        package: record.package.clone(),
        owners: owners.clone(),
        title: title.clone(),
    }))
}
