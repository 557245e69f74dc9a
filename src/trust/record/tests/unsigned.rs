//! Releases that nobody answers for.

use super::*;
use crate::model::TrustState;

fn unsigned(text: &str) -> Body {
    Body::Unsigned {
        release: release(text, None),
        source: None,
    }
}

/// With these versions in the list that the offline keys sign.
fn listing(mut draft: Draft, versions: &[&str]) -> Draft {
    for version in versions {
        draft.unsigned.add(&release(version, None));
    }
    draft
}

#[test]
fn an_unsigned_release_counts_where_it_is_listed_and_nowhere_else() {
    let draft = listing(Draft::new(), &["1.0.0"]).say(unsigned("1.0.0"), &[]);
    let state = draft.check().unwrap();
    assert_eq!(state.owners, None);
    assert_eq!(state.document.entries[0].trust, Some(TrustState::Unsigned));
    let next = draft.clone().say(unsigned("1.1.0"), &[]);
    let refused = StatementRefusal::NotListed(version("1.1.0"));
    assert_eq!(next.refusal(), refused);
    // Whatever the online key says.
    let signed = draft.clone().say(unsigned("1.1.0"), &[VOUCHER]);
    assert_eq!(signed.refusal(), refused);
    let mut other = draft;
    other.unsigned = UnsignedList::default();
    let mut exchanged = release("1.0.0", None);
    exchanged.checksum = Sha256Digest::of(b"other bytes");
    other.unsigned.add(&exchanged);
    assert_eq!(
        other.refusal(),
        StatementRefusal::NotListed(version("1.0.0"))
    );
}

#[test]
fn nobody_signs_an_unsigned_release() {
    let draft = listing(Draft::new(), &["1.0.0"]).say(unsigned("1.0.0"), &[VOUCHER]);
    let refused = StatementRefusal::UnknownKey(secret(VOUCHER).public().id());
    assert_eq!(draft.refusal(), refused);
    let named = Body::Unsigned {
        release: release("1.0.0", Some("ferris")),
        source: None,
    };
    let error = listing(Draft::new(), &["1.0.0"])
        .say(named, &[])
        .fold_error();
    assert_eq!(error, FoldError::UnsignedPublisher(version("1.0.0")));
}

#[test]
fn a_package_with_an_owner_takes_no_unsigned_release_listed_or_not() {
    let owned = listing(Draft::owned(), &["1.1.0"]).say(unsigned("1.1.0"), &[]);
    let refused = FoldError::UnsignedInOwned(version("1.1.0"));
    assert_eq!(owned.fold_error(), refused);
    let draft = listing(Draft::new(), &["1.0.0", "1.1.0"]).say(unsigned("1.0.0"), &[]);
    let assigned = draft.say(Body::Assign(these(&["anna"], 1)), &[RECOVERY, ANNA]);
    // What there was before is still what it was.
    let state = assigned.check().unwrap();
    assert_eq!(state.document.entries[0].trust, Some(TrustState::Unsigned));
    let error = assigned.say(unsigned("1.1.0"), &[]).fold_error();
    assert_eq!(error, FoldError::UnsignedInOwned(version("1.1.0")));
}
