//! The client's workflow (TUF 1.0, section 5) as a state machine: each step says what it needs,
//! judges the answer, and says what to keep. An answer that is refused leaves everything as it was,
//! so that the same question may be put to another mirror.

mod steps;
mod survey;
mod upheld;

use std::collections::{BTreeMap, BTreeSet};

use super::delegation::Delegate;
use super::error::TufError;
use super::metadata::{Metadata, Unverified, Verifier};
use super::roles::{Root, Snapshot, Targets, Timestamp};
use super::target::TargetFile;
use crate::model::{Sha256Digest, UtcTime};
use crate::trust::Verified;

pub use survey::RoleValidity;
pub use upheld::{Upheld, Withheld};

/// The most bytes of a root file.
pub const MAX_ROOT: u64 = 512 * 1024;
const MAX_TIMESTAMP: u64 = 16 * 1024;
/// Where the timestamp gives no length.
const USUAL_SNAPSHOT: u64 = 2 * 1024 * 1024;
const MAX_SNAPSHOT: u64 = 32 * 1024 * 1024;
const MAX_TARGETS: u64 = 5 * 1024 * 1024;
/// The most roots that are read in a row: a server could have one more for ever.
pub const MAX_NEW_ROOTS: u64 = 256;
const MAX_DELEGATIONS: usize = 32;

/// How an update is made.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The time to which expiry is compared.
    pub now: UtcTime,
    /// Whether new metadata may be asked for.
    pub mode: Mode,
    /// Which keys count; [`ed25519_only`](super::ed25519_only) in the shipped program.
    pub verifier: Verifier,
}

/// Where metadata comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// From the registry; expiry is enforced.
    Online,
    /// What was kept a moment ago is taken for the present state: as [`Mode::Online`], but that no newer
    /// root or timestamp is asked for.
    Recent,
    /// Only from what was kept. Nothing new is learned, so expiry does not matter: see
    /// [`Updater::earliest_expiry`] for the age to tell.
    Offline,
}

/// What the updater needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The file of that name that was kept, if there is one. It is judged like any other.
    Stored {
        /// The name within the registry's state.
        name: String,
    },
    /// A file of the registry.
    Remote {
        /// The path below the metadata's root.
        path: String,
        /// Read no more than this.
        max_bytes: u64,
        /// Whether it is no fault when there is none: the answer is nothing, then.
        may_be_missing: bool,
    },
}

/// What to do with the kept files, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Keep these bytes under that name.
    Write {
        /// The name within the registry's state.
        name: String,
        /// The bytes, as they came.
        bytes: Vec<u8>,
    },
    /// Forget the file of that name, if there is one.
    Remove {
        /// The name within the registry's state.
        name: String,
    },
}

/// What a search for a target found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The file.
    Found(Verified<TargetFile>),
    /// No role lists it.
    Absent,
    /// A role must be read first: answer the requests, then ask again.
    Needs,
}

/// The state machine.
#[derive(Debug)]
pub struct Updater {
    settings: Settings,
    step: Step,
    root: Metadata<Root>,
    registry_id: Option<Sha256Digest>,
    new_roots: u64,
    /// No older snapshot will do, whatever was seen on this machine.
    least_snapshot: u64,
    /// A key of timestamp or snapshot was replaced: what was kept may be an attacker's.
    forgets: bool,
    timestamp: Option<Metadata<Timestamp>>,
    older_timestamp: Option<u64>,
    snapshot: Option<Metadata<Snapshot>>,
    /// Whether the snapshot is the one that the timestamp announces. Offline an older one will do.
    is_announced: bool,
    upheld: Upheld,
    roles: BTreeMap<Delegate, Metadata<Targets>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Root,
    StoredTimestamp,
    Timestamp,
    StoredSnapshot,
    Snapshot,
    StoredRole(Delegate),
    Role(Delegate),
    Ready,
}

impl Updater {
    /// Starts from a root that is trusted already: pinned by its digest, or kept from before.
    pub fn start(root: &[u8], settings: Settings) -> Result<Self, TufError> {
        let trusted = read_root(root, settings.verifier)?;
        let first = (trusted.version == 1).then(|| Sha256Digest::of(root));
        Ok(Self {
            settings,
            step: match settings.mode {
                Mode::Online => Step::Root,
                Mode::Recent | Mode::Offline => Step::StoredTimestamp,
            },
            registry_id: first.or(trusted.content.registry_id),
            root: trusted,
            new_roots: 0,
            least_snapshot: 0,
            forgets: false,
            timestamp: None,
            older_timestamp: None,
            snapshot: None,
            is_announced: false,
            upheld: Upheld::default(),
            roles: BTreeMap::new(),
        })
    }

    /// Refuses every snapshot before that version, also where none was seen before.
    #[must_use]
    pub fn with_least_snapshot(mut self, version: u64) -> Self {
        self.least_snapshot = version;
        self
    }

    /// What is needed next; nothing when the update is through and no search waits.
    #[must_use]
    pub fn next_request(&self) -> Option<Request> {
        let stored = |role: &str| {
            Some(Request::Stored {
                name: file_name(role),
            })
        };
        let remote = |path: String, max_bytes: u64, may_be_missing: bool| {
            Some(Request::Remote {
                path,
                max_bytes,
                may_be_missing,
            })
        };
        match &self.step {
            Step::Root => {
                let path = format!("{}.root.json", self.root.version.saturating_add(1));
                remote(path, MAX_ROOT, true)
            }
            Step::StoredTimestamp => stored("timestamp"),
            Step::Timestamp => remote("timestamp.json".into(), MAX_TIMESTAMP, false),
            Step::StoredSnapshot => stored("snapshot"),
            Step::Snapshot => {
                let meta = &self.timestamp.as_ref()?.content.snapshot;
                let limit = meta.length.unwrap_or(USUAL_SNAPSHOT).min(MAX_SNAPSHOT);
                remote(self.versioned(meta.version, "snapshot"), limit, false)
            }
            Step::StoredRole(role) => stored(&role.name),
            Step::Role(role) => {
                let meta = self.listed(&role.name).ok()?;
                let limit = meta.length.unwrap_or(MAX_TARGETS).min(MAX_TARGETS);
                remote(self.versioned(meta.version, &role.name), limit, false)
            }
            Step::Ready => None,
        }
    }

    /// Takes the answer to [`Updater::next_request`]: the file's bytes, or nothing if there is no
    /// such file.
    pub fn supply(&mut self, answer: Option<Vec<u8>>) -> Result<Vec<Change>, TufError> {
        let bytes = match (self.next_request(), answer) {
            (None, _) => return Err(TufError::OutOfOrder),
            (
                Some(Request::Remote {
                    path,
                    may_be_missing: false,
                    ..
                }),
                None,
            ) => return Err(self.rollback().unwrap_or(TufError::Missing { path })),
            (
                Some(Request::Remote {
                    path, max_bytes, ..
                }),
                Some(bytes),
            ) if bytes.len() as u64 > max_bytes => {
                return Err(TufError::TooLong {
                    path,
                    length: bytes.len() as u64,
                    limit: max_bytes,
                });
            }
            (Some(_), answer) => answer,
        };
        self.take(bytes)
    }

    /// Looks a target up: in `targets`, then in the roles to which it delegates, depth first.
    pub fn find_target(&mut self, path: &str) -> Result<Lookup, TufError> {
        // A role that a search before this one could not have is asked for anew, if it is needed.
        if !matches!(self.step, Step::Ready | Step::StoredRole(_) | Step::Role(_)) {
            return Err(TufError::OutOfOrder);
        }
        self.step = Step::Ready;
        let mut stack = vec![self.top_role()];
        let mut visited = BTreeSet::new();
        while let Some(role) = stack.pop() {
            if !visited.insert(role.name.clone()) {
                continue;
            }
            if visited.len() > MAX_DELEGATIONS {
                return Err(TufError::TooManyDelegations {
                    path: path.into(),
                    limit: MAX_DELEGATIONS,
                });
            }
            let Some(metadata) = self.roles.get(&role) else {
                self.listed(&role.name)?;
                self.step = Step::StoredRole(role);
                return Ok(Lookup::Needs);
            };
            if let Some((length, hashes)) = metadata.content.targets.get(path) {
                let consistent = self.root.content.consistent_snapshot;
                let file = TargetFile::new(path, *length, hashes.clone(), consistent);
                return Ok(Lookup::Found(Verified::new(file)));
            }
            if let Some(delegations) = &metadata.content.delegations {
                let (delegates, terminating) = delegations.for_path(path);
                if terminating {
                    stack.clear();
                }
                stack.extend(delegates.into_iter().rev());
            }
        }
        Ok(Lookup::Absent)
    }

    /// The sha256 of the registry's first root, if this root is the first or names it.
    #[must_use]
    pub const fn registry_id(&self) -> Option<Sha256Digest> {
        self.registry_id
    }

    /// The version of the trusted root.
    #[must_use]
    pub const fn root_version(&self) -> u64 {
        self.root.version
    }

    /// Whether a role that was read is older than the snapshot says: offline, a newer one may list more.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let older = |(role, metadata): (&Delegate, &Metadata<Targets>)| {
            let listed = self.listed(&role.name);
            listed.is_ok_and(|listed| metadata.version < listed.version)
        };
        self.roles.iter().any(older)
    }

    /// When the trusted root expires.
    #[must_use]
    pub const fn root_expires(&self) -> UtcTime {
        self.root.expires
    }

    /// How many keys must sign a root, and out of how many.
    #[must_use]
    pub fn root_threshold(&self) -> (u64, usize) {
        self.root.content.root.counts()
    }

    /// The version of the trusted timestamp.
    #[cfg(test)]
    pub(super) fn timestamp_version(&self) -> Option<u64> {
        Some(self.timestamp.as_ref()?.version)
    }

    /// The version of the trusted snapshot.
    #[must_use]
    pub fn snapshot_version(&self) -> Option<u64> {
        Some(self.snapshot.as_ref()?.version)
    }

    /// An older timestamp was served and put aside: by a stale cache, which does no harm, or by a mirror
    /// that holds back what is new. It is the latter as soon as something that is needed is not there.
    #[must_use]
    pub fn rollback(&self) -> Option<TufError> {
        Some(TufError::Rollback {
            role: "timestamp".into(),
            trusted: self.timestamp.as_ref()?.version,
            offered: self.older_timestamp?,
        })
    }

    /// Which of the roles read so far expires first, and when. Offline it may be in the past. A timestamp
    /// counts no longer than it upholds what was read: see [`Updater::upheld_until`].
    #[must_use]
    pub fn earliest_expiry(&self) -> (&str, UtcTime) {
        let upheld = self.upheld_until();
        let timestamp = upheld.iter().map(|until| ("timestamp", *until));
        let snapshot = self.snapshot.iter().map(|role| ("snapshot", role.expires));
        let roles = self.roles.iter();
        let roles = roles.map(|(delegate, role)| (delegate.name.as_str(), role.expires));
        let rest = timestamp.chain(snapshot).chain(roles);
        rest.fold(("root", self.root.expires), |first, next| {
            if next.1 < first.1 { next } else { first }
        })
    }

    /// The path of a role's file below the metadata's root.
    fn versioned(&self, version: u64, role: &str) -> String {
        if self.root.content.consistent_snapshot {
            format!("{version}.{}", file_name(role))
        } else {
            file_name(role)
        }
    }
}

/// Reads a root and checks that its own keys signed it.
fn read_root(bytes: &[u8], verifier: Verifier) -> Result<Metadata<Root>, TufError> {
    let unverified = Unverified::read("root", bytes)?;
    let root: Metadata<Root> = unverified.content()?;
    unverified.verify(&root.content.root, verifier)?;
    Ok(root)
}

/// A role's file name. Whatever the role is called, it is one file name and no path.
fn file_name(role: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
    let letters = role.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    letters.collect::<String>() + ".json"
}
