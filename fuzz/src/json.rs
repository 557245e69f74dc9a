//! JSON that is signed: the strict reader and both canonical forms.

use cargo_marketplace::formats::canonical_json::{Form, canonical, parse_strict};
use serde_json::Value;

/// A value has one canonical form, and is read from it again.
pub(crate) fn canonical_json(bytes: &[u8]) {
    let Ok(value) = parse_strict(bytes) else {
        return;
    };
    let lax: Value = serde_json::from_slice(bytes).expect("the strict reader takes less");
    assert_eq!(lax, value);
    if let Ok(text) = canonical(&value, Form::Jcs) {
        assert_eq!(parse_strict(&text), Ok(value.clone()));
        assert_eq!(canonical(&value, Form::Jcs), Ok(text));
    }
    // TUF's form writes control characters as they are: it is signed, and never read.
    let _ = canonical(&value, Form::Olpc);
}
