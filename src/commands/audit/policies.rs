//! Policies as queries: each row of an answer is a finding. A policy is asked by `sparql --with-lock` in a process
//! of its own, so that one that takes too much ends that process and not the audit.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use clap::Args;
use serde_json::{Map, Value, json};

use super::AuditArgs;
use super::rules::Finding;
use crate::commands::arguments::{QueryLimits, key_value};
use crate::commands::context::Context;
use crate::commands::error::{CommandError, Kind};
use crate::commands::explain::known_code;
use crate::commands::locked::{LockedProject, manifest_not_found};
use crate::commands::shell::bytes;
use crate::commands::sparql::UNFIT;
use crate::commands::sparql_answer;
use crate::formats::v2::locked_iri;
use crate::install::{LockGraph, LockPackage};

/// Which policies hold, and what each may use.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// Refuse each row that a SPARQL query finds in the lock file and its registries; may be repeated
    #[arg(long = "policy", value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Refuse what a prepared policy finds; may be repeated
    #[arg(long = "policy-example", value_name = "NAME")]
    pub examples: Vec<String>,

    /// List the prepared policies and their parameters
    #[arg(long)]
    pub list_policies: bool,

    /// A parameter of the prepared policies that have it; may be repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value, requires = "examples")]
    pub params: Vec<(String, String)>,

    /// What each policy may use.
    #[command(flatten)]
    pub limits: QueryLimits,
}

/// A policy.
pub(super) struct Policy {
    /// Its file, or what it is called in the list.
    name: String,
    query: String,
}

/// The most bytes that are read of an answer.
const MAX_ANSWER: u64 = 16 << 20;

/// Reads the policies that were named.
pub(super) fn read(args: &PolicyArgs, context: &Context) -> Result<Vec<Policy>, CommandError> {
    if args.files.is_empty() && args.examples.is_empty() {
        return Ok(Vec::new());
    }
    let prepared = sparql_answer::policies(&args.examples, &args.params)?;
    let mut policies: Vec<Policy> = prepared
        .into_iter()
        .map(|(name, query)| Policy { name, query })
        .collect();
    for file in &args.files {
        let name = file.display().to_string();
        let query = String::from_utf8(context.read(file)?);
        let query = query.map_err(|_| CommandError::failure(format!("`{name}` is not text")))?;
        policies.push(Policy { name, query });
    }
    Ok(policies)
}

/// What policies find in a project.
pub(super) fn findings(
    policies: &[Policy],
    args: &AuditArgs,
    project: &LockedProject<'_>,
    context: &Context,
) -> Result<Vec<Finding>, CommandError> {
    let mut findings = Vec::new();
    let mut unknown = BTreeSet::new();
    for policy in policies {
        let answer = policy.ask(args, context)?;
        let source = &answer["source"];
        if source["registries"] != serials(project)? {
            let text = format!("a registry changed before `{}` was asked", policy.name);
            return Err(CommandError::failure(text).with_help("run the command again"));
        }
        let members = source["unknown_members"].as_array().into_iter().flatten();
        unknown.extend(members.filter_map(|member| member.as_str().map(str::to_owned)));
        findings.extend(policy.found(&answer, project));
    }
    for member in &unknown {
        context.shell.warn(&manifest_not_found(member));
    }
    Ok(findings)
}

/// The registries of a project, each at the serial that is audited, as an answer names them.
fn serials(project: &LockedProject<'_>) -> Result<Value, CommandError> {
    let registries = project.registries.iter();
    let serials = registries.map(|registry| {
        let client = &registry.reading.client;
        let serial = client.catalog_index()?.serial;
        Ok(json!({"registry": client.name().as_str(), "serial": serial}))
    });
    serials.collect()
}

impl Policy {
    /// The answer of a process of its own.
    fn ask(&self, args: &AuditArgs, context: &Context) -> Result<Value, CommandError> {
        let failed = |action: &str| {
            let text = format!("could not {action} to ask the policy `{}`", self.name);
            move |error: io::Error| CommandError::failure(text).caused_by(Some(&error))
        };
        let program = std::env::current_exe().map_err(failed("find this program"))?;
        let limits = args.policies.limits;
        let mut command = Command::new(program);
        command
            .args([
                "sparql",
                "--with-lock",
                "--file",
                "-",
                "--message-format",
                "json",
            ])
            .arg(format!("--timeout={}ms", limits.timeout.as_millis()))
            .arg(format!("--max-memory={}", limits.max_memory));
        if context.offline {
            command.arg("--offline");
        }
        if let Some(manifest) = &args.manifest_path {
            command
                .arg("--manifest-path")
                .arg(context.absolute(manifest));
        }
        // What it would say on the way was said by this process.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed("start a process"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it to its end says why.
            let _ = stdin.write_all(self.query.as_bytes());
        }
        let mut answer = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer);
            read.map_err(failed("read the answer of a process"))?;
        }
        if answer.len() as u64 > MAX_ANSWER {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let status = child.wait().map_err(failed("end a process"))?;
        self.answer(&answer, status)
    }

    /// The answer among what the process printed.
    fn answer(&self, printed: &[u8], status: ExitStatus) -> Result<Value, CommandError> {
        let no_answer = CommandError::failure(format!("the policy `{}` has no answer", self.name));
        if printed.len() as u64 > MAX_ANSWER {
            let limit = format!("it finds more than {} of text", bytes(MAX_ANSWER));
            let no_answer = no_answer.with_note(limit).with_code("MP0804");
            return Err(no_answer.with_help("add LIMIT, or a narrower pattern"));
        }
        let lines = printed.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let mut messages: Vec<Value> = messages.collect();
        let mut last = |reason| {
            let place = messages.iter().rposition(|one| one["reason"] == reason)?;
            Some(messages.swap_remove(place))
        };
        match (last("error"), last("sparql-result")) {
            (None, Some(answer)) if status.success() => Ok(answer),
            (Some(error), _) => Err(self.failure(no_answer, &error)),
            (None, _) => {
                let text = format!("the process that was to give it ended first ({status})");
                Err(no_answer.with_note(text).with_code("MP0804"))
            }
        }
    }

    /// Why there is no answer, as the process says it.
    fn failure(&self, no_answer: CommandError, error: &Value) -> CommandError {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let code = error["code"].as_str().and_then(known_code);
        if code == Some(UNFIT) {
            let text = format!("`{}` is no policy: its answer is a graph", self.name);
            return CommandError::usage(text).with_help("a policy is a SELECT or an ASK");
        }
        let causes = error["causes"].as_array().into_iter().flatten();
        CommandError {
            kind: Kind::of_exit_code(error["exit_code"].as_u64()),
            code,
            causes: std::iter::once(&error["message"])
                .chain(causes)
                .filter_map(text)
                .collect(),
            note: text(&error["note"]),
            help: text(&error["help"]),
            ..no_answer
        }
    }

    /// What an answer finds.
    fn found(&self, answer: &Value, project: &LockedProject<'_>) -> Vec<Finding> {
        if answer["boolean"] == true {
            return vec![self.finding(&[], &Map::new(), project)];
        }
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let columns = list(&answer["head"]["vars"]);
        let columns: Vec<&str> = columns.iter().filter_map(Value::as_str).collect();
        let rows = list(&answer["results"]["bindings"]);
        let rows = rows.iter().filter_map(Value::as_object);
        rows.map(|row| self.finding(&columns, row, project))
            .collect()
    }

    fn finding(
        &self,
        columns: &[&str],
        row: &Map<String, Value>,
        project: &LockedProject<'_>,
    ) -> Finding {
        let values = columns.iter().filter_map(|column| {
            let value = row.get(*column)?.get("value")?.as_str()?;
            Some((*column, value))
        });
        let values: Vec<_> = values.collect();
        let place = place(&values, &project.graph);
        let locked = place.map(|place| &project.graph.packages[place]);
        let text = format!("{} (policy `{}`)", told(&values, locked), self.name);
        Finding {
            rule: "policy",
            place,
            error: CommandError::findings(text).with_code("MP0320"),
            is_denied: true,
            row: Some((self.name.clone(), Value::from(row.clone()))),
        }
    }
}

/// The package in the lock file that a row is about: one whose node is in it, or that has the name, and the
/// version if there is one.
fn place(values: &[(&str, &str)], graph: &LockGraph) -> Option<usize> {
    let value = |column| values.iter().find(|(name, _)| *name == column);
    let (name, version) = (value(PACKAGE), value(VERSION));
    let is_named = |package: &LockPackage| {
        name.is_some_and(|(_, name)| *name == package.name)
            && version.is_none_or(|(_, version)| *version == package.version)
    };
    let is_node = |(place, package): &(usize, &LockPackage)| {
        let node = locked_iri(*place, &package.name, &package.version);
        values.iter().any(|(_, value)| *value == node)
    };
    let mut packages = graph.packages.iter().enumerate();
    let node = packages.clone().find(is_node);
    let found = node.or_else(|| packages.find(|(_, package)| is_named(package)));
    found.map(|(place, _)| place)
}

const PACKAGE: &str = "package";
const VERSION: &str = "version";
const MESSAGE: &str = "message";

/// A row in words: the package and the message, if there are such columns, and all others by their names.
fn told(values: &[(&str, &str)], locked: Option<&LockPackage>) -> String {
    let value = |column| {
        values
            .iter()
            .find(|(name, _)| *name == column)
            .map(|(_, value)| *value)
    };
    let package = value(PACKAGE).map(|name| match locked {
        Some(package) => format!("`{}` v{}", package.name, package.version),
        None => match value(VERSION) {
            Some(version) => format!("`{name}` v{version}"),
            None => format!("`{name}`"),
        },
    });
    let is_told = |column: &str| {
        column == MESSAGE || package.is_some() && [PACKAGE, VERSION].contains(&column)
    };
    let rest = values.iter().filter(|(column, _)| !is_told(column));
    let rest: Vec<String> = rest
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let message = value(MESSAGE).map(str::to_owned);
    let rest = (!rest.is_empty()).then(|| rest.join(", "));
    let words: Vec<String> = [package, message, rest].into_iter().flatten().collect();
    match words.is_empty() {
        true => "the answer is yes".to_owned(),
        false => words.join(" "),
    }
}
