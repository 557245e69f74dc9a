//! Bytes to model and back: canonical JSON, manifests, v1 lines, v2 Turtle, and the registry's
//! other files.
//!
//! Pure: no input or output, no clock. Wire structs stay in here; the rest of the program sees
//! `model`. Everything that is read is taken to be hostile.

pub mod canonical_json;
pub mod manifest;
pub mod v1;
