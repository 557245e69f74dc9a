//! Bytes to model and back: canonical JSON, v1 lines, v2 Turtle, and the registry's other files.
//!
//! Pure: no input or output, no clock. Wire structs stay in here; the rest of the program sees
//! `model`. Everything that is read is taken to be hostile.

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod canonical_json;
mod releases;
pub mod v1;
pub mod v2;
