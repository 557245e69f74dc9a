//! Claims about the list of who signed what.

use super::*;

/// Who signed each statement, as `ferris`, or `-` for the operator.
fn signers(draft: &Draft) -> Vec<String> {
    let statements = draft.ask(signed_statements).unwrap();
    let names = |signed: &SignedStatement| {
        let names = signed.signers.iter().map(|signer| {
            let publisher = signer.publisher.as_ref();
            publisher.map_or("-", PublisherId::as_str).to_owned()
        });
        names.collect::<Vec<_>>().join("+")
    };
    statements.iter().map(names).collect()
}

#[test]
fn names_those_who_signed_and_no_other_owner() {
    assert_eq!(signers(&Draft::owned()), ["ferris", "ferris"]);
    assert_eq!(signers(&Draft::vouched()), ["-"]);
    let both = Draft::new()
        .say(genesis(&["anna", "ferris"], 1), &[ANNA, FERRIS])
        .say(by_ferris("1.0.0"), &[FERRIS]);
    assert_eq!(signers(&both), ["anna+ferris", "ferris"]);
}

#[test]
fn a_signature_that_was_exchanged_on_an_old_statement_is_found() {
    let mut draft = Draft::owned();
    draft.verified_before = draft.check().unwrap().seen();
    draft.record.statements[1].signatures[0].bytes[0] ^= 1;
    // The statements are the same; only the list of signers would be a lie.
    assert!(draft.check().is_ok());
    let refused = draft.ask(signed_statements).unwrap_err();
    assert!(
        matches!(refused, RecordError::Statement { sequence: 2, .. }),
        "{refused}"
    );
}
