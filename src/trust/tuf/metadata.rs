//! Metadata files: reading them strictly, and counting the distinct keys that signed them
//! (TUF 1.0, section 4.2). What each role says is in `roles`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{MetadataError, TufError};
use crate::formats::canonical_json::{Form, JsonError, canonical, parse_strict};
use crate::model::{PublicKey, UtcTime};
use crate::trust::ed25519;

/// A key as metadata lists it. Its id is whatever the metadata calls it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TufKey {
    /// As `ed25519`.
    pub keytype: String,
    /// As `ed25519`.
    pub scheme: String,
    /// The public key, in the form that its kind has.
    pub public: String,
}

/// Says whether a key made a signature over a message. A parameter, so that a program other than
/// the shipped one can know more kinds of keys.
pub type Verifier = fn(key: &TufKey, message: &[u8], signature: &[u8]) -> bool;

/// The verifier of the shipped program.
#[must_use]
pub fn ed25519_only(key: &TufKey, message: &[u8], signature: &[u8]) -> bool {
    (key.keytype.as_str(), key.scheme.as_str()) == ("ed25519", "ed25519")
        && key
            .public
            .parse::<PublicKey>()
            .is_ok_and(|key| ed25519::verify(&key, message, signature).is_ok())
}

/// Who may sign a role: keys by id, and how many distinct ones must have signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signers {
    keys: BTreeMap<String, TufKey>,
    threshold: u64,
}

#[derive(Deserialize)]
pub(super) struct WireKey {
    keytype: String,
    scheme: String,
    keyval: WireKeyValue,
}

#[derive(Deserialize)]
struct WireKeyValue {
    public: String,
}

#[derive(Deserialize)]
pub(super) struct WireRole {
    keyids: Vec<String>,
    threshold: u64,
}

impl Signers {
    /// How many keys must sign, and out of how many.
    pub(super) fn counts(&self) -> (u64, usize) {
        (self.threshold, self.keys.len())
    }

    /// The keys, in the form that their kinds have.
    pub(super) fn public_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.values().map(|key| key.public.as_bytes())
    }

    /// Puts a role's key ids and the keys of its file together. An id without a key is left out:
    /// it can never sign.
    pub(super) fn new(
        name: &str,
        role: WireRole,
        keys: &BTreeMap<String, WireKey>,
    ) -> Result<Self, MetadataError> {
        let count = role.keyids.len();
        let ids: BTreeSet<String> = role.keyids.into_iter().collect();
        if role.threshold == 0 || ids.len() != count {
            return Err(MetadataError::Role(name.chars().take(80).collect()));
        }
        let keys = ids.into_iter().filter_map(|id| {
            let wire = keys.get(&id)?;
            let key = TufKey {
                keytype: wire.keytype.clone(),
                scheme: wire.scheme.clone(),
                public: wire.keyval.public.clone(),
            };
            Some((id, key))
        });
        Ok(Self {
            keys: keys.collect(),
            threshold: role.threshold,
        })
    }

    /// Says whether a key that could sign before cannot sign any more.
    pub(super) fn dropped_by(&self, newer: &Self) -> bool {
        let newer: BTreeSet<_> = newer.keys.values().map(|key| &key.public).collect();
        self.keys.values().any(|key| !newer.contains(&key.public))
    }
}

/// A metadata file whose signatures were not looked at yet.
pub(super) struct Unverified<'a> {
    role: &'a str,
    signed: Value,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
struct WireSignature {
    keyid: String,
    sig: String,
}

/// What every kind of metadata has, and what only this kind has.
#[derive(Debug, Clone)]
pub(super) struct Metadata<T> {
    pub(super) version: u64,
    pub(super) expires: UtcTime,
    pub(super) content: T,
}

#[derive(Deserialize)]
struct WireCommon {
    #[serde(rename = "_type")]
    kind: String,
    spec_version: String,
    version: u64,
    expires: String,
}

/// A kind of metadata: its `_type`, and how its content is read.
pub(super) trait Content: Sized {
    const TYPE: &'static str;
    type Wire: DeserializeOwned;
    fn read(wire: Self::Wire) -> Result<Self, MetadataError>;
}

impl<'a> Unverified<'a> {
    pub(super) fn read(role: &'a str, bytes: &[u8]) -> Result<Self, TufError> {
        let not_metadata = || TufError::NotMetadata { role: role.into() };
        let mut value = parse_strict(bytes).map_err(|error| match error {
            JsonError::Syntax(_) => not_metadata(),
            error => malformed(role, error.into()),
        })?;
        let (signed, signatures) = match value.as_object_mut() {
            Some(object) => (object.remove("signed"), object.remove("signatures")),
            None => (None, None),
        };
        let (Some(signed), Some(signatures)) = (signed, signatures) else {
            return Err(not_metadata());
        };
        let signatures = serde_json::from_value(signatures).map_err(|error| shape(role, &error))?;
        Ok(Self {
            role,
            signed,
            signatures,
        })
    }

    /// Checks that enough distinct keys signed. Signatures of others, and ones that do not fit,
    /// count for nothing.
    pub(super) fn verify(&self, signers: &Signers, verifier: Verifier) -> Result<(), TufError> {
        let found = self.signed_by(signers, verifier)?.len();
        if (found as u64) < signers.threshold {
            return Err(TufError::Signatures {
                role: self.role.into(),
                found,
                needed: signers.threshold,
            });
        }
        Ok(())
    }

    /// The ids of those of the keys that signed. One key under two ids is one key.
    pub(super) fn signed_by(
        &self,
        signers: &Signers,
        verifier: Verifier,
    ) -> Result<Vec<&str>, TufError> {
        let message = canonical(&self.signed, Form::Olpc)
            .map_err(|error| malformed(self.role, error.into()))?;
        let mut seen = BTreeSet::new();
        let mut good = BTreeMap::new();
        for signature in &self.signatures {
            if !seen.insert(&signature.keyid) {
                let id = signature.keyid.chars().take(80).collect();
                return Err(malformed(self.role, MetadataError::DuplicateSignature(id)));
            }
            let Some(key) = signers.keys.get(&signature.keyid) else {
                continue;
            };
            let bytes = hex::decode(&signature.sig).unwrap_or_default();
            if verifier(key, &message, &bytes) {
                good.insert(&key.public, signature.keyid.as_str());
            }
        }
        Ok(good.into_values().collect())
    }

    pub(super) const fn signed(&self) -> &Value {
        &self.signed
    }

    pub(super) fn into_signed(self) -> Value {
        self.signed
    }

    pub(super) fn content<T: Content>(&self) -> Result<Metadata<T>, TufError> {
        let role = self.role;
        let common = WireCommon::deserialize(&self.signed).map_err(|error| shape(role, &error))?;
        let refuse = |error| malformed(role, error);
        let expires = check_common(&common, T::TYPE).map_err(refuse)?;
        let wire = T::Wire::deserialize(&self.signed).map_err(|error| shape(role, &error))?;
        Ok(Metadata {
            version: common.version,
            expires,
            content: T::read(wire).map_err(refuse)?,
        })
    }
}

fn check_common(common: &WireCommon, expected: &'static str) -> Result<UtcTime, MetadataError> {
    let short = |text: &str| text.chars().take(40).collect();
    if common.kind != expected {
        let found = short(&common.kind);
        return Err(MetadataError::Type { expected, found });
    }
    if !common.spec_version.starts_with("1.") {
        return Err(MetadataError::SpecVersion(short(&common.spec_version)));
    }
    if common.version == 0 {
        return Err(MetadataError::VersionZero);
    }
    let expires = common.expires.parse();
    expires.map_err(|_| MetadataError::Expires(short(&common.expires)))
}

pub(super) fn malformed(role: &str, source: MetadataError) -> TufError {
    TufError::Malformed {
        role: role.into(),
        source,
    }
}

fn shape(role: &str, error: &serde_json::Error) -> TufError {
    malformed(role, MetadataError::Shape(error.to_string()))
}
