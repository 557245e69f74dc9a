//! Publishers' keys: a changed file of theirs, if every record stays in order under it.

use std::collections::BTreeMap;

use super::terms::Terms;
use super::{ApplyError, Authority};
use crate::formats::layout;
use crate::formats::publisher::{self, Publisher};
use crate::formats::statement::Envelope;
use crate::model::{KeyId, PackageName, PublisherId};
use crate::publish::folder::{Folder, FolderError};
use crate::publish::journal::Change;
use crate::trust::{KeyChangeRefusal, check_keys, check_record, owners_needed};

/// Gives a publisher other keys. Needs the key of the role `targets`.
pub fn change_keys(
    mut folder: Folder,
    next: &Publisher,
    authority: &Authority<'_>,
) -> Result<(), ApplyError> {
    check_change(&mut folder, next)?;
    let mut change = Change::default();
    let path = layout::publisher(&next.id);
    let bytes = publisher::encode(next);
    folder.set_target("targets", &path, &bytes)?;
    change.add_hashed(&path, bytes);
    Ok(folder.commit(change, authority.keys, authority.now)?)
}

/// Makes sure that a publisher can have these keys: nothing that they signed may fall with it, or no
/// client could read the package any more.
pub fn check_change(folder: &mut Folder, next: &Publisher) -> Result<(), ApplyError> {
    let id = &next.id;
    let refused = |source| ApplyError::Keys {
        id: id.clone(),
        source,
    };
    let present = folder.publisher(id)?;
    let present = present.ok_or_else(|| refused(KeyChangeRefusal::Other))?;
    check_keys(&present, next).map_err(refused)?;
    let terms = Terms::with(folder, next)?;
    for record in folder.records()? {
        if !owners_needed(&record).contains(id) {
            continue;
        }
        terms
            .judge(folder, &record, check_record)
            .map_err(|error| match error {
                ApplyError::Record(source) => ApplyError::Breaks {
                    id: id.clone(),
                    package: record.package.clone(),
                    source,
                },
                other => other,
            })?;
    }
    Ok(())
}

/// Of each package of a publisher, the last statement that a key signed.
pub fn last_signed(
    folder: &mut Folder,
    id: &PublisherId,
    key: &KeyId,
) -> Result<BTreeMap<PackageName, u64>, FolderError> {
    let signed = |envelope: &Envelope| envelope.signatures.iter().any(|s| s.key_id == *key);
    let mut all = BTreeMap::new();
    for record in folder.records()? {
        if !owners_needed(&record).contains(id) {
            continue;
        }
        let last = record.statements.iter().rposition(signed);
        all.extend(last.map(|place| (record.package, place as u64 + 1)));
    }
    Ok(all)
}
