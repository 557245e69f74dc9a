//! Opening a registry for a command that reads it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;

use super::arguments::{BackendArg, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::{confusion, project_trust};
use crate::disk;
use crate::formats::layout::Format;
use crate::model::{PackageName, PackageSpec, RegistryName, Sha256Digest};
use crate::registry::backend::{Backend, backend};
use crate::registry::catalog::Catalog;
use crate::registry::client::{Client, Opening};
use crate::registry::config::Registry;
use crate::registry::credentials::Credentials;
use crate::registry::error::ClientError;
use crate::registry::files::{FileError, Files};
use crate::registry::freshness::Need;
use crate::registry::metadata;
use crate::registry::mirrors::Mirrors;
use crate::registry::transport::{BaseUrl, Network};
use crate::trust::tuf::TufError;
use crate::trust::{PackageState, Verified};

/// A registry, and the way in which its documents are read.
pub struct Reading<'a> {
    /// As the user added it.
    pub registry: Registry,
    /// The registry, its metadata verified.
    pub client: Client<'a>,
    /// How documents are read.
    pub backend: Box<dyn Backend>,
    /// Keeps other commands away from the state of a folder that is published to.
    _lock: Option<File>,
}

/// Opens the registry that was named, or the only one.
pub fn open<'a>(
    context: &'a Context,
    args: &ReadArgs,
    named: Option<&RegistryName>,
    need: Need,
) -> Result<Reading<'a>, CommandError> {
    if let (Some(named), Some(flag)) = (named, &args.registry)
        && named != flag
    {
        let text = format!("`{named}/` and `--registry {flag}` name two registries");
        return Err(CommandError::usage(text).with_help("name one"));
    }
    added(
        context,
        context.registry(named.or(args.registry.as_ref()))?,
        args.backend,
        need,
    )
}

/// Opens a registry that the user has added, to read its documents.
pub fn added(
    context: &Context,
    registry: Registry,
    format: Option<BackendArg>,
    need: Need,
) -> Result<Reading<'_>, CommandError> {
    let backend = backend(format.map(self::format))?;
    let client = client(context, &registry, need)?;
    Ok(Reading {
        registry,
        client,
        backend,
        _lock: None,
    })
}

/// Opens the registry that was named, else the only one that has all these packages: a name that
/// is in several registries means none of them. `command` is what stands before a spec, as `install`.
pub fn open_for<'a>(
    context: &'a Context,
    args: &ReadArgs,
    specs: &[PackageSpec],
    command: &str,
    need: Need,
) -> Result<Reading<'a>, CommandError> {
    let named = common_registry(specs)?;
    if named.or(args.registry.as_ref()).is_some() || context.default_registry().is_some() {
        return open(context, args, named, need);
    }
    let registries = context.config()?.distinct_registries()?;
    if registries.len() < 2 {
        let only = registries.first().map(|only| &only.name);
        return open(context, args, only, need);
    }
    let backend = backend(args.backend.map(format))?;
    let (registry, client) = confusion::only_holder(context, registries, (specs, command), need)?;
    Ok(Reading {
        registry,
        client,
        backend,
        _lock: None,
    })
}

/// Opens a registry that the user has added.
pub fn client<'a>(
    context: &'a Context,
    registry: &Registry,
    need: Need,
) -> Result<Client<'a>, CommandError> {
    let credentials = context.credentials(&registry.name, &registry.url, registry.auth_required)?;
    client_with(context, registry, credentials, need)
}

/// Opens a registry that may ask for a token.
pub fn client_with<'a>(
    context: &'a Context,
    registry: &Registry,
    credentials: Option<Arc<Credentials<'a>>>,
    need: Need,
) -> Result<Client<'a>, CommandError> {
    let demands = project_trust::demands(context, registry)?;
    let mirrors = match context.offline {
        true => None,
        false => Some(Mirrors::open_all(
            &registry.url,
            &registry.mirrors,
            context.network()?,
            credentials,
            &context.shell,
        )),
    };
    Ok(Client::open(Opening {
        name: registry.name.clone(),
        registry_id: registry.registry_id,
        home: context.home.clone(),
        mirrors,
        now: context.now,
        need,
        demands,
        events: &context.shell,
    })?)
}

/// Opens a registry folder on this machine, whose root is taken as it is, in place of a registry
/// that the user has added. Nothing is remembered of an earlier time: an operator may set the
/// folder back, and what is built must be what lies there now. What is read is kept where no other
/// command reads, so that none has to wait while cargo packages.
pub fn folder<'a>(
    context: &'a Context,
    path: &Path,
    root: &[u8],
    added: Registry,
) -> Result<Reading<'a>, CommandError> {
    let (home, lock) = free_place(&context.home.join("publishing"), added.registry_id)?;
    let files = Files::new(home.join(added.registry_id.to_string()), None);
    files.clear()?;
    metadata::trust_root(&files, root, &[Sha256Digest::of(root)])?;
    let url = BaseUrl::from_folder(path)?;
    let client = Client::open(Opening {
        name: added.name.clone(),
        registry_id: added.registry_id,
        home,
        mirrors: Some(Mirrors::open(
            &url,
            Network::default(),
            None,
            &context.shell,
        )),
        now: context.now,
        need: Need::Latest,
        demands: Vec::new(),
        events: &context.shell,
    })?;
    Ok(Reading {
        registry: added,
        client,
        backend: backend(None)?,
        _lock: Some(lock),
    })
}

/// Locks the first place in a folder that no other command has. There are as many as there were commands
/// at once, and no new one each time: cargo keeps what it unpacks by the path of where it came from.
fn free_place(folder: &Path, registry_id: Sha256Digest) -> Result<(PathBuf, File), CommandError> {
    let mut place = folder.to_owned();
    for number in 2_u32.. {
        let path = place.join(format!("{registry_id}.lock"));
        let lock = disk::open_lock(&path)?;
        match lock.try_lock() {
            Ok(()) => return Ok((place, lock)),
            Err(TryLockError::WouldBlock) => place = folder.join(number.to_string()),
            Err(TryLockError::Error(error)) => Err(disk::failed("lock", &path)(error))?,
        }
    }
    Err(CommandError::failure("too many commands package at once"))
}

/// The format that an argument names.
#[must_use]
pub const fn format(argument: BackendArg) -> Format {
    match argument {
        BackendArg::V1 => Format::V1,
        BackendArg::V2 => Format::V2,
    }
}

impl Reading<'_> {
    /// The verified state of a package that must be there.
    pub fn package(&self, name: &PackageName) -> Result<Verified<PackageState>, CommandError> {
        match self.client.package(name) {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(self.unknown(name)),
            Err(
                ClientError::Tuf(TufError::NotStored { .. })
                | ClientError::File(FileError::Offline { .. }),
            ) => Err(not_in_the_copy(name)),
            Err(error) => Err(error.into()),
        }
    }

    /// The documents of all packages.
    pub fn catalog(&self) -> Result<Catalog, CommandError> {
        Ok(self.backend.catalog(&self.client)?)
    }

    /// The error for a package that is not there, with what was perhaps meant.
    #[must_use]
    pub fn unknown(&self, name: &PackageName) -> CommandError {
        let registry = self.client.name();
        let error = CommandError::failure(format!("no package `{name}` in `{registry}`"));
        let error = error.with_code("MP0203");
        // What cannot be read has no suggestion; the error itself stands.
        let meant = self.backend.meant(&self.client, name);
        match meant.unwrap_or_default() {
            Some(meant) => error.with_help(format!("did you mean `{meant}`?")),
            None => error.with_help("`cargo marketplace search WORDS` looks for packages"),
        }
    }
}

fn not_in_the_copy(name: &PackageName) -> CommandError {
    CommandError::failure(format!("`{name}` is not in the offline copy"))
        .with_code("MP0202")
        .with_help("run without `--offline` once")
}

/// The registry that all specs name, if they name one.
pub fn common_registry(specs: &[PackageSpec]) -> Result<Option<&RegistryName>, CommandError> {
    let mut named = specs.iter().filter_map(|spec| spec.registry.as_ref());
    let first = named.next();
    match named.find(|other| Some(*other) != first) {
        None => Ok(first),
        Some(other) => {
            let text = format!("packages of several registries are named, `{other}` among them");
            Err(CommandError::usage(text).with_help("name those of one registry at a time"))
        }
    }
}

/// The error for a version of a package that the registry does not have.
#[must_use]
pub fn no_release(name: &PackageName, version: &Version) -> CommandError {
    CommandError::failure(format!("no release `{name}` {version} in the registry"))
        .with_code("MP0203")
}
