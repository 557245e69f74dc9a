//! Until when the versions that a client keeps were known to be the present ones.
//!
//! A timestamp that is kept says only what there is. A server that hands it out and withholds what it
//! announces leaves its users with something older, which it must not make to look fresh. So a version is
//! upheld by the last timestamp under which the whole set was here and listed it, and by no later one.

use std::collections::BTreeMap;

use super::{Mode, Step, Updater, file_name};
use crate::model::UtcTime;

/// For each role, by the name of its file, the version that was read last, and until when it was upheld.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upheld(BTreeMap<String, (u64, UtcTime)>);

impl Upheld {
    /// Under which name it is kept, next to the roles' files.
    pub const NAME: &str = "upheld";

    /// Reads what [`Upheld::encode`] wrote. What is damaged counts as not upheld.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self(text.lines().filter_map(decode_line).collect())
    }

    /// One line for each role: version, time, name.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let lines = self.0.iter();
        let lines = lines.map(|(file, (version, until))| format!("{version} {until} {file}\n"));
        lines.collect::<String>().into_bytes()
    }

    fn until(&self, role: &str, version: u64) -> Option<UtcTime> {
        let (known, until) = self.0.get(&file_name(role))?;
        (*known == version).then_some(*until)
    }

    /// What is newer counts; of the same version, what counts longer.
    fn uphold(&mut self, role: &str, version: u64, until: UtcTime) {
        let entry = self.0.entry(file_name(role)).or_insert((version, until));
        *entry = (*entry).max((version, until));
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
    /// Takes over what earlier updates upheld, for the age of a copy.
    #[must_use]
    pub fn with_upheld(mut self, upheld: Upheld) -> Self {
        self.upheld = upheld;
        self
    }

    /// Notes what this update upholds, as soon as nothing of it is missing: what was read, and what was
    /// read earlier and is still listed.
    pub fn uphold(&self, upheld: &mut Upheld) {
        let (Mode::Online, Step::Ready) = (self.settings.mode, &self.step) else {
            return;
        };
        let (Some(timestamp), Some(snapshot)) = (&self.timestamp, &self.snapshot) else {
            return;
        };
        let until = timestamp.expires;
        for (file, (version, known)) in &mut upheld.0 {
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
