//! `registry list`: the registries that the user has added.

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::registry::transport::BaseUrl;

/// Lists the registries that were added
#[derive(Debug, Args)]
pub struct ListArgs {}

/// Runs the command.
pub fn run(_args: ListArgs, context: &Context) -> Result<(), CommandError> {
    let registries = context.config()?.registries()?;
    let widest = |length: fn(&str) -> usize, texts: &mut dyn Iterator<Item = &str>| {
        texts.map(length).max().unwrap_or(0)
    };
    let names = widest(
        str::len,
        &mut registries.iter().map(|one| one.name.as_str()),
    );
    let urls = widest(str::len, &mut registries.iter().map(|one| one.url.as_str()));
    for registry in &registries {
        let (name, url, id) = (&registry.name, &registry.url, registry.registry_id);
        if context.shell.is_json() {
            let body = json!({
                "name": name.as_str(),
                "url": url.as_str(),
                "registry_id": id.to_string(),
                "root": format!("sha256:{}", registry.root),
                "mirrors": registry.mirrors.iter().map(BaseUrl::as_str).collect::<Vec<_>>(),
                "auth_required": registry.auth_required,
            });
            context.shell.message("registry", body);
        } else {
            let (name, url) = (name.as_str(), url.as_str());
            context
                .shell
                .line(&format!("{name:names$}  {url:urls$}  {id}"));
            for mirror in &registry.mirrors {
                context
                    .shell
                    .line(&format!("{:names$}  {mirror}  (mirror)", ""));
            }
        }
    }
    if registries.is_empty() {
        context
            .shell
            .note("no registry has been added yet: `cargo marketplace registry add NAME URL`");
    }
    Ok(())
}
