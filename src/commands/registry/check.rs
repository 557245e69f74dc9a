//! `registry check`: whether a registry in a folder is whole and consistent.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::shell::{Verbosity, count};
use crate::model::PackageName;
use crate::publish::check::{Depth, Finding, Report, check};

/// Checks a registry in a folder: every file, digest, signature and statement
///
/// It changes nothing. What is wrong is listed, one line for each finding; exit code 3 says that
/// there is something.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The registry's folder
    pub dir: PathBuf,

    /// Read every archive, too, and derive anew what its release says
    #[arg(long)]
    pub deep: bool,
}

/// Runs the command.
pub fn run(args: CheckArgs, context: &Context) -> Result<(), CommandError> {
    let shell = &context.shell;
    shell.status("Checking", &format!("`{}`", args.dir.display()));
    let depth = match args.deep {
        true => Depth::Deep,
        false => Depth::Usual,
    };
    let report = check(&context.absolute(&args.dir), context.now, depth, shell)?;
    for finding in &report.findings {
        show(finding, context);
    }
    show_remarks(&report, &args.dir, context);
    if shell.is_json() {
        shell.message("check-finished", summary(&report));
    }
    match report.findings.len() {
        0 => {
            shell.status("Finished", &counts(&report));
            Ok(())
        }
        found => Err(CommandError::findings(format!(
            "check found {}",
            count(found, "problem")
        ))),
    }
}

fn show(finding: &Finding, context: &Context) {
    let text = finding.problem.text();
    if context.shell.is_json() {
        let package = finding.package.as_ref().map(PackageName::as_str);
        let body = json!({"path": finding.path, "package": package, "message": text});
        context.shell.message("finding", body);
    } else {
        context.shell.line(&format!("{}: {text}", finding.path));
    }
}

fn show_remarks(report: &Report, folder: &Path, context: &Context) {
    let folder = folder.display();
    let shell = &context.shell;
    if let Some(part) = report.unchecked {
        shell.warn(&format!("not everything was checked: {part}"));
    }
    if !report.waiting.is_empty() {
        let roles: Vec<&str> = report.waiting.iter().map(String::as_str).collect();
        let roles = roles.join(", ");
        shell.warn(&format!(
            "drafts wait for signatures: {roles}; `cargo marketplace registry sign {folder}`"
        ));
    }
    for ageing in &report.ageing {
        shell.warn(&ageing.to_string());
    }
    if !report.unclaimed.is_empty() {
        let packages = count(report.unclaimed.len(), "package");
        let text =
            format!("{packages} not claimed yet: `cargo marketplace registry claim {folder}`");
        shell.note(&text);
    }
    for path in &report.unreferenced {
        if shell.is_json() {
            shell.message("unreferenced", json!({"path": path}));
        }
        shell.detail(&format!("nothing refers to `{path}`"));
    }
    let unreferenced = report.unreferenced.len();
    if unreferenced > 0 && shell.verbosity() < Verbosity::Verbose {
        let files = count(unreferenced, "file");
        shell.note(&format!(
            "{files} that nothing refers to; `--verbose` lists them"
        ));
    }
}

fn counts(report: &Report) -> String {
    format!(
        "{}, {}, {} are in order; serial {}",
        count(report.packages, "package"),
        count(report.releases, "release"),
        count(report.files, "file"),
        report.serial
    )
}

fn summary(report: &Report) -> serde_json::Value {
    json!({
        "findings": report.findings.len(),
        "unreferenced": report.unreferenced.len(),
        "waiting": report.waiting,
        "unclaimed": report.unclaimed.iter().map(PackageName::as_str).collect::<Vec<_>>(),
        "packages": report.packages,
        "releases": report.releases,
        "files": report.files,
        "serial": report.serial,
        "root": report.root.map(|root| format!("sha256:{root}")),
    })
}
