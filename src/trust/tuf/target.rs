//! Targets: the files that TUF vouches for, by length and digest.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha512};

use super::error::MetadataError;
use crate::model::Sha256Digest;
use crate::trust::Verified;

/// The digests of a file; at least one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hashes {
    sha256: Option<Sha256Digest>,
    sha512: Option<String>,
}

impl Hashes {
    /// Reads digests by the names of their algorithms. Ones that we do not know may stand beside
    /// one that we do.
    pub(super) fn read(name: &str, wire: &BTreeMap<String, String>) -> Result<Self, MetadataError> {
        let refuse = || MetadataError::Hashes(name.chars().take(200).collect());
        let sha256 = wire.get("sha256").map(|digest| digest.parse());
        let hashes = Self {
            sha256: sha256.transpose().map_err(|_| refuse())?,
            sha512: wire.get("sha512").cloned(),
        };
        // It becomes part of a path.
        if hashes
            .sha512
            .as_deref()
            .is_some_and(|text| !is_sha512(text))
        {
            return Err(refuse());
        }
        if hashes.sha256.is_none() && hashes.sha512.is_none() {
            return Err(refuse());
        }
        Ok(hashes)
    }

    pub(super) fn fit(&self, bytes: &[u8]) -> bool {
        let sha512 = |digest: &String| *digest == hex::encode(Sha512::digest(bytes));
        self.sha256
            .is_none_or(|digest| digest == Sha256Digest::of(bytes))
            && self.sha512.as_ref().is_none_or(sha512)
    }

    /// The digest by which consistent snapshots name the file.
    fn prefix(&self) -> String {
        let sha512 = || self.sha512.clone().unwrap_or_default();
        self.sha256.map_or_else(sha512, |digest| digest.to_string())
    }
}

fn is_sha512(text: &str) -> bool {
    text.len() == 128 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A file as the registry's metadata lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFile {
    path: String,
    location: String,
    length: u64,
    hashes: Hashes,
}

impl TargetFile {
    pub(super) fn new(path: &str, length: u64, hashes: Hashes, consistent_snapshot: bool) -> Self {
        let prefix = hashes.prefix();
        let location = match path.rsplit_once('/') {
            _ if !consistent_snapshot => path.into(),
            Some((folder, file)) => format!("{folder}/{prefix}.{file}"),
            None => format!("{prefix}.{path}"),
        };
        Self {
            path: path.into(),
            location,
            length,
            hashes,
        }
    }

    /// The path by which it was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path below the registry's root where these very bytes lie.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Its length in bytes: read no more.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Its sha256, which our registries always give.
    #[must_use]
    pub const fn sha256(&self) -> Option<Sha256Digest> {
        self.hashes.sha256
    }
}

/// A file that is the one which the registry's metadata lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its path.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The bytes are not those that the registry's metadata lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{path}` is not the file that the registry signed for: expected {expected} bytes and the signed digest, got {length} bytes with sha256 {sha256}"
)]
pub struct TargetMismatch {
    /// The target.
    pub path: String,
    /// The length that is signed.
    pub expected: u64,
    /// The length of the bytes.
    pub length: u64,
    /// Their sha256.
    pub sha256: Sha256Digest,
}

impl Verified<TargetFile> {
    /// Checks that `bytes` are this file.
    pub fn verify(&self, bytes: Vec<u8>) -> Result<Verified<Target>, TargetMismatch> {
        let length = bytes.len() as u64;
        if length != self.length || !self.hashes.fit(&bytes) {
            return Err(TargetMismatch {
                path: self.path.clone(),
                expected: self.length,
                length,
                sha256: Sha256Digest::of(&bytes),
            });
        }
        Ok(Verified::new(Target {
            path: self.path.clone(),
            bytes,
        }))
    }
}
