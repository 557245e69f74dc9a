//! Asking a program of the user's for a token: one that prints it, or one that speaks cargo's
//! credential provider protocol, a JSON object a line.
//!
//! It runs in cargo's home: what lies in a project has no say in which program a name means. It gets
//! no signing key of ours.

use std::io::{BufRead as _, BufReader, Read, Take, Write as _};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::CredentialError;
use crate::model::KEY_VARIABLES;
use crate::registry::cargo_settings::CargoSettings;

/// The one version of the protocol that there is.
const VERSION: u32 = 1;

/// More than any token has.
const MOST: usize = 64 * 1024;

/// For which registry a token is wanted.
pub(super) struct Request<'a> {
    /// The index.
    pub(super) index: &'a str,
    /// What cargo calls it.
    pub(super) name: Option<&'a str>,
    /// The headers with which it asked.
    pub(super) challenges: &'a [String],
    pub(super) settings: &'a CargoSettings,
}

/// What a program says that it can do.
#[derive(Deserialize)]
struct Hello {
    v: Vec<u32>,
}

#[derive(Serialize)]
struct Question<'a> {
    v: u32,
    kind: &'static str,
    operation: &'static str,
    registry: Registry<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    args: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Registry<'a> {
    index_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    headers: &'a [String],
}

#[derive(Deserialize)]
enum Answer {
    Ok(Granted),
    Err(Denied),
}

#[derive(Deserialize)]
struct Granted {
    token: String,
}

#[derive(Deserialize)]
struct Denied {
    kind: String,
    #[serde(default)]
    message: String,
}

/// What a program prints: `cargo:token-from-stdout`.
pub(super) fn printed(
    words: &[String],
    request: &Request<'_>,
) -> Result<Option<Zeroizing<String>>, CredentialError> {
    let (program, arguments) = split(words)?;
    let mut command = command(program, request);
    command.args(
        arguments
            .iter()
            .map(|word| word.replace("{index_url}", request.index)),
    );
    command.env("CARGO_REGISTRY_INDEX_URL", request.index);
    if let Some(name) = request.name {
        command.env("CARGO_REGISTRY_NAME_OPT", name);
    }
    let mut child = start(command.stdout(Stdio::piped()), program)?;
    let text = all(&mut child, program);
    if text.is_err() {
        end(&mut child);
    }
    let text = text?;
    finish(child, program)?;
    let token = text.trim_end_matches(['\r', '\n']);
    if token.contains('\n') {
        return Err(failed(program, "it prints more than one line"));
    }
    not_empty(Zeroizing::new(token.to_owned()), program)
}

/// All that a program prints.
fn all(child: &mut Child, program: &str) -> Result<Zeroizing<String>, CredentialError> {
    let no_text = || failed(program, "what it prints is no text");
    let output = child.stdout.take().ok_or_else(no_text)?;
    // One piece of memory from the start: of the token, no copies are left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST + 1));
    let read = output.take(MOST as u64 + 1).read_to_end(&mut text);
    if text.len() > MOST {
        return Err(too_long(program));
    }
    match (read, std::str::from_utf8(&text)) {
        (Ok(_), Ok(text)) => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(no_text()),
    }
}

fn not_empty(
    token: Zeroizing<String>,
    program: &str,
) -> Result<Option<Zeroizing<String>>, CredentialError> {
    match token.trim().is_empty() {
        true => Err(CredentialError::Empty(program.to_owned())),
        false => Ok(Some(token)),
    }
}

/// What a program answers that speaks the protocol.
pub(super) fn asked(
    words: &[String],
    request: &Request<'_>,
) -> Result<Option<Zeroizing<String>>, CredentialError> {
    let (program, arguments) = split(words)?;
    let mut command = command(program, request);
    command.arg("--cargo-plugin");
    let mut child = start(
        command.stdin(Stdio::piped()).stdout(Stdio::piped()),
        program,
    )?;
    let answer = talk(&mut child, program, arguments, request);
    if answer.is_err() {
        end(&mut child);
    }
    let answer = answer?;
    finish(child, program)?;
    match answer {
        Answer::Ok(granted) => not_empty(Zeroizing::new(granted.token), program),
        Answer::Err(denied) => match denied.kind.as_str() {
            "not-found" | "url-not-supported" => Ok(None),
            "operation-not-supported" => Err(failed(program, "it gives no tokens")),
            _ => Err(failed(program, &denied.message)),
        },
    }
}

/// Hello, question, answer; then the program's input ends, and so should it.
fn talk(
    child: &mut Child,
    program: &str,
    arguments: &[String],
    request: &Request<'_>,
) -> Result<Answer, CredentialError> {
    let odd = || failed(program, "it does not speak cargo's protocol");
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(odd());
    };
    let mut output = BufReader::new(output.take(MOST as u64 + 1));
    let mut line = Zeroizing::new(String::new());
    read_line(&mut output, &mut line, program)?;
    let hello: Hello = serde_json::from_str(&line).map_err(|_| odd())?;
    if !hello.v.contains(&VERSION) {
        return Err(failed(
            program,
            "it does not speak version 1 of cargo's protocol",
        ));
    }
    let question = Question {
        v: VERSION,
        kind: "get",
        operation: "read",
        registry: Registry {
            index_url: request.index,
            name: request.name,
            headers: request.challenges,
        },
        args: arguments,
    };
    let question = serde_json::to_string(&question).map_err(|_| odd())?;
    writeln!(input, "{question}").map_err(|_| odd())?;
    line.clear();
    read_line(&mut output, &mut line, program)?;
    // The parser's own message could repeat a part of the token.
    serde_json::from_str(&line).map_err(|_| odd())
}

/// Reads a line; of all lines together there may be no more than a token needs.
fn read_line(
    output: &mut BufReader<Take<impl Read>>,
    line: &mut String,
    program: &str,
) -> Result<(), CredentialError> {
    let read = output.read_line(line);
    if output.get_ref().limit() == 0 {
        return Err(too_long(program));
    }
    let odd = |_| failed(program, "it does not speak cargo's protocol");
    read.map(drop).map_err(odd)
}

fn split(words: &[String]) -> Result<(&String, &[String]), CredentialError> {
    words
        .split_first()
        .ok_or_else(|| CredentialError::NoProgram(String::new()))
}

fn command(program: &str, request: &Request<'_>) -> Command {
    let home = request.settings.home();
    let mut command = Command::new(program);
    command.current_dir(home).env("CARGO_HOME", home);
    for variable in KEY_VARIABLES {
        command.env_remove(variable);
    }
    command
}

fn start(command: &mut Command, program: &str) -> Result<Child, CredentialError> {
    command.spawn().map_err(|source| CredentialError::Run {
        program: program.to_owned(),
        source,
    })
}

fn finish(mut child: Child, program: &str) -> Result<(), CredentialError> {
    let status = child.wait().map_err(|source| CredentialError::Run {
        program: program.to_owned(),
        source,
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(program, &status.to_string())),
    }
}

/// Ends a program that said something odd; if that fails, it ends by itself.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn too_long(program: &str) -> CredentialError {
    CredentialError::TooLong {
        program: program.to_owned(),
        most: MOST,
    }
}

fn failed(program: &str, reason: &str) -> CredentialError {
    CredentialError::Failed {
        program: program.to_owned(),
        reason: reason.chars().take(500).collect(),
    }
}
