//! Drafts: the next version of roles whose keys are not all on one machine, kept in `.drafts/` of the
//! registry's folder until enough people have signed. Nothing reads them but those who sign: they lie
//! where no client looks, and are metadata only once they are published.

mod limits;
mod pending;
mod publication;
mod rotation;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::journal::{Journal, JournalError, refuse_link};
use super::role_keys::{SealError, file};
use super::roles::version_of;
use crate::disk::{self, Durability, Failure, failed};
use crate::formats::canonical_json::parse_strict;
use crate::formats::layout;
use crate::model::{KeyId, Signature};
use crate::trust::tuf::{TufError, read_unsigned};

pub use pending::{Pending, Waiting};
pub use publication::publication;
pub use rotation::{Rotation, RotationError, bits_for, rebin, renew, rotate};

/// The folder of the drafts; hidden, as the journal is.
pub const FOLDER: &str = ".drafts";

/// The next version of a role, and the signatures that were given so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    signed: Value,
    signatures: BTreeMap<KeyId, Vec<u8>>,
}

/// Drafts by the names of their roles, which become valid together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(BTreeMap<String, Draft>);

/// Why drafts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// A link, or nothing that holds bytes; or the lock is not to be had.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What lies there is no metadata.
    #[error("the draft `{}` is refused", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: TufError,
    },
    /// The registry has moved on.
    #[error(
        "the draft of `{role}` is version {found}, and the registry has version {present} by now"
    )]
    Overtaken {
        /// The role.
        role: String,
        /// The draft's version.
        found: u64,
        /// The version that is published.
        present: u64,
    },
    /// A draft in which a key stands under another's id.
    #[error("the draft of `{0}` lists a key under an id that is not its own")]
    Keys(String),
    /// A draft in which something stands for a key that is no key's id.
    #[error("the draft of `{0}` names a key by what is no key's id")]
    KeyIds(String),
    /// Drafts by which a bin of claims would list others than the registry has. Whoever claims a package in
    /// the meantime brings it about as much as whoever changes the draft.
    #[error(
        "with the drafts `{0}` would list other claims than the registry has: it has moved on since, or a draft was changed"
    )]
    Claims(String),
    /// A draft that changes what those who sign would not be shown.
    #[error("the draft of `{0}` changes more than keys, bins and expiry")]
    Beyond(String),
    /// A draft of a role that nobody delegates to.
    #[error("the draft of `{0}` is of no role that waits for signatures")]
    NoRole(String),
    /// A draft has no canonical form.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Draft {
    /// A draft that nobody has signed.
    #[must_use]
    pub const fn new(signed: Value) -> Self {
        Self {
            signed,
            signatures: BTreeMap::new(),
        }
    }

    fn bytes(&self, role: &str) -> Result<Vec<u8>, SealError> {
        let signatures = self.signatures.iter().map(|(key_id, bytes)| Signature {
            key_id: *key_id,
            bytes: bytes.clone(),
        });
        file(role, &self.signed, &signatures.collect::<Vec<_>>())
    }

    fn read(role: &str, bytes: &[u8]) -> Result<Self, TufError> {
        let signed = read_unsigned(role, bytes)?;
        // It was parsed a moment ago; what is no signature counts for none.
        let value = parse_strict(bytes).unwrap_or_default();
        let signatures = value["signatures"].as_array().into_iter().flatten();
        let signature = |value: &Value| {
            let key_id = value["keyid"].as_str()?.parse().ok()?;
            Some((key_id, hex::decode(value["sig"].as_str()?).ok()?))
        };
        Ok(Self {
            signed,
            signatures: signatures.filter_map(signature).collect(),
        })
    }
}

impl Drafts {
    /// Adds a draft that nobody has signed.
    pub fn add(&mut self, role: &str, signed: Value) {
        self.0.insert(role.to_owned(), Draft::new(signed));
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The drafts of a registry's folder.
    pub fn load(registry: &Path) -> Result<Self, DraftError> {
        let folder = registry.join(FOLDER);
        refuse_link(&folder)?;
        let mut drafts = BTreeMap::new();
        for entry in disk::entries_if_there(&folder)? {
            let name = entry.file_name();
            let Some(role) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            let path = entry.path();
            refuse_link(&path)?;
            let bytes = disk::read(&path, disk::LIMIT)?;
            let draft = Draft::read(role, &bytes);
            let draft = draft.map_err(|source| DraftError::Metadata { path, source })?;
            drafts.insert(role.to_owned(), draft);
        }
        Ok(Self(drafts))
    }

    /// Whether both would have the same signed.
    fn are_of_the_same(&self, other: &Self) -> bool {
        let signed = |drafts: &Self| -> BTreeMap<String, Value> {
            let drafts = drafts.0.iter();
            let signed = drafts.map(|(role, draft)| (role.clone(), draft.signed.clone()));
            signed.collect()
        };
        signed(self) == signed(other)
    }

    /// Keeps the drafts in a registry's folder, for who has the lock.
    pub fn save(&self, registry: &Path) -> Result<(), DraftError> {
        for (role, draft) in &self.0 {
            let folder = registry.join(FOLDER);
            let path = folder.join(format!("{role}.json"));
            // What is written could else go where a link leads.
            refuse_link(&folder)?;
            refuse_link(&path)?;
            disk::replace(&path, &draft.bytes(role)?, Durability::Synced)?;
        }
        Ok(())
    }
}

/// What became of drafts that were to be thrown away: the names of their roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThrownAway {
    /// Those that are gone, whether they could be read or not.
    pub discarded: Vec<String>,
    /// Those whose publication had begun: it cannot be taken back, and has come to its end.
    pub published: Vec<String>,
}

/// Throws the drafts of a registry's folder away, when nobody is signing them.
pub fn throw_away(registry: &Path) -> Result<ThrownAway, DraftError> {
    // A folder without drafts is left as it is.
    if !registry.join(FOLDER).exists() {
        return Ok(ThrownAway::default());
    }
    // A publication that was cut off comes to its end here.
    let _journal = Journal::open(registry)?;
    let folder = registry.join(FOLDER);
    refuse_link(&folder)?;
    let drafts = disk::entries_if_there(&folder)?.into_iter();
    let roles =
        drafts.filter_map(|draft| Some(draft.path().file_stem()?.to_string_lossy().into_owned()));
    let (mut published, mut discarded): (Vec<_>, Vec<_>) =
        roles.partition(|role| is_published(registry, role));
    published.sort();
    discarded.sort();
    discard(registry)?;
    Ok(ThrownAway {
        discarded,
        published,
    })
}

/// Whether the registry has what the draft of a role would have it sign.
fn is_published(registry: &Path, role: &str) -> bool {
    let read = |path: &Path| {
        refuse_link(path).ok()?;
        let bytes = disk::read_if_there(path, disk::LIMIT).ok()??;
        Some(Draft::read(role, &bytes).ok()?.signed)
    };
    let Some(drafted) = read(&registry.join(FOLDER).join(format!("{role}.json"))) else {
        return false;
    };
    let present = layout::metadata(role, version_of(&drafted));
    read(&registry.join(present)) == Some(drafted)
}

/// Throws drafts away, for who has the lock.
pub(super) fn discard(registry: &Path) -> Result<(), DraftError> {
    let folder = registry.join(FOLDER);
    refuse_link(&folder)?;
    let drafts = disk::entries_if_there(&folder)?;
    if drafts.is_empty() {
        return Ok(());
    }
    for entry in drafts {
        disk::remove(&entry.path())?;
    }
    Ok(fs::remove_dir(&folder).map_err(failed("remove", &folder))?)
}
