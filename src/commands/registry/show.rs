//! `registry show`: what is known of one registry.

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::reading;
use crate::model::RegistryName;
use crate::registry::freshness::Need;
use crate::registry::transport::BaseUrl;

/// Shows a registry: address, root, roles, expiry
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The registry; needed only where several are known
    pub name: Option<RegistryName>,
}

/// Runs the command.
pub fn run(args: ShowArgs, context: &Context) -> Result<(), CommandError> {
    let registry = super::registry_of("show", args.name.as_ref(), context)?;
    let client = reading::client(context, &registry, Need::Latest)?;
    let freshness = client.freshness();
    let index = client.catalog_index()?;
    let refreshed = freshness
        .refreshed
        .map_or_else(|| "never".to_owned(), |time| time.to_string());
    let shell = &context.shell;
    if shell.is_json() {
        let body = json!({
            "name": registry.name.as_str(),
            "url": registry.url.as_str(),
            "base": client.policy().base,
            "registry_id": registry.registry_id.to_string(),
            "root": format!("sha256:{}", registry.root),
            "mirrors": registry.mirrors.iter().map(BaseUrl::as_str).collect::<Vec<_>>(),
            "signed_mirrors": client.policy().mirrors,
            "auth_required": registry.auth_required,
            "root_version": client.root_version(),
            "serial": index.serial,
            "refreshed": refreshed,
            "expires": freshness.expires.to_string(),
        });
        shell.message("registry", body);
        return Ok(());
    }
    let lines = [
        ("name", registry.name.to_string()),
        ("url", registry.url.to_string()),
        ("base", client.policy().base.clone()),
        ("registry id", registry.registry_id.to_string()),
        (
            "root",
            format!(
                "v{}, pinned sha256:{}",
                client.root_version(),
                registry.root
            ),
        ),
        ("serial", index.serial.to_string()),
        ("refreshed", refreshed),
        ("expires", freshness.expires.to_string()),
    ];
    for (label, value) in lines {
        shell.line(&format!("{label}: {value}"));
    }
    for mirror in &registry.mirrors {
        shell.line(&format!("mirror: {mirror}"));
    }
    for mirror in &client.policy().mirrors {
        shell.line(&format!("mirror: {mirror} (named by the registry)"));
    }
    if registry.auth_required {
        shell.line("access: with a token");
    }
    Ok(())
}
