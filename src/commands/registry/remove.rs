//! `registry remove`: forgetting a registry's name, for us and for cargo. What was learnt of the
//! registry stays: it is what protects from an older state when the registry is added again.

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::model::RegistryName;
use crate::registry::cargo_config;

/// Removes a registry from the configuration, cargo's included
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The registry
    pub name: RegistryName,
}

/// Runs the command.
pub fn run(args: RemoveArgs, context: &Context) -> Result<(), CommandError> {
    let _lock = context.lock_config()?;
    let mut config = context.config()?;
    let registry = config.choose(Some(&args.name))?;
    // Cargo's file first: if it cannot be written, the name is still known and the next try works.
    let changed = cargo_config::remove(&context.cargo_home, &registry.name, &registry.url)?;
    if let Some(path) = changed {
        let object = format!("`{}` from {}", registry.name, path.display());
        context.shell.status("Removing", &object);
    }
    config.remove(&registry.name);
    config.save()?;
    context
        .shell
        .status("Removed", &format!("`{}`", registry.name));
    if context.shell.is_json() {
        let body = json!({ "name": registry.name.as_str() });
        context.shell.message("registry-removed", body);
    }
    Ok(())
}
