//! How well packages fit the words of a search: the one rule, for the plain scan and for an index
//! alike. Reads nothing but what a [`Collection`] tells it.

mod closeness;
mod rank;
mod score;
mod stem;
mod text;

pub use closeness::{Tolerance, Word};
pub use rank::{Collection, Package, Query, Ranked, rank};
pub use score::{Score, prior};
pub use text::{Field, PerField, name_key, tokens};
