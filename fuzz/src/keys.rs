//! Keys that anybody can sign with: behind a signature there are readers, too.

use std::sync::LazyLock;

use cargo_marketplace::trust::SecretKey;

/// As many as any target needs.
static KEYS: LazyLock<[SecretKey; 6]> =
    LazyLock::new(|| [1, 2, 3, 4, 5, 6].map(|seed| SecretKey::from_seed(&[seed; 32])));

/// A key by its number.
pub(crate) fn key(number: usize) -> &'static SecretKey {
    &KEYS[number % KEYS.len()]
}
