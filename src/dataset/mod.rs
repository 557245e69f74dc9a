//! The dataset: a registry's triples on the client, and SPARQL over them.
//!
//! At present an in-memory Oxigraph store that is filled from the v2 packs on each use: enough for
//! small registries, and the oracle for the compiled dataset that is to replace it. It reads bytes
//! that were checked before; it never reaches the network: there is no SERVICE, FROM or LOAD.

mod documents;
mod error;
mod evaluate;
mod examples;
mod manifest;
mod prescan;
mod query;
mod results;
mod shelf;
mod store;
mod syntax;
mod tiers;
mod triples;
#[cfg(test)]
mod w3c;

pub use error::DatasetError;
pub use examples::{EXAMPLES, Example, Parameter, ParameterError, example};
pub use prescan::{PrescanError, STACK_SIZE};
pub use query::{AnswerOptions, Dataset, Query, QueryError};
pub use results::{Extent, ResultFormat};
pub use syntax::SyntaxError;
