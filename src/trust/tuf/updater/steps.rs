//! The judgements of the workflow, one function a step (TUF 1.0, sections 5.3 to 5.6).

use super::{Change, MAX_NEW_ROOTS, Mode, Step, Updater, Upheld, file_name, read_root};
use crate::model::UtcTime;
use crate::trust::tuf::delegation::Delegate;
use crate::trust::tuf::error::TufError;
use crate::trust::tuf::metadata::{Content, Metadata, Signers, Unverified};
use crate::trust::tuf::roles::{FileMeta, Snapshot, Targets, Timestamp};

impl Updater {
    pub(super) fn take(&mut self, answer: Option<Vec<u8>>) -> Result<Vec<Change>, TufError> {
        match (self.step.clone(), answer) {
            (Step::Root, Some(bytes)) => self.take_root(bytes),
            (Step::Root, None) => self.end_roots(),
            (Step::StoredTimestamp, kept) => self.take_stored_timestamp(kept.as_deref()),
            (Step::Timestamp, Some(bytes)) => self.take_timestamp(bytes),
            (Step::StoredSnapshot, kept) => self.take_stored_snapshot(kept.as_deref()),
            (Step::Snapshot, Some(bytes)) => self.take_snapshot(bytes),
            (Step::StoredRole(role), kept) => self.take_stored_role(role, kept.as_deref()),
            (Step::Role(role), Some(bytes)) => self.take_role(role, bytes),
            (Step::Timestamp | Step::Snapshot | Step::Role(_), None) | (Step::Ready, _) => {
                Err(TufError::OutOfOrder)
            }
        }
    }

    /// 5.3.3 to 5.3.8: a new root is signed by the one before it and by itself.
    fn take_root(&mut self, bytes: Vec<u8>) -> Result<Vec<Change>, TufError> {
        if self.new_roots == MAX_NEW_ROOTS {
            return Err(TufError::TooManyRoots(MAX_NEW_ROOTS));
        }
        let trusted = &self.root;
        Unverified::read("root", &bytes)?.verify(&trusted.content.root, self.settings.verifier)?;
        let new = read_root(&bytes, self.settings.verifier)?;
        require_version("root", trusted.version.saturating_add(1), new.version)?;
        if let (Some(expected), Some(found)) = (self.registry_id, new.content.registry_id)
            && expected != found
        {
            return Err(TufError::OtherRegistry { expected, found });
        }
        let mut changes = Vec::new();
        // 5.3.11: who held a replaced key may have set versions so high that no honest one follows.
        let (old, now) = (&trusted.content, &new.content);
        if old.timestamp.dropped_by(&now.timestamp) || old.snapshot.dropped_by(&now.snapshot) {
            self.forgets = true;
            let upheld = Upheld::NAME.to_owned();
            let forgotten = [file_name("timestamp"), file_name("snapshot"), upheld];
            changes.extend(forgotten.map(|name| Change::Remove { name }));
            self.upheld = Upheld::default();
        }
        changes.push(write("root", bytes));
        self.registry_id = self.registry_id.or(new.content.registry_id);
        self.root = new;
        self.new_roots += 1;
        Ok(changes)
    }

    /// 5.3.9 to 5.3.10: there is no newer root, and this one is in force.
    fn end_roots(&mut self) -> Result<Vec<Change>, TufError> {
        self.require_fresh("root", self.root.version, self.root.expires)?;
        self.step = if self.forgets {
            Step::Timestamp
        } else {
            Step::StoredTimestamp
        };
        Ok(Vec::new())
    }

    /// What was kept is trusted for its version alone; if it does not verify any more, it is as if
    /// it were not there.
    fn take_stored_timestamp(&mut self, kept: Option<&[u8]>) -> Result<Vec<Change>, TufError> {
        let read = |bytes| self.read("timestamp", bytes, &self.root.content.timestamp);
        let kept = kept.map(read).transpose();
        match self.settings.mode {
            Mode::Online => {
                self.timestamp = kept.ok().flatten();
                self.step = Step::Timestamp;
            }
            Mode::Recent | Mode::Offline => {
                let kept = kept?.ok_or_else(|| not_stored("timestamp"))?;
                self.require_fresh("root", self.root.version, self.root.expires)?;
                self.require_fresh("timestamp", kept.version, kept.expires)?;
                self.require_least(&kept)?;
                self.timestamp = Some(kept);
                self.step = Step::StoredSnapshot;
            }
        }
        Ok(Vec::new())
    }

    /// 5.4: a newer timestamp is taken; an older one is put aside, since honest caches serve such.
    fn take_timestamp(&mut self, bytes: Vec<u8>) -> Result<Vec<Change>, TufError> {
        let new: Metadata<Timestamp> =
            self.read("timestamp", &bytes, &self.root.content.timestamp)?;
        let mut changes = Vec::new();
        match &self.timestamp {
            Some(trusted) if new.version <= trusted.version => {
                self.require_fresh("timestamp", trusted.version, trusted.expires)?;
                self.require_least(trusted)?;
                let older = new.version < trusted.version;
                self.older_timestamp = older.then_some(new.version);
            }
            trusted => {
                let announced = new.content.snapshot.version;
                if let Some(trusted) = trusted {
                    no_rollback("snapshot", trusted.content.snapshot.version, announced)?;
                }
                self.require_fresh("timestamp", new.version, new.expires)?;
                self.require_least(&new)?;
                self.timestamp = Some(new);
                changes.push(write("timestamp", bytes));
            }
        }
        self.step = if self.forgets {
            Step::Snapshot
        } else {
            Step::StoredSnapshot
        };
        Ok(changes)
    }

    fn take_stored_snapshot(&mut self, kept: Option<&[u8]>) -> Result<Vec<Change>, TufError> {
        let read = |bytes| self.read("snapshot", bytes, &self.root.content.snapshot);
        let snapshot: Result<Option<Metadata<Snapshot>>, _> = kept.map(read).transpose();
        let announced = self.announced_snapshot()?;
        let own = snapshot.as_ref().ok().and_then(Option::as_ref);
        self.is_announced = own.zip(kept).is_some_and(|(own, bytes)| {
            own.version == announced.version && announced.check("snapshot", bytes).is_ok()
        });
        match self.settings.mode {
            Mode::Online | Mode::Recent => {
                self.snapshot = snapshot.ok().flatten();
                let now = self.settings.now;
                let is_fresh = self.snapshot.iter().any(|own| own.expires > now);
                self.step = if self.is_announced && is_fresh {
                    Step::StoredRole(self.top_role())
                } else {
                    Step::Snapshot
                };
            }
            Mode::Offline => {
                let snapshot = snapshot?.ok_or_else(|| not_stored("snapshot"))?;
                if snapshot.version > announced.version {
                    require_version("snapshot", announced.version, snapshot.version)?;
                }
                self.snapshot = Some(snapshot);
                self.step = Step::StoredRole(self.top_role());
            }
        }
        Ok(Vec::new())
    }

    /// 5.5: the announced snapshot, in which nothing vanished or went back.
    fn take_snapshot(&mut self, bytes: Vec<u8>) -> Result<Vec<Change>, TufError> {
        let announced = self.announced_snapshot()?;
        announced.check("snapshot", &bytes)?;
        let new: Metadata<Snapshot> = self.read("snapshot", &bytes, &self.root.content.snapshot)?;
        require_version("snapshot", announced.version, new.version)?;
        let trusted = self.snapshot.iter().flat_map(|own| &own.content.meta);
        for (name, own) in trusted {
            let role = name.strip_suffix(".json").unwrap_or(name);
            let Some(offered) = new.content.meta.get(name) else {
                return Err(TufError::Vanished { role: role.into() });
            };
            no_rollback(role, own.version, offered.version)?;
        }
        self.require_fresh("snapshot", new.version, new.expires)?;
        self.snapshot = Some(new);
        self.is_announced = true;
        self.step = Step::StoredRole(self.top_role());
        Ok(vec![write("snapshot", bytes)])
    }

    fn take_stored_role(
        &mut self,
        role: Delegate,
        kept: Option<&[u8]>,
    ) -> Result<Vec<Change>, TufError> {
        let metadata = kept.map(|bytes| self.read_role(&role, bytes)).transpose();
        match (self.settings.mode, metadata) {
            (_, Ok(Some(metadata))) => self.keep_role(role, metadata),
            (Mode::Online | Mode::Recent, Ok(None) | Err(_)) => self.step = Step::Role(role),
            (Mode::Offline, Ok(None)) => return Err(not_stored(&role.name)),
            (Mode::Offline, Err(error)) => return Err(error),
        }
        Ok(Vec::new())
    }

    /// 5.6: a role that lists targets, in the version that the snapshot lists.
    fn take_role(&mut self, role: Delegate, bytes: Vec<u8>) -> Result<Vec<Change>, TufError> {
        let metadata = self.read_role(&role, &bytes)?;
        let change = write(&role.name, bytes);
        self.keep_role(role, metadata);
        Ok(vec![change])
    }

    fn keep_role(&mut self, role: Delegate, metadata: Metadata<Targets>) {
        self.roles.insert(role, metadata);
        self.step = Step::Ready;
    }

    /// Offline, an older version than the listed one will do: a role is only fetched when it is
    /// needed, and this is the one that was, then.
    fn read_role(&self, role: &Delegate, bytes: &[u8]) -> Result<Metadata<Targets>, TufError> {
        let listed = self.listed(&role.name)?;
        let metadata: Metadata<Targets> = self.read(&role.name, bytes, &role.signers)?;
        metadata.content.check_name(&role.name)?;
        if self.settings.mode == Mode::Offline && metadata.version < listed.version {
            return Ok(metadata);
        }
        listed.check(&role.name, bytes)?;
        require_version(&role.name, listed.version, metadata.version)?;
        self.require_fresh(&role.name, metadata.version, metadata.expires)?;
        Ok(metadata)
    }

    /// Reads metadata that enough of `signers` signed.
    fn read<T: Content>(
        &self,
        role: &str,
        bytes: &[u8],
        signers: &Signers,
    ) -> Result<Metadata<T>, TufError> {
        let unverified = Unverified::read(role, bytes)?;
        unverified.verify(signers, self.settings.verifier)?;
        unverified.content()
    }

    fn require_fresh(&self, role: &str, version: u64, expires: UtcTime) -> Result<(), TufError> {
        if self.settings.mode != Mode::Offline && expires <= self.settings.now {
            return Err(TufError::Expired {
                role: role.into(),
                version,
                expires,
                now: self.settings.now,
            });
        }
        Ok(())
    }

    /// A mirror that shows an old state cannot do so to who knows, some other way, of a later one.
    fn require_least(&self, timestamp: &Metadata<Timestamp>) -> Result<(), TufError> {
        let (least, offered) = (self.least_snapshot, timestamp.content.snapshot.version);
        if offered < least {
            return Err(TufError::BeforeLeast { least, offered });
        }
        Ok(())
    }

    pub(super) fn announced_snapshot(&self) -> Result<FileMeta, TufError> {
        let timestamp = self.timestamp.as_ref().ok_or(TufError::OutOfOrder)?;
        Ok(timestamp.content.snapshot.clone())
    }

    /// What the snapshot says of a role.
    pub(super) fn listed(&self, role: &str) -> Result<&FileMeta, TufError> {
        let snapshot = self.snapshot.as_ref().ok_or(TufError::OutOfOrder)?;
        let listed = snapshot.content.meta.get(&format!("{role}.json"));
        listed.ok_or_else(|| TufError::NotInSnapshot { role: role.into() })
    }

    /// The role that every search starts from.
    pub(super) fn top_role(&self) -> Delegate {
        Delegate {
            name: "targets".into(),
            signers: self.root.content.targets.clone(),
        }
    }
}

fn write(role: &str, bytes: Vec<u8>) -> Change {
    Change::Write {
        name: file_name(role),
        bytes,
    }
}

fn not_stored(role: &str) -> TufError {
    TufError::NotStored { role: role.into() }
}

fn require_version(role: &str, expected: u64, found: u64) -> Result<(), TufError> {
    if found != expected {
        return Err(TufError::Version {
            role: role.into(),
            expected,
            found,
        });
    }
    Ok(())
}

fn no_rollback(role: &str, trusted: u64, offered: u64) -> Result<(), TufError> {
    if offered < trusted {
        return Err(TufError::Rollback {
            role: role.into(),
            trusted,
            offered,
        });
    }
    Ok(())
}
