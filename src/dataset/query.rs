//! Loading Turtle, and evaluating one query with limits.

use std::io::Write;

use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::sparql::{
    CancellationToken, QueryEvaluationError, SparqlEvaluator, SparqlSyntaxError,
};
use oxigraph::store::{LoaderError, StorageError, Store};

use super::prescan::{PrescanError, prescan};
use super::results::{self, Extent, ResultFormat};

/// The triples of a registry, ready to be queried.
pub struct Dataset {
    store: Store,
}

/// What bounds a query besides its text.
#[derive(Clone)]
pub struct QueryOptions {
    /// The most rows or triples that are written.
    pub max_rows: usize,
    /// Ends the evaluation when cancelled; looked at whenever the dataset is read.
    pub cancellation: CancellationToken,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The documents could not be loaded.
    #[error("the v2 documents could not be loaded")]
    Load(#[source] LoaderError),
    /// The store could not be made.
    #[error("the dataset could not be opened")]
    Storage(#[source] StorageError),
    /// Refused before parsing.
    #[error(transparent)]
    Refused(#[from] PrescanError),
    /// Not SPARQL.
    #[error("the query is not valid SPARQL 1.1")]
    Syntax(#[source] SparqlSyntaxError),
    /// It was cancelled.
    #[error("the query was cancelled")]
    Cancelled,
    /// Something went wrong on the way.
    #[error("the query failed")]
    Evaluation(#[source] QueryEvaluationError),
    /// More rows than the limit.
    #[error("the answer has more than {0} rows")]
    TooManyRows(usize),
    /// A form of answer that the format cannot hold.
    #[error("{answer} cannot be written as {format}")]
    Format {
        /// As `a graph`.
        answer: &'static str,
        /// As `csv`.
        format: &'static str,
    },
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Write(#[source] std::io::Error),
}

impl Dataset {
    /// Loads the documents of a v2 pack: Turtle, checked before.
    pub fn load(turtle: &[u8]) -> Result<Self, QueryError> {
        let store = Store::new().map_err(QueryError::Storage)?;
        let mut loader = store.bulk_loader();
        loader
            .load_from_slice(RdfParser::from_format(RdfFormat::Turtle), turtle)
            .map_err(QueryError::Load)?;
        loader.commit().map_err(QueryError::Storage)?;
        Ok(Self { store })
    }

    /// Evaluates a query and writes its answer. Returns how long the answer is.
    pub fn query(
        &self,
        text: &str,
        options: &QueryOptions,
        format: ResultFormat,
        out: impl Write,
    ) -> Result<Extent, QueryError> {
        prescan(text)?;
        let query = SparqlEvaluator::new()
            .with_cancellation_token(options.cancellation.clone())
            .parse_query(text)
            .map_err(QueryError::Syntax)?;
        let answer = query.on_store(&self.store).execute()?;
        results::write(answer, format, options.max_rows, out)
    }
}

impl From<QueryEvaluationError> for QueryError {
    fn from(error: QueryEvaluationError) -> Self {
        match error {
            QueryEvaluationError::Cancelled => Self::Cancelled,
            error => Self::Evaluation(error),
        }
    }
}
