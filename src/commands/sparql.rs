//! `sparql`: questions to a registry in SPARQL 1.1, over v2. Never reads anything but the registry: no SERVICE, no FROM, no update.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::arguments::{QueryLimits, ReadArgs, key_value};
use super::context::Context;
use super::error::CommandError;
use super::sparql_answer;
use crate::model::UtcTime;

/// Asks a registry a SPARQL question
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("question").required(true).args(["query", "file", "example", "list_examples"])))]
pub struct SparqlArgs {
    /// The query
    pub query: Option<String>,

    /// Read the query from a file (`-`: stdin)
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Ask one of the prepared questions
    #[arg(long, value_name = "NAME")]
    pub example: Option<String>,

    /// List the prepared questions and their parameters
    #[arg(long)]
    pub list_examples: bool,

    /// A parameter of the prepared question; may be repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value, requires = "example")]
    pub params: Vec<(String, String)>,

    /// The result: table, json, csv, tsv or turtle
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<ResultFormat>,

    /// Ask the project's `Cargo.lock`, too, and all registries that it names
    #[arg(long, conflicts_with = "registry")]
    pub with_lock: bool,

    /// The project's manifest
    #[arg(long, value_name = "FILE", requires = "with_lock")]
    pub manifest_path: Option<PathBuf>,

    /// What was refreshed at this time or later need not be asked for again
    #[arg(long, value_name = "TIME", requires = "with_lock", hide = true)]
    pub refreshed_since: Option<UtcTime>,

    /// What the query may use.
    #[command(flatten)]
    pub limits: QueryLimits,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// The form of a query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResultFormat {
    /// Columns for people.
    Table,
    /// SPARQL 1.1 Query Results JSON.
    Json,
    /// SPARQL 1.1 Query Results CSV.
    Csv,
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
    /// Turtle; for CONSTRUCT and DESCRIBE.
    Turtle,
}

/// Runs the command.
pub fn run(args: SparqlArgs, context: &Context) -> Result<(), CommandError> {
    sparql_answer::answer(&args, context)
}

/// The code of an answer that does not fit the form that was asked for.
pub(super) const UNFIT: &str = "MP0806";

/// The error where v2 is not read: SPARQL has nothing to fall back to. `what` is what was typed, as `sparql`.
pub(super) fn needs_v2(what: &str, why: impl Into<String>) -> CommandError {
    CommandError::usage(format!("`{what}` needs v2, the Turtle index"))
        .with_code("MP0801")
        .with_note(why)
}
