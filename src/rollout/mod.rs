//! What may fall back from v2 to v1. Pure.

mod fallback;

pub use fallback::{Cause, may_fall_back};
