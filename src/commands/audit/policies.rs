//! Policies as queries: each row of an answer is a finding.

mod process;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use self::process::{Answer, Registry, Row};
use super::AuditArgs;
use super::rules::Finding;
use crate::commands::arguments::{QueryLimits, key_value};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::locked::{LockedProject, manifest_not_found};
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
        let answer = process::ask(policy, args, context)?;
        if answer.source.registries != serials(project)? {
            let text = format!("a registry changed before `{}` was asked", policy.name);
            return Err(CommandError::failure(text).with_help("run the command again"));
        }
        findings.extend(policy.found(&answer, &project.graph));
        unknown.extend(answer.source.unknown_members);
    }
    for member in &unknown {
        context.shell.warn(&manifest_not_found(member));
    }
    Ok(findings)
}

/// The registries of a project, each at the serial that is audited.
fn serials(project: &LockedProject<'_>) -> Result<Vec<Registry>, CommandError> {
    let registries = project.registries.iter();
    let serials = registries.map(|registry| {
        let client = &registry.reading.client;
        Ok(Registry {
            registry: client.name().to_string(),
            serial: client.catalog_index()?.serial,
        })
    });
    serials.collect()
}

impl Policy {
    /// What an answer finds.
    fn found(&self, answer: &Answer, graph: &LockGraph) -> Vec<Finding> {
        let columns = &answer.head.vars;
        let rows = answer.rows().into_iter();
        rows.map(|row| self.finding(columns, row, graph)).collect()
    }

    fn finding(&self, columns: &[String], row: Row, graph: &LockGraph) -> Finding {
        let values = columns.iter().filter_map(|column| {
            let value = row.get(column)?.get("value")?.as_str()?;
            Some((column.as_str(), value))
        });
        let values = Values(values.collect());
        let place = values.place(graph);
        let package = values.package(place.map(|place| &graph.packages[place]));
        let text = format!("{} (policy `{}`)", values.told(package), self.name);
        Finding {
            rule: "policy",
            place,
            error: CommandError::findings(text).with_code("MP0320"),
            is_denied: true,
            row: Some((self.name.clone(), row.into())),
        }
    }
}

const PACKAGE: &str = "package";
const VERSION: &str = "version";
const MESSAGE: &str = "message";

/// The values of a row by their columns, in the order of the columns.
struct Values<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Values<'a> {
    fn get(&self, column: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| *value)
    }

    /// The package in the lock file that the row is about: one whose node is in it, or that has the name, and
    /// the version if there is one.
    fn place(&self, graph: &LockGraph) -> Option<usize> {
        let is_node = |(place, package): &(usize, &LockPackage)| {
            let node = locked_iri(*place, &package.name, &package.version);
            self.0.iter().any(|(_, value)| *value == node)
        };
        let (name, version) = (self.get(PACKAGE), self.get(VERSION));
        let is_named = |package: &LockPackage| {
            name == Some(&package.name) && version.is_none_or(|version| version == package.version)
        };
        let mut packages = graph.packages.iter().enumerate();
        let node = packages.clone().find(is_node);
        let found = node.or_else(|| packages.find(|(_, package)| is_named(package)));
        found.map(|(place, _)| place)
    }

    /// The package as findings name it: the locked one, or what the row says.
    fn package(&self, locked: Option<&LockPackage>) -> Option<String> {
        let (name, version) = match (self.get(PACKAGE)?, locked) {
            (_, Some(package)) => (package.name.as_str(), Some(package.version.as_str())),
            (name, None) => (name, self.get(VERSION)),
        };
        let version = version.map(|version| format!(" v{version}"));
        Some(format!("`{name}`{}", version.unwrap_or_default()))
    }

    /// The row in words: the package and the message, if there are such columns, and all others by their names.
    fn told(&self, package: Option<String>) -> String {
        let has_package = package.is_some();
        let is_rest = |(column, _): &&(&str, &str)| {
            *column != MESSAGE && !(has_package && [PACKAGE, VERSION].contains(column))
        };
        let rest = self.0.iter().filter(is_rest);
        let rest: Vec<String> = rest
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let message = self.get(MESSAGE).map(str::to_owned);
        let sentence: Vec<String> = package.into_iter().chain(message).collect();
        let parts = [sentence.join(" "), rest.join(", ")];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts.is_empty() {
            true => "the answer is yes".to_owned(),
            false => parts.join(": "),
        }
    }
}
