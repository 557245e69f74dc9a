//! What a question is put to: a registry, or all that a lock file names, and that file as a graph upon them.

use std::collections::BTreeSet;

use oxigraph::model::Triple;
use serde_json::{Value, json};

use super::failures;
use super::members::{RustVersions, rust_versions};
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::locked::{self, LockedProject, manifest_not_found};
use crate::commands::reading::{self, Reading};
use crate::commands::sparql::SparqlArgs;
use crate::dataset::{Damaged, Dataset, Documents, QueryError, join};
use crate::formats::v2::{Locked, lock_triples, release_iri};
use crate::registry::backend;
use crate::registry::freshness::Need;

/// What is asked.
pub(super) struct Asked<'a> {
    registries: Vec<Reading<'a>>,
    /// The lock file, if it is asked, too.
    lock: Option<Lock>,
}

/// A lock file, as a query sees it.
#[derive(Default)]
struct Lock {
    triples: Vec<Triple>,
    /// The documents of the packages that it locks, out of their verified records: a policy believes the
    /// catalog in no more than what is beside these.
    verified: Documents,
    /// Members without a manifest that was found.
    unknown: BTreeSet<String>,
}

impl<'a> Asked<'a> {
    /// Opens what the arguments name.
    pub(super) fn open(args: &SparqlArgs, context: &'a Context) -> Result<Self, CommandError> {
        if !args.with_lock {
            return Ok(Self {
                registries: vec![reading::open(context, &args.read, None, context.recent()?)?],
                lock: None,
            });
        }
        let manifest = context.manifest(args.manifest_path.as_ref());
        let need = args.refreshed_since.map_or(Need::Latest, Need::Since);
        let project = LockedProject::open(context, manifest.as_deref(), args.read.backend, need)?;
        let folder = locked::folder(context, manifest.as_deref())?;
        let lock = Lock::read(&project, &rust_versions(&folder), context)?;
        for member in &lock.unknown {
            context.shell.warn(&manifest_not_found(member));
        }
        let registries = project.registries.into_iter();
        Ok(Self {
            registries: registries.map(|one| one.reading).collect(),
            lock: Some(lock),
        })
    }

    /// The dataset of each registry.
    pub(super) fn datasets(&self) -> Result<Vec<Dataset>, CommandError> {
        let clients = self.registries.iter().map(|one| &one.client);
        let datasets = clients.map(|client| backend::dataset(client).map_err(failures::no_triples));
        datasets.collect()
    }

    /// The same after damage was found in one of them: all built anew.
    pub(super) fn rebuilt(&self, damage: &Damaged) -> Result<Vec<Dataset>, CommandError> {
        let clients = self.registries.iter().map(|one| &one.client);
        let rebuilt = clients.map(|client| backend::dataset_anew(client, damage));
        rebuilt
            .map(|one| one.map_err(failures::no_triples))
            .collect()
    }

    /// Puts a question to all as one.
    pub(super) fn ask<T>(
        &self,
        datasets: &[Dataset],
        question: impl FnOnce(&Dataset) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        if let (None, [registry]) = (&self.lock, datasets) {
            return question(registry);
        }
        let none = Lock::default();
        let lock = self.lock.as_ref().unwrap_or(&none);
        let registries = datasets.iter().collect();
        question(&join(registries, &lock.verified, &lock.triples)?)
    }

    /// Where an answer comes from, for people.
    pub(super) fn shown(&self, datasets: &[Dataset]) -> String {
        let registries = self.registries.iter().zip(datasets);
        let registries = registries.map(|(registry, dataset)| {
            format!("{} v2 serial {}", registry.client.name(), dataset.serial())
        });
        let lock = self.lock.iter().map(|_| "Cargo.lock".to_owned());
        registries.chain(lock).collect::<Vec<_>>().join(", ")
    }

    /// Where an answer comes from, for machines.
    pub(super) fn source(&self, datasets: &[Dataset]) -> Value {
        let registries = self.registries.iter().zip(datasets);
        let mut registries: Vec<Value> = registries
            .map(|(registry, dataset)| {
                json!({"registry": registry.client.name().as_str(), "serial": dataset.serial()})
            })
            .collect();
        match &self.lock {
            Some(lock) => json!({"registries": registries, "unknown_members": lock.unknown}),
            None => registries.pop().unwrap_or_default(),
        }
    }
}

impl Lock {
    fn read<'a>(
        project: &'a LockedProject<'a>,
        rust_versions: &RustVersions,
        context: &Context,
    ) -> Result<Self, CommandError> {
        let graph = &project.graph;
        let mut unknown = BTreeSet::new();
        let packages = graph.packages.iter();
        let mut locked: Vec<Locked> = packages
            .map(|package| {
                let is_member = package.source.is_none();
                let known = rust_versions.get(&package.name).filter(|_| is_member);
                if is_member && known.is_none() {
                    unknown.insert(package.name.clone());
                }
                Locked {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    source: package.source.clone(),
                    checksum: package.own_checksum(),
                    rust_version: known.cloned().flatten(),
                    ..Locked::default()
                }
            })
            .collect();
        for needed in 0..locked.len() {
            for &above in graph.needed_by(needed) {
                locked[above].requires.push(needed);
            }
        }
        let mut verified = Documents::new();
        for one in project.examine()? {
            // What is not its registry's is in the lock file, and has no release.
            let Ok(listed) = one.listed else {
                continue;
            };
            let base = one.home.reading.client.policy().base.clone();
            let release = &listed.entry.release;
            locked[one.place].release = Some(release_iri(&release.name, &release.version, &base));
            let document = listed.state.document.clone();
            verified.insert((base, document.package.clone()), document);
        }
        Ok(Self {
            triples: lock_triples(&locked, context.now),
            verified,
            unknown,
        })
    }
}
