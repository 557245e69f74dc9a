//! A policy is asked by `sparql --with-lock` in a process of its own, so that one that takes too much ends that
//! process and not the audit. What that prints is read up to a limit, and an answer that is not whole is none.

use std::io::{self, Read as _, Write as _};
use std::process::{Command, ExitStatus, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AuditArgs, Policy};
use crate::commands::context::Context;
use crate::commands::error::{CommandError, Kind};
use crate::commands::explain::known_code;
use crate::commands::shell::bytes;
use crate::commands::sparql::UNFIT;

/// The most bytes that are read of what a process prints.
const MAX_PRINTED: u64 = 16 << 20;

/// The terms of a row by their columns, as SPARQL's own JSON has them.
pub(super) type Row = Map<String, Value>;

/// What a process prints on a line.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    SparqlResult(Answer),
    Error(Failure),
    #[serde(other)]
    Other,
}

/// The answer to a query.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Answer {
    /// Where it comes from.
    pub(super) source: Source,
    pub(super) head: Head,
    #[serde(flatten)]
    body: Body,
}

/// What was asked.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Source {
    pub(super) registries: Vec<Registry>,
    /// Members of the workspace without a manifest that was found.
    pub(super) unknown_members: Vec<String>,
}

/// A registry and its serial.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Registry {
    pub(super) registry: String,
    pub(super) serial: u64,
}

/// The columns.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub(super) vars: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Body {
    Boolean(bool),
    Results { bindings: Vec<Row> },
}

/// Why there is no answer.
#[derive(Debug, Deserialize)]
struct Failure {
    code: Option<String>,
    message: String,
    causes: Vec<String>,
    note: Option<String>,
    help: Option<String>,
    exit_code: u8,
}

impl Answer {
    /// The rows; a yes is one without a column.
    pub(super) fn rows(&self) -> Vec<Row> {
        match &self.body {
            Body::Boolean(false) => Vec::new(),
            Body::Boolean(true) => vec![Row::new()],
            Body::Results { bindings } => bindings.clone(),
        }
    }
}

/// Asks a policy.
pub(super) fn ask(
    policy: &Policy,
    args: &AuditArgs,
    context: &Context,
) -> Result<Answer, CommandError> {
    let mut command = command(args, context)?;
    let failed = |error: io::Error| {
        let text = format!("the policy `{}` cannot be asked", policy.name);
        CommandError::failure(text).caused_by(Some(&error))
    };
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A process that does not read it to its end says why.
        let _ = stdin.write_all(policy.query.as_bytes());
    }
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(MAX_PRINTED + 1).read_to_end(&mut printed);
        read.map_err(failed)?;
    }
    // One that has more to say is told by the closed pipe to end.
    let status = child.wait().map_err(failed)?;
    answer(&policy.name, &printed, status)
}

/// The command that answers, in the same surroundings as this one.
fn command(args: &AuditArgs, context: &Context) -> Result<Command, CommandError> {
    let program = std::env::current_exe().map_err(|error| {
        let text = "this program does not find itself, to ask a policy";
        CommandError::failure(text).caused_by(Some(&error))
    })?;
    let limits = args.policies.limits;
    let mut command = Command::new(program);
    command
        .args("sparql --with-lock --file - --message-format json".split(' '))
        .arg(format!("--timeout={}ms", limits.timeout.as_millis()))
        .arg(format!("--max-memory={}", limits.max_memory))
        // This process has just asked the registries.
        .arg(format!("--refreshed-since={}", context.now));
    if context.offline {
        command.arg("--offline");
    }
    if let Some(manifest) = &args.manifest_path {
        let manifest = context.absolute(manifest);
        command.arg("--manifest-path").arg(manifest);
    }
    // What it says on the way was said by this process.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::null());
    Ok(command)
}

/// The answer in what a process printed before it ended.
fn answer(policy: &str, printed: &[u8], status: ExitStatus) -> Result<Answer, CommandError> {
    let text = format!("the policy `{policy}` has no answer");
    let no_answer = CommandError::failure(text).with_code("MP0804");
    if printed.len() as u64 > MAX_PRINTED {
        let limit = format!("it is longer than {}", bytes(MAX_PRINTED));
        let no_answer = no_answer.with_note(limit);
        return Err(no_answer.with_help("add LIMIT, or a narrower pattern"));
    }
    let lines = printed.split(|byte| *byte == b'\n');
    let mut whole = None;
    for line in lines.filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Message::SparqlResult(answer)) => whole = Some(answer),
            Ok(Message::Error(failure)) => return Err(failure.of(policy, no_answer)),
            Ok(Message::Other) => {}
            // What was cut short is no answer.
            Err(_) => whole = None,
        }
    }
    whole
        .filter(|_| status.success())
        .ok_or_else(|| no_answer.with_note(format!("its process ended without one ({status})")))
}

impl Failure {
    /// The error as it concerns a policy.
    fn of(self, policy: &str, no_answer: CommandError) -> CommandError {
        let code = self.code.as_deref().and_then(known_code);
        if code == Some(UNFIT) {
            let text = format!("`{policy}` is no policy: its answer is a graph");
            return CommandError::usage(text).with_help("a policy is a SELECT or an ASK");
        }
        let kinds = [Kind::Usage, Kind::Trust].into_iter();
        let mut kinds = kinds.filter(|kind| kind.exit_code() == self.exit_code);
        CommandError {
            kind: kinds.next().unwrap_or(Kind::Failure),
            code,
            causes: std::iter::once(self.message).chain(self.causes).collect(),
            note: self.note,
            help: self.help,
            ..no_answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#""source":{"registries":[],"unknown_members":[]}"#;

    fn printed(text: &str) -> Result<Vec<Row>, String> {
        let answer = answer("mine.rq", text.as_bytes(), ExitStatus::default());
        answer.map(|answer| answer.rows()).map_err(|error| {
            assert!(error.message.contains("`mine.rq`"), "{error:?}");
            error
                .causes
                .into_iter()
                .chain(error.note)
                .collect::<Vec<_>>()
                .join("; ")
        })
    }

    #[test]
    fn only_a_whole_answer_is_one() {
        let warning = r#"{"reason":"warning","schema":1,"code":null,"message":"old"}"#;
        let head = format!(r#"{{"reason":"sparql-result","schema":1,{SOURCE},"head""#);
        let yes = format!(r#"{head}:{{}},"boolean":true}}"#);
        let no = yes.replace("true", "false");
        let row = r#"{"n":{"type":"literal","value":"1"}}"#;
        let rows = format!(r#"{head}:{{"vars":["n"]}},"results":{{"bindings":[{row}]}}}}"#);
        assert_eq!(
            printed(&format!("{warning}\n{yes}\n")),
            Ok(vec![Row::new()])
        );
        assert_eq!(printed(&no), Ok(Vec::new()));
        let row = serde_json::from_str(row).unwrap();
        assert_eq!(printed(&rows), Ok(vec![row]));
        for no_answer in [
            "",
            warning,
            "not JSON",
            &rows[..rows.len() - 1],
            &format!("{yes}\n{rows}}}"),
            &rows.replace("bindings", "rows"),
            &rows.replace("{\"type\":\"literal\",\"value\":\"1\"}}", "{}},7"),
            &yes.replace("boolean", "bool"),
            &yes.replace(SOURCE, "\"source\":{}"),
        ] {
            let told = printed(no_answer).unwrap_err();
            assert!(
                told.starts_with("its process ended without one"),
                "{no_answer}: {told}"
            );
        }
        let long = " ".repeat(usize::try_from(MAX_PRINTED).unwrap()) + &no;
        assert_eq!(printed(&long), Err("it is longer than 16.0MiB".to_owned()));
    }

    #[test]
    fn an_error_is_no_answer_whatever_stands_beside_it() {
        let error = r#"{"reason":"error","schema":1,"code":"MP0804","message":"no time","causes":["a"],"note":null,"help":"more","exit_code":101}"#;
        let no = format!(
            r#"{{"reason":"sparql-result","schema":1,{SOURCE},"head":{{}},"boolean":false}}"#
        );
        for text in [format!("{error}\n{no}"), format!("{no}\n{error}")] {
            assert_eq!(printed(&text), Err("no time; a".to_owned()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_was_ended_has_no_answer() {
        use std::os::unix::process::ExitStatusExt as _;
        let no = format!(
            r#"{{"reason":"sparql-result","schema":1,{SOURCE},"head":{{}},"boolean":false}}"#
        );
        let error = answer("mine.rq", no.as_bytes(), ExitStatus::from_raw(9)).unwrap_err();
        assert_eq!(error.code, Some("MP0804"));
        let note = error.note.unwrap_or_default();
        assert!(note.contains("signal: 9"), "{note}");
    }
}
