//! `registry mirror`: where else a registry that was added is read.

use clap::Args;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::model::RegistryName;
use crate::registry::transport::BaseUrl;

/// Names mirrors of a registry, or lists them
///
/// A mirror is asked for what another did not deliver as it should be, and all are asked for what is
/// new. What they deliver is checked as ever: no mirror is trusted.
#[derive(Debug, Args)]
pub struct MirrorArgs {
    /// The registry
    pub name: RegistryName,

    /// A mirror to use from now on (repeatable)
    #[arg(long, value_name = "URL")]
    pub add: Vec<BaseUrl>,

    /// A mirror to use no more (repeatable)
    #[arg(long, value_name = "URL")]
    pub remove: Vec<BaseUrl>,
}

/// Runs the command.
pub fn run(args: MirrorArgs, context: &Context) -> Result<(), CommandError> {
    let _lock = context.lock_config()?;
    let mut config = context.config()?;
    let mut registry = config.choose(Some(&args.name))?;
    for url in &args.remove {
        let count = registry.mirrors.len();
        registry.mirrors.retain(|mirror| mirror != url);
        if registry.mirrors.len() == count {
            let text = format!("`{url}` is no mirror of `{}`", registry.name);
            let help = format!(
                "`cargo marketplace registry mirror {}` lists them",
                args.name
            );
            return Err(CommandError::failure(text).with_help(help));
        }
    }
    for url in args.add {
        registry.add_mirror(url);
    }
    config.set(&registry)?;
    config.save()?;
    let mirrors: Vec<&str> = registry.mirrors.iter().map(BaseUrl::as_str).collect();
    if context.shell.is_json() {
        let body = json!({"name": registry.name.as_str(), "mirrors": mirrors});
        context.shell.message("registry-mirrors", body);
        return Ok(());
    }
    for mirror in mirrors {
        context.shell.line(mirror);
    }
    Ok(())
}
