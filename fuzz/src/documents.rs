//! Documents: v1 lines and v2 Turtle.

use cargo_marketplace::formats::{v1, v2};
use cargo_marketplace::model::{Document, PackageName};

use crate::BASE;

/// The package whose documents are read.
fn package() -> PackageName {
    "tide-table".parse().expect("a name")
}

/// Lines of one package, and the same bytes as a pack.
pub(crate) fn v1(bytes: &[u8]) {
    if let Ok(document) = v1::decode(&package(), bytes) {
        same_in_both(&document);
    }
    for document in v1::decode_pack(bytes).unwrap_or_default() {
        same_in_both(&document);
    }
}

/// Turtle of one package, and the same bytes as a pack.
pub(crate) fn v2(bytes: &[u8]) {
    if let Ok(document) = v2::decode(&package(), bytes, BASE) {
        same_in_both(&document);
    }
    for document in v2::decode_pack(bytes, BASE).unwrap_or_default() {
        same_in_both(&document);
    }
}

/// What one format says the other one can say, byte for byte the same each time.
pub(crate) fn same_in_both(document: &Document) {
    let lines = v1::encode(document);
    let again = v1::decode(&document.package, &lines);
    assert_eq!(again.as_ref(), Ok(document), "as v1");
    let turtle = v2::encode(document, BASE);
    let again = v2::decode(&document.package, &turtle, BASE);
    assert_eq!(again.as_ref(), Ok(document), "as v2");
}
