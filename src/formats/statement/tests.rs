//! Claims about the bytes of statements and envelopes.

use serde_json::json;

use super::*;
use crate::model::{KeyId, Release, Sha256Digest, Signature};

fn release() -> Box<Release> {
    let line = json!({
        "name": "demo", "vers": "1.0.0+b", "deps": [], "cksum": "ab".repeat(32), "features": {},
        "marketplace": {"schema": 1, "size": 9, "license": "MIT", "publisher": "ferris"},
    });
    Box::new(v1::release_from_json(&line).unwrap())
}

fn owners(names: &[&str], threshold: u32) -> Owners {
    Owners {
        publishers: names.iter().map(|name| name.parse().unwrap()).collect(),
        threshold,
    }
}

fn bodies() -> [Body; 10] {
    let version: Version = "1.0.0".parse().unwrap();
    let reason = Some("\u{1f980} \"leaks\"\n".to_owned());
    [
        Body::Genesis(owners(&["anna", "ferris"], 2)),
        Body::Release(release()),
        Body::Yank {
            version: version.clone(),
            reason: reason.clone(),
        },
        Body::Yank {
            version: version.clone(),
            reason: None,
        },
        Body::Unyank {
            version: version.clone(),
        },
        Body::Vouch {
            release: release(),
            source: Some("crates.io".into()),
        },
        Body::Unsigned {
            release: release(),
            source: None,
        },
        Body::Owners(owners(&["anna"], 1)),
        Body::Assign(owners(&["ferris"], 1)),
        Body::Withdraw { version, reason },
    ]
}

fn statement(body: Body) -> Statement {
    Statement {
        registry_id: Sha256Digest::of(b"root"),
        package: "demo".parse().unwrap(),
        sequence: 2,
        previous: Some(Sha256Digest::of(b"previous")),
        body,
    }
}

#[test]
fn every_kind_comes_back_as_it_was() {
    for body in bodies() {
        let statement = statement(body);
        let bytes = payload(&statement).unwrap();
        assert_eq!(parse_payload(&bytes).unwrap(), statement);
    }
}

#[test]
fn a_first_statement_says_that_nothing_was_before() {
    let first = Statement {
        sequence: 1,
        previous: None,
        ..statement(bodies()[4].clone())
    };
    let expected = format!(
        r#"{{"body":{{"kind":"unyank","version":"1.0.0"}},"package":"demo","previous":null,"registry_id":"{}","schema":1,"sequence":1}}"#,
        Sha256Digest::of(b"root")
    );
    assert_eq!(
        String::from_utf8(payload(&first).unwrap()).unwrap(),
        expected
    );
}

#[test]
fn refuses_every_other_spelling_of_a_statement() {
    let text = String::from_utf8(payload(&statement(bodies()[2].clone())).unwrap()).unwrap();
    for (from, to) in [
        ("{\"body\"", "{ \"body\""),
        ("\u{1f980}", "\\ud83e\\udd80"),
        ("\"schema\":1,\"sequence\":2", "\"sequence\":2,\"schema\":1"),
        ("\"schema\":1", "\"schema\":1,\"seen\":1"),
        ("\"kind\":\"yank\"", "\"extra\":null,\"kind\":\"yank\""),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        assert_eq!(
            parse_payload(changed.as_bytes()),
            Err(StatementError::NotCanonical),
            "{changed}"
        );
    }
    let newline = format!("{text}\n");
    assert_eq!(
        parse_payload(newline.as_bytes()),
        Err(StatementError::NotCanonical)
    );
}

#[test]
fn tells_what_is_too_new_from_what_is_wrong() {
    let text = String::from_utf8(payload(&statement(bodies()[4].clone())).unwrap()).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        parse_payload(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let newer = refused("\"schema\":1", "\"schema\":2");
    assert_eq!(newer, StatementError::UnknownSchema(2));
    assert!(newer.needs_update());
    let newer = refused("\"unyank\"", "\"crown\"");
    assert_eq!(newer, StatementError::UnknownKind("crown".into()));
    assert!(newer.needs_update());

    let wrong = refused("\"schema\":1,", "");
    assert!(matches!(wrong, StatementError::Shape(_)) && !wrong.needs_update());
    let wrong = refused("\"1.0.0\"", "\"1.0\"");
    assert_eq!(wrong, StatementError::Version("1.0".into()));
    let wrong = refused("\"demo\"", "\"../demo\"");
    assert!(matches!(wrong, StatementError::Name(_)));
    let wrong = refused("\"sequence\":2", "\"sequence\":2,\"sequence\":2");
    assert!(matches!(wrong, StatementError::Json(_)));
    let wrong = refused("\"sequence\":2", "\"sequence\":9007199254740993");
    assert!(matches!(wrong, StatementError::Json(_)));
}

#[test]
fn refuses_owners_who_can_never_sign() {
    for bad in [
        owners(&[], 0),
        owners(&["anna"], 0),
        owners(&["anna"], 2),
        owners(&["ferris", "anna"], 1),
        owners(&["anna", "anna"], 1),
    ] {
        for body in [Body::Genesis, Body::Owners, Body::Assign] {
            let refused = payload(&statement(body(bad.clone())));
            assert_eq!(refused, Err(StatementError::Owners));
        }
    }
}

#[test]
fn signs_the_encoding_of_dsse() {
    let signed = pae(b"{\"a\":1}");
    let expected = "DSSEv1 51 application/vnd.cargo-marketplace.statement.v1+json 7 {\"a\":1}";
    assert_eq!(String::from_utf8(signed).unwrap(), expected);
    assert_eq!(PAYLOAD_TYPE.len(), 51);
}

fn envelope() -> Envelope {
    Envelope {
        payload: b"payload".to_vec(),
        signatures: vec![Signature {
            key_id: KeyId(Sha256Digest::of(b"key")),
            bytes: vec![7; 64],
        }],
    }
}

#[test]
fn envelopes_come_back_as_they_were() {
    let value = envelope().to_json();
    assert_eq!(Envelope::from_json(&value).unwrap(), envelope());
}

#[test]
fn refuses_envelopes_that_can_be_read_in_two_ways() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut value = envelope().to_json();
        change(&mut value);
        Envelope::from_json(&value).unwrap_err()
    };
    // Padding left out, and a last character whose unused bits are set.
    for payload in ["cGF5bG9hZA", "cGF5bG9hZB==", "cGF5 bG9hZA=="] {
        assert_eq!(
            refused(&|value| value["payload"] = payload.into()),
            EnvelopeError::Base64("payload")
        );
    }
    assert!(matches!(
        refused(&|value| value["payloadType"] = "text/plain".into()),
        EnvelopeError::PayloadType(_)
    ));
    assert!(matches!(
        refused(&|value| value["more"] = 1.into()),
        EnvelopeError::Shape(_)
    ));
    let doubled = |value: &mut Value| {
        let first = value["signatures"][0].clone();
        value["signatures"] = vec![first; 2].into();
    };
    assert!(matches!(refused(&doubled), EnvelopeError::DuplicateKey(_)));
    let many = |value: &mut Value| {
        let first = value["signatures"][0].clone();
        value["signatures"] = vec![first; 65].into();
    };
    assert_eq!(refused(&many), EnvelopeError::TooManySignatures(65));
}

/// Made by another program (Python's `json`, `hashlib` and `cryptography`).
#[test]
fn writes_the_bytes_of_the_published_vectors() {
    let file = include_bytes!("../../../schemas/statement-vectors.json");
    let file: Value = serde_json::from_slice(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let name = &vector["name"];
        let envelope = Envelope::from_json(&vector["envelope"]).unwrap();
        assert_eq!(envelope.to_json(), vector["envelope"], "{name}");
        let statement = parse_payload(&envelope.payload).unwrap();
        assert_eq!(payload(&statement).unwrap(), envelope.payload, "{name}");
        let value = parse_strict(&envelope.payload).unwrap();
        assert_eq!(value, vector["statement"], "{name}");
        assert_eq!(envelope.digest().to_string(), vector["payload_sha256"]);
    }
}
