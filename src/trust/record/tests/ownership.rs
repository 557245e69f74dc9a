//! Who becomes an owner, what the operator may do, and keys that were revoked.

use super::*;

#[test]
fn nobody_is_made_an_owner_unasked() {
    let both = genesis(&["anna", "ferris"], 1);
    let refusal = Draft::new().say(both.clone(), &[FERRIS]).refusal();
    assert_eq!(
        refusal,
        StatementRefusal::DidNotSign("anna".parse().unwrap())
    );
    assert!(Draft::new().say(both, &[ANNA, FERRIS]).check().is_ok());
    let more = || Body::Owners(these(&["anna", "ferris"], 2));
    let refusal = Draft::owned().say(more(), &[FERRIS]).refusal();
    assert_eq!(
        refusal,
        StatementRefusal::DidNotSign("anna".parse().unwrap())
    );
    // Nor does a stranger make himself one.
    let refusal = Draft::owned().say(more(), &[ANNA]).refusal();
    let expected = StatementRefusal::TooFewSignatures {
        found: 0,
        needed: 1,
    };
    assert_eq!(refusal, expected);
    let shared = Draft::owned().say(more(), &[ANNA, FERRIS]);
    let refusal = shared.clone().say(by_ferris("1.1.0"), &[FERRIS]).refusal();
    assert!(matches!(refusal, StatementRefusal::TooFewSignatures { .. }));
    // One who leaves signs with the others, and has no say any more.
    let left = shared.say(Body::Owners(these(&["anna"], 1)), &[ANNA, FERRIS]);
    assert!(left.check().is_ok());
    let error = left.say(by_ferris("1.1.0"), &[FERRIS]).fold_error();
    assert_eq!(error, FoldError::Publisher(version("1.1.0")));
}

#[test]
fn the_operator_assigns_what_nobody_owns_or_whose_owner_lost_his_key() {
    let assign = || Body::Assign(these(&["anna"], 1));
    for draft in [Draft::vouched(), Draft::owned()] {
        let assigned = draft.clone().say(assign(), &[RECOVERY, ANNA]);
        let state = assigned.check().unwrap();
        assert_eq!(state.owners, Some(these(&["anna"], 1)));
        assert_eq!(state.document.entries.len(), 1);
        let release = Body::Release(release("2.0.0", Some("anna")));
        assert!(assigned.say(release, &[ANNA]).check().is_ok());
        for seeds in [&[RECOVERY][..], &[ANNA], &[ANNA, FERRIS], &[ANNA, VOUCHER]] {
            let refused = draft.clone().say(assign(), seeds).check();
            assert!(refused.is_err(), "{seeds:?}");
        }
    }
    let error = Draft::new().say(assign(), &[RECOVERY, ANNA]).fold_error();
    assert_eq!(error, FoldError::AssignNew);
    let owners = Body::Owners(these(&["anna"], 1));
    let error = Draft::vouched().say(owners, &[VOUCHER, ANNA]).fold_error();
    assert_eq!(error, FoldError::NoOwners);
}

#[test]
fn a_version_that_was_withdrawn_is_gone_for_good() {
    for draft in [Draft::owned(), Draft::vouched()] {
        for seeds in [&[FERRIS][..], &[VOUCHER], &[]] {
            let refused = draft.clone().say(withdraw("1.0.0"), seeds).check();
            assert!(refused.is_err(), "{seeds:?}");
        }
        let gone = draft.say(withdraw("1.0.0"), &[RECOVERY]);
        assert!(gone.check().unwrap().document.entries.is_empty());
        let again = gone.say(withdraw("1.0.0"), &[RECOVERY]).fold_error();
        assert_eq!(again, FoldError::UnknownVersion(version("1.0.0")));
    }
    let gone = Draft::owned().say(withdraw("1.0.0"), &[RECOVERY]);
    for again in ["1.0.0", "1.0.0+twin"] {
        let error = gone.clone().say(by_ferris(again), &[FERRIS]).fold_error();
        assert_eq!(error, FoldError::Withdrawn(version(again)));
    }
    assert!(gone.say(by_ferris("1.0.1"), &[FERRIS]).check().is_ok());
}

#[test]
fn a_revoked_key_signed_what_it_signed_before_and_nothing_since() {
    let draft = Draft::owned();
    let good = last_good(&draft, 2);
    assert!(revoke(draft.clone(), &[("demo", good)]).check().is_ok());
    let next = revoke(draft.clone(), &[("demo", good)]).say(yank("1.0.0"), &[FERRIS]);
    assert!(matches!(next.refusal(), StatementRefusal::UnknownKey(_)));
    let with_new_key = revoke(draft.clone(), &[("demo", good)]).say(yank("1.0.0"), &[FERRIS + 100]);
    assert!(with_new_key.check().is_ok());
    // What the thief signed before it was noticed goes, too.
    let first = last_good(&draft, 1);
    for last_good in [&[("demo", first)][..], &[("other", good)], &[]] {
        let refused = revoke(draft.clone(), last_good).check();
        assert!(refused.is_err(), "{last_good:?}");
    }
}

#[test]
fn a_revoked_key_signs_no_other_statement_in_the_place_of_a_good_one() {
    let honest = Draft::owned().say(by_ferris("1.1.0"), &[FERRIS]);
    let revoked = |draft: &Draft, last: LastGood| revoke(draft.clone(), &[("demo", last)]);
    let last = last_good(&honest, 3);
    assert!(revoked(&honest, last).check().is_ok());
    let fork = Draft::owned().say(by_ferris("6.6.6"), &[FERRIS]);
    let longer = fork.clone().say(by_ferris("1.1.0"), &[FERRIS + 100]);
    let cut = Draft::owned();
    let first_forged = Draft::new()
        .say(genesis(&["anna", "ferris"], 1), &[ANNA, FERRIS])
        .say(by_ferris("1.0.0"), &[FERRIS])
        .say(by_ferris("1.1.0"), &[FERRIS]);
    for forged in [fork, longer, cut, first_forged] {
        assert!(forged.check().is_ok());
        let refused = revoked(&forged, last).check().unwrap_err();
        let RecordError::Statement {
            sequence, cause, ..
        } = refused
        else {
            panic!("{refused}");
        };
        // In such a record not even the first statement counts.
        assert_eq!(sequence, 1);
        let unknown = StatementRefusal::UnknownKey(secret(FERRIS).public().id());
        assert_eq!(cause, unknown);
    }
    // The digest of a good statement says nothing of another place.
    let misplaced = LastGood {
        sequence: 2,
        ..last
    };
    assert!(revoked(&honest, misplaced).check().is_err());
}

#[test]
fn a_revocation_reaches_what_was_verified_before() {
    // Verified before the theft was noticed: the second release is the thief's.
    let mut stolen = Draft::owned().say(by_ferris("6.6.6"), &[FERRIS]);
    stolen.verified_before = stolen.check().unwrap().seen();
    let last = last_good(&stolen, 2);
    let refused = revoke(stolen.clone(), &[("demo", last)]);
    assert!(matches!(refused.refusal(), StatementRefusal::UnknownKey(_)));
    // Its signature taken off, it is signed by nobody.
    let mut bare = refused;
    bare.record.statements[2].signatures.clear();
    assert!(matches!(
        bare.refusal(),
        StatementRefusal::TooFewSignatures { .. }
    ));
    // What was seen stays a bound, and the honest record stays good.
    let mut honest = Draft::owned();
    honest.verified_before = honest.check().unwrap().seen();
    let honest = revoke(honest, &[("demo", last)]);
    assert!(honest.check().is_ok());
    let mut back = Draft::owned();
    back.verified_before = stolen.verified_before;
    let back = revoke(back, &[("demo", last)]).check();
    assert!(matches!(back, Err(RecordError::Regression(_))));
}

/// The statement of a draft with that number.
fn last_good(draft: &Draft, sequence: u64) -> LastGood {
    let place = usize::try_from(sequence).unwrap() - 1;
    LastGood {
        sequence,
        sha256: draft.record.statements[place].digest(),
    }
}

/// The draft, judged after `ferris` has revoked their first key.
fn revoke(mut draft: Draft, last_good: &[(&str, LastGood)]) -> Draft {
    let stolen = secret(FERRIS).public();
    let ferris = draft
        .publishers
        .get_mut(&"ferris".parse().unwrap())
        .unwrap();
    ferris.keys.retain(|key| *key != stolen);
    let last_good = last_good.iter();
    ferris.revoked = vec![Revocation {
        key: stolen,
        last_good: last_good
            .map(|(name, last)| (name.parse().unwrap(), *last))
            .collect(),
    }];
    draft
}

#[test]
fn a_claimed_name_belongs_to_the_owner_that_the_claim_names() {
    let claimed = |draft: &Draft, by: &Draft| {
        let claim = by.check().unwrap().title();
        Draft {
            claim,
            ..draft.clone()
        }
        .check()
    };
    let owned = Draft::owned();
    assert!(!owned.check().unwrap().is_claimed);
    assert!(claimed(&owned, &owned).unwrap().is_claimed);
    // Somebody else's record, or one that the online key vouches for, under the same name.
    let annas = Draft::new().say(genesis(&["anna"], 1), &[ANNA]);
    for other in [annas, Draft::vouched()] {
        let error = claimed(&other, &owned).unwrap_err();
        assert!(matches!(error, RecordError::NotClaimed { .. }), "{error}");
    }
    // Nor does a record count that ends before the owners were given the package.
    let assign = Body::Assign(these(&["anna"], 1));
    let assigned = owned.clone().say(assign, &[RECOVERY, ANNA]);
    assert!(claimed(&assigned, &assigned).unwrap().is_claimed);
    assert!(claimed(&owned, &assigned).is_err());
    // The offline key has confirmed those before, and not whom they were followed by.
    assert!(!claimed(&assigned, &owned).unwrap().is_claimed);
}
