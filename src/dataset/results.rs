//! Answers as text: through Oxigraph's own writers, or as a table for people.

use std::io::Write;

use oxigraph::io::{RdfFormat, RdfSerializer};
use oxigraph::model::{Term, Variable};
use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsSerializer};
use oxigraph::sparql::{QueryResults, QuerySolutionIter, QueryTripleIter};

use super::query::{AnswerOptions, QueryError};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultFormat {
    /// Aligned columns.
    Table,
    /// SPARQL 1.1 Query Results JSON Format.
    Json,
    /// SPARQL 1.1 CSV.
    Csv,
    /// SPARQL 1.1 TSV.
    Tsv,
    /// Turtle, for CONSTRUCT and DESCRIBE.
    Turtle,
}

/// How long an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Rows of a SELECT.
    Rows(usize),
    /// Triples of a CONSTRUCT or DESCRIBE.
    Triples(usize),
    /// The yes or no of an ASK.
    Truth,
}

impl ResultFormat {
    /// Its name on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Turtle => "turtle",
        }
    }

    const fn for_rows(self) -> Option<QueryResultsFormat> {
        match self {
            Self::Json => Some(QueryResultsFormat::Json),
            Self::Csv => Some(QueryResultsFormat::Csv),
            Self::Tsv => Some(QueryResultsFormat::Tsv),
            Self::Table | Self::Turtle => None,
        }
    }
}

pub(super) fn write(
    answer: QueryResults<'_>,
    order: &[String],
    AnswerOptions { format, max_rows }: AnswerOptions,
    mut out: impl Write,
) -> Result<Extent, QueryError> {
    match (answer, format) {
        (QueryResults::Graph(triples), ResultFormat::Turtle | ResultFormat::Table) => {
            write_graph(triples, max_rows, out).map(Extent::Triples)
        }
        (QueryResults::Graph(_), _) => Err(unfit("a graph", format)),
        (QueryResults::Boolean(_), ResultFormat::Turtle) => Err(unfit("yes or no", format)),
        (QueryResults::Solutions(_), ResultFormat::Turtle) => Err(unfit("rows", format)),
        (QueryResults::Boolean(value), _) => {
            match format.for_rows() {
                Some(format) => QueryResultsSerializer::from_format(format)
                    .serialize_boolean_to_writer(&mut out, value)
                    .map(drop),
                None => writeln!(out, "{value}"),
            }
            .map_err(QueryError::Write)?;
            Ok(Extent::Truth)
        }
        (QueryResults::Solutions(rows), ResultFormat::Table) => {
            write_table(rows, order, max_rows, out).map(Extent::Rows)
        }
        (QueryResults::Solutions(rows), _) => {
            write_rows(rows, order, format, max_rows, out).map(Extent::Rows)
        }
    }
}

const fn unfit(answer: &'static str, format: ResultFormat) -> QueryError {
    QueryError::Format {
        answer,
        format: format.word(),
    }
}

fn write_rows(
    rows: QuerySolutionIter<'_>,
    order: &[String],
    format: ResultFormat,
    max_rows: usize,
    out: impl Write,
) -> Result<usize, QueryError> {
    let format = format.for_rows().unwrap_or(QueryResultsFormat::Json);
    let mut writer = QueryResultsSerializer::from_format(format)
        .serialize_solutions_to_writer(out, columns(&rows, order))
        .map_err(QueryError::Write)?;
    let mut count = 0;
    for row in rows {
        count = counted(count, max_rows)?;
        let row = row?;
        writer.serialize(row.iter()).map_err(QueryError::Write)?;
    }
    writer.finish().map_err(QueryError::Write)?;
    Ok(count)
}

fn write_graph(
    triples: QueryTripleIter<'_>,
    max_rows: usize,
    out: impl Write,
) -> Result<usize, QueryError> {
    let mut writer = RdfSerializer::from_format(RdfFormat::Turtle).for_writer(out);
    let mut count = 0;
    for triple in triples {
        count = counted(count, max_rows)?;
        let triple = triple?;
        writer
            .serialize_triple(&triple)
            .map_err(QueryError::Write)?;
    }
    writer.finish().map_err(QueryError::Write)?;
    Ok(count)
}

fn write_table(
    rows: QuerySolutionIter<'_>,
    order: &[String],
    max_rows: usize,
    mut out: impl Write,
) -> Result<usize, QueryError> {
    let variables = columns(&rows, order);
    let header = variables.iter().map(|v| v.as_str().to_owned());
    let mut table: Vec<Vec<String>> = vec![header.collect()];
    for row in rows {
        counted(table.len() - 1, max_rows)?;
        let row = row?;
        table.push(variables.iter().map(|it| cell(row.get(it))).collect());
    }
    let columns = table[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            table
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in &table {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end()).map_err(QueryError::Write)?;
    }
    Ok(table.len() - 1)
}

/// The columns: those that are known in their order, then the others in the evaluator's.
fn columns(rows: &QuerySolutionIter<'_>, order: &[String]) -> Vec<Variable> {
    let mut columns = rows.variables().to_vec();
    let place = |column: &Variable| order.iter().position(|name| name == column.as_str());
    columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
    columns
}

const fn counted(count: usize, max_rows: usize) -> Result<usize, QueryError> {
    if count >= max_rows {
        return Err(QueryError::TooManyRows(max_rows));
    }
    Ok(count + 1)
}

/// A term for people: literals without quotes, one line, nothing that moves the cursor.
fn cell(term: Option<&Term>) -> String {
    let text = match term {
        None => String::new(),
        Some(Term::Literal(literal)) => literal.value().to_owned(),
        Some(Term::NamedNode(node)) => format!("<{}>", node.as_str()),
        Some(other) => other.to_string(),
    };
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
