//! Records: a chain of statements that is signed as it should be, whatever the statements say.
//!
//! A line of the input is a statement: a letter that says who signs it, and its JSON. What would need
//! luck to be right (place in the chain, digest of the one before, registry) is put in for it, unless the
//! letter is in capitals.

use std::collections::BTreeMap;

use cargo_marketplace::formats::canonical_json::{Form, canonical, parse_strict};
use cargo_marketplace::formats::policy::{FormatFloor, Lifetimes, Policy};
use cargo_marketplace::formats::publisher::{LastGood, Publisher, Revocation};
use cargo_marketplace::formats::record::{self, Documents, Record};
use cargo_marketplace::formats::statement::{self, Envelope};
use cargo_marketplace::formats::unsigned::UnsignedList;
use cargo_marketplace::model::{Body, PackageName, PublisherId, Sha256Digest, Statement, UtcTime};
use cargo_marketplace::trust::{
    PackageState, RecordContext, check_record, owners_needed, sign_statement,
};
use serde_json::Value;

use crate::keys::key;
use crate::{BASE, documents};

/// More than any finding needs.
const MOST: usize = 24;

/// Bytes as a record, and lines as the statements of one.
pub(crate) fn record(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (record, unsigned) = assemble(text);
    let names = owners_needed(&record);
    let publishers = publishers(&record);
    let policy = policy();
    let context = RecordContext {
        registry_id: registry(),
        package: &record.package,
        publishers: &publishers,
        policy: &policy,
        unsigned: &unsigned,
        claim: None,
        verified_before: None,
    };
    let written = record::encode(&record).expect("names, digests and bytes");
    assert_eq!(record::decode(&written).as_ref(), Ok(&record));
    let Ok(state) = check_record(&record, &context) else {
        return;
    };
    let owners = state.owners.iter().flat_map(|owners| &owners.publishers);
    assert!(owners.clone().all(|owner| names.contains(owner)));
    assert_eq!(state.sequence(), record.statements.len() as u64);
    documents::same_in_both(&state.document);
    same_in_two_steps(&record, &context, &state);
}

/// To verify the first half now and the rest later comes to the same.
fn same_in_two_steps(record: &Record, context: &RecordContext<'_>, whole: &PackageState) {
    let half = whole.sequence().div_ceil(2);
    let Some(last) = whole.digest_at(half) else {
        return;
    };
    let verified_before = Some(cargo_marketplace::trust::Seen {
        sequence: half,
        last,
    });
    let context = RecordContext {
        verified_before,
        ..*context
    };
    assert_eq!(check_record(record, &context).as_ref(), Ok(whole));
}

/// The record, and the list of those of its releases that need no signature: all that say so.
fn assemble(text: &str) -> (Record, UnsignedList) {
    let mut unsigned = UnsignedList::default();
    let package: PackageName = "demo".parse().expect("a name");
    let mut record = Record {
        package,
        documents: Documents::default(),
        accepted: BTreeMap::new(),
        statements: Vec::new(),
    };
    for line in text.lines().take(MOST) {
        let mut characters = line.chars();
        let signers = characters.next().unwrap_or('a');
        let payload = payload(characters.as_str(), signers, &record);
        if let Ok(statement) = statement::parse_payload(&payload) {
            if let Body::Unsigned { release, .. } = &statement.body {
                unsigned.add(release);
            }
            if let Some(release) = statement.body.release() {
                let accepted = UtcTime::from_unix(1_700_000_000).expect("a time");
                record.accepted.insert(release.version.clone(), accepted);
            }
            assert_eq!(statement::payload(&statement).as_ref(), Ok(&payload));
            record.statements.push(sign(&statement, signers));
        } else {
            record.statements.push(Envelope {
                payload,
                signatures: Vec::new(),
            });
        }
    }
    (record, unsigned)
}

/// The bytes of a statement, with what is needed to stand at the end of the record.
fn payload(line: &str, signers: char, record: &Record) -> Vec<u8> {
    let Ok(mut value) = parse_strict(line.as_bytes()) else {
        return line.into();
    };
    if signers.is_lowercase()
        && let Value::Object(statement) = &mut value
    {
        let previous = record
            .statements
            .last()
            .map(|last| last.digest().to_string());
        let sequence = record.statements.len() + 1;
        statement.insert("previous".into(), previous.into());
        statement.insert("sequence".into(), sequence.into());
        statement.insert("registry_id".into(), registry().to_string().into());
        statement.insert("schema".into(), 1.into());
        statement.insert("package".into(), record.package.to_string().into());
    }
    canonical(&value, Form::Jcs).unwrap_or_else(|_| line.into())
}

fn sign(statement: &Statement, signers: char) -> Envelope {
    let keys: &[usize] = match signers.to_ascii_lowercase() {
        'b' => &[1],
        'c' => &[0, 1],
        'd' => &[2],
        'e' => &[3],
        'f' => &[4],
        'g' => &[],
        _ => &[0],
    };
    let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
    sign_statement(statement, &keys).expect("it was read just now")
}

fn registry() -> Sha256Digest {
    Sha256Digest::of(b"registry")
}

/// Those who sign. A record with a signature of the key that they revoked has one as its last good
/// statement, if it is long enough.
fn publishers(record: &Record) -> BTreeMap<PublisherId, Publisher> {
    let publisher = |id: &str, number: usize| {
        let id: PublisherId = id.parse().expect("an id");
        (id.clone(), Publisher::new(id, vec![key(number).public()]))
    };
    let mut publishers = BTreeMap::from([publisher("anna", 0), publisher("ferris", 1)]);
    let stolen = key(4).public();
    let signed = |one: &Envelope| one.signatures.iter().any(|s| s.key_id == stolen.id());
    if !record.statements.iter().any(signed) {
        return publishers;
    }
    let third = record.statements.get(2).map(Envelope::digest);
    let last = LastGood {
        sequence: 3,
        sha256: third.unwrap_or_else(registry),
    };
    for publisher in publishers.values_mut() {
        publisher.revoked = vec![Revocation {
            key: stolen,
            last_good: BTreeMap::from([(record.package.clone(), last)]),
        }];
    }
    publishers
}

fn policy() -> Policy {
    Policy {
        base: BASE.into(),
        bucket_salt: Vec::new(),
        format_floor: FormatFloor::V1,
        signing_required_from: None,
        lifetimes: Lifetimes::default(),
        mirrors: Vec::new(),
        vouchers: vec![key(2).public()],
        recovery: vec![key(3).public()],
    }
}
