//! `registry add`: trusting a registry for the first time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::first_trust::Pin;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::failures::stores_token;
use crate::commands::{project_trust, reading};
use crate::disk::failed;
use crate::model::{DigestError, RegistryName, Sha256Digest};
use crate::registry::cargo_config;
use crate::registry::cargo_settings::variable_of;
use crate::registry::config::{Config, Registry};
use crate::registry::credentials::Credentials;
use crate::registry::files::Files;
use crate::registry::freshness::Need;
use crate::registry::metadata;
use crate::registry::transport::{self, BaseUrl, Transport};

/// Roots whose keys are known to everybody: that of the sample registry in `registry-index/`.
const PUBLIC_ROOTS: [&str; 1] =
    ["3d8aff02f795c14860071988f8c98a0570987e717d3121d6915791675fe90e6a"];

/// The code of a root that the user was shown and did not agree to.
const NOT_TRUSTED: &str = "MP0101";

/// The code of a server that wants to know who asks.
const NO_TOKEN: &str = "MP0208";

/// Adds a registry: trusts its root file and tells cargo of it
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What to call it
    pub name: RegistryName,

    /// Its address: `https://…`, `http://…` on this machine, or `file:///…`
    pub url: BaseUrl,

    /// The sha256 of the root file to trust, got some other way
    #[arg(long, value_name = "sha256:DIGEST", value_parser = root_digest)]
    pub root: Option<Sha256Digest>,

    /// The root file to trust, got some other way
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    pub root_file: Option<PathBuf>,

    /// Where else it is served: asked if the address fails (repeatable); takes the place of those
    /// that were named before
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<BaseUrl>,
}

/// Reads `sha256:` and 64 hexadecimal digits.
fn root_digest(text: &str) -> Result<Sha256Digest, String> {
    text.strip_prefix("sha256:")
        .ok_or_else(|| "expected `sha256:` and 64 hexadecimal digits".to_owned())?
        .parse()
        .map_err(|error: DigestError| error.to_string())
}

/// Runs the command.
pub fn run(args: AddArgs, context: &Context) -> Result<(), CommandError> {
    let object = format!("`{}` root metadata", args.name);
    context.shell.status("Updating", &object);
    let before = context.config()?.get(&args.name)?;
    let mirrors = match (&before, args.mirror.is_empty()) {
        (Some(before), true) => before.mirrors.clone(),
        _ => args.mirror.clone(),
    };
    let credentials = context.credentials(&args.name, &args.url, false)?;
    let (pin, transport) = pin_from_any(&args, &mirrors, credentials.as_ref(), context)?;
    let digest = Sha256Digest::of(&pin.root);
    check_not_public(&args.url, &digest)?;
    check_not_public(&args.url, &pin.registry_id())?;
    let mut registry = Registry {
        name: args.name.clone(),
        url: args.url.clone(),
        registry_id: pin.registry_id(),
        root: digest,
        mirrors: Vec::new(),
        auth_required: false,
    };
    for url in mirrors {
        registry.add_mirror(url);
    }
    check_name(&registry, &context.config()?)?;
    // Before anything is kept; this comes from no server.
    project_trust::demands(context, &registry)?;
    let kept = Kept::before(&registry, context)?;
    let trusted = trust(pin, &*transport, &registry, credentials.clone(), context);
    registry.auth_required = credentials.is_some_and(|known| known.were_used());
    let saved = trusted.and_then(|()| save(&registry, context));
    let changed = saved.map_err(|error| match kept.forget() {
        Ok(()) => with_log_in(error, &args),
        Err(failure) => failure,
    })?;
    if let Some(path) = changed {
        tell_cargo(&registry, &path, context);
    }
    if context.shell.is_json() {
        let body = json!({
            "name": registry.name.as_str(),
            "url": registry.url.as_str(),
            "registry_id": registry.registry_id.to_string(),
            "root": format!("sha256:{}", registry.root),
            "mirrors": registry.mirrors.iter().map(BaseUrl::as_str).collect::<Vec<_>>(),
            "auth_required": registry.auth_required,
        });
        context.shell.message("registry-added", body);
    }
    Ok(())
}

/// A name means one registry.
fn check_name(registry: &Registry, config: &Config) -> Result<(), CommandError> {
    let known = config.get(&registry.name)?;
    if known.is_none_or(|known| known.registry_id == registry.registry_id) {
        return Ok(());
    }
    let error = CommandError::failure(format!("`{}` is another registry", registry.name));
    Err(error.with_help("choose another name, or remove that one first"))
}

/// The root that the user trusts, from the address or else a mirror; and which of them had it.
fn pin_from_any<'a>(
    args: &AddArgs,
    mirrors: &[BaseUrl],
    credentials: Option<&Arc<Credentials<'a>>>,
    context: &'a Context,
) -> Result<(Pin, Box<dyn Transport + 'a>), CommandError> {
    let network = context.network()?;
    let open = |url| transport::open(url, &network, credentials.cloned(), &context.shell);
    let find = |url| -> Result<(Pin, Box<dyn Transport + 'a>), CommandError> {
        let transport = open(url);
        let pin = Pin::find(args, &*transport, context)?;
        Ok((pin, transport))
    };
    let first = match find(&args.url) {
        // A provider that failed is another matter.
        Err(error) if error.code == Some(NO_TOKEN) && error.causes.is_empty() => {
            error.with_help(log_in(args))
        }
        // The user has looked at a root, and does not trust it.
        found if mirrors.is_empty() || is_refused_by_user(&found) => return found,
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    for url in mirrors {
        let found = find(url);
        if found.is_ok() || is_refused_by_user(&found) {
            return found;
        }
    }
    Err(first)
}

fn is_refused_by_user<T>(found: &Result<T, CommandError>) -> bool {
    matches!(found, Err(error) if error.code == Some(NOT_TRUSTED))
}

/// Cargo stores tokens only for registries that it knows.
fn log_in(args: &AddArgs) -> String {
    let AddArgs { name, url, .. } = args;
    let variable = variable_of(&["registries", name.as_str(), "token"]);
    format!(
        "set `{variable}`, or run `cargo login --registry {name}` with `[registries.{name}] index = \"sparse+{url}\"` in cargo's own config.toml"
    )
}

/// A server that shows its root to everybody may ask for a token later.
fn with_log_in(error: CommandError, args: &AddArgs) -> CommandError {
    match error.help == Some(stores_token(&args.name)) {
        true => error.with_help(log_in(args)),
        false => error,
    }
}

/// Writes the registry into our configuration and cargo's; returns cargo's file, if it was changed.
fn save(registry: &Registry, context: &Context) -> Result<Option<PathBuf>, CommandError> {
    // Not held over the network; so the name may be taken by now.
    let _lock = context.lock_config()?;
    let mut config = context.config()?;
    check_name(registry, &config)?;
    // Held by who takes back what it trusted, too: of two processes that add one registry, the other one
    // may have been refused since.
    let files = files_of(registry.registry_id, context);
    let _kept = files.lock()?;
    if metadata::trusted_root(&files)?.is_none() {
        return Err(taken_back(registry));
    }
    // Before our own file: a name that cargo knows otherwise is refused.
    let changed = cargo_config::add(&context.cargo_home, &registry.name, &registry.url)?;
    config.set(registry)?;
    config.save()?;
    Ok(changed)
}

fn taken_back(registry: &Registry) -> CommandError {
    let error = format!(
        "another process was refused `{}` and took its root back",
        registry.url
    );
    CommandError::failure(error)
        .with_note("nothing was added")
        .with_help("try again")
}

/// What is kept of a registry.
fn files_of<'a>(registry_id: Sha256Digest, context: &Context) -> Files<'a> {
    Files::new(context.home.join(registry_id.to_string()), None)
}

/// Says what plain cargo can do from now on.
fn tell_cargo(registry: &Registry, path: &Path, context: &Context) {
    let name = &registry.name;
    let object = format!("`{name}` to {}", path.display());
    context.shell.status("Adding", &object);
    context.shell.note(&match registry.auth_required {
        true => format!(
            "plain cargo reads `{name}` only where a credential provider is named: `registry.global-credential-providers` in its configuration"
        ),
        false => format!("plain cargo works too: `cargo add PACKAGE --registry {name}`"),
    });
}

/// What was kept of a registry before it was added.
struct Kept<'a> {
    context: &'a Context,
    registry_id: Sha256Digest,
    files: Files<'a>,
    is_folder: bool,
    is_trusted: bool,
}

impl<'a> Kept<'a> {
    fn before(registry: &Registry, context: &'a Context) -> Result<Self, CommandError> {
        let files = files_of(registry.registry_id, context);
        Ok(Self {
            context,
            registry_id: registry.registry_id,
            is_folder: files.folder().exists(),
            is_trusted: metadata::trusted_root(&files)?.is_some(),
            files,
        })
    }

    /// What was not trusted before is trusted no more; of what was not known before nothing stays.
    fn forget(&self) -> Result<(), CommandError> {
        let folder = self.files.folder();
        // The lock would make the folder.
        if self.is_trusted || !folder.exists() {
            return Ok(());
        }
        let _lock = self.files.lock()?;
        // Another process may have added it in the meantime; or it is about to, and looks for the root
        // under this lock.
        let mut known = self.context.config()?.registries()?.into_iter();
        if known.any(|one| one.registry_id == self.registry_id) {
            return Ok(());
        }
        metadata::distrust(&self.files)?;
        if self.is_folder {
            return Ok(());
        }
        let removed = std::fs::remove_dir_all(folder).map_err(failed("remove", folder));
        // Our own folder is made on the way, too; one that holds more stays.
        if let Some(home) = folder.parent() {
            let _ = std::fs::remove_dir(home);
        }
        Ok(removed?)
    }
}

/// Keeps the root and brings the registry up to date from it, so that what is added works.
fn trust<'a>(
    pin: Pin,
    transport: &dyn Transport,
    registry: &Registry,
    credentials: Option<Arc<Credentials<'a>>>,
    context: &'a Context,
) -> Result<(), CommandError> {
    let files = files_of(registry.registry_id, context);
    let known = metadata::trusted_root(&files)?;
    pin.keep(known, transport, &files, registry)?;
    let client = reading::client_with(context, registry, credentials, Need::Latest)?;
    if !client.freshness().is_online && !context.offline {
        let error = format!("`{}` does not answer as a registry", registry.url);
        return Err(CommandError::failure(error)
            .with_code("MP0201")
            .with_note("nothing was added")
            .with_help("check the address, and try again"));
    }
    let text = format!(
        "`{}` root v{}, valid until {}",
        registry.name,
        client.root_version(),
        client.root_expires()
    );
    context.shell.status("Trusting", &text);
    Ok(())
}

/// The keys of the sample registry lie in this project's source: whoever wants can sign with them.
fn check_not_public(url: &BaseUrl, root: &Sha256Digest) -> Result<(), CommandError> {
    if url.folder().is_some() || !PUBLIC_ROOTS.contains(&root.to_string().as_str()) {
        return Ok(());
    }
    let error = CommandError::trust("MP0103", "the keys of this root are public");
    Err(error
        .with_note("it is the root of the sample registry, whose keys lie in our source")
        .with_help("make a registry of your own: `cargo marketplace registry init`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_registrys_root_is_refused_at_any_address_but_a_folder() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/registry-index/tuf/1.root.json"
        );
        let root = Sha256Digest::of(&std::fs::read(path).unwrap());
        let refused = |url: &str| check_not_public(&url.parse().unwrap(), &root).is_err();
        assert!(refused("https://registry.example.org/"));
        assert!(refused("http://127.0.0.1:1/"));
        assert!(!refused("file:///registry-index/"));
        let other = Sha256Digest::of(b"another root");
        let url = "https://registry.example.org/".parse().unwrap();
        assert!(check_not_public(&url, &other).is_ok());
    }
}
