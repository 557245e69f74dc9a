//! Publishers' keys: a changed file of theirs, if every record stays in order under it.

use std::collections::BTreeMap;

use super::terms::Terms;
use super::{ApplyError, Authority};
use crate::formats::key_change::KeyChange;
use crate::formats::publisher::{self, LastGood, Publisher};
use crate::formats::record::Record;
use crate::formats::statement::Envelope;
use crate::model::{KeyId, PackageName, PublisherId, Sha256Digest};
use crate::publish::folder::{Folder, FolderError};
use crate::publish::journal::Change;
use crate::trust::{KeyChangeRefusal, check_key_change, check_keys, check_record, owners_needed};

/// Gives a publisher other keys, as the operator. Needs the key of the role `targets`.
pub fn change_keys(
    mut folder: Folder,
    next: &Publisher,
    authority: &Authority<'_>,
) -> Result<(), ApplyError> {
    let mut change = Change::default();
    set_keys(&mut folder, next, &mut change)?;
    Ok(folder.commit(change, authority.keys, authority.now)?)
}

/// Makes sure that a publisher can have these keys, without a change.
pub fn check_change(mut folder: Folder, next: &Publisher) -> Result<(), ApplyError> {
    set_keys(&mut folder, next, &mut Change::default())
}

/// Takes changes that their publishers signed into the one that is under way; what follows is judged by
/// them.
pub(super) fn take_in(
    folder: &mut Folder,
    signed: &[KeyChange],
    change: &mut Change,
) -> Result<(), ApplyError> {
    for (_, next) in changes_of(folder, signed)? {
        set_keys(folder, next, change)?;
    }
    Ok(())
}

/// What signed changes would do in their order: each publisher as they are before it and after it. One that
/// was taken in before, and that nothing came after, is passed over.
///
/// # Errors
///
/// [`ApplyError::Keys`] where a publisher did not make the change, or not to what there is.
pub fn changes_of<'a>(
    folder: &mut Folder,
    signed: &'a [KeyChange],
) -> Result<Vec<(Publisher, &'a Publisher)>, ApplyError> {
    let mut files: BTreeMap<&PublisherId, Vec<u8>> = BTreeMap::new();
    let mut changes = Vec::new();
    for one in signed {
        let next = &one.publisher;
        let file = match files.remove(&next.id) {
            Some(file) => file,
            None => {
                let file = folder.publisher_file(&next.id)?;
                file.ok_or_else(|| refused(next, KeyChangeRefusal::Other))?
            }
        };
        let Some(known) = changed_by(one, &file, folder.registry_id())? else {
            files.insert(&next.id, file);
            continue;
        };
        changes.push((known, next));
        files.insert(&next.id, publisher::encode(next));
    }
    Ok(changes)
}

/// Checks that a publisher whose file has these bytes made a change. Returns the publisher as they are
/// before it; nothing, if they are as it would have them already.
fn changed_by(
    signed: &KeyChange,
    file: &[u8],
    registry_id: Sha256Digest,
) -> Result<Option<Publisher>, ApplyError> {
    let next = &signed.publisher;
    let present = publisher::decode(file).map_err(FolderError::from)?;
    if signed.registry_id == registry_id && present == *next {
        return Ok(None);
    }
    check_key_change(signed, &present, file, registry_id)
        .map_err(|source| refused(next, source))?;
    Ok(Some(present))
}

/// The sha256 of a publisher's file as it lies in the registry, and what it says.
pub fn present(
    folder: &mut Folder,
    id: &PublisherId,
) -> Result<Option<(Publisher, Sha256Digest)>, FolderError> {
    let Some(file) = folder.publisher_file(id)? else {
        return Ok(None);
    };
    Ok(Some((publisher::decode(&file)?, Sha256Digest::of(&file))))
}

/// Lists other keys of a publisher. Nothing that they signed may fall with it, or no client could read
/// the package any more.
fn set_keys(folder: &mut Folder, next: &Publisher, change: &mut Change) -> Result<(), ApplyError> {
    let id = &next.id;
    let present = folder.publisher(id)?;
    let present = present.ok_or_else(|| refused(next, KeyChangeRefusal::Other))?;
    check_keys(&present, next).map_err(|source| refused(next, source))?;
    let records = records_of(folder, id)?;
    check_revocations(&records, &present, next)?;
    folder.set_publisher(next, change)?;
    let terms = Terms::of(folder)?;
    for record in &records {
        terms
            .judge(folder, record, check_record)
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

/// The records of the packages that a publisher owns or has owned.
fn records_of(folder: &mut Folder, id: &PublisherId) -> Result<Vec<Record>, FolderError> {
    let mut records = folder.records()?;
    records.retain(|record| owners_needed(record).contains(id));
    Ok(records)
}

/// Makes sure that no key is called revoked and good for what it has yet to sign, or for another
/// statement than the registry has. One that is good for less than it has signed would break a record.
fn check_revocations(
    records: &[Record],
    present: &Publisher,
    next: &Publisher,
) -> Result<(), ApplyError> {
    for revocation in &next.revoked {
        if present.revoked.contains(revocation) {
            continue;
        }
        for (package, last) in &revocation.last_good {
            let record = records.iter().find(|record| record.package == *package);
            check_last_good(record, &revocation.key.id(), package, last)
                .map_err(|source| refused(next, source))?;
        }
    }
    Ok(())
}

fn check_last_good(
    record: Option<&Record>,
    key: &KeyId,
    package: &PackageName,
    last: &LastGood,
) -> Result<(), KeyChangeRefusal> {
    let chain = record.map_or_else(Vec::new, chain_of);
    let signed = record.and_then(|record| last_in(record, key));
    let (key, package, place) = (*key, package.clone(), last.sequence);
    match signed.is_some_and(|signed| signed.sequence >= place) {
        true if last.stands_in(&chain) => Ok(()),
        true => Err(KeyChangeRefusal::OtherStatement {
            key,
            package,
            last: place,
        }),
        false => Err(KeyChangeRefusal::Unsigned {
            key,
            package,
            last: place,
        }),
    }
}

fn chain_of(record: &Record) -> Vec<Sha256Digest> {
    record.statements.iter().map(Envelope::digest).collect()
}

fn refused(next: &Publisher, source: KeyChangeRefusal) -> ApplyError {
    ApplyError::Keys {
        id: next.id.clone(),
        source,
    }
}

/// Of each package of a publisher, the last statement that a key signed.
pub fn last_signed(
    folder: &mut Folder,
    id: &PublisherId,
    key: &KeyId,
) -> Result<BTreeMap<PackageName, LastGood>, FolderError> {
    let records = records_of(folder, id)?;
    let last = |record: &Record| Some((record.package.clone(), last_in(record, key)?));
    Ok(records.iter().filter_map(last).collect())
}

fn last_in(record: &Record, key: &KeyId) -> Option<LastGood> {
    let signed = |envelope: &Envelope| envelope.signatures.iter().any(|s| s.key_id == *key);
    let place = record.statements.iter().rposition(signed)?;
    Some(LastGood {
        sequence: place as u64 + 1,
        sha256: record.statements[place].digest(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::formats::layout;
    use crate::formats::publisher::Revocation;
    use crate::model::{PublicKey, UtcTime};
    use crate::publish::apply::{Applied, Intake, apply};
    use crate::publish::init::tests::{keys, opened};
    use crate::trust::{SecretKey, sign_key_change};

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    fn harbour(seeds: &[u8]) -> Publisher {
        let keys: Vec<PublicKey> = seeds.iter().map(|seed| key(*seed).public()).collect();
        Publisher::new("harbour".parse().unwrap(), keys)
    }

    fn now() -> UtcTime {
        UtcTime::from_unix(1_800_000_000).unwrap()
    }

    /// A registry that knows a publisher, whose file has these bytes.
    fn with_file(path: &Path, publisher: &Publisher, file: Vec<u8>) -> Folder {
        let mut folder = opened(path);
        let mut change = Change::default();
        let place = layout::publisher(&publisher.id);
        folder.set_target("targets", &place, &file).unwrap();
        change.add_hashed(&place, file);
        folder.commit(change, &keys(), now()).unwrap();
        Folder::open(path).unwrap()
    }

    fn taken_in(
        folder: Folder,
        publisher: Publisher,
        previous: Sha256Digest,
        signers: &[u8],
    ) -> Result<Applied, ApplyError> {
        let mut change = KeyChange {
            registry_id: folder.registry_id(),
            previous,
            publisher,
            signatures: Vec::new(),
        };
        let signers: Vec<SecretKey> = signers.iter().map(|seed| key(*seed)).collect();
        sign_key_change(&mut change, &signers.iter().collect::<Vec<_>>()).unwrap();
        let intake = Intake {
            keys: vec![change],
            proposals: Vec::new(),
        };
        let authority = Authority {
            keys: &keys(),
            now: now(),
        };
        apply(folder, intake, &authority)
    }

    #[test]
    fn a_change_names_the_bytes_that_the_registry_has_whatever_program_wrote_them() {
        let place = tempfile::tempdir().unwrap();
        let known = harbour(&[3]);
        let value: serde_json::Value = serde_json::from_slice(&publisher::encode(&known)).unwrap();
        let file = value.to_string().into_bytes();
        assert_ne!(file, publisher::encode(&known));
        let mut folder = with_file(place.path(), &known, file.clone());
        let found = present(&mut folder, &known.id).unwrap();
        assert_eq!(found, Some((known, Sha256Digest::of(&file))));
        let next = harbour(&[3, 4]);
        taken_in(folder, next.clone(), Sha256Digest::of(&file), &[3, 4]).unwrap();
        let mut folder = Folder::open(place.path()).unwrap();
        assert_eq!(folder.publisher(&next.id).unwrap(), Some(next));
    }

    /// What is told of changes is what they do, also where one of them was taken in before.
    #[test]
    fn a_change_after_one_that_is_in_force_names_the_bytes_that_there_are() {
        let place = tempfile::tempdir().unwrap();
        let known = harbour(&[3]);
        let value: serde_json::Value = serde_json::from_slice(&publisher::encode(&known)).unwrap();
        let file = value.to_string().into_bytes();
        let mut folder = with_file(place.path(), &known, file.clone());
        let signed = |publisher: Publisher, signers: &[SecretKey]| {
            let mut change = KeyChange {
                registry_id: folder.registry_id(),
                previous: Sha256Digest::of(&file),
                publisher,
                signatures: Vec::new(),
            };
            sign_key_change(&mut change, &signers.iter().collect::<Vec<_>>()).unwrap();
            change
        };
        let next = harbour(&[3, 4]);
        let changes = [
            signed(known.clone(), &[key(3)]),
            signed(next.clone(), &[key(3), key(4)]),
        ];
        let told = changes_of(&mut folder, &changes).unwrap();
        assert_eq!(told, [(known, &next)]);
        take_in(&mut folder, &changes, &mut Change::default()).unwrap();
        assert_eq!(folder.publisher(&next.id).unwrap(), Some(next));
    }

    #[test]
    fn a_revoked_key_is_good_for_nothing_that_it_has_yet_to_sign() {
        let place = tempfile::tempdir().unwrap();
        let known = harbour(&[3, 4]);
        let file = publisher::encode(&known);
        let previous = Sha256Digest::of(&file);
        drop(with_file(place.path(), &known, file));
        let revoked = |last_good: &[(&str, u64)]| {
            let last_good = last_good.iter();
            let last_good = last_good.map(|(name, sequence)| {
                let last = LastGood {
                    sequence: *sequence,
                    sha256: Sha256Digest::of(b"statement"),
                };
                (name.parse().unwrap(), last)
            });
            Publisher {
                revoked: vec![Revocation {
                    key: key(3).public(),
                    last_good: last_good.collect(),
                }],
                ..harbour(&[4])
            }
        };
        let folder = Folder::open(place.path()).unwrap();
        let error = taken_in(folder, revoked(&[("tide", 1_000_000)]), previous, &[4]);
        let Err(ApplyError::Keys { source, .. }) = error else {
            panic!("{error:?}");
        };
        let text = format!(
            "the key {} is revoked, and would be good for statement 1000000 of `tide`, which it has not signed",
            key(3).public().id()
        );
        assert_eq!(source.to_string(), text);
        let folder = Folder::open(place.path()).unwrap();
        taken_in(folder, revoked(&[]), previous, &[4]).unwrap();
    }
}
