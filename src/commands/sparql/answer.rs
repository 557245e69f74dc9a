//! `sparql` in a build that reads v2: from the question to the answer on stdout. Nothing is printed of
//! an answer that is not whole.

mod asked;
mod failures;
mod members;
mod prepared;
mod watchdog;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use oxigraph::sparql::CancellationToken;
use serde_json::Value;

use super::arguments::BackendArg;
use super::context::Context;
use super::error::CommandError;
use super::shell::{json_text, sanitize, turtle_text};
use super::sparql::{ResultFormat, SparqlArgs, needs_v2};
use crate::dataset::{self, AnswerOptions, Dataset, Extent, Query, QueryError};
use asked::Asked;
use prepared::QUESTIONS;
pub(super) use prepared::{list_policies, policies};
use watchdog::Allowance;

/// The most rows: every package of the largest registry that there is.
const MAX_ROWS: usize = 300_000;
/// The most bytes that are read of a query; the parser takes fewer.
const MAX_QUERY: u64 = 1 << 20;

/// An answer, whole.
struct Answer {
    text: Vec<u8>,
    extent: Extent,
    took: Duration,
}

/// Answers.
pub(super) fn answer(args: &SparqlArgs, context: &Context) -> Result<(), CommandError> {
    if args.list_examples {
        QUESTIONS.list(context);
        return Ok(());
    }
    if args.read.backend == Some(BackendArg::V1) {
        return Err(needs_v2(
            "sparql",
            "`--backend v1` reads v1 only, and there is no falling back",
        ));
    }
    let format = format(args, context)?;
    let question = question(args, context)?;
    watchdog::on_deep_stack(|| answer_question(&question, format, args, context))
}

fn answer_question(
    question: &str,
    format: dataset::ResultFormat,
    args: &SparqlArgs,
    context: &Context,
) -> Result<(), CommandError> {
    let allowance = Allowance {
        time: args.limits.timeout,
        memory: args.limits.max_memory,
    };
    let no_answer = |error| failures::no_answer(error, allowance);
    let cancellation = CancellationToken::new();
    let cancel = || cancellation.cancel();
    // The parser may try both ways at each bracket: `SUBSTR(SUBSTR(SUBSTR(…`.
    let parse = || Query::parse(question, cancellation.clone());
    let query = watchdog::watch(allowance, &context.shell, cancel, parse)?.map_err(no_answer)?;
    let options = AnswerOptions {
        format,
        max_rows: MAX_ROWS,
    };
    let asked = Asked::open(args, context)?;
    let ask = |query, datasets: &[Dataset]| {
        let work = || asked.ask(datasets, |dataset| ask(query, options, dataset));
        watchdog::watch(allowance, &context.shell, cancel, work)
    };
    let mut datasets = asked.datasets()?;
    let answer = match ask(query, &datasets)? {
        Err(QueryError::Damaged(damage)) => {
            drop(datasets);
            datasets = asked.rebuilt(&damage)?;
            ask(parse().map_err(no_answer)?, &datasets)?
        }
        answer => answer,
    };
    let answer = answer.map_err(no_answer)?;
    print(&answer, args, asked.source(&datasets), context);
    let (extent, took) = (extent(answer.extent), answer.took.as_millis());
    let text = format!("{extent} in {took} ms, {}", asked.shown(&datasets));
    context.shell.note(&text);
    Ok(())
}

fn ask(query: Query, options: AnswerOptions, dataset: &Dataset) -> Result<Answer, QueryError> {
    let started = Instant::now();
    let mut text = Vec::new();
    let extent = dataset.answer(query, options, &mut text)?;
    Ok(Answer {
        text,
        extent,
        took: started.elapsed(),
    })
}

/// The text of the question: from the command line, a file or an example.
fn question(args: &SparqlArgs, context: &Context) -> Result<String, CommandError> {
    if let Some(name) = &args.example {
        return QUESTIONS.question(name, &args.params);
    }
    match (&args.query, &args.file) {
        (Some(query), _) => Ok(query.clone()),
        (None, Some(file)) if file == Path::new("-") => read(io::stdin().lock(), "stdin"),
        (None, Some(file)) => {
            let shown = file.display().to_string();
            let open = File::open(context.absolute(file));
            read(open.map_err(|error| unreadable(&shown, &error))?, &shown)
        }
        (None, None) => Err(CommandError::usage("no query was given")),
    }
}

fn read(file: impl Read, shown: &str) -> Result<String, CommandError> {
    let mut text = String::new();
    match file.take(MAX_QUERY).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(unreadable(shown, &error)),
    }
}

fn unreadable(shown: &str, error: &io::Error) -> CommandError {
    CommandError::failure(format!("cannot read the query from `{shown}`")).caused_by(Some(error))
}

/// The form that was asked for; else a table, or JSON where all is to be JSON.
fn format(args: &SparqlArgs, context: &Context) -> Result<dataset::ResultFormat, CommandError> {
    let is_json = context.shell.is_json();
    let format = match args.format {
        None if is_json => dataset::ResultFormat::Json,
        None | Some(ResultFormat::Table) => dataset::ResultFormat::Table,
        Some(ResultFormat::Json) => dataset::ResultFormat::Json,
        Some(ResultFormat::Csv) => dataset::ResultFormat::Csv,
        Some(ResultFormat::Tsv) => dataset::ResultFormat::Tsv,
        Some(ResultFormat::Turtle) => dataset::ResultFormat::Turtle,
    };
    if is_json && format != dataset::ResultFormat::Json {
        let word = format.word();
        let message = format!("`--format {word}` does not fit `--message-format json`");
        return Err(CommandError::usage(message)
            .with_note("with the latter, every line on stdout is a JSON object")
            .with_help("choose one of them"));
    }
    Ok(format)
}

fn print(answer: &Answer, args: &SparqlArgs, source: Value, context: &Context) {
    let shell = &context.shell;
    match args.format {
        // A message like every other, and at the same time SPARQL's own JSON.
        None if shell.is_json() => {
            let mut body: Value = serde_json::from_slice(&answer.text).unwrap_or_default();
            body["source"] = source;
            shell.message("sparql-result", body);
        }
        None | Some(ResultFormat::Table) => shell.lines(&String::from_utf8_lossy(&answer.text)),
        Some(ResultFormat::Csv | ResultFormat::Tsv) => {
            shell.bytes(harmless(&answer.text, sanitize).as_bytes());
        }
        // An escape means the same as the character.
        Some(ResultFormat::Json) => {
            shell.bytes((harmless(&answer.text, json_text) + "\n").as_bytes());
        }
        Some(ResultFormat::Turtle) => {
            shell.bytes(harmless(&answer.text, turtle_text).as_bytes());
        }
    }
}

/// An answer without anything that a terminal would obey; its separators stay. All forms write most
/// control characters, and those that turn text around, as they are.
fn harmless(text: &[u8], clean: impl Fn(&str) -> Cow<'_, str>) -> String {
    let text = String::from_utf8_lossy(text);
    let pieces = text.split_inclusive(SEPARATORS).map(|piece| {
        let value = piece.trim_end_matches(SEPARATORS);
        clean(value).into_owned() + &piece[value.len()..]
    });
    pieces.collect()
}

/// What ends a value or a row.
const SEPARATORS: [char; 3] = ['\t', '\r', '\n'];

fn extent(extent: Extent) -> String {
    match extent {
        Extent::Rows(1) => "1 row".to_owned(),
        Extent::Rows(count) => format!("{count} rows"),
        Extent::Triples(1) => "1 triple".to_owned(),
        Extent::Triples(count) => format!("{count} triples"),
        Extent::Truth => "answered".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_an_answer_drives_the_terminal() {
        let json = "{\"d\":\"a\u{202e}b\u{9b}2Jc\"}\n";
        let shown = harmless(json.as_bytes(), json_text);
        assert_eq!(shown, "{\"d\":\"a\\u202eb\\u009b2Jc\"}\n");
        let same = |text| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(same(&shown), same(json));
        let turtle = "<s> <p> \"a\u{202e}b\u{e0041}\" .\n<s> <p> \"c\" .\n";
        let expected = "<s> <p> \"a\\U0000202Eb\\U000E0041\" .\n<s> <p> \"c\" .\n";
        assert_eq!(harmless(turtle.as_bytes(), turtle_text), expected);
        let csv = "a\u{202e}b,c\r\nd\r\n";
        assert_eq!(harmless(csv.as_bytes(), sanitize), "ab,c\r\nd\r\n");
    }
}
