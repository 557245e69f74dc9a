//! How well packages fit the words of a search: the one rule, for the plain scan and for an index
//! alike. Reads nothing but what a [`Collection`] tells it.

mod closeness;
mod filters;
mod meant;
mod rank;
mod request;
mod score;
mod stem;
mod text;

pub use closeness::{Tolerance, Word, is_within};
pub use filters::{Condition, Filters, allows_license, labels};
pub use meant::{meant, nearest};
pub use rank::{Collection, Match, Package, Query, Ranked, rank};
pub use request::{Hit, Hits, SearchRequest, Shown};
pub use score::Score;
pub use text::{Field, PerField, lengths, name_key, texts, tokens};
