//! A registry, opened: its metadata is verified and up to date, or known to be a copy of some age.
//!
//! Every byte that leaves here was checked against signatures. It follows the order of DESIGN,
//! section 5: TUF first, then a package's record; which format to read is the backend's matter.

mod age;
mod large_files;
mod package;
mod registered;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::ClientError;
use super::files::{FileError, Files};
use super::metadata::{self, Freshness};
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::layout;
use crate::formats::marketplace_trust::Demand;
use crate::formats::policy::Policy;
use crate::model::{EventSink, RegistryName, Sha256Digest, UtcTime};
use crate::trust::tuf::{Lookup, Target, TargetFile, Updater};
use crate::trust::{Verified, read_policy};

use super::mirrors::Mirrors;
use registered::Known;

/// Which registry is opened, and how.
pub struct Opening<'a> {
    /// What the user calls it.
    pub name: RegistryName,
    /// What it is.
    pub registry_id: Sha256Digest,
    /// The marketplace's home folder, which holds the state of each registry.
    pub home: PathBuf,
    /// Where it is read; `None` means only from the copy on this machine.
    pub mirrors: Option<Mirrors<'a>>,
    /// The present time.
    pub now: UtcTime,
    /// What a project demands of it.
    pub demands: Vec<Demand>,
    /// Who is told.
    pub events: &'a dyn EventSink,
}

/// A registry that can be read.
pub struct Client<'a> {
    name: RegistryName,
    registry_id: Sha256Digest,
    files: Files<'a>,
    standing: Mutex<Standing>,
    /// The user asked for the copy on this machine, however old it is.
    is_offline_meant: bool,
    now: UtcTime,
    warned: Mutex<age::Warned>,
    events: &'a dyn EventSink,
}

/// A verified state of the registry: what belongs together changes together.
struct Standing {
    tuf: Updater,
    policy: Arc<Verified<Policy>>,
    freshness: Freshness,
    known: Arc<Mutex<Known>>,
}

impl Standing {
    /// Reads the policy of a state.
    fn new(
        (mut tuf, freshness): (Updater, Freshness),
        files: &Files<'_>,
    ) -> Result<Self, ClientError> {
        let policy = find(&mut tuf, files, layout::POLICY)?
            .ok_or_else(|| ClientError::NotListed(layout::POLICY.to_owned()))?;
        let policy = Arc::new(read_policy(&files.target(&policy)?)?);
        Ok(Self {
            tuf,
            policy,
            freshness,
            known: Arc::default(),
        })
    }

    /// How fresh all is that was read so far.
    fn freshness(&self) -> Freshness {
        let mut freshness = self.freshness.clone();
        freshness.amend(&self.tuf);
        freshness
    }
}

impl<'a> Client<'a> {
    /// Opens a registry that was added before. If it does not answer, the copy of an earlier time
    /// is used, and its age is said.
    pub fn open(mut opening: Opening<'a>) -> Result<Self, ClientError> {
        let folder = opening.home.join(opening.registry_id.to_string());
        let is_offline_meant = opening.mirrors.is_none();
        let mut files = Files::new(folder, opening.mirrors.take());
        files.add_mirrors_of_copy()?;
        let demanded = opening.demands.iter().map(|demand| demand.minimum_snapshot);
        let asked = (opening.now, demanded.max().unwrap_or(0));
        let refreshed = metadata::refresh(&mut files, &opening.name, asked, opening.events)?;
        check_roots(&files, &opening)?;
        let standing = Standing::new(refreshed, &files)?;
        files.add_mirrors(&standing.policy);
        let client = Self {
            name: opening.name,
            registry_id: opening.registry_id,
            files,
            standing: Mutex::new(standing),
            is_offline_meant,
            now: opening.now,
            warned: Mutex::default(),
            events: opening.events,
        };
        client.warn_of_age();
        Ok(client)
    }

    /// What the user calls the registry.
    #[must_use]
    pub const fn name(&self) -> &RegistryName {
        &self.name
    }

    /// The sha256 of the registry's first root file.
    #[must_use]
    pub const fn registry_id(&self) -> Sha256Digest {
        self.registry_id
    }

    /// What the registry demands and says of itself.
    #[must_use]
    pub fn policy(&self) -> Arc<Verified<Policy>> {
        Arc::clone(&self.standing().policy)
    }

    /// The registry's files on this machine.
    #[must_use]
    pub const fn files(&self) -> &Files<'a> {
        &self.files
    }

    /// Who is told what happens.
    #[must_use]
    pub fn events(&self) -> &'a dyn EventSink {
        self.events
    }

    /// Whether the registry answered, and until when its metadata is valid.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        self.standing().freshness()
    }

    /// Fails where new releases may not be chosen: to choose is to learn something new, and an expired
    /// copy will not do, unless the user asks for what is here. A mirror that does not answer, or gives
    /// only some of what it announces, could else hold users back for ever. What is chosen from must have
    /// been read before: a role that is read later may be older.
    pub fn may_choose(&self) -> Result<(), ClientError> {
        let Freshness {
            is_online,
            expires,
            withheld,
            ..
        } = self.freshness();
        if is_online || self.is_offline_meant || expires > self.now {
            return Ok(());
        }
        let registry = self.name.clone();
        Err(match withheld {
            None => ClientError::Stale { registry, expires },
            Some(withheld) => ClientError::Withheld {
                registry,
                withheld,
                expires,
            },
        })
    }

    /// The time at which the registry signed its timestamp, the last one under which nothing was withheld
    /// of what was read, by its own clock: so long before its expiry as the policy says. Never later than the clock here, or who has stolen the online key
    /// could make everything old.
    #[must_use]
    pub fn timestamp_time(&self) -> UtcTime {
        let standing = self.standing();
        let life = i64::from(standing.policy.lifetimes.timestamp) * 86_400;
        let expires = standing.tuf.upheld_until();
        let signed = expires.map(|expires| expires.plus_seconds(-life));
        signed.map_or(self.now, |signed| signed.min(self.now))
    }

    /// The present time.
    #[must_use]
    pub const fn now(&self) -> UtcTime {
        self.now
    }

    /// The version of the trusted root.
    #[must_use]
    pub fn root_version(&self) -> u64 {
        self.standing().tuf.root_version()
    }

    /// The version of the trusted snapshot.
    #[must_use]
    pub fn snapshot_version(&self) -> u64 {
        self.standing().tuf.snapshot_version().unwrap_or(0)
    }

    /// When the trusted root expires.
    #[must_use]
    pub fn root_expires(&self) -> UtcTime {
        self.standing().tuf.root_expires()
    }

    /// The index of the catalog.
    pub fn catalog_index(&self) -> Result<CatalogIndex, ClientError> {
        let target = self.required(layout::CATALOG_INDEX)?;
        Ok(catalog_index::decode(&target.bytes)?)
    }

    /// Looks a target up and returns its verified bytes.
    pub fn target(&self, path: &str) -> Result<Option<Verified<Target>>, ClientError> {
        let found = self.find(path)?;
        let target = found.map(|file| self.files.target(&file)).transpose();
        target.map_err(|error| match (error, self.standing().tuf.rollback()) {
            (ClientError::File(FileError::Missing { .. }), Some(rollback)) => rollback.into(),
            (error, _) => error,
        })
    }

    fn required(&self, path: &str) -> Result<Verified<Target>, ClientError> {
        self.target(path)?
            .ok_or_else(|| ClientError::NotListed(path.to_owned()))
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each root that a project demands must be one of those that led to the trusted one.
fn check_roots(files: &Files<'_>, opening: &Opening<'_>) -> Result<(), ClientError> {
    let roots = metadata::roots(files)?;
    let is_known = |root: &Sha256Digest| *root == opening.registry_id || roots.contains(root);
    let mut demanded = opening.demands.iter().map(|demand| demand.root);
    match demanded.find(|root| !is_known(root)) {
        None => Ok(()),
        Some(root) => Err(ClientError::RootNotReached {
            registry: opening.name.clone(),
            root,
        }),
    }
}

/// Looks a target up, fetching the roles on the way.
fn find(
    tuf: &mut Updater,
    files: &Files<'_>,
    path: &str,
) -> Result<Option<Verified<TargetFile>>, ClientError> {
    loop {
        match tuf.find_target(path)? {
            Lookup::Found(file) => return Ok(Some(file)),
            Lookup::Absent => return Ok(None),
            Lookup::Needs => {
                metadata::answer_requests(tuf, files)?;
                if files.is_online() {
                    metadata::uphold(tuf, files)?;
                }
            }
        }
    }
}
