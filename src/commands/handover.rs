//! Handing verified packages to cargo: what the commands that do so share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use semver::Version;
use serde_json::Value;

use super::arguments::{CooldownArgs, ReadArgs};
use super::context::Context;
use super::error::CommandError;
use super::reading::{self, Reading};
use super::shell::Verbosity;
use crate::disk;
use crate::install::archive::{Limits, agrees};
use crate::install::handover::{Session, Summary};
use crate::install::{self, Cargo, Registry, Source, SourceError};
use crate::model::{Document, Entry, PackageName, PackageSpec, RegistryName, Span, same_release};
use crate::registry::backend::{Backend, BackendError};
use crate::registry::cargo_settings::variable_of;
use crate::registry::client::Client;
use crate::registry::cooldown;
use crate::registry::credentials::token_variables;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
use crate::registry::freshness::Need;
use crate::trust::{Archive, Verified};

/// Holds the token for crates.io, which only who publishes there needs.
const CRATES_IO_TOKEN: &str = "CARGO_REGISTRY_TOKEN";

/// A registry that is read, and cargo beside it.
pub struct Handover<'a> {
    /// The registry.
    pub reading: Reading<'a>,
    /// Stock cargo.
    pub cargo: Cargo,
    /// The registry as cargo sees it.
    pub registry: Registry,
    /// What is too young to be chosen, and what is chosen all the same.
    patience: Patience,
    context: &'a Context,
}

impl<'a> Handover<'a> {
    /// Opens the registry that was named, or the only one.
    pub fn open(
        context: &'a Context,
        args: &ReadArgs,
        named: Option<&RegistryName>,
    ) -> Result<Self, CommandError> {
        Self::new(context, reading::open(context, args, named, Need::Latest)?)
    }

    /// Opens the registry that was named, or the only one that has these packages; see
    /// [`reading::open_for`].
    pub fn open_for(
        context: &'a Context,
        args: &ReadArgs,
        specs: &[PackageSpec],
        command: &str,
    ) -> Result<Self, CommandError> {
        let reading = reading::open_for(context, args, specs, command, Need::Latest)?;
        Self::new(context, reading)
    }

    /// Takes a registry that is open.
    pub fn new(context: &'a Context, reading: Reading<'a>) -> Result<Self, CommandError> {
        let known = context.config()?.registries()?.into_iter();
        let siblings = known.filter(|other| other.registry_id != reading.registry.registry_id);
        let siblings = siblings.filter_map(|other| Some((other.name, other.url.cargo_index()?)));
        let canonical = format!("sparse+{}", reading.client.policy().base);
        let index = reading.registry.url.cargo_index();
        let registry = Registry {
            name: reading.registry.name.clone(),
            index: index.unwrap_or_else(|| canonical.clone()),
            other_indexes: vec![canonical],
            siblings: siblings.collect(),
            state: reading.client.files().folder().to_owned(),
        };
        let mut cargo = cargo(context);
        // Its packages come from this machine.
        for index in registry.indexes() {
            let settings = context.cargo_settings()?;
            let tokens = token_variables(settings, &registry.name, index);
            cargo.withheld.extend(tokens?);
        }
        let handover = Self {
            registry,
            cargo,
            patience: Patience::default(),
            reading,
            context,
        };
        Ok(handover.in_folder(&context.cwd))
    }

    /// The same for a call of cargo in a folder: a project there may give the registry names of its own,
    /// under which the user may have set a token.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        // What is wrong with the configuration is said before cargo runs there, if it does.
        let names = self.registry.names_in(folder, &self.cargo.home);
        let tokens = names.into_iter().flatten();
        let tokens = tokens.map(|name| variable_of(&["registries", &name, "token"]));
        self.cargo.withheld.extend(tokens);
        self
    }

    /// Holds back what is younger than the user wants, all but what the specs name exactly.
    pub fn with_cooldown(
        mut self,
        args: &CooldownArgs,
        specs: &[PackageSpec],
    ) -> Result<Self, CommandError> {
        let exact = |spec: &PackageSpec| Some((spec.name.clone(), spec.exact.clone()?));
        self.patience = Patience {
            cooldown: self.context.cooldown(args.cooldown)?,
            exempt: specs.iter().filter_map(exact).collect(),
        };
        Ok(self)
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
            patience: &self.patience,
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
        // Once more: the role that lists it may be older than those that were read before.
        self.reading.client.may_choose()?;
        let rustc = match ignore_rust_version {
            true => None,
            false => Some(self.cargo.rustc_version()?),
        };
        let held = self.patience.held_back(&self.reading.client, &document)?;
        let choose = |held: &BTreeSet<Version>| {
            install::choose(&document, spec.requirement.as_ref(), rustc.as_ref(), held)
        };
        let chosen = choose(&held)?;
        if let Ok(newest) = choose(&BTreeSet::new())
            && newest != chosen
        {
            self.context.shell.note(&format!(
                "{} v{} is younger than the cooldown of {}: v{} is taken",
                spec.name, newest.release.version, self.patience.cooldown, chosen.release.version
            ));
        }
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
        withheld: vec![CRATES_IO_TOKEN.to_owned()],
    }
}

/// How long the user waits before a release is chosen, and for which ones they do not.
#[derive(Debug, Default)]
struct Patience {
    cooldown: Span,
    exempt: BTreeSet<(PackageName, Version)>,
}

impl Patience {
    /// The releases of a document that are not to be chosen.
    fn held_back(
        &self,
        client: &Client<'_>,
        document: &Document,
    ) -> Result<BTreeSet<Version>, FileError> {
        if self.cooldown == Span::default() {
            return Ok(BTreeSet::new());
        }
        let mut held = cooldown::held_back(client, document, self.cooldown)?;
        let is_exempt = |one: &Version| {
            let mut exempt = self.exempt.iter();
            exempt.any(|(name, version)| *name == document.package && same_release(version, one))
        };
        held.retain(|one| !is_exempt(one));
        Ok(held)
    }
}

/// A live or offline registry as a source of verified documents and archives.
pub struct ClientSource<'a> {
    client: &'a Client<'a>,
    backend: &'a dyn Backend,
    patience: &'a Patience,
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

    fn held_back(&self, document: &Document) -> Result<BTreeSet<Version>, SourceError> {
        let held = self.patience.held_back(self.client, document);
        Ok(held.map_err(|error| BackendError::from(ClientError::from(error)))?)
    }

    fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError> {
        Ok(self.client.archive(entry).map_err(BackendError::from)?)
    }
}
