//! What records add up to, and what is compared with it.

use super::*;
use crate::model::{Document, ForeignLine, TrustState, Yank};

#[test]
fn an_owned_package_adds_up_to_its_document() {
    let mut draft = Draft::owned()
        .say(by_ferris("2.0.0"), &[FERRIS])
        .say(by_ferris("1.5.0+b"), &[FERRIS])
        .say(yank("1.0.0"), &[FERRIS])
        .say(yank("2.0.0"), &[FERRIS])
        .say(
            Body::Unyank {
                version: version("2.0.0"),
            },
            &[FERRIS],
        );
    draft.record.documents.v1 = Some(FileDigest::of(b"lines"));
    let state = draft.check().unwrap();
    assert_eq!(state.sequence(), 7);
    assert_eq!(
        state.last(),
        draft.record.statements.last().map(Envelope::digest)
    );
    assert_eq!(state.documents.v1, Some(FileDigest::of(b"lines")));
    let owners = state.owners.as_ref().unwrap();
    assert_eq!(owners.publishers, ["ferris".parse().unwrap()]);
    let entries: Vec<_> = state.document.entries.iter().collect();
    let versions: Vec<_> = entries
        .iter()
        .map(|entry| entry.release.version.to_string())
        .collect();
    assert_eq!(
        versions,
        ["1.0.0", "2.0.0", "1.5.0+b"],
        "in the order of acceptance"
    );
    let reason = Some("broken".into());
    assert_eq!(entries[0].yanked, Some(Yank { reason }));
    assert_eq!(entries[1].yanked, None);
    for entry in entries {
        assert_eq!(entry.trust, Some(TrustState::Signed));
        let time = draft.record.accepted[&entry.release.version];
        assert_eq!(entry.accepted, Some(time));
    }
}

#[test]
fn vouched_releases_are_never_shown_as_signed() {
    let state = Draft::vouched().check().unwrap();
    assert_eq!(state.owners, None);
    assert_eq!(state.document.entries[0].trust, Some(TrustState::Vouched));
}

#[test]
fn the_writer_goes_on_where_the_record_ends() {
    let draft = Draft::owned();
    let mut state = draft.check().unwrap().into_inner();
    let statement = state.next(by_ferris("1.1.0"));
    assert_eq!(statement, draft.next(by_ferris("1.1.0")));
    let draft = draft.add(&statement, &[FERRIS]);
    let digest = draft.record.statements[2].digest();
    state
        .apply(&statement, digest, &draft.record.accepted)
        .unwrap();
    assert_eq!(state, draft.check().unwrap().into_inner());
}

#[test]
fn a_refused_statement_changes_nothing() {
    let before = Draft::owned().check().unwrap().into_inner();
    let accepted = BTreeMap::new();
    for body in [by_ferris("1.0.0"), by_ferris("1.1.0"), yank("9.9.9")] {
        let mut state = before.clone();
        let statement = state.next(body);
        let digest = Sha256Digest::of(b"new");
        assert!(state.apply(&statement, digest, &accepted).is_err());
        assert_eq!(state, before);
    }
}

#[test]
fn every_release_and_nothing_else_has_a_time() {
    let mut draft = Draft::owned();
    let time = draft.record.accepted.remove(&version("1.0.0")).unwrap();
    let error = draft.fold_error();
    assert_eq!(error, FoldError::AcceptedMissing(version("1.0.0")));
    for extra in ["3.0.0", "1.0.0+twin"] {
        let mut draft = Draft::owned();
        draft.record.accepted.insert(version(extra), time);
        let expected = RecordError::AcceptedExtra {
            package: package(),
            version: version(extra),
        };
        assert_eq!(draft.check(), Err(expected));
    }
}

#[test]
fn a_record_stands_in_its_own_place() {
    let mut draft = Draft::owned();
    draft.record.package = "other".parse().unwrap();
    assert!(matches!(
        draft.check(),
        Err(RecordError::OtherPackage { .. })
    ));
    assert_eq!(Draft::new().check(), Err(RecordError::Empty(package())));
}

#[test]
fn names_the_publishers_to_fetch() {
    let owners = |draft: &Draft| -> Vec<String> {
        let owners = owners_needed(&draft.record);
        owners.iter().map(ToString::to_string).collect()
    };
    let two = Draft::new().say(genesis(&["anna", "ferris"], 1), &[ANNA]);
    assert_eq!(owners(&two), ["anna", "ferris"]);
    assert!(owners(&Draft::vouched()).is_empty());
    assert!(owners(&Draft::new()).is_empty());
}

#[test]
fn a_record_only_grows() {
    let short = Draft::owned();
    let long = short.clone().say(yank("1.0.0"), &[FERRIS]);
    let other = short.clone().say(by_ferris("1.1.0"), &[FERRIS]);
    let [short, long, other] = [short, long, other].map(|draft| draft.check().unwrap());
    let seen = |state: &PackageState| state.seen().unwrap();
    for (before, after) in [(&short, &short), (&short, &long), (&long, &long)] {
        assert_eq!(no_regression(&seen(before), after), Ok(()));
    }
    let shorter = no_regression(&seen(&long), &short).unwrap_err();
    assert!(matches!(
        shorter,
        Regression::Shorter {
            seen: 3,
            found: 2,
            ..
        }
    ));
    let rewritten = no_regression(&seen(&long), &other).unwrap_err();
    assert!(matches!(
        rewritten,
        Regression::Rewritten { sequence: 3, .. }
    ));
}

#[test]
fn what_was_verified_before_is_not_verified_again_and_cannot_change() {
    let mut draft = Draft::owned();
    draft.verified_before = draft.check().unwrap().seen();
    // The key that signed the beginning has been replaced since.
    let ferris: PublisherId = "ferris".parse().unwrap();
    let other = Publisher::new(ferris.clone(), vec![secret(50).public()]);
    draft.publishers.insert(ferris, other);
    assert!(draft.check().is_ok());
    assert!(draft.clone().say(yank("1.0.0"), &[50]).check().is_ok());
    let refusal = draft.clone().say(yank("1.0.0"), &[FERRIS]).refusal();
    assert!(matches!(refusal, StatementRefusal::UnknownKey(_)));

    let mut forged = Draft::new()
        .say(genesis(&["ferris"], 1), &[STRANGER])
        .say(by_ferris("6.6.6"), &[STRANGER]);
    forged.verified_before = draft.verified_before;
    assert!(matches!(forged.check(), Err(RecordError::Regression(_))));
    let longer = forged.say(by_ferris("7.7.7"), &[FERRIS]);
    assert!(matches!(longer.check(), Err(RecordError::Regression(_))));
}

fn compared(change: impl FnOnce(&mut Document)) -> Result<(), Disagreement> {
    let state = Draft::owned()
        .say(by_ferris("1.1.0"), &[FERRIS])
        .check()
        .unwrap();
    let mut document = state.document.clone();
    change(&mut document);
    compare(&state, &document).map(|verified| assert_eq!(*verified, state.document))
}

#[test]
fn a_document_says_what_the_statements_say() {
    assert_eq!(compared(|_| ()), Ok(()));
    let field = |change: fn(&mut crate::model::Entry)| match compared(|document| {
        change(&mut document.entries[1]);
    })
    .unwrap_err()
    {
        Disagreement::Field { version, field, .. } => {
            assert_eq!(version.to_string(), "1.1.0");
            field
        }
        other => panic!("{other}"),
    };
    let checksum = field(|entry| entry.release.checksum = Sha256Digest::of(b"evil"));
    assert_eq!(checksum, "checksum");
    assert_eq!(field(|entry| entry.trust = None), "trust");
    assert_eq!(field(|entry| entry.yanked = Some(Yank::default())), "yank");
    assert_eq!(field(|entry| entry.accepted = None), "time of acceptance");
    assert_eq!(
        field(|entry| entry.release.license = Some("MIT".into())),
        "license"
    );
    assert_eq!(
        field(|entry| entry.release.foreign = Some(ForeignLine::default())),
        "content"
    );
}

#[test]
fn a_document_has_every_version_in_its_place() {
    let misplaced = |version_text: &str| Disagreement::Misplaced {
        package: package(),
        version: version(version_text),
    };
    let dropped = compared(|document| drop(document.entries.pop()));
    assert_eq!(dropped, Err(misplaced("1.1.0")));
    let first = compared(|document| drop(document.entries.remove(0)));
    assert_eq!(first, Err(misplaced("1.0.0")));
    assert_eq!(
        compared(|document| document.entries.reverse()),
        Err(misplaced("1.0.0"))
    );
    let twice = compared(|document| document.entries.push(document.entries[0].clone()));
    assert_eq!(twice, Err(misplaced("1.0.0")));
    let extra = compared(|document| {
        let mut entry = document.entries[0].clone();
        entry.release.version = version("6.6.6");
        document.entries.push(entry);
    });
    let expected = Disagreement::Extra {
        package: package(),
        version: version("6.6.6"),
    };
    assert_eq!(extra, Err(expected));
    let other = compared(|document| document.package = "other".parse().unwrap());
    assert!(matches!(other, Err(Disagreement::Package { .. })));
}
