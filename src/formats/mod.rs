//! Bytes to model and back: v1 lines, v2 Turtle, manifests, records, statements, canonical JSON.
//! Pure: no input or output, no clock.
//!
//! Structs with serde attributes stay inside this folder; the rest of the program sees `model`.
//! Everything that is read is taken to be hostile.

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod canonical_json;
pub mod catalog_index;
pub mod config_json;
pub mod key_change;
pub mod layout;
pub mod manifest;
pub mod marketplace_trust;
pub mod pack;
pub mod policy;
pub mod popularity;
mod public_key;
pub mod publisher;
pub mod record;
mod releases;
pub mod statement;
pub mod submission;
pub mod union;
pub mod unsigned;
pub mod v1;
pub mod v2;

pub use public_key::KeyListError;

/// Writes a value as indented JSON with a line feed at the end. For wire structs, whose order of
/// fields is fixed; `serde_json::Value` goes through `canonical_json`, since other crates can
/// change the order of its maps.
fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .expect("wire structs hold strings, numbers and lists of them");
    bytes.push(b'\n');
    bytes
}
