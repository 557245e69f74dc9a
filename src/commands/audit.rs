//! `audit`: what a project's lock file holds, against what the user wants none of.

mod policies;
mod rules;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use self::policies::PolicyArgs;
use self::rules::{Denial, Denials, Finding};
use super::context::Context;
use super::error::{CommandError, Kind};
use super::license::Licenses;
use super::locked::LockedProject;
use super::shell::count;
use super::sparql_answer;
use crate::install::LockPackage;
use crate::model::TrustState;
use crate::registry::freshness::Need;

/// Looks for packages in `Cargo.lock` that you want none of
///
/// What is denied is an error, and the exit code is 3. What is yanked, unsigned, new, signed by a
/// revoked key, or taken from two sources under one name is a warning otherwise. A package that its
/// registry does not list as the lock file has it is an error always.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to refuse, separated by commas: unsigned, vouched, foreign, yanked, new, unknown-key,
    /// confusion, license=EXPRESSION (each license that an SPDX expression names)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub deny: Vec<Denial>,

    /// Refuse packages that cannot be used under the licenses that this SPDX expression names alone;
    /// may be repeated
    #[arg(long, value_name = "EXPRESSION")]
    pub allow_license: Vec<Licenses>,

    /// Policies as queries.
    #[command(flatten)]
    pub policies: PolicyArgs,

    /// The project's manifest
    #[arg(long, value_name = "FILE")]
    pub manifest_path: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: AuditArgs, context: &Context) -> Result<(), CommandError> {
    if args.policies.list_policies {
        return sparql_answer::list_policies(context);
    }
    let policies = policies::read(&args.policies, context)?;
    let manifest = context.manifest(args.manifest_path.as_ref());
    let project = LockedProject::open(context, manifest.as_deref(), None, Need::Latest)?;
    let (packages, foreign) = (project.examine()?, project.foreign().count());
    let object = format!(
        "{} from {}",
        count(packages.len() + foreign, "package"),
        sources(&project, foreign)
    );
    context.shell.status("Auditing", &object);
    let mut findings = policies::findings(&policies, &args, &project, context)?;
    let denials = Denials {
        denied: args.deny,
        allowed_licenses: args.allow_license,
    };
    findings.extend(rules::foreign(&project, &denials));
    for one in &packages {
        findings.extend(rules::examined(one, &denials)?);
    }
    findings.extend(rules::confusions(&project, &denials));
    findings.sort_by_key(|finding| (!finding.is_denied, finding.place.is_none(), finding.place));
    for finding in &findings {
        show(finding, &project, context);
    }
    let is_vouched = |entry| entry == Some(TrustState::Vouched);
    let listed = packages.iter().filter_map(|one| one.listed.as_ref().ok());
    let vouched = listed.filter(|one| is_vouched(one.entry.trust)).count();
    if vouched + foreign > 0 {
        context.shell.note(&format!(
            "{vouched} vouched for by a registry's operator, {foreign} from crates.io and elsewhere (checksum only, license unknown)"
        ));
    }
    let denied = findings.iter().filter(|finding| finding.is_denied).count();
    if context.shell.is_json() {
        let body = json!({
            "packages": packages.len() + foreign,
            "registries": project.registries.len(),
            "vouched": vouched,
            "foreign": foreign,
            "denied": denied,
            "warnings": findings.len() - denied,
        });
        context.shell.message("audit-finished", body);
    }
    conclude(&findings, denied, context)
}

fn sources(project: &LockedProject<'_>, foreign: usize) -> String {
    let number = project.registries.len();
    let end = if number == 1 { "y" } else { "ies" };
    let elsewhere = if foreign == 0 { "" } else { " and elsewhere" };
    format!("{number} registr{end}{elsewhere}")
}

fn show(finding: &Finding, project: &LockedProject<'_>, context: &Context) {
    let package = finding.place.map(|place| &project.graph.packages[place]);
    let required_by = finding.place.map(|place| project.required_by(place));
    let required_by = required_by.unwrap_or_default();
    let mut error = finding.error.clone();
    if context.shell.is_json() {
        let mut body = json!({
            "rule": finding.rule,
            "code": error.code,
            "name": package.map(|one| &one.name),
            "version": package.map(|one| &one.version),
            "source": package.and_then(|one| one.source.as_ref()),
            "denied": finding.is_denied,
            "message": error.message,
            "required_by": required_by.iter().map(|one| json!({"name": one.name, "version": one.version})).collect::<Vec<_>>(),
            "help": error.help,
        });
        if let Some((policy, row)) = &finding.row {
            body["policy"] = policy.as_str().into();
            body["row"] = row.clone();
        }
        context.shell.message("finding", body);
    }
    if !required_by.is_empty() {
        let way: Vec<String> = required_by.into_iter().map(in_the_way).collect();
        error = error.with_note(format!("required by {}", way.join(" > ")));
    }
    context.shell.finding(&error, finding.is_denied);
}

/// A package of the workspace by its name, any other with its version.
fn in_the_way(package: &LockPackage) -> String {
    match package.source {
        None => format!("`{}`", package.name),
        Some(_) => format!("`{}` v{}", package.name, package.version),
    }
}

fn conclude(findings: &[Finding], denied: usize, context: &Context) -> Result<(), CommandError> {
    let warnings = findings.len() - denied;
    let found = match (denied, warnings) {
        (0, 0) => {
            context.shell.status("Finished", "nothing found");
            return Ok(());
        }
        (0, _) => {
            let text = format!("{}, nothing denied", count(warnings, "warning"));
            context.shell.status("Finished", &text);
            return Ok(());
        }
        (_, 0) => format!("{denied} denied"),
        (_, _) => format!("{denied} denied, {}", count(warnings, "warning")),
    };
    let text = format!("audit found {found}");
    let is_refused = |finding: &&Finding| finding.error.kind == Kind::Trust;
    Err(match findings.iter().find(is_refused) {
        Some(refused) => CommandError {
            code: refused.error.code,
            ..CommandError::new(Kind::Trust, text)
        },
        None => CommandError::findings(text),
    })
}
