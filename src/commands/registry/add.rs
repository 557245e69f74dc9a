//! `registry add`: trusting a registry for the first time.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::{prompt, reading};
use crate::formats::layout;
use crate::model::{DigestError, RegistryName, Sha256Digest, UtcTime};
use crate::registry::cargo_config;
use crate::registry::cargo_settings::variable_of;
use crate::registry::config::{Config, Registry};
use crate::registry::credentials::Credentials;
use crate::registry::files::Files;
use crate::registry::metadata;
use crate::registry::transport::{self, BaseUrl, Transport, TransportError};
use crate::trust::tuf::{MAX_NEW_ROOTS, MAX_ROOT, Mode, Settings, TufError, Updater, ed25519_only};

/// Roots whose keys are known to everybody: that of the sample registry in `registry-index/`.
const PUBLIC_ROOTS: [&str; 1] =
    ["3d8aff02f795c14860071988f8c98a0570987e717d3121d6915791675fe90e6a"];

/// The code of a root that the user was shown and did not agree to.
const NOT_TRUSTED: &str = "MP0101";

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
    let root = match &args.root_file {
        Some(path) => context.read(path)?,
        None => root_from_any(&args, &mirrors, credentials.as_ref(), context)?,
    };
    let digest = Sha256Digest::of(&root);
    check_not_public(&args.url, &digest)?;
    let registry_id = first_root(&root, &digest)?;
    let mut registry = Registry {
        name: args.name.clone(),
        url: args.url.clone(),
        registry_id,
        root: digest,
        mirrors: Vec::new(),
        auth_required: false,
    };
    for url in mirrors {
        registry.add_mirror(url);
    }
    check_name(&registry, &context.config()?)?;
    trust(&root, &registry, credentials.clone(), context)?;
    registry.auth_required = credentials.is_some_and(|known| known.were_used());
    // Not held over the network; so the name may be taken by now.
    let _lock = context.lock_config()?;
    let mut config = context.config()?;
    check_name(&registry, &config)?;
    // Before our own file: a name that cargo knows otherwise is refused.
    let changed = cargo_config::add(&context.cargo_home, &args.name, &args.url)?;
    config.set(&registry)?;
    config.save()?;
    if let Some(path) = changed {
        let object = format!("`{}` to {}", args.name, path.display());
        context.shell.status("Adding", &object);
        let text = format!(
            "plain cargo works too: `cargo add PACKAGE --registry {}`",
            args.name
        );
        context.shell.note(&text);
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

/// The root file that the user trusts, from the address or else a mirror.
fn root_from_any(
    args: &AddArgs,
    mirrors: &[BaseUrl],
    credentials: Option<&Arc<Credentials<'_>>>,
    context: &Context,
) -> Result<Vec<u8>, CommandError> {
    let mut first = None;
    for url in std::iter::once(&args.url).chain(mirrors) {
        let network = context.network()?;
        let transport = transport::open(url, &network, credentials.cloned(), &context.shell)?;
        match pinned_root(args, &*transport) {
            Ok(root) => return Ok(root),
            // The user has looked at a root, and does not trust it.
            Err(error) if error.code == Some(NOT_TRUSTED) => return Err(error),
            Err(error) if error.code == Some("MP0206") => {
                first.get_or_insert_with(|| error.with_help(log_in(args)));
            }
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| no_registry(&args.url)))
}

/// Cargo stores tokens only for registries that it knows.
fn log_in(args: &AddArgs) -> String {
    let AddArgs { name, url, .. } = args;
    let variable = variable_of(&["registries", name.as_str(), "token"]);
    format!(
        "set `{variable}`, or run `cargo login --registry {name}` with `[registries.{name}] index = \"sparse+{url}\"` in cargo's own config.toml"
    )
}

/// The root file that is served: of the digest that was given, or agreed to.
fn pinned_root(args: &AddArgs, transport: &dyn Transport) -> Result<Vec<u8>, CommandError> {
    if let Some(pinned) = args.root {
        return root_of_digest(args, pinned, transport);
    }
    let root = served_root(transport, 1)?.ok_or_else(|| no_registry(&args.url))?;
    agreed(root, args)
}

/// The served root that has the digest.
fn root_of_digest(
    args: &AddArgs,
    pinned: Sha256Digest,
    transport: &dyn Transport,
) -> Result<Vec<u8>, CommandError> {
    for version in 1..=MAX_NEW_ROOTS {
        match served_root(transport, version)? {
            Some(root) if Sha256Digest::of(&root) == pinned => return Ok(root),
            Some(_) => {}
            None if version == 1 => return Err(no_registry(&args.url)),
            None => break,
        }
    }
    let error = CommandError::trust(
        "MP0102",
        format!("no root of `{}` has that digest", args.name),
    );
    Err(error
        .with_note("nothing was written")
        .with_help("is the address right? Else somebody shows you another registry"))
}

fn served_root(transport: &dyn Transport, version: u64) -> Result<Option<Vec<u8>>, CommandError> {
    let root = transport.get(&layout::metadata("root", version), MAX_ROOT);
    let root = root.map_err(|error| match error {
        TransportError::Unreachable { .. } | TransportError::TimedOut { .. } => {
            let shown = CommandError::from(error).with_code("MP0201");
            shown.with_help("check the network and the registry's address, and try again")
        }
        error => error.into(),
    })?;
    // A login page is no other registry.
    let is_metadata = |root: &Vec<u8>| serde_json::from_slice::<IgnoredAny>(root).is_ok();
    if root.as_ref().is_none_or(is_metadata) {
        return Ok(root);
    }
    let role = "root".to_owned();
    Err(TufError::NotMetadata { role }.into())
}

fn no_registry(url: &BaseUrl) -> CommandError {
    let error = CommandError::failure(format!("`{url}` is no registry of this kind"));
    error.with_note("it has no file `tuf/1.root.json`")
}

/// Shows the digest in full and asks. Without a terminal, nothing is trusted.
fn agreed(root: Vec<u8>, args: &AddArgs) -> Result<Vec<u8>, CommandError> {
    let name = &args.name;
    let digest = format!("sha256:{}", Sha256Digest::of(&root));
    let (threshold, keys) = started(&root)?.root_threshold();
    let question = format!(
        "  Root of `{name}` ({threshold} of {keys} keys must sign)\n    {digest}\n  Compare this with a copy you got some other way. Trust this root?"
    );
    match prompt::confirm(&question) {
        Some(true) => Ok(root),
        answer => {
            let error = CommandError::trust(
                NOT_TRUSTED,
                format!("the root of `{name}` is not trusted yet"),
            );
            let error = error.with_note("nothing was written");
            Err(match answer {
                None => {
                    error.with_help(format!("pass `--root {digest}` or `--root-file root.json`"))
                }
                Some(_) => error,
            })
        }
    }
}

/// The registry's id: the digest of its first root, which later ones repeat.
fn first_root(root: &[u8], digest: &Sha256Digest) -> Result<Sha256Digest, CommandError> {
    started(root)?.registry_id().ok_or_else(|| {
        let text = format!("the root sha256:{digest} does not say which registry it belongs to");
        CommandError::trust("MP0406", text)
    })
}

/// A root file, read and checked against its own signatures.
fn started(root: &[u8]) -> Result<Updater, TufError> {
    let settings = Settings {
        // Expiry is judged when the registry is opened.
        now: UtcTime::from_unix(0).unwrap_or(UtcTime::MAX),
        mode: Mode::Online,
        verifier: ed25519_only,
    };
    Updater::start(root, settings)
}

/// Keeps the root and brings the registry up to date from it, so that what is added works. If it
/// does not, a root that was not trusted before is forgotten again.
fn trust<'a>(
    root: &[u8],
    registry: &Registry,
    credentials: Option<Arc<Credentials<'a>>>,
    context: &'a Context,
) -> Result<(), CommandError> {
    let files = Files::new(context.home.join(registry.registry_id.to_string()), None);
    let is_new = !metadata::is_trusted(&files)?;
    if is_new {
        metadata::trust_root(&files, root)?;
    }
    match reading::client_with(context, registry, credentials) {
        Ok(client) if !client.freshness().is_online && !context.offline => {
            let error = format!("`{}` does not answer as a registry", registry.url);
            Err(CommandError::failure(error)
                .with_code("MP0201")
                .with_note("nothing was added")
                .with_help("check the address, and try again"))
        }
        Ok(client) => {
            let text = format!(
                "`{}` root v{}, valid until {}",
                registry.name,
                client.root_version(),
                client.root_expires()
            );
            context.shell.status("Trusting", &text);
            Ok(())
        }
        Err(error) => {
            if is_new {
                metadata::distrust(&files)?;
            }
            Err(error)
        }
    }
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

    /// Serves a root of every version that is asked for.
    struct Endless(BaseUrl);

    impl Transport for Endless {
        fn base(&self) -> &BaseUrl {
            &self.0
        }

        fn get(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, TransportError> {
            Ok(Some(path.as_bytes().to_vec()))
        }
    }

    #[test]
    fn a_server_with_ever_more_roots_is_given_up() {
        let url: BaseUrl = "https://registry.example.org/".parse().unwrap();
        let args = AddArgs {
            name: "harbour".parse().unwrap(),
            url: url.clone(),
            root: None,
            root_file: None,
            mirror: Vec::new(),
        };
        let pinned = Sha256Digest::of(b"another root");
        assert!(root_of_digest(&args, pinned, &Endless(url)).is_err());
    }
}
