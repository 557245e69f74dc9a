//! Until when the versions that a client keeps were known to be the present ones.
//!
//! A timestamp that is kept says only what there is. A server that hands it out and withholds what it
//! announces leaves its users with something older, which it must not make to look fresh. So a version is
//! upheld by the last timestamp under which the whole set was here and listed it, and by no later one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mode, Step, Updater, file_name};
use crate::model::{Sha256Digest, UtcTime};
use crate::trust::tuf::metadata::{Metadata, Signers};
use crate::trust::tuf::roles::Root;

/// For each role, by the name of its file, the version that was read last, and until when it was upheld.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upheld {
    era: Option<Era>,
    versions: BTreeMap<String, (u64, UtcTime)>,
}

/// Under which keys of timestamp and snapshot versions count. Who held a key that was replaced may have
/// set versions so high that no honest one follows (TUF 1.0, 5.3.11), so that nothing of theirs stays.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Era {
    /// The version of the root that lists the keys.
    root: u64,
    /// Each as its role, a colon and the digest of the public key.
    keys: BTreeSet<String>,
}

impl Era {
    fn of(root: &Metadata<Root>) -> Self {
        let keys = |role: &'static str, signers: &Signers| -> Vec<String> {
            let digests = signers.public_keys().map(Sha256Digest::of);
            digests.map(|digest| format!("{role}:{digest}")).collect()
        };
        let mut all = keys("timestamp", &root.content.timestamp);
        all.extend(keys("snapshot", &root.content.snapshot));
        Self {
            root: root.version,
            keys: all.into_iter().collect(),
        }
    }

    /// Says whether a later era has dropped a key of this one.
    fn is_over_in(&self, other: &Self) -> bool {
        self.root < other.root && !self.keys.is_subset(&other.keys)
    }

    fn decode(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("keys ")?.split(' ');
        let root = words.next()?.parse().ok()?;
        let keys = words.map(ToOwned::to_owned).collect();
        Some(Self { root, keys })
    }
}

impl Upheld {
    /// Under which name it is kept, next to the roles' files.
    pub const NAME: &str = "upheld";

    /// Reads what [`Upheld::encode`] wrote. What is damaged counts as not upheld.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self {
            era: text.lines().find_map(Era::decode),
            versions: text.lines().filter_map(decode_line).collect(),
        }
    }

    /// A line for the keys: version of the root, keys. One for each role: version, time, name.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let era = self.era.iter().map(|Era { root, keys }| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            format!("keys {root} {}\n", keys.join(" "))
        });
        let lines = self.versions.iter();
        let lines = lines.map(|(file, (version, until))| format!("{version} {until} {file}\n"));
        era.chain(lines).collect::<String>().into_bytes()
    }

    fn until(&self, role: &str, version: u64) -> Option<UtcTime> {
        let (known, until) = self.versions.get(&file_name(role))?;
        (*known == version).then_some(*until)
    }

    /// What is newer counts; of the same version, what counts longer.
    fn uphold(&mut self, role: &str, version: u64, until: UtcTime) {
        let entry = self.versions.entry(file_name(role));
        let entry = entry.or_insert((version, until));
        *entry = (*entry).max((version, until));
    }

    /// Goes on under these keys, and forgets what was upheld under one that is among them no more. Says
    /// whether that may be: another process may know of newer keys.
    fn go_on(&mut self, own: Era) -> bool {
        match &mut self.era {
            Some(known) if own.is_over_in(known) => return false,
            Some(known) if !known.is_over_in(&own) => {
                if known.root < own.root {
                    *known = own;
                }
            }
            _ => {
                self.versions.clear();
                self.era = Some(own);
            }
        }
        true
    }
}

fn decode_line(line: &str) -> Option<(String, (u64, UtcTime))> {
    let mut words = line.splitn(3, ' ');
    let version = words.next()?.parse().ok()?;
    let until = words.next()?.parse().ok()?;
    Some((words.next()?.to_owned(), (version, until)))
}

/// A version that was announced and is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Of which role.
    pub role: String,
    /// The version.
    pub version: u64,
}

impl Updater {
    /// Takes over what earlier updates upheld, for the age of a copy; nothing that was upheld under a key
    /// that was replaced since.
    #[must_use]
    pub fn with_upheld(mut self, mut upheld: Upheld) -> Self {
        upheld.go_on(Era::of(&self.root));
        self.upheld = upheld;
        self
    }

    /// Notes what this update upholds, as soon as nothing of it is missing: what was read, and what was
    /// read earlier and is still listed. Versions only grow, until a key of timestamp or snapshot is
    /// replaced: then they begin anew, also where a process that knew nothing of it wrote meanwhile.
    pub fn uphold(&self, upheld: &mut Upheld) {
        let (Mode::Online, Step::Ready) = (self.settings.mode, &self.step) else {
            return;
        };
        let (Some(timestamp), Some(snapshot)) = (&self.timestamp, &self.snapshot) else {
            return;
        };
        if !upheld.go_on(Era::of(&self.root)) {
            return;
        }
        let until = timestamp.expires;
        for (file, (version, known)) in &mut upheld.versions {
            let listed = snapshot.content.meta.get(file);
            if listed.is_some_and(|listed| listed.version == *version) {
                *known = until.max(*known);
            }
        }
        upheld.uphold("snapshot", snapshot.version, until);
        for (role, metadata) in &self.roles {
            upheld.uphold(&role.name, metadata.version, until);
        }
    }

    /// What of that which was read is older than what was announced.
    #[must_use]
    pub fn withheld(&self) -> Option<Withheld> {
        let withheld = |role: &str, version| Withheld {
            role: role.to_owned(),
            version,
        };
        if !self.is_announced {
            let announced = self.announced_snapshot().ok()?;
            return Some(withheld("snapshot", announced.version));
        }
        let top = self.top_role();
        let first = self.roles.get_key_value(&top);
        first
            .into_iter()
            .chain(&self.roles)
            .find_map(|(role, own)| {
                let listed = self.listed(&role.name).ok()?.version;
                (own.version < listed).then(|| withheld(&role.name, listed))
            })
    }

    /// Until when what was read was known to be the present state as a whole: until the timestamp expires,
    /// if nothing is withheld that it announces. Of what was never whole, not even until now.
    #[must_use]
    pub fn upheld_until(&self) -> Option<UtcTime> {
        let (timestamp, snapshot) = (self.timestamp.as_ref()?, self.snapshot.as_ref()?);
        let earlier = |role: &str, version| {
            let until = self.upheld.until(role, version);
            until.unwrap_or(self.settings.now).min(timestamp.expires)
        };
        let whole = match self.is_announced {
            true => timestamp.expires,
            false => earlier("snapshot", snapshot.version),
        };
        let roles = self.roles.iter().map(|(role, metadata)| {
            let listed = self.listed(&role.name);
            match listed.is_ok_and(|listed| listed.version == metadata.version) {
                true => whole,
                false => earlier(&role.name, metadata.version),
            }
        });
        Some(roles.fold(whole, UtcTime::min))
    }
}
