//! `refresh`: brings what is known here of registries up to date, before it is needed.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::{CommandError, Kind};
use super::reading;
use super::shell::{bytes, count};
use crate::model::RegistryName;
use crate::registry::backend::Led;
use crate::registry::config::{ConfigError, Registry};
use crate::registry::freshness::Need;

/// Brings the local copies of registries up to date
///
/// Other commands do so by themselves when a copy is too old. Here the registry is always asked, and waited
/// for.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// The registries; all that were added, if none is named
    #[arg(value_name = "REGISTRY")]
    pub names: Vec<RegistryName>,
}

/// Runs the command. One registry that fails keeps no other from being refreshed.
pub fn run(args: RefreshArgs, context: &Context) -> Result<(), CommandError> {
    if context.offline {
        let error = CommandError::usage("`refresh` asks registries, and `--offline` forbids it");
        return Err(error.with_help("leave `--offline`, or `CARGO_NET_OFFLINE`, away"));
    }
    let mut failed: Result<(), CommandError> = Ok(());
    for registry in registries(&args, context)? {
        let refreshed = refresh(registry, context);
        // The last one is told by the caller: what is refused outweighs what does not answer.
        failed = match (failed, refreshed) {
            (Err(first), Err(second)) => {
                let (told, kept) = match first.kind {
                    Kind::Trust => (second, first),
                    _ => (first, second),
                };
                context.shell.error(&told);
                Err(kept)
            }
            (first, second) => first.and(second),
        };
    }
    failed
}

/// Those that were named, or all.
fn registries(args: &RefreshArgs, context: &Context) -> Result<Vec<Registry>, CommandError> {
    let config = context.config()?;
    let named = args.names.iter().map(|name| config.choose(Some(name)));
    let all = match args.names.is_empty() {
        true => config.distinct_registries()?,
        false => named.collect::<Result<_, _>>()?,
    };
    match all.is_empty() {
        true => Err(ConfigError::None.into()),
        false => Ok(all),
    }
}

fn refresh(registry: Registry, context: &Context) -> Result<(), CommandError> {
    let reading = reading::added(context, registry, None, Need::Present)?;
    let Led { from, to } = reading.backend.refresh(&reading.client)?;
    let (requests, received) = reading.client.traffic();
    let count = |number, thing| count(usize::try_from(number).unwrap_or(usize::MAX), thing);
    let shell = &context.shell;
    if shell.is_json() {
        let body = json!({
            "registry": reading.client.name().as_str(),
            "from": from,
            "serial": to,
            "requests": requests,
            "bytes": received,
        });
        shell.message("index-refreshed", body);
    }
    let what = match to.saturating_sub(from) {
        0 => "up to date".to_owned(),
        changes => count(changes, "change"),
    };
    let (name, received) = (reading.client.name(), bytes(received));
    let requests = count(requests, "request");
    let text = format!("`{name}` serial {to}, {what} ({received} in {requests})");
    shell.status("Finished", &text);
    Ok(())
}
