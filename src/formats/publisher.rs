//! Publishers: `publishers/ID.json`, an id and its keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical_json::{JsonError, parse_strict};
use super::public_key::{KeyListError, WireKey, read_keys, write_keys};
use crate::model::{DigestError, NameError, PackageName, PublicKey, PublisherId, Sha256Digest};

const SCHEMA: u64 = 1;

/// Somebody who signs releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// By which packages name them.
    pub id: PublisherId,
    /// Their keys; any of them signs for them.
    pub keys: Vec<PublicKey>,
    /// Keys that sign nothing new any more; sorted by key.
    pub revoked: Vec<Revocation>,
}

/// A key that was lost or stolen, and what it signed before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The key.
    pub key: PublicKey,
    /// Of each package, the last statement that it signed for its owner. Of a package that is not
    /// named, it signed none.
    pub last_good: BTreeMap<PackageName, LastGood>,
}

/// A statement, by its place and its digest. Since each statement holds the digest of the one before
/// it, this fixes all that lie below it: a key that was stolen signs no others there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastGood {
    /// The statement's number in the record, from 1.
    pub sequence: u64,
    /// The sha256 of the statement, which the next one holds as `previous`.
    pub sha256: Sha256Digest,
}

impl LastGood {
    /// Says whether a record holds the statement, in its place. `chain` are the digests of all its
    /// statements, the first one first.
    #[must_use]
    pub fn stands_in(&self, chain: &[Sha256Digest]) -> bool {
        let place = usize::try_from(self.sequence).unwrap_or(usize::MAX);
        let place = place.checked_sub(1);
        place.and_then(|place| chain.get(place)) == Some(&self.sha256)
    }
}

impl Publisher {
    /// A publisher none of whose keys was ever lost.
    #[must_use]
    pub const fn new(id: PublisherId, keys: Vec<PublicKey>) -> Self {
        Self {
            id,
            keys,
            revoked: Vec::new(),
        }
    }

    /// The keys whose signatures count on a statement of a package, whose record has the digests of
    /// `chain`: those in force, and a revoked one up to the last statement that it signed for its
    /// owner, if the record holds exactly that one.
    pub fn keys_for(
        &self,
        package: &PackageName,
        sequence: u64,
        chain: &[Sha256Digest],
    ) -> impl Iterator<Item = &PublicKey> {
        let was_good = move |revocation: &&Revocation| {
            let last = revocation.last_good.get(package);
            last.is_some_and(|last| sequence <= last.sequence && last.stands_in(chain))
        };
        let revoked = self.revoked.iter().filter(was_good);
        self.keys
            .iter()
            .chain(revoked.map(|revocation| &revocation.key))
    }
}

/// Why bytes are no publisher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A newer program wrote it.
    #[error("the publisher's file has schema {0}, which this program does not know")]
    UnknownSchema(u64),
    /// A key is missing, unknown or holds something else than it should.
    #[error("the publisher's file is malformed: {0}")]
    Shape(String),
    /// The id is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The last good statement of a package has no place in a record.
    #[error("the last good statement of `{0}` is its statement 0, which there is not")]
    NoPlace(PackageName),
    /// A key is revoked and in force.
    #[error("the key {0} is revoked, and in force")]
    RevokedInForce(PublicKey),
    /// The revoked keys are not in their order, or one stands twice.
    #[error("the revoked keys are not sorted")]
    RevokedOrder,
    /// The keys are refused.
    #[error(transparent)]
    Keys(#[from] KeyListError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    schema: u64,
    id: String,
    keys: Vec<WireKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revoked: Vec<WireRevocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRevocation {
    key: WireKey,
    last_good: BTreeMap<String, WireLastGood>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLastGood {
    sequence: u64,
    sha256: String,
}

/// Returns a publisher's bytes, the same ones for the same publisher.
#[must_use]
pub fn encode(publisher: &Publisher) -> Vec<u8> {
    super::pretty(&Wire::from(publisher))
}

/// Reads a publisher.
pub fn decode(bytes: &[u8]) -> Result<Publisher, PublisherError> {
    let value = parse_strict(bytes)?;
    if let Some(schema) = value["schema"].as_u64().filter(|schema| *schema != SCHEMA) {
        return Err(PublisherError::UnknownSchema(schema));
    }
    let wire: Wire =
        serde_json::from_value(value).map_err(|error| PublisherError::Shape(error.to_string()))?;
    wire.try_into()
}

impl From<&Publisher> for Wire {
    fn from(publisher: &Publisher) -> Self {
        Self {
            schema: SCHEMA,
            id: publisher.id.to_string(),
            keys: write_keys(&publisher.keys),
            revoked: publisher.revoked.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<Wire> for Publisher {
    type Error = PublisherError;

    fn try_from(wire: Wire) -> Result<Self, PublisherError> {
        if wire.schema != SCHEMA {
            return Err(PublisherError::UnknownSchema(wire.schema));
        }
        let revoked = wire.revoked.into_iter().map(Revocation::try_from);
        let publisher = Self {
            id: wire.id.parse()?,
            keys: read_keys(wire.keys)?,
            revoked: revoked.collect::<Result<_, _>>()?,
        };
        publisher.check_revoked()?;
        Ok(publisher)
    }
}

impl Publisher {
    /// A key is good or revoked, and revoked once.
    fn check_revoked(&self) -> Result<(), PublisherError> {
        let sorted = self.revoked.windows(2).all(|two| two[0].key < two[1].key);
        let mut revoked = self.revoked.iter();
        match revoked.find(|revocation| self.keys.contains(&revocation.key)) {
            None if sorted => Ok(()),
            None => Err(PublisherError::RevokedOrder),
            Some(both) => Err(PublisherError::RevokedInForce(both.key)),
        }
    }
}

impl From<&Revocation> for WireRevocation {
    fn from(revocation: &Revocation) -> Self {
        let last_good = revocation.last_good.iter();
        Self {
            key: WireKey::from(&revocation.key),
            last_good: last_good
                .map(|(name, last)| (name.to_string(), last.into()))
                .collect(),
        }
    }
}

impl TryFrom<WireRevocation> for Revocation {
    type Error = PublisherError;

    fn try_from(wire: WireRevocation) -> Result<Self, PublisherError> {
        let last_good = wire.last_good.into_iter().map(read_last_good);
        Ok(Self {
            key: wire.key.read()?,
            last_good: last_good.collect::<Result<_, PublisherError>>()?,
        })
    }
}

impl From<&LastGood> for WireLastGood {
    fn from(last: &LastGood) -> Self {
        Self {
            sequence: last.sequence,
            sha256: last.sha256.to_string(),
        }
    }
}

fn read_last_good(
    (name, last): (String, WireLastGood),
) -> Result<(PackageName, LastGood), PublisherError> {
    let name: PackageName = name.parse()?;
    if last.sequence == 0 {
        return Err(PublisherError::NoPlace(name));
    }
    let last = LastGood {
        sequence: last.sequence,
        sha256: last.sha256.parse()?,
    };
    Ok((name, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher() -> Publisher {
        let id = "ferris".parse().unwrap();
        Publisher::new(id, vec![PublicKey([1; 32]), PublicKey([2; 32])])
    }

    #[test]
    fn comes_back_as_it_was() {
        let bytes = encode(&publisher());
        assert_eq!(decode(&bytes).unwrap(), publisher());
    }

    fn with_revoked() -> Publisher {
        let last = LastGood {
            sequence: 2,
            sha256: Sha256Digest::of(b"second"),
        };
        let revocation = Revocation {
            key: PublicKey([3; 32]),
            last_good: BTreeMap::from([("demo".parse().unwrap(), last)]),
        };
        Publisher {
            revoked: vec![revocation],
            ..publisher()
        }
    }

    #[test]
    fn a_revoked_key_counts_up_to_the_very_statement_that_is_named() {
        assert_eq!(decode(&encode(&with_revoked())).unwrap(), with_revoked());
        let [first, second, other] =
            ["first", "second", "other"].map(|text| Sha256Digest::of(text.as_bytes()));
        let counts = |package: &str, sequence: u64, chain: &[Sha256Digest]| {
            let publisher = with_revoked();
            let package = package.parse().unwrap();
            let mut keys = publisher.keys_for(&package, sequence, chain);
            keys.any(|key| *key == PublicKey([3; 32]))
        };
        for chain in [&[first, second][..], &[first, second, other]] {
            assert!(counts("demo", 1, chain) && counts("demo", 2, chain));
            assert!(!counts("demo", 3, chain));
            assert!(!counts("other", 1, chain));
        }
        for chain in [
            &[][..],
            &[first],
            &[first, other],
            &[second, first],
            &[second],
        ] {
            assert!(!counts("demo", 1, chain), "{chain:?}");
        }
    }

    #[test]
    fn the_last_good_statement_has_a_place_and_a_digest() {
        let text = String::from_utf8(encode(&with_revoked())).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        let nowhere = refused("\"sequence\": 2", "\"sequence\": 0");
        assert_eq!(nowhere, PublisherError::NoPlace("demo".parse().unwrap()));
        let digest = Sha256Digest::of(b"second").to_string();
        assert!(matches!(refused(&digest, "abc"), PublisherError::Digest(_)));
        for (from, to) in [
            ("\"sequence\": 2", "\"sequence\": 2, \"more\": 1"),
            ("\"sequence\": 2,", ""),
            ("\"sequence\": 2", "\"sequence\": -2"),
        ] {
            assert!(
                matches!(refused(from, to), PublisherError::Shape(_)),
                "{to}"
            );
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = String::from_utf8(encode(&publisher())).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            decode(text.replace(from, to).as_bytes()).unwrap_err()
        };
        assert_eq!(
            refused("\"schema\": 1", "\"schema\": 9"),
            PublisherError::UnknownSchema(9)
        );
        assert!(matches!(
            refused("ed25519", "rsa"),
            PublisherError::Keys(KeyListError::UnknownKind { .. })
        ));
        assert!(matches!(
            refused(&"02".repeat(32), &"01".repeat(32)),
            PublisherError::Keys(KeyListError::Duplicate(_))
        ));
        assert!(matches!(
            refused("ferris", "../up"),
            PublisherError::Name(_)
        ));
    }
}
