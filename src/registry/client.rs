//! A registry, opened: its metadata is verified and up to date, or known to be a copy of some age.
//!
//! Every byte that leaves here was checked against signatures. It follows the order of DESIGN,
//! section 5: TUF first, then a package's record; which format to read is the backend's matter.

mod age;
mod large_files;
mod package;
mod registered;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::ClientError;
use super::files::{FileError, Files};
use super::metadata::{self, Freshness};
use crate::formats::catalog_index::{self, CatalogIndex};
use crate::formats::layout;
use crate::formats::marketplace_trust::Demand;
use crate::formats::policy::Policy;
use crate::formats::record;
use crate::model::{EventSink, PackageName, RegistryName, Sha256Digest, UtcTime};
use crate::trust::tuf::{Lookup, Target, TargetFile, Updater};
use crate::trust::{
    RecordContext, Seen, SignedStatement, Verified, read_policy, signed_statements,
};

use super::mirrors::Mirrors;
use registered::{Known, Registered};

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
    tuf: Mutex<Updater>,
    freshness: Freshness,
    /// The user asked for the copy on this machine, however old it is.
    is_offline_meant: bool,
    now: UtcTime,
    policy: Verified<Policy>,
    known: Mutex<Known>,
    warned: Mutex<age::Warned>,
    events: &'a dyn EventSink,
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
        let (mut updater, freshness) =
            metadata::refresh(&mut files, &opening.name, asked, opening.events)?;
        check_roots(&files, &opening)?;
        let policy = find(&mut updater, &files, layout::POLICY)?
            .ok_or_else(|| ClientError::NotListed(layout::POLICY.to_owned()))?;
        let policy = read_policy(&files.target(&policy)?)?;
        files.add_mirrors(&policy);
        let client = Self {
            name: opening.name,
            registry_id: opening.registry_id,
            files,
            tuf: Mutex::new(updater),
            freshness,
            is_offline_meant,
            now: opening.now,
            policy,
            known: Mutex::default(),
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
    pub fn policy(&self) -> &Policy {
        &self.policy
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
    pub const fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// Fails where new releases may not be chosen: to choose is to learn something new, and an expired
    /// copy will not do, unless the user asks for what is here. A mirror that does not answer could
    /// else hold users back for ever.
    pub fn may_choose(&self) -> Result<(), ClientError> {
        let Freshness {
            is_online, expires, ..
        } = self.freshness;
        if is_online || self.is_offline_meant || expires > self.now {
            return Ok(());
        }
        Err(ClientError::Stale {
            registry: self.name.clone(),
            expires,
        })
    }

    /// The time at which the registry signed its timestamp, by its own clock: so long before its
    /// expiry as the policy says. Never later than the clock here, or who has stolen the online key
    /// could make everything old.
    #[must_use]
    pub fn timestamp_time(&self) -> UtcTime {
        let life = i64::from(self.policy.lifetimes.timestamp) * 86_400;
        let expires = self.tuf().timestamp_expires();
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
        self.tuf().root_version()
    }

    /// The version of the trusted snapshot.
    #[must_use]
    pub fn snapshot_version(&self) -> u64 {
        self.tuf().snapshot_version().unwrap_or(0)
    }

    /// When the trusted root expires.
    #[must_use]
    pub fn root_expires(&self) -> UtcTime {
        self.tuf().root_expires()
    }

    /// The statements of a package's record and who signed them; every signature is checked.
    pub fn statements(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<Vec<SignedStatement>>>, ClientError> {
        let Some((target, registered)) = self.record(package, None)? else {
            return Ok(None);
        };
        let context = self.context(package, &registered, None);
        Ok(Some(signed_statements(&target, &context)?))
    }

    /// The record of a package, not yet verified but for its digest, and by what it is judged.
    fn record(
        &self,
        package: &PackageName,
        before: Option<Seen>,
    ) -> Result<Option<(Verified<Target>, Registered)>, ClientError> {
        let target = self.target(&layout::record(package));
        let target = target.map_err(|error| self.in_copy(package, error))?;
        let claim = self.claim(package);
        let claim = claim.map_err(|error| self.in_copy(package, error))?;
        let Some(target) = target else {
            return match before {
                _ if self.tuf().is_behind() => Err(self.not_in_copy(package)),
                Some(_) => Err(ClientError::Vanished(package.clone())),
                None if claim.is_some() => Err(ClientError::ClaimedAbsent(package.clone())),
                None => Ok(None),
            };
        };
        let registered = match record::decode(&target.bytes) {
            // Another package's name in the same place but for case: there is no package of this name.
            Ok(record) if is_other_spelling(&record.package, package) => return Ok(None),
            Ok(record) => Registered {
                claim,
                ..self.registered(&record)?
            },
            // Told by `verify_record`, with all that belongs to it.
            Err(_) => Registered::default(),
        };
        Ok(Some((target, registered)))
    }

    /// The statement by which its owners have a package, as the offline role `claimed` says.
    fn claim(&self, package: &PackageName) -> Result<Option<Sha256Digest>, ClientError> {
        let path = layout::claim(package);
        let Some(listed) = self.find(&path)? else {
            return Ok(None);
        };
        let digest = listed.sha256();
        digest.map(Some).ok_or(ClientError::NotListed(path))
    }

    /// What an error means where a package was asked for that no copy may hold.
    fn in_copy(&self, package: &PackageName, error: ClientError) -> ClientError {
        match error.is_missing_copy() {
            true => self.not_in_copy(package),
            false => error,
        }
    }

    fn not_in_copy(&self, package: &PackageName) -> ClientError {
        ClientError::NotInCopy {
            package: package.clone(),
            registry: self.name.clone(),
        }
    }

    fn context<'b>(
        &'b self,
        package: &'b PackageName,
        registered: &'b Registered,
        verified_before: Option<Seen>,
    ) -> RecordContext<'b> {
        RecordContext {
            registry_id: self.registry_id,
            package,
            publishers: &registered.publishers,
            policy: &self.policy,
            unsigned: &registered.unsigned,
            claim: registered.claim,
            verified_before,
        }
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
        target.map_err(|error| match (error, self.tuf().rollback()) {
            (ClientError::File(FileError::Missing { .. }), Some(rollback)) => rollback.into(),
            (error, _) => error,
        })
    }

    fn required(&self, path: &str) -> Result<Verified<Target>, ClientError> {
        self.target(path)?
            .ok_or_else(|| ClientError::NotListed(path.to_owned()))
    }

    fn tuf(&self) -> MutexGuard<'_, Updater> {
        self.tuf.lock().unwrap_or_else(PoisonError::into_inner)
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
            Lookup::Needs => metadata::answer_requests(tuf, files)?,
        }
    }
}

fn is_other_spelling(found: &PackageName, asked: &PackageName) -> bool {
    found != asked && found.as_str().eq_ignore_ascii_case(asked.as_str())
}
