//! `new`: a project from a template package. Runs no script and no code of the template.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{CooldownArgs, ReadArgs, key_value};
use super::context::Context;
use super::error::CommandError;
use super::handover::Handover;
use crate::install::template::{RenderRequest, Template};
use crate::model::{PackageName, PackageSpec};

/// Makes a project from a template package
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The folder of the project; its name is the project's
    pub path: PathBuf,

    /// The template: `name`, `name@1.2`, `registry/name`
    #[arg(short, long, value_name = "SPEC")]
    pub template: PackageSpec,

    /// A value that the template asks for; may be repeated
    #[arg(short, long = "define", value_name = "KEY=VALUE", value_parser = key_value)]
    pub define: Vec<(String, String)>,

    /// The project's name, where it is not the folder's
    #[arg(long, value_name = "NAME")]
    pub name: Option<PackageName>,

    /// Say which files would be made, and make none
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// How old a release must be.
    #[command(flatten)]
    pub cooldown: CooldownArgs,

    /// Which registry, and how to read it.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Runs the command.
pub fn run(args: NewArgs, context: &Context) -> Result<(), CommandError> {
    let specs = std::slice::from_ref(&args.template);
    let command = format!("new {} --template", args.path.display());
    let handover = Handover::open_for(context, &args.read, specs, &command)?
        .with_cooldown(&args.cooldown, specs)?;
    let entry = handover.choose(&args.template, true)?;
    let release = &entry.release;
    let package = format!("{} v{}", release.name, release.version);
    let archive = handover.archive(&entry)?;
    context.shell.status("Verifying", &package);
    let template = Template::open(archive)?;
    let target = context.absolute(&args.path);
    let request = RenderRequest {
        target: &target,
        name: args.name.as_ref(),
        author: None,
        values: &args.define.iter().cloned().collect(),
    };
    if args.dry_run {
        for path in template.plan(request)? {
            if context.shell.is_json() {
                context.shell.message("planned", json!({ "path": path }));
            } else {
                context.shell.line(&path);
            }
        }
        context
            .shell
            .warn("nothing was written, as this is a dry run");
        return Ok(());
    }
    let count = template.render(request)?;
    let path = args.path.display();
    let text = format!("`{path}` from `{package}` ({count} files, no scripts run)");
    context.shell.status("Creating", &text);
    if context.shell.is_json() {
        let body = json!({
            "path": target,
            "template": release.name.as_str(),
            "version": release.version.to_string(),
            "files": count,
        });
        context.shell.message("created", body);
    }
    Ok(())
}
