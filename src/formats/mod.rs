//! Bytes to model and back: canonical JSON, v1 lines, v2 Turtle, and the registry's other files.
//!
//! Pure: no input or output, no clock. Wire structs stay in here; the rest of the program sees
//! `model`. Everything that is read is taken to be hostile.

pub mod canonical_json;
pub mod policy;
mod public_key;
pub mod publisher;
pub mod record;
pub mod statement;
pub mod v1;

pub use public_key::KeyListError;
