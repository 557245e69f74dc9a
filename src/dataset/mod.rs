//! The dataset: a registry's triples on the client, and SPARQL over them.
//!
//! It is compiled from the v2 packs into files that are mapped, so that a cold process pays almost nothing
//! to open it, and led from serial to serial by what changed. It reads bytes that were checked before;
//! it never reaches the network: there is no SERVICE, FROM or LOAD.

mod compile;
mod counts;
mod documents;
mod downloads;
mod error;
mod evaluate;
mod examples;
mod joined;
mod manifest;
mod matches;
#[cfg(test)]
mod oracle;
mod place;
mod policies;
mod prescan;
mod query;
mod results;
mod search;
mod shelf;
mod store;
mod syntax;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod tiers;
mod triples;
#[cfg(test)]
mod w3c;

pub use compile::Packed;
pub use error::DatasetError;
use error::UNREADABLE;
pub use examples::{EXAMPLES, Example, Parameter, ParameterError};
pub use joined::{Documents, join};
pub use place::Place;
pub use policies::POLICIES;
pub use prescan::{PrescanError, STACK_SIZE};
pub use query::{AnswerOptions, Query, QueryError};
pub use results::{Extent, ResultFormat};
pub use store::Dataset;
pub use syntax::SyntaxError;
pub use triples::{Damaged, WriteError};
