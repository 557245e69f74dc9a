//! Which root a registry is trusted by the first time, and that it belongs to the registry whose id
//! it claims. Nothing is trusted here that the user did not name or agree to.

use serde::de::IgnoredAny;

use super::add::AddArgs;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::prompt;
use crate::formats::layout;
use crate::model::{RegistryName, Sha256Digest, UtcTime};
use crate::registry::config::Registry;
use crate::registry::files::Files;
use crate::registry::metadata;
use crate::registry::transport::{BaseUrl, Transport, TransportError};
use crate::trust::tuf::{
    MAX_NEW_ROOTS, MAX_ROOT, Mode, RootChain, Settings, TufError, Updater, ed25519_only,
};

/// The root that the user trusts, and the roots that lead to it from the registry's first one.
pub(super) struct Pin {
    pub(super) root: Vec<u8>,
    chain: RootChain,
}

impl Pin {
    /// The root: given, or served and of the digest that was given, or served and agreed to.
    pub(super) fn find(
        args: &AddArgs,
        transport: &dyn Transport,
        context: &Context,
    ) -> Result<Self, CommandError> {
        if let Some(path) = &args.root_file {
            return of_file(context.read(path)?, args, transport);
        }
        if let Some(pinned) = args.root {
            return of_digest(args, pinned, transport);
        }
        let root = first_root(transport, &args.url)?;
        let chain = RootChain::start(&root)?;
        agreed(&root, args)?;
        Ok(Self { root, chain })
    }

    /// What the registry is.
    pub(super) const fn registry_id(&self) -> Sha256Digest {
        self.chain.registry_id()
    }

    /// Keeps the root as the trusted one, unless a later one is trusted already: then the pinned
    /// root must be one of those that led to it.
    pub(super) fn keep(
        mut self,
        known: Option<(u64, Sha256Digest)>,
        transport: &dyn Transport,
        files: &Files<'_>,
        registry: &Registry,
    ) -> Result<(), CommandError> {
        let Some((version, trusted)) = known else {
            return Ok(metadata::trust_root(
                files,
                &self.root,
                self.chain.digests(),
            )?);
        };
        // The first root is what the state is named by, so it led to whatever is trusted there.
        if self.chain.digests().len() == 1 || metadata::roots(files)?.contains(&registry.root) {
            return Ok(());
        }
        let pinned = self.chain.digests().len() as u64;
        for next in pinned + 1..=version {
            let root = served_root(transport, next)?.ok_or_else(|| unknown(&registry.name))?;
            self.chain.add(root)?;
        }
        let place = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
        if self.chain.digests().get(place) != Some(&trusted) {
            return Err(unknown(&registry.name));
        }
        if pinned > version {
            metadata::trust_root(files, &self.root, self.chain.digests())?;
        }
        Ok(())
    }
}

/// A root file that was given. Only of the first one is the id plain: of a later one it is a claim,
/// until the roots before it are seen.
fn of_file(root: Vec<u8>, args: &AddArgs, transport: &dyn Transport) -> Result<Pin, CommandError> {
    let version = started(&root)?.root_version();
    if version == 1 {
        let chain = RootChain::start(&root)?;
        return Ok(Pin { root, chain });
    }
    require_id(&root)?;
    if version > MAX_NEW_ROOTS {
        return Err(TufError::TooManyRoots(MAX_NEW_ROOTS).into());
    }
    let mut chain = RootChain::start(&first_root(transport, &args.url)?)?;
    for next in 2..version {
        chain.add(served_root(transport, next)?.ok_or_else(|| unknown(&args.name))?)?;
    }
    chain.add(root.clone())?;
    Ok(Pin { root, chain })
}

/// The served root that has the digest.
fn of_digest(
    args: &AddArgs,
    pinned: Sha256Digest,
    transport: &dyn Transport,
) -> Result<Pin, CommandError> {
    let mut root = first_root(transport, &args.url)?;
    let mut chain = RootChain::start(&root)?;
    while Sha256Digest::of(&root) != pinned {
        let next = chain.digests().len() as u64 + 1;
        if next > MAX_NEW_ROOTS {
            return Err(unknown(&args.name));
        }
        root = served_root(transport, next)?.ok_or_else(|| unknown(&args.name))?;
        chain.add(root.clone())?;
    }
    if chain.digests().len() > 1 {
        require_id(&root)?;
    }
    Ok(Pin { root, chain })
}

/// A root that does not say to which registry it belongs could be put behind another first one.
fn require_id(root: &[u8]) -> Result<(), CommandError> {
    if started(root)?.registry_id().is_some() {
        return Ok(());
    }
    let digest = Sha256Digest::of(root);
    let text = format!("the root sha256:{digest} does not say which registry it belongs to");
    Err(CommandError::trust("MP0406", text).with_note("nothing was written"))
}

fn unknown(name: &RegistryName) -> CommandError {
    let text = format!("no root of `{name}` has that digest");
    CommandError::trust("MP0102", text)
        .with_note("nothing was written")
        .with_help("is the address right? Else somebody shows you another registry")
}

fn first_root(transport: &dyn Transport, url: &BaseUrl) -> Result<Vec<u8>, CommandError> {
    served_root(transport, 1)?.ok_or_else(|| {
        let error = CommandError::failure(format!("`{url}` is no registry of this kind"));
        error.with_note("it has no file `tuf/1.root.json`")
    })
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

/// Shows the digest in full and asks. Without a terminal, nothing is trusted.
fn agreed(root: &[u8], args: &AddArgs) -> Result<(), CommandError> {
    let name = &args.name;
    let digest = format!("sha256:{}", Sha256Digest::of(root));
    let (threshold, keys) = started(root)?.root_threshold();
    let question = format!(
        "  Root of `{name}` ({threshold} of {keys} keys must sign)\n    {digest}\n  Compare this with a copy you got some other way. Trust this root?"
    );
    let answer = prompt::confirm(&question);
    if answer == Some(true) {
        return Ok(());
    }
    let error = CommandError::trust("MP0101", format!("the root of `{name}` is not trusted yet"));
    let error = error.with_note("nothing was written");
    Err(match answer {
        None => error.with_help(format!("pass `--root {digest}` or `--root-file root.json`")),
        Some(_) => error,
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

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    use crate::publish::ceremony::Ceremony;
    use crate::publish::metadata;
    use crate::publish::role_keys::RoleKeys;
    use crate::trust::SecretKey;

    /// Serves those roots and no others.
    struct Served(BaseUrl, Vec<Vec<u8>>);

    impl Transport for Served {
        fn base(&self) -> &BaseUrl {
            &self.0
        }

        fn get(&self, path: &str, _: u64) -> Result<Option<Vec<u8>>, TransportError> {
            let version = path.trim_start_matches("tuf/").split('.').next();
            let place = version.unwrap().parse::<usize>().unwrap() - 1;
            Ok(self.1.get(place).cloned())
        }
    }

    /// A registry that has changed its root so often.
    fn registry(roots: u64) -> (AddArgs, Served) {
        let key = SecretKey::from_seed(&[1; 32]);
        let url: BaseUrl = "https://registry.example.org/".parse().unwrap();
        let online = SecretKey::from_seed(&[2; 32]).public();
        let ceremony = Ceremony::solo(key.public(), online).unwrap();
        let mut signed = metadata::root(&ceremony, url.as_str(), UtcTime::MAX);
        let description = json!({"keyids": [key.public().id().to_string()], "threshold": 1});
        let keys = RoleKeys::new([key]);
        let mut served: Vec<Vec<u8>> = Vec::new();
        for version in 1..=roots {
            signed["version"] = version.into();
            if let Some(first) = served.first() {
                signed["registry_id"] = Sha256Digest::of(first).to_string().into();
            }
            served.push(keys.seal("root", &description, &signed).unwrap());
        }
        let args = AddArgs {
            name: "harbour".parse().unwrap(),
            url: url.clone(),
            root: None,
            root_file: None,
            mirror: Vec::new(),
        };
        (args, Served(url, served))
    }

    #[test]
    fn each_root_that_is_served_can_be_the_pinned_one() {
        let (args, served) = registry(MAX_NEW_ROOTS);
        let versions = [1, 2, MAX_NEW_ROOTS - 1, MAX_NEW_ROOTS];
        for version in versions {
            let place = usize::try_from(version).unwrap() - 1;
            let pinned = Sha256Digest::of(&served.1[place]);
            let pin = of_digest(&args, pinned, &served).unwrap();
            assert_eq!(pin.root, served.1[place]);
            assert_eq!(pin.chain.digests().len(), place + 1);
        }
    }

    #[test]
    fn a_server_with_ever_more_roots_is_given_up() {
        let (args, served) = registry(MAX_NEW_ROOTS + 1);
        let last = Sha256Digest::of(&served.1[usize::try_from(MAX_NEW_ROOTS).unwrap()]);
        for pinned in [last, Sha256Digest::of(b"another root")] {
            let refused = of_digest(&args, pinned, &served).err().unwrap();
            assert_eq!(refused.code, Some("MP0102"), "{refused:?}");
        }
    }
}
