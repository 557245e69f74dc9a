//! Which backend is used, and what may fall back. Pure.

mod fallback;

pub use fallback::{Cause, may_fall_back};
