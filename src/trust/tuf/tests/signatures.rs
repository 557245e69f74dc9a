//! What counts as a signature, and what is no metadata.

use serde_json::{Value, json};

use crate::trust::SecretKey;
use crate::trust::tuf::testing::{Client, Repository, sign};
use crate::trust::tuf::{MetadataError, TufError, TufKey};

const RECORD: &str = "se/rd/serde.json";

fn refresh(repository: &Repository) -> Result<(), TufError> {
    Client::of(repository).refresh(repository).map(drop)
}

/// Serves a timestamp whose file was changed after it was signed.
fn with_timestamp(change: impl FnOnce(&mut Value)) -> Result<(), TufError> {
    let mut repository = Repository::new();
    let mut file: Value = serde_json::from_slice(&repository.files["timestamp.json"]).unwrap();
    change(&mut file);
    let bytes = serde_json::to_vec(&file).unwrap();
    repository.files.insert("timestamp.json".into(), bytes);
    refresh(&repository)
}

fn malformed(result: Result<(), TufError>) -> MetadataError {
    match result.unwrap_err() {
        TufError::Malformed { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_bit_is_refused_or_changes_nothing() {
    let mut repository = Repository::new();
    repository.add("packages-0", RECORD, b"record");
    repository.add("packages-1", RECORD, b"record");
    repository.commit();
    let honest = Client::of(&repository).find(&repository, RECORD).unwrap();
    let settled = {
        let mut client = Client::of(&repository);
        client.refresh(&repository).unwrap();
        client
    };
    repository.commit();
    for (path, bytes) in &repository.files {
        for place in (0..bytes.len()).step_by(13) {
            let mut changed = repository.clone();
            changed.files.get_mut(path).unwrap()[place] ^= 1 << (place % 8);
            let found = settled.clone().find(&changed, RECORD);
            assert!(found.is_err() || found.unwrap() == honest, "{path} {place}");
        }
    }
}

#[test]
fn every_signer_of_the_threshold_is_needed() {
    let mut repository = Repository::new();
    repository.add("docs", "docs/a.txt", b"doc");
    repository.commit();
    repository.forge("2.docs.json", &[6], |_| ());
    let error = Client::of(&repository).find(&repository, "docs/a.txt");
    let expected = TufError::Signatures {
        role: "docs".into(),
        found: 1,
        needed: 2,
    };
    assert_eq!(error.unwrap_err(), expected);
}

#[test]
fn one_key_under_two_ids_counts_once() {
    let mut repository = Repository::new();
    let first = repository.roles["root"].clone();
    let id = first["roles"]["root"]["keyids"][0].as_str().unwrap();
    let mut root = first.clone();
    root["keys"]["alias"] = root["keys"][id].clone();
    root["roles"]["root"]["keyids"] = json!([id, "alias"]);
    let mut file: Value = serde_json::from_slice(&sign(&root, &[1])).unwrap();
    let mut alias = file["signatures"][0].clone();
    alias["keyid"] = "alias".into();
    file["signatures"].as_array_mut().unwrap().push(alias);
    let bytes = serde_json::to_vec(&file).unwrap();
    repository.files.insert("1.root.json".into(), bytes);
    let error = refresh(&repository).unwrap_err();
    assert!(matches!(
        error,
        TufError::Signatures {
            found: 1,
            needed: 2,
            ..
        }
    ));
}

#[test]
fn a_key_that_signed_twice_is_refused() {
    let result = with_timestamp(|file| {
        let first = file["signatures"][0].clone();
        file["signatures"].as_array_mut().unwrap().push(first);
    });
    assert!(matches!(
        malformed(result),
        MetadataError::DuplicateSignature(_)
    ));
}

#[test]
fn signatures_of_strangers_and_empty_ones_are_passed_over() {
    let result = with_timestamp(|file| {
        let signatures = file["signatures"].as_array_mut().unwrap();
        signatures.insert(0, json!({"keyid": "stranger", "sig": "00"}));
        signatures.push(json!({"keyid": "empty", "sig": ""}));
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn refuses_what_two_readers_could_read_in_two_ways() {
    let mut repository = Repository::new();
    let text = String::from_utf8(repository.files["timestamp.json"].clone()).unwrap();
    let twice = text.replacen("\"signed\"", "\"signed\": {}, \"signed\"", 1);
    repository
        .files
        .insert("timestamp.json".into(), twice.into());
    assert!(matches!(
        malformed(refresh(&repository)),
        MetadataError::Json(_)
    ));
}

#[test]
fn signed_metadata_of_another_kind_is_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut repository = Repository::new();
        repository.forge("timestamp.json", &[3], change);
        malformed(refresh(&repository))
    };
    let kind = refused(&|signed| signed["_type"] = "snapshot".into());
    assert!(matches!(
        kind,
        MetadataError::Type {
            expected: "timestamp",
            ..
        }
    ));
    let spec = refused(&|signed| signed["spec_version"] = "2.0.0".into());
    assert_eq!(spec, MetadataError::SpecVersion("2.0.0".into()));
    let zero = refused(&|signed| signed["version"] = 0.into());
    assert_eq!(zero, MetadataError::VersionZero);
    let time = refused(&|signed| signed["expires"] = "2030-01-01".into());
    assert_eq!(time, MetadataError::Expires("2030-01-01".into()));
    let negative = refused(&|signed| signed["version"] = (-1).into());
    assert!(matches!(negative, MetadataError::Shape(_)));
    let empty = refused(&|signed| signed["meta"] = json!({}));
    assert_eq!(empty, MetadataError::MissingRole("snapshot"));
    let hashes = refused(&|signed| signed["meta"]["snapshot.json"]["hashes"] = json!({"md5": "0"}));
    assert!(matches!(hashes, MetadataError::Hashes(_)));
}

#[test]
fn keys_that_we_do_not_know_count_for_nothing() {
    let known = TufKey {
        keytype: "ed25519".into(),
        scheme: "ed25519".into(),
        public: SecretKey::from_seed(&[1; 32]).public().to_string(),
    };
    let signature = SecretKey::from_seed(&[1; 32]).sign(b"message").bytes;
    let counts = |key: &TufKey| super::super::ed25519_only(key, b"message", &signature);
    assert!(counts(&known));
    let unknown = ["rsa", "ed25519ph", ""].map(|kind| TufKey {
        keytype: kind.into(),
        ..known.clone()
    });
    assert!(unknown.iter().all(|key| !counts(key)));
    let upper = TufKey {
        public: known.public.to_uppercase(),
        ..known
    };
    assert!(!counts(&upper));
}

#[test]
fn another_program_can_bring_its_own_kinds_of_keys() {
    let mut repository = Repository::new();
    let mut file: Value = serde_json::from_slice(&repository.files["timestamp.json"]).unwrap();
    file["signatures"][0]["sig"] = "0a".into();
    let bytes = serde_json::to_vec(&file).unwrap();
    repository.files.insert("timestamp.json".into(), bytes);
    assert!(refresh(&repository).is_err());
    let mut client = Client::of(&repository);
    client.settings.verifier = |key, message, signature| {
        signature == [10] || super::super::ed25519_only(key, message, signature)
    };
    assert!(client.refresh(&repository).is_ok());
}

#[test]
fn a_weak_key_signs_nothing() {
    // The neutral element as key and R, S = 0: "signs" everything under lenient verification.
    let neutral = format!("01{}", "00".repeat(31));
    let forged = format!("{neutral}{}", "00".repeat(32));
    let mut repository = Repository::new();
    let mut root = repository.roles["root"].clone();
    root["keys"] = json!({"weak": {
        "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": neutral},
    }});
    for role in ["root", "timestamp", "snapshot", "targets"] {
        root["roles"][role] = json!({"keyids": ["weak"], "threshold": 1});
    }
    let file = json!({"signatures": [{"keyid": "weak", "sig": forged}], "signed": root});
    let bytes = serde_json::to_vec(&file).unwrap();
    repository.files.insert("1.root.json".into(), bytes);
    let error = refresh(&repository).unwrap_err();
    assert!(matches!(
        error,
        TufError::Signatures {
            found: 0,
            needed: 1,
            ..
        }
    ));
}

#[test]
fn a_role_that_anybody_fulfils_is_refused() {
    for (threshold, ids) in [(0, json!(["a"])), (1, json!(["a", "a"]))] {
        let mut repository = Repository::new();
        let root = repository.roles.get_mut("root").unwrap();
        root["roles"]["timestamp"] = json!({"keyids": ids, "threshold": threshold});
        let bytes = sign(&repository.roles["root"], &[1, 2]);
        repository.files.insert("1.root.json".into(), bytes);
        assert!(matches!(
            malformed(refresh(&repository)),
            MetadataError::Role(_)
        ));
    }
}
