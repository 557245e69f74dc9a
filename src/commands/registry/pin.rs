//! `registry pin`: what is known of a registry, written into the project's `marketplace.trust` for
//! all who build it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use toml_edit::value;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::{project, project_trust, reading};
use crate::formats::marketplace_trust::{FILE_NAME, REGISTRIES, SCHEMA};
use crate::model::RegistryName;
use crate::registry::freshness::Need;
use crate::registry::toml_file::{TomlFile, TomlFileError};

/// Pins a registry for the project at hand, in `marketplace.trust`
///
/// The file demands of everybody who builds the project that a registry of this name is this one, and
/// that it is shown no older than it is now. Commit it. It makes nothing trusted: who has not added
/// the registry still needs its root digest from elsewhere.
#[derive(Debug, Args)]
pub struct PinArgs {
    /// The registry; needed only where several are known
    pub name: Option<RegistryName>,
}

/// Runs the command.
pub fn run(args: PinArgs, context: &Context) -> Result<(), CommandError> {
    let registry = super::registry_of("pin", args.name.as_ref(), context)?;
    // What the project demands already is checked here: a pin is never lowered.
    let client = reading::client(context, &registry, Need::Latest)?;
    let snapshot = client.snapshot_version();
    let path = match project_trust::files(&context.cwd).next() {
        Some(path) => path,
        None => workspace_root(&context.cwd)?.join(FILE_NAME),
    };
    let mut file = TomlFile::load(path).map_err(unusable)?;
    file.document.entry("schema").or_insert(number(SCHEMA));
    let table = file.table(REGISTRIES, registry.name.as_str());
    let table = table.map_err(unusable)?;
    table.insert("registry-id", value(registry.registry_id.to_string()));
    table.insert("root", value(format!("sha256:{}", registry.root)));
    table.insert("minimum-snapshot", number(snapshot));
    let verb = match file.save().map_err(unusable)? {
        true => "Pinned",
        false => "Unchanged",
    };
    let object = format!(
        "`{}` at snapshot {snapshot} in {}",
        registry.name,
        file.path.display()
    );
    context.shell.status(verb, &object);
    if context.shell.is_json() {
        let body = json!({
            "name": registry.name.as_str(),
            "registry_id": registry.registry_id.to_string(),
            "root": format!("sha256:{}", registry.root),
            "minimum_snapshot": snapshot,
            "path": file.path,
        });
        context.shell.message("registry-pinned", body);
    }
    Ok(())
}

fn number(number: u64) -> toml_edit::Item {
    value(i64::try_from(number).unwrap_or(i64::MAX))
}

fn unusable(error: TomlFileError) -> CommandError {
    CommandError::failure(error.to_string()).caused_by(std::error::Error::source(&error))
}

/// Where the file belongs: beside the manifest of the workspace, or of the package that is none's
/// member.
fn workspace_root(folder: &Path) -> Result<PathBuf, CommandError> {
    project::root(folder).map_err(unusable)?.ok_or_else(|| {
        let text = format!("no `Cargo.toml` in `{}` or above it", folder.display());
        CommandError::failure(text)
            .with_help("run it in the project whose registries are to be pinned")
    })
}
