//! Reading a query, and writing its answer within limits.

use std::io::Write;

use oxigraph::model::{NamedNode, Term};
use oxigraph::sparql::{
    CancellationToken, PreparedSparqlQuery, QueryEvaluationError, SparqlEvaluator,
};

use super::DatasetError;
use super::evaluate::{PatternError, View};
use super::matches::Searches;
use super::prescan::{PrescanError, prescan};
use super::results::{self, Extent, ResultFormat};
use super::store::Dataset;
use super::syntax::SyntaxError;
use super::triples::Damaged;
use crate::formats::v2::SCORE;

/// A query that was let through and parsed.
///
/// It may be so deep that it must be parsed, answered and dropped on a stack of
/// [`STACK_SIZE`](super::STACK_SIZE).
pub struct Query {
    prepared: PreparedSparqlQuery,
    /// The columns of `SELECT *`, as people would order them.
    order: Vec<String>,
    searches: Searches,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerOptions {
    /// Its form.
    pub format: ResultFormat,
    /// The most rows or triples.
    pub max_rows: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The files of the dataset are not what was written.
    #[error(transparent)]
    Damaged(Damaged),
    /// The triples cannot be put together.
    #[error("the triples cannot be put together")]
    Dataset(#[source] DatasetError),
    /// Refused before parsing.
    #[error(transparent)]
    Refused(#[from] PrescanError),
    /// Not SPARQL.
    #[error("the query is not valid SPARQL 1.1")]
    Syntax(#[source] SyntaxError),
    /// It was cancelled.
    #[error("the query was cancelled")]
    Cancelled,
    /// `mp:matches` stands where it has no words.
    #[error("`mp:matches` is not given words")]
    NoWords,
    /// `mp:matches` in what is no registry's dataset alone.
    #[error("`mp:matches` searches one registry, and not together with a lock file")]
    NoText,
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
    /// Evaluates a query and writes its answer. Returns how long the answer is.
    pub fn answer(
        &self,
        query: Query,
        options: AnswerOptions,
        out: impl Write,
    ) -> Result<Extent, QueryError> {
        let view = View::with_text(self, query.searches.clone());
        let answer = query.prepared.on_queryable_dataset(view);
        let answer = answer.execute()?;
        results::write(answer, &query.order, options, out)
    }
}

impl Query {
    /// Reads a query. Its evaluation ends when the token is cancelled, which is looked at whenever
    /// the dataset is read, and only then.
    pub fn parse(text: &str, cancellation: CancellationToken) -> Result<Self, QueryError> {
        let order = prescan(text)?;
        let searches = Searches::default();
        let of_function = searches.clone();
        let score = move |arguments: &[Term]| of_function.score(arguments);
        let evaluator = SparqlEvaluator::new()
            .with_cancellation_token(cancellation)
            .with_custom_function(NamedNode::new_unchecked(SCORE), score);
        let query = evaluator.parse_query(text);
        let prepared = query.map_err(|error| QueryError::Syntax(SyntaxError::new(text, &error)))?;
        Ok(Self {
            prepared,
            order,
            searches,
        })
    }
}

impl From<DatasetError> for QueryError {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Damaged(damaged) => Self::Damaged(damaged),
            error => Self::Dataset(error),
        }
    }
}

impl From<QueryEvaluationError> for QueryError {
    fn from(error: QueryEvaluationError) -> Self {
        match error {
            QueryEvaluationError::Cancelled => Self::Cancelled,
            QueryEvaluationError::Dataset(cause) => match cause.downcast::<PatternError>() {
                Ok(error) => match *error {
                    PatternError::Damaged(damaged) => Self::Damaged(damaged),
                    PatternError::NoWords => Self::NoWords,
                    PatternError::NoText => Self::NoText,
                },
                Err(cause) => Self::Evaluation(QueryEvaluationError::Dataset(cause)),
            },
            error => Self::Evaluation(error),
        }
    }
}
