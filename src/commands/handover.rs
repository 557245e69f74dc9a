//! Handing verified packages to cargo: what the commands that do so share.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::arguments::ReadArgs;
use super::context::Context;
use super::error::CommandError;
use super::reading::{self, Reading};
use super::shell::Verbosity;
use crate::disk;
use crate::install::archive::{Limits, agrees};
use crate::install::handover::{Session, Summary};
use crate::install::{self, Cargo, Registry, Source, SourceError};
use crate::model::{Document, Entry, PackageName, PackageSpec, RegistryName};
use crate::registry::backend::{Backend, BackendError};
use crate::registry::client::Client;
use crate::trust::{Archive, Verified};

/// A registry that is read, and cargo beside it.
pub struct Handover<'a> {
    /// The registry.
    pub reading: Reading<'a>,
    /// Stock cargo.
    pub cargo: Cargo,
    /// The registry as cargo sees it.
    pub registry: Registry,
    context: &'a Context,
}

impl<'a> Handover<'a> {
    /// Opens the registry that was named, or the only one.
    pub fn open(
        context: &'a Context,
        args: &ReadArgs,
        named: Option<&RegistryName>,
    ) -> Result<Self, CommandError> {
        Self::new(context, reading::open(context, args, named)?)
    }

    /// Takes a registry that is open.
    pub fn new(context: &'a Context, reading: Reading<'a>) -> Result<Self, CommandError> {
        let known = context.config()?.registries()?.into_iter();
        let siblings = known.filter(|other| other.registry_id != reading.registry.registry_id);
        let siblings = siblings.filter_map(|other| Some((other.name, other.url.cargo_index()?)));
        let canonical = format!("sparse+{}", reading.client.policy().base);
        let index = reading.registry.url.cargo_index();
        Ok(Self {
            registry: Registry {
                name: reading.registry.name.clone(),
                index: index.unwrap_or_else(|| canonical.clone()),
                other_indexes: vec![canonical],
                siblings: siblings.collect(),
                state: reading.client.files().folder().to_owned(),
            },
            cargo: cargo(context),
            reading,
            context,
        })
    }

    /// The same under the registry's public address, wherever it is read: what is packaged names it
    /// for everybody.
    #[must_use]
    pub fn at_public_address(mut self) -> Self {
        let Registry {
            index,
            other_indexes,
            ..
        } = &mut self.registry;
        if let Some(canonical) = other_indexes.first_mut() {
            std::mem::swap(index, canonical);
        }
        self
    }

    /// Where documents and archives come from.
    #[must_use]
    pub fn source(&self) -> ClientSource<'_> {
        ClientSource {
            client: &self.reading.client,
            backend: &*self.reading.backend,
            documents: Mutex::default(),
        }
    }

    /// What a hand-over needs.
    #[must_use]
    pub fn session<'b>(&'b self, source: &'b dyn Source) -> Session<'b> {
        Session {
            cargo: &self.cargo,
            registry: &self.registry,
            source,
            events: &self.context.shell,
        }
    }

    /// The verified document of a package that must be there.
    pub fn document(&self, name: &PackageName) -> Result<Verified<Document>, CommandError> {
        let state = self.reading.package(name)?;
        Ok(self
            .reading
            .backend
            .document(&self.reading.client, &state)?)
    }

    /// The verified release that a spec means.
    pub fn choose(
        &self,
        spec: &PackageSpec,
        ignore_rust_version: bool,
    ) -> Result<Verified<Entry>, CommandError> {
        self.reading.client.may_choose()?;
        let document = self.document(&spec.name)?;
        let rustc = match ignore_rust_version {
            true => None,
            false => Some(self.cargo.rustc_version()?),
        };
        let chosen = install::choose(&document, spec.requirement.as_ref(), rustc.as_ref())?;
        let version = chosen.release.version.clone();
        let mut entries = document.verified_entries();
        let entry = entries.find(|entry| entry.release.version == version);
        entry.ok_or_else(|| self.reading.unknown(&spec.name))
    }

    /// The archive of a release, from this machine or the registry; its manifest must say the same.
    pub fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, CommandError> {
        // Where nothing may be written it is not kept, which the client has said already.
        let local = if_writable(install::LocalRegistry::open(&self.registry.local()))?;
        let kept = local
            .as_ref()
            .map(|local| local.archive(entry))
            .transpose()?;
        let archive = match kept.flatten() {
            Some(archive) => archive,
            None => self.reading.client.archive(entry)?,
        };
        let indexes: Vec<String> = self.registry.indexes().cloned().collect();
        agrees(&entry.release, &archive.bytes, &indexes, &Limits::default())?;
        if let Some(local) = local {
            if_writable(local.put(&archive))?;
        }
        Ok(archive)
    }

    /// Prints a message for machines, if there is one that listens.
    pub fn message(&self, reason: &str, body: Value) {
        if self.context.shell.is_json() {
            self.context.shell.message(reason, body);
        }
    }

    /// Says what went into a build.
    pub fn tell(&self, summary: Summary) {
        let Summary { verified, foreign } = summary;
        let packages = if verified == 1 { "package" } else { "packages" };
        let foreign = match foreign {
            0 => String::new(),
            count => format!(", {count} from crates.io and elsewhere (checksum only)"),
        };
        self.context
            .shell
            .status("Verified", &format!("{verified} {packages}{foreign}"));
    }
}

/// Nothing, where the cause of a failure is that nothing may be written there.
fn if_writable<T>(
    result: Result<T, install::LocalRegistryError>,
) -> Result<Option<T>, install::LocalRegistryError> {
    match result {
        Err(install::LocalRegistryError::Disk(failure)) if disk::is_read_only(&failure.source) => {
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// Stock cargo as the context knows it.
#[must_use]
pub fn cargo(context: &Context) -> Cargo {
    Cargo {
        program: context.cargo.clone().into(),
        home: context.cargo_home.clone(),
        offline: context.offline,
        quiet: context.shell.verbosity() == Verbosity::Quiet,
    }
}

/// A live or offline registry as a source of verified documents and archives.
pub struct ClientSource<'a> {
    client: &'a Client<'a>,
    backend: &'a dyn Backend,
    documents: Mutex<BTreeMap<PackageName, Option<Verified<Document>>>>,
}

impl Source for ClientSource<'_> {
    fn may_choose(&self) -> Result<(), SourceError> {
        Ok(self.client.may_choose().map_err(BackendError::from)?)
    }

    fn document(&self, name: &PackageName) -> Result<Option<Verified<Document>>, SourceError> {
        let lock = || {
            self.documents
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lock().get(name) {
            return Ok(known.clone());
        }
        let state = self.client.package(name).map_err(BackendError::from)?;
        let document = match state {
            Some(state) => Some(self.backend.document(self.client, &state)?),
            None => None,
        };
        lock().insert(name.clone(), document.clone());
        Ok(document)
    }

    fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError> {
        Ok(self.client.archive(entry).map_err(BackendError::from)?)
    }
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
