//! Public keys as JSON, in the shape that TUF gives them. Whether a key is a usable one is for
//! `trust` to say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{PublicKey, PublicKeyError};

/// The most keys that one publisher or one policy may list.
const MAX_KEYS: usize = 64;

/// Why a list of keys is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyListError {
    /// Not the digits of a key.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// Another kind of key than Ed25519.
    #[error("the key is of the kind {keytype:?} with {scheme:?}, which this program does not know")]
    UnknownKind {
        /// As TUF calls it.
        keytype: String,
        /// As TUF calls it.
        scheme: String,
    },
    /// The same key twice.
    #[error("the key {0} is listed twice")]
    Duplicate(PublicKey),
    /// More than anyone needs.
    #[error("{0} keys are listed, more than {MAX_KEYS}")]
    TooMany(usize),
}

/// A key as it stands in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireKey {
    keytype: String,
    scheme: String,
    keyval: WireKeyValue,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKeyValue {
    public: String,
}

impl From<&PublicKey> for WireKey {
    fn from(key: &PublicKey) -> Self {
        Self {
            keytype: "ed25519".into(),
            scheme: "ed25519".into(),
            keyval: WireKeyValue {
                public: key.to_string(),
            },
        }
    }
}

impl WireKey {
    pub(super) fn read(self) -> Result<PublicKey, KeyListError> {
        if (self.keytype.as_str(), self.scheme.as_str()) != ("ed25519", "ed25519") {
            return Err(KeyListError::UnknownKind {
                keytype: self.keytype.chars().take(40).collect(),
                scheme: self.scheme.chars().take(40).collect(),
            });
        }
        Ok(self.keyval.public.parse()?)
    }
}

pub(super) fn write_keys(keys: &[PublicKey]) -> Vec<WireKey> {
    keys.iter().map(Into::into).collect()
}

pub(super) fn read_keys(list: Vec<WireKey>) -> Result<Vec<PublicKey>, KeyListError> {
    if list.len() > MAX_KEYS {
        return Err(KeyListError::TooMany(list.len()));
    }
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    for wire in list {
        let key = wire.read()?;
        if !seen.insert(key) {
            return Err(KeyListError::Duplicate(key));
        }
        keys.push(key);
    }
    Ok(keys)
}
