//! Claims about records: who signed, in what order, and what it adds up to.

mod documents;
mod ownership;
mod signers;
mod statements;
mod unsigned;

use serde_json::json;

use super::*;
use crate::formats::policy::{FormatFloor, Lifetimes};
use crate::formats::publisher::{LastGood, Revocation};
use crate::formats::record::{Documents, FileDigest};
use crate::formats::v1;
use crate::model::{Body, Owners, PublicKey, Release, Signature, UtcTime};

const ANNA: u8 = 1;
const FERRIS: u8 = 2;
const VOUCHER: u8 = 3;
const STRANGER: u8 = 4;
const RECOVERY: u8 = 5;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn registry() -> Sha256Digest {
    Sha256Digest::of(b"root")
}

fn package() -> PackageName {
    "demo".parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn release(text: &str, publisher: Option<&str>) -> Box<Release> {
    let line = json!({
        "name": "demo", "vers": text, "deps": [], "features": {},
        "cksum": Sha256Digest::of(text.as_bytes()).to_string(),
    });
    let mut release = v1::release_from_json(&line).unwrap();
    release.publisher = publisher.map(|id| id.parse().unwrap());
    Box::new(release)
}

fn genesis(owners: &[&str], threshold: u32) -> Body {
    Body::Genesis(these(owners, threshold))
}

fn these(owners: &[&str], threshold: u32) -> Owners {
    Owners {
        publishers: owners.iter().map(|id| id.parse().unwrap()).collect(),
        threshold,
    }
}

fn withdraw(text: &str) -> Body {
    Body::Withdraw {
        version: version(text),
        reason: None,
    }
}

fn by_ferris(text: &str) -> Body {
    Body::Release(release(text, Some("ferris")))
}

fn vouch(text: &str) -> Body {
    Body::Vouch {
        release: release(text, None),
        source: Some("crates.io".into()),
    }
}

fn yank(text: &str) -> Body {
    Body::Yank {
        version: version(text),
        reason: Some("broken".into()),
    }
}

/// A record in the making, with the keys of its signers.
#[derive(Clone)]
struct Draft {
    record: Record,
    publishers: BTreeMap<PublisherId, Publisher>,
    policy: Policy,
    unsigned: UnsignedList,
    claim: Option<Sha256Digest>,
    verified_before: Option<Seen>,
}

impl Draft {
    fn new() -> Self {
        let publisher = |id: &str, seed: u8| {
            let keys = vec![secret(seed).public(), secret(seed + 100).public()];
            let id: PublisherId = id.parse().unwrap();
            (id.clone(), Publisher::new(id, keys))
        };
        Self {
            record: Record {
                package: package(),
                documents: Documents::default(),
                accepted: BTreeMap::new(),
                statements: Vec::new(),
            },
            publishers: BTreeMap::from([publisher("anna", ANNA), publisher("ferris", FERRIS)]),
            policy: Policy {
                base: "https://registry.example.org/".into(),
                bucket_salt: Vec::new(),
                format_floor: FormatFloor::V1,
                signing_required_from: None,
                lifetimes: Lifetimes::default(),
                vouchers: vec![secret(VOUCHER).public()],
                mirrors: Vec::new(),
                recovery: vec![secret(RECOVERY).public()],
            },
            unsigned: UnsignedList::default(),
            claim: None,
            verified_before: None,
        }
    }

    /// A package of `ferris` with a first release.
    fn owned() -> Self {
        Self::new()
            .say(genesis(&["ferris"], 1), &[FERRIS])
            .say(by_ferris("1.0.0"), &[FERRIS])
    }

    /// A package of another registry, vouched for.
    fn vouched() -> Self {
        Self::new().say(vouch("1.0.0"), &[VOUCHER])
    }

    fn next(&self, body: Body) -> Statement {
        let last = self.record.statements.last();
        Statement {
            registry_id: registry(),
            package: package(),
            sequence: self.record.statements.len() as u64 + 1,
            previous: last.map(Envelope::digest),
            body,
        }
    }

    fn say(self, body: Body, seeds: &[u8]) -> Self {
        let statement = self.next(body);
        self.add(&statement, seeds)
    }

    fn add(mut self, statement: &Statement, seeds: &[u8]) -> Self {
        let keys: Vec<_> = seeds.iter().map(|seed| secret(*seed)).collect();
        let keys: Vec<_> = keys.iter().collect();
        if let Some(release) = statement.body.release() {
            let count = i64::try_from(self.record.accepted.len()).unwrap();
            let time = UtcTime::from_unix(1_700_000_000 + count).unwrap();
            let version = release.version.clone();
            self.record.accepted.entry(version).or_insert(time);
        }
        let envelope = sign_statement(statement, &keys).unwrap();
        self.record.statements.push(envelope);
        self
    }

    fn check(&self) -> Result<Verified<PackageState>, RecordError> {
        self.ask(verify_record)
    }

    /// Puts the record before a function of this module.
    fn ask<T>(
        &self,
        function: impl FnOnce(&Verified<Target>, &RecordContext<'_>) -> Result<T, RecordError>,
    ) -> Result<T, RecordError> {
        let bytes = record::encode(&self.record).unwrap();
        let target = Verified::new(Target {
            path: "de/mo/demo.json".into(),
            bytes,
        });
        let package = package();
        let context = RecordContext {
            registry_id: registry(),
            package: &package,
            publishers: &self.publishers,
            policy: &self.policy,
            unsigned: &self.unsigned,
            claim: self.claim,
            verified_before: self.verified_before,
        };
        function(&target, &context)
    }

    /// Why the last statement is refused.
    fn refusal(&self) -> StatementRefusal {
        match self.check().unwrap_err() {
            RecordError::Statement {
                sequence, cause, ..
            } => {
                assert_eq!(sequence, self.record.statements.len() as u64);
                cause
            }
            other => panic!("{other}"),
        }
    }

    fn fold_error(&self) -> FoldError {
        match self.refusal() {
            StatementRefusal::Fold(error) => error,
            other => panic!("{other}"),
        }
    }
}
