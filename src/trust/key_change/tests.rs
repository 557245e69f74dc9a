//! Claims about changes of a publisher's keys.

use std::collections::BTreeMap;

use super::*;
use crate::formats::publisher::{self, LastGood, Revocation};

const OLD: u8 = 1;
const NEW: u8 = 2;
const OTHER: u8 = 3;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    secret(seed).public()
}

fn ferris(keys: &[u8], revoked: &[(u8, u64)]) -> Publisher {
    let keys = keys.iter().map(|seed| public(*seed)).collect();
    let mut publisher = Publisher::new("ferris".parse().unwrap(), keys);
    let revocation = |(seed, last): &(u8, u64)| Revocation {
        key: public(*seed),
        last_good: BTreeMap::from([("demo".parse().unwrap(), last_good(*last))]),
    };
    publisher.revoked = revoked.iter().map(revocation).collect();
    publisher
}

fn last_good(sequence: u64) -> LastGood {
    LastGood {
        sequence,
        sha256: Sha256Digest::of(b"statement"),
    }
}

fn registry() -> Sha256Digest {
    Sha256Digest::of(b"root")
}

fn check(present: &Publisher, next: Publisher, signers: &[u8]) -> Result<(), KeyChangeRefusal> {
    let file = publisher::encode(present);
    let mut change = KeyChange {
        registry_id: registry(),
        previous: Sha256Digest::of(&file),
        publisher: next,
        signatures: Vec::new(),
    };
    let keys: Vec<SecretKey> = signers.iter().map(|seed| secret(*seed)).collect();
    sign_key_change(&mut change, &keys.iter().collect::<Vec<_>>()).unwrap();
    check_key_change(&change, present, &file, registry())
}

#[test]
fn a_new_key_is_added_by_an_old_one_and_itself() {
    let present = ferris(&[OLD], &[]);
    let next = || ferris(&[OLD, NEW], &[]);
    assert_eq!(check(&present, next(), &[OLD, NEW]), Ok(()));
    for (signers, missing) in [
        (&[OLD][..], format!("the new key {}", public(NEW).id())),
        (&[NEW], "a key that is in force and stays so".to_owned()),
    ] {
        let refused = check(&present, next(), signers);
        assert_eq!(refused, Err(KeyChangeRefusal::DidNotSign(missing)));
    }
    let refused = check(&present, next(), &[OLD, NEW, OTHER]);
    let stranger = KeyChangeRefusal::UnknownKey(public(OTHER).id());
    assert_eq!(refused, Err(stranger));
}

#[test]
fn a_key_is_revoked_by_another_one_and_for_good() {
    let present = ferris(&[OLD, NEW], &[]);
    let next = ferris(&[NEW], &[(OLD, 4)]);
    assert_eq!(check(&present, next.clone(), &[NEW]), Ok(()));
    // Else a thief's signature would be as good as the owner's.
    let by_itself = check(&present, next.clone(), &[OLD]);
    assert!(matches!(by_itself, Err(KeyChangeRefusal::DidNotSign(_))));
    let revoked = KeyChangeRefusal::Revoked(public(OLD).id());
    for undone in [ferris(&[NEW], &[]), ferris(&[NEW], &[(OLD, 9)])] {
        assert_eq!(check(&next, undone, &[NEW]), Err(revoked.clone()));
    }
    let mut other = next.clone();
    let package = "demo".parse().unwrap();
    let last = other.revoked[0].last_good.get_mut(&package).unwrap();
    last.sha256 = Sha256Digest::of(b"another statement");
    assert_eq!(check(&next, other, &[NEW]), Err(revoked));
}

#[test]
fn no_key_goes_without_a_word_of_what_it_signed() {
    let present = ferris(&[OLD, NEW], &[]);
    let dropped = check(&present, ferris(&[NEW], &[]), &[NEW]);
    assert_eq!(dropped, Err(KeyChangeRefusal::Dropped(public(OLD).id())));
    let stranger = check(&present, ferris(&[OLD, NEW], &[(OTHER, 1)]), &[NEW]);
    let refused = KeyChangeRefusal::NeverInForce(public(OTHER).id());
    assert_eq!(stranger, Err(refused));
    let nothing = check(&present, present.clone(), &[NEW]);
    assert_eq!(nothing, Err(KeyChangeRefusal::Nothing));
}

#[test]
fn nothing_is_replayed() {
    let present = ferris(&[OLD], &[]);
    let file = publisher::encode(&present);
    let mut change = KeyChange {
        registry_id: registry(),
        previous: Sha256Digest::of(&file),
        publisher: ferris(&[OLD, NEW], &[]),
        signatures: Vec::new(),
    };
    sign_key_change(&mut change, &[&secret(OLD), &secret(NEW)]).unwrap();
    let later = ferris(&[OLD, OTHER], &[]);
    let refused = check_key_change(&change, &later, &publisher::encode(&later), registry());
    assert_eq!(refused, Err(KeyChangeRefusal::Outdated("ferris".into())));
    let elsewhere = Sha256Digest::of(b"another root");
    let refused = check_key_change(&change, &present, &file, elsewhere);
    assert_eq!(refused, Err(KeyChangeRefusal::Other));
    change.publisher.keys.push(public(OTHER));
    let refused = check_key_change(&change, &present, &file, registry());
    assert!(matches!(refused, Err(KeyChangeRefusal::Signature(_))));
}
