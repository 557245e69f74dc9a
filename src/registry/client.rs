//! A registry, opened: its metadata is verified and up to date, or known to be a copy of some age.
//!
//! Every byte that leaves here was checked against signatures. It follows the order of DESIGN,
//! section 5: TUF first, then a package's record; which format to read is the backend's matter.

mod age;
mod large_files;
mod package;
mod registered;
mod standing;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::ClientError;
use super::files::{FileError, Files};
use super::freshness::{Freshness, Need, Terms};
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::layout;
use crate::formats::marketplace_trust::Demand;
use crate::formats::policy::Policy;
use crate::model::{EventSink, RegistryName, Sha256Digest, UtcTime};
use crate::trust::Verified;
use crate::trust::tuf::Target;

use super::mirrors::Mirrors;
use standing::{Standing, find};

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
    /// How new it must be.
    pub need: Need,
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
    terms: Terms,
    warned: Mutex<age::Warned>,
    events: &'a dyn EventSink,
}

impl<'a> Client<'a> {
    /// Opens a registry that was added before. A copy that is as new as it needs to be is used without asking;
    /// if the registry does not answer, that of an earlier time is, and its age is said.
    pub fn open(mut opening: Opening<'a>) -> Result<Self, ClientError> {
        let folder = opening.home.join(opening.registry_id.to_string());
        let is_offline_meant = opening.mirrors.is_none();
        let mut files = Files::new(folder, opening.mirrors.take());
        files.add_mirrors_of_copy()?;
        let demanded = opening.demands.iter().map(|demand| demand.minimum_snapshot);
        let terms = Terms {
            now: opening.now,
            least_snapshot: demanded.max().unwrap_or(0),
            need: opening.need,
        };
        let standing = Standing::open(&files, &terms, &opening)?;
        files.add_mirrors(&standing.policy);
        let client = Self {
            name: opening.name,
            registry_id: opening.registry_id,
            files,
            standing: Mutex::new(standing),
            is_offline_meant,
            terms,
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

    /// The requests that were sent to the registry, at all of its addresses, and the bytes of files that came.
    #[must_use]
    pub fn traffic(&self) -> (u64, u64) {
        let mirrors = self.files.mirrors();
        mirrors.map_or((0, 0), |mirrors| mirrors.account().traffic())
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
        if is_online || self.is_offline_meant || expires > self.terms.now {
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
        signed.map_or(self.now(), |signed| signed.min(self.now()))
    }

    /// The present time.
    #[must_use]
    pub const fn now(&self) -> UtcTime {
        self.terms.now
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
