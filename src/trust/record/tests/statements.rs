//! Which statements are refused.

use super::*;
use crate::trust::ed25519;

#[test]
fn signatures_must_come_from_an_owner() {
    let draft = Draft::owned();
    assert!(draft.clone().say(yank("1.0.0"), &[FERRIS]).check().is_ok());
    assert!(
        draft
            .clone()
            .say(yank("1.0.0"), &[FERRIS + 100])
            .check()
            .is_ok()
    );
    for seeds in [&[ANNA][..], &[STRANGER], &[VOUCHER], &[FERRIS, STRANGER]] {
        let refusal = draft.clone().say(yank("1.0.0"), seeds).refusal();
        assert!(
            matches!(refusal, StatementRefusal::UnknownKey(_)),
            "{refusal}"
        );
    }
    let refusal = draft.say(yank("1.0.0"), &[]).refusal();
    let expected = StatementRefusal::TooFewSignatures {
        found: 0,
        needed: 1,
    };
    assert_eq!(refusal, expected);
}

#[test]
fn nobody_makes_others_the_owners_of_a_package() {
    let refusal = Draft::new().say(genesis(&["anna"], 1), &[FERRIS]).refusal();
    assert!(matches!(refusal, StatementRefusal::UnknownKey(_)));
}

#[test]
fn every_owner_of_the_threshold_must_sign() {
    let draft = Draft::new().say(genesis(&["anna", "ferris"], 2), &[ANNA, FERRIS]);
    assert!(
        draft
            .clone()
            .say(by_ferris("1.0.0"), &[ANNA, FERRIS])
            .check()
            .is_ok()
    );
    // Two keys of one owner are still one owner.
    for seeds in [&[FERRIS][..], &[FERRIS, FERRIS + 100]] {
        let refusal = draft.clone().say(by_ferris("1.0.0"), seeds).refusal();
        let expected = StatementRefusal::TooFewSignatures {
            found: 1,
            needed: 2,
        };
        assert_eq!(refusal, expected);
    }
}

#[test]
fn a_key_that_two_owners_share_counts_once() {
    let mut draft = Draft::new();
    let shared = vec![secret(FERRIS).public()];
    for keys in draft.publishers.values_mut() {
        keys.keys.clone_from(&shared);
    }
    let refusal = draft
        .say(genesis(&["anna", "ferris"], 2), &[FERRIS])
        .refusal();
    let expected = StatementRefusal::DidNotSign("ferris".parse().unwrap());
    assert_eq!(refusal, expected);
}

#[test]
fn the_publisher_of_a_release_signed_it() {
    let draft = Draft::new().say(genesis(&["anna", "ferris"], 1), &[ANNA, FERRIS]);
    let refusal = draft.clone().say(by_ferris("1.0.0"), &[ANNA]).refusal();
    let expected = StatementRefusal::DidNotSign("ferris".parse().unwrap());
    assert_eq!(refusal, expected);
    for publisher in [None, Some("stranger")] {
        let body = Body::Release(release("1.0.0", publisher));
        let error = draft.clone().say(body, &[ANNA]).fold_error();
        assert_eq!(error, FoldError::Publisher(version("1.0.0")));
    }
}

#[test]
fn signed_bytes_cannot_be_changed() {
    let mut draft = Draft::owned();
    let other = statement::payload(&draft.next(yank("1.0.0"))).unwrap();
    draft = draft.say(by_ferris("1.1.0"), &[FERRIS]);
    draft.record.accepted.remove(&version("1.1.0"));
    draft.record.statements.last_mut().unwrap().payload = other;
    let refusal = draft.refusal();
    let expected = SignatureError::Mismatch(secret(FERRIS).public());
    assert_eq!(refusal, StatementRefusal::Signature(expected));
}

#[test]
fn a_signature_for_anything_else_is_no_statement() {
    let mut draft = Draft::owned().say(yank("1.0.0"), &[FERRIS]);
    let last = draft.record.statements.last_mut().unwrap();
    // Over the bare payload, as a signer without domain separation would do it.
    last.signatures = vec![secret(FERRIS).sign(&last.payload)];
    let refusal = draft.refusal();
    assert!(matches!(
        refusal,
        StatementRefusal::Signature(SignatureError::Mismatch(_))
    ));
}

#[test]
fn a_weak_key_signs_nothing() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let weak = PublicKey(neutral);
    let mut draft = Draft::owned().say(yank("1.0.0"), &[FERRIS]);
    draft
        .publishers
        .get_mut(&"ferris".parse().unwrap())
        .unwrap()
        .keys
        .push(weak);
    draft.record.statements.last_mut().unwrap().signatures = vec![Signature {
        key_id: weak.id(),
        bytes: [neutral, [0; 32]].concat(),
    }];
    let refusal = draft.refusal();
    let expected = SignatureError::Key(ed25519::KeyError::Weak(weak));
    assert_eq!(refusal, StatementRefusal::Signature(expected));
}

#[test]
fn an_owner_without_known_keys_ends_it() {
    let mut draft = Draft::new().say(genesis(&["ferris"], 1), &[FERRIS]);
    draft.publishers.clear();
    let expected = StatementRefusal::UnknownOwner("ferris".parse().unwrap());
    assert_eq!(draft.refusal(), expected);
}

#[test]
fn a_statement_holds_only_in_its_place() {
    let draft = Draft::owned();
    let next = draft.next(yank("1.0.0"));
    let refused = |change: &dyn Fn(&mut Statement)| {
        let mut statement = next.clone();
        change(&mut statement);
        draft.clone().add(&statement, &[FERRIS]).fold_error()
    };
    for sequence in [1, 2, 4] {
        let expected = FoldError::Sequence {
            expected: 3,
            found: sequence,
        };
        assert_eq!(
            refused(&|statement| statement.sequence = sequence),
            expected
        );
    }
    let digest = Sha256Digest::of(b"other");
    assert_eq!(
        refused(&|statement| statement.previous = None),
        FoldError::Previous
    );
    assert_eq!(
        refused(&|statement| statement.previous = Some(digest)),
        FoldError::Previous
    );
    assert!(matches!(
        refused(&|statement| statement.registry_id = digest),
        FoldError::OtherRegistry { .. }
    ));
    assert!(matches!(
        refused(&|statement| statement.package = "demo-2".parse().unwrap()),
        FoldError::OtherPackage { .. }
    ));
}

#[test]
fn a_statement_left_out_or_moved_breaks_the_chain() {
    let whole = Draft::owned()
        .say(by_ferris("1.1.0"), &[FERRIS])
        .say(yank("1.0.0"), &[FERRIS]);
    for place in 0..3 {
        let mut gap = whole.clone();
        gap.record.statements.remove(place);
        assert!(gap.check().is_err(), "{place}");
        let mut moved = whole.clone();
        moved.record.statements.swap(place, place + 1);
        assert!(moved.check().is_err(), "{place}");
        let mut twice = whole.clone();
        let again = twice.record.statements[place].clone();
        twice.record.statements.insert(place, again);
        assert!(twice.check().is_err(), "{place}");
    }
}

#[test]
fn a_release_in_a_record_is_of_its_package() {
    let mut other = release("2.0.0", Some("ferris"));
    other.name = "other".parse().unwrap();
    let error = Draft::owned()
        .say(Body::Release(other), &[FERRIS])
        .fold_error();
    assert!(matches!(error, FoldError::OtherPackage { .. }));
}

#[test]
fn a_version_is_released_once_whatever_its_build_metadata() {
    for again in ["1.0.0", "1.0.0+twin"] {
        let error = Draft::owned().say(by_ferris(again), &[FERRIS]).fold_error();
        let expected = FoldError::SecondRelease {
            first: version("1.0.0"),
            again: version(again),
        };
        assert_eq!(error, expected);
    }
    let draft = Draft::vouched().say(vouch("1.0.0+twin"), &[VOUCHER]);
    assert!(matches!(
        draft.fold_error(),
        FoldError::SecondRelease { .. }
    ));
}

#[test]
fn only_what_is_there_can_be_yanked() {
    let owned = Draft::owned();
    let error = owned.clone().say(yank("2.0.0"), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::UnknownVersion(version("2.0.0")));
    let unyank = Body::Unyank {
        version: version("1.0.0"),
    };
    let error = owned.clone().say(unyank, &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::NothingChanges(version("1.0.0")));
    let yanked = owned.say(yank("1.0.0"), &[FERRIS]);
    let error = yanked.say(yank("1.0.0"), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::NothingChanges(version("1.0.0")));
}

#[test]
fn owned_and_vouched_packages_do_not_mix() {
    let error = Draft::owned().say(vouch("2.0.0"), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::VouchInOwned(version("2.0.0")));
    let error = Draft::vouched()
        .say(by_ferris("2.0.0"), &[VOUCHER])
        .fold_error();
    assert_eq!(error, FoldError::ReleaseInVouched(version("2.0.0")));
    let error = Draft::new().say(by_ferris("1.0.0"), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::NoOwner(version("1.0.0")));
    let late = genesis(&["ferris"], 1);
    let error = Draft::vouched().say(late.clone(), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::LateGenesis);
    let error = Draft::owned().say(late, &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::LateGenesis);
}

#[test]
fn only_vouchers_vouch_and_in_nobodys_name() {
    assert!(
        Draft::vouched()
            .say(yank("1.0.0"), &[VOUCHER])
            .check()
            .is_ok()
    );
    let refusal = Draft::new().say(vouch("1.0.0"), &[FERRIS]).refusal();
    assert!(matches!(refusal, StatementRefusal::UnknownKey(_)));
    let refusal = Draft::new().say(vouch("1.0.0"), &[]).refusal();
    assert!(matches!(refusal, StatementRefusal::TooFewSignatures { .. }));
    let body = Body::Vouch {
        release: release("1.0.0", Some("ferris")),
        source: None,
    };
    let error = Draft::new().say(body, &[VOUCHER]).fold_error();
    assert_eq!(error, FoldError::VouchedPublisher(version("1.0.0")));
}

#[test]
fn statements_of_the_future_ask_for_an_update() {
    let mut draft = Draft::owned().say(yank("1.0.0"), &[FERRIS]);
    let last = draft.record.statements.last_mut().unwrap();
    let text = String::from_utf8(last.payload.clone()).unwrap();
    last.payload = text.replace("\"schema\":1", "\"schema\":2").into();
    assert!(draft.check().unwrap_err().needs_update());
    let tampered = text.replace("\"sequence\":3", "\"sequence\": 3");
    draft.record.statements.last_mut().unwrap().payload = tampered.into();
    assert!(!draft.check().unwrap_err().needs_update());
}

/// Signed by another program (Python's `cryptography`); Ed25519 leaves no choice of bytes.
#[test]
fn signs_as_the_published_vectors_say() {
    let file = include_bytes!("../../../../schemas/statement-vectors.json");
    let file: serde_json::Value = serde_json::from_slice(file).unwrap();
    let mut seed = [0; 32];
    hex::decode_to_slice(file["seed"].as_str().unwrap(), &mut seed).unwrap();
    let key = SecretKey::from_seed(&seed);
    assert_eq!(key.public().to_string(), file["public_key"]);
    for vector in file["vectors"].as_array().unwrap() {
        let envelope = Envelope::from_json(&vector["envelope"]).unwrap();
        let statement = statement::parse_payload(&envelope.payload).unwrap();
        let keys: &[&SecretKey] = match statement.body {
            Body::Unsigned { .. } => &[],
            _ => &[&key],
        };
        assert_eq!(sign_statement(&statement, keys).unwrap(), envelope);
    }
}
