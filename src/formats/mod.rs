//! Bytes to model and back: v1 lines, v2 Turtle, records, statements, canonical JSON. Pure.
//!
//! Structs with serde attributes stay inside this folder.

pub mod catalog_index;
pub mod config_json;
pub mod layout;

/// Writes a value as indented JSON with a line feed at the end. For wire structs, whose order of
/// fields is fixed; `serde_json::Value` goes through `canonical_json`, since other crates can
/// change the order of its maps.
fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
