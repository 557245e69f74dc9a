//! Why there is no answer, for people.

use std::io;

use super::watchdog::Allowance;
use crate::commands::error::{CommandError, Kind};
use crate::commands::shell;
use crate::commands::sparql::{UNFIT, needs_v2};
use crate::dataset::{ParameterError, PrescanError, QueryError};
use crate::registry::backend::BackendError;

/// The triples are not to be had. Other commands would fall back here.
pub(super) fn no_triples(error: BackendError) -> CommandError {
    match error {
        BackendError::Client(error) => error.into(),
        BackendError::Disagreement(error) => error.into(),
        BackendError::BelowFloor(_) | BackendError::NoFallback(_) | BackendError::Dataset(_) => {
            error.into()
        }
        BackendError::NotBuilt(_)
        | BackendError::NoDocument { .. }
        | BackendError::NoCatalog(_)
        | BackendError::V1(_)
        | BackendError::V2(_) => {
            let mut shown = needs_v2(
                "sparql",
                "there is no falling back to v1: it holds no triples",
            );
            shown.kind = Kind::Failure;
            shown.caused_by(Some(&error))
        }
    }
}

/// The parameters do not fit the example, of which there is a list.
pub(super) fn parameter(error: &ParameterError, list: &str) -> CommandError {
    let shown = CommandError::from_error(Kind::Usage, error);
    match error {
        ParameterError::Missing { parameter, .. } => {
            shown.with_help(format!("`--param {parameter}=…`"))
        }
        ParameterError::Unknown { .. } => {
            shown.with_help(format!("`cargo marketplace {list}` shows them"))
        }
        ParameterError::Twice(_) => shown,
    }
}

/// The query was not answered.
pub(super) fn no_answer(error: QueryError, allowance: Allowance) -> CommandError {
    let shown = CommandError::from_error(Kind::Failure, &error);
    match error {
        QueryError::Cancelled => too_slow(allowance),
        QueryError::Refused(PrescanError::ReachesOut(_)) => shown
            .with_code("MP0803")
            .with_help("a query sees the triples of one registry: no SERVICE, no FROM, no updates"),
        QueryError::Refused(PrescanError::Ambiguous("<")) => shown
            .with_code("MP0803")
            .with_help("put a space after a comparison; write a prefix or `scheme://` in an IRI"),
        QueryError::Refused(PrescanError::Ambiguous(_)) => shown
            .with_code("MP0803")
            .with_help("in a long string, write characters as they are"),
        QueryError::Refused(
            PrescanError::TooLong(_) | PrescanError::TooDeep | PrescanError::TooManyLinks,
        ) => shown.with_code("MP0803"),
        QueryError::Syntax(_) => shown.with_code("MP0802"),
        QueryError::NoWords => shown
            .with_code("MP0802")
            .with_help("give them where it stands: `?package mp:matches \"json parser\"`"),
        QueryError::NoText => shown
            .with_code("MP0802")
            .with_help("ask one registry, without `--with-lock`"),
        QueryError::TooManyRows(_) => shown
            .with_code("MP0804")
            .with_help("add LIMIT, or a narrower pattern"),
        QueryError::Format { answer, .. } => shown.with_code(UNFIT).with_help(match answer {
            "a graph" => "`--format turtle`",
            _ => "`--format table`, json, csv or tsv",
        }),
        QueryError::Damaged(_) => shown.with_code("MP0805"),
        QueryError::Dataset(_) | QueryError::Evaluation(_) | QueryError::Write(_) => shown,
    }
}

/// The time is over.
pub(super) fn too_slow(allowance: Allowance) -> CommandError {
    CommandError::failure(format!(
        "the query had no answer within {:?}",
        allowance.time
    ))
    .with_code("MP0804")
    .with_help("make the pattern narrower, or raise `--timeout`")
}

/// There is no thread for the query: no memory for its stack, or too many threads.
pub(super) fn no_thread(error: &io::Error) -> CommandError {
    CommandError::failure("the system has no thread for the query")
        .caused_by(Some(error))
        .with_code("MP0804")
        .with_help("raise the limits on memory and threads (`ulimit -v`, `ulimit -u`)")
}

/// The memory is used up.
pub(super) fn too_large(allowance: Allowance) -> CommandError {
    let limit = shell::bytes(allowance.memory);
    CommandError::failure(format!("the query needs more than {limit} of memory"))
        .with_code("MP0804")
        .with_help("make the pattern narrower, or raise `--max-memory`")
}
