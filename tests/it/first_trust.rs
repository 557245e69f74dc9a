//! Trusting a registry for the first time, by a root that is not its first one; and adding a registry
//! again whose state is on this machine.

use std::fs;
use std::path::Path;

use cargo_marketplace::formats::canonical_json::{Form, canonical};
use cargo_marketplace::model::Sha256Digest;
use cargo_marketplace::trust::SecretKey;
use serde_json::{Value, json};

use crate::env::{Outcome, TestEnv};
use crate::fixture::Fixture;
use crate::samples::show;

/// The root after the one of that file, signed by a key: as the honest operator writes it, if it is
/// the offline one.
fn next_root(root: &[u8], key: &SecretKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(root).unwrap();
    let signed = &mut file["signed"];
    signed["version"] = (signed["version"].as_u64().unwrap() + 1).into();
    if signed["registry_id"].is_null() {
        signed["registry_id"] = Sha256Digest::of(root).to_string().into();
    }
    change(signed);
    let signature = key.sign(&canonical(signed, Form::Olpc).unwrap());
    file["signatures"] = json!([{
        "keyid": signature.key_id.to_string(),
        "sig": hex(&signature.bytes),
    }]);
    serde_json::to_vec(&file).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A root 1 of somebody else: another key signs all.
fn others_root(root: &[u8], key: &SecretKey) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(root).unwrap();
    file["signed"]["version"] = 0.into();
    let first = serde_json::to_vec(&file).unwrap();
    next_root(&first, key, |signed| {
        let id = key.public().id().to_string();
        signed["keys"] = json!({ (id.as_str()): {
            "keytype": "ed25519", "scheme": "ed25519",
            "keyval": {"public": key.public().to_string()},
        }});
        for role in ["root", "targets", "snapshot", "timestamp"] {
            signed["roles"][role] = json!({"keyids": [id], "threshold": 1});
        }
        signed.as_object_mut().unwrap().remove("registry_id");
    })
}

fn root(folder: &Path, version: u64) -> Vec<u8> {
    fs::read(folder.join(format!("tuf/{version}.root.json"))).unwrap()
}

/// A registry with two roots; returns its folder's address and the second root's digest.
fn with_two_roots(env: &TestEnv) -> (String, Sha256Digest) {
    let folder = Fixture::get().registry_dir(env);
    let second = next_root(&root(&folder, 1), &Fixture::key("offline"), |_| ());
    env.write("registry/tuf/2.root.json", &second);
    let url = format!("file://{}", folder.display());
    (url, Sha256Digest::of(&second))
}

fn add(env: &TestEnv, url: &str, more: &[&str]) -> Outcome {
    let line = ["registry", "add", "harbour", url];
    env.command(line.iter().chain(more)).run()
}

fn refused(env: &TestEnv, outcome: &Outcome, code: &str) {
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains(code), "{outcome}");
    assert!(outcome.stderr.contains("nothing was written"), "{outcome}");
    assert!(!env.marketplace_home().join("config.toml").exists());
}

#[test]
fn a_later_root_is_trusted_when_the_first_one_leads_to_it() {
    let env = TestEnv::new();
    let (url, second) = with_two_roots(&env);
    let pin = format!("--root=sha256:{second}");
    let added = show(env.command(["registry", "add", "harbour", &url, &pin]));
    assert!(added.contains("`harbour` root v2, valid until"), "{added}");
    let config = env.read("home/.cargo/marketplace/config.toml");
    let id = format!("registry-id = \"{}\"", Fixture::get().root);
    assert!(config.contains(&id), "{config}");
    assert!(config.contains(&second.to_string()), "{config}");
    let other = TestEnv::new();
    other.write(
        "second.json",
        fs::read(env.path("registry/tuf/2.root.json")).unwrap(),
    );
    let file = other.path("second.json").display().to_string();
    let added = add(&other, &url, &["--root-file", &file]);
    assert_eq!(added.code, Some(0), "{added}");
}

#[test]
fn the_id_that_a_later_root_claims_is_not_believed() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let thief = SecretKey::from_seed(&[99; 32]);
    let honest = root(&folder, 1);
    let others = others_root(&honest, &thief);
    // It claims the honest registry's id, which is that of a registry the user may know.
    let claiming = next_root(&others, &thief, |signed| {
        signed["registry_id"] = Fixture::get().root.to_string().into();
    });
    env.write("registry/tuf/2.root.json", &claiming);
    let url = format!("file://{}", folder.display());
    let pin = format!("--root=sha256:{}", Sha256Digest::of(&claiming));
    // Behind the honest first root: its keys did not sign the claim.
    refused(&env, &add(&env, &url, &[&pin]), "MP0402");
    let file = folder.join("tuf/2.root.json").display().to_string();
    refused(&env, &add(&env, &url, &["--root-file", &file]), "MP0402");
    // Behind a first root of the thief's: its digest is not the id that is claimed.
    env.write("registry/tuf/1.root.json", &others);
    refused(&env, &add(&env, &url, &[&pin]), "MP0406");
    refused(&env, &add(&env, &url, &["--root-file", &file]), "MP0406");
}

#[test]
fn a_later_root_that_claims_no_id_is_refused() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let second = next_root(&root(&folder, 1), &Fixture::key("offline"), |signed| {
        signed.as_object_mut().unwrap().remove("registry_id");
    });
    env.write("registry/tuf/2.root.json", &second);
    let url = format!("file://{}", folder.display());
    let pin = format!("--root=sha256:{}", Sha256Digest::of(&second));
    refused(
        &env,
        &add(&env, &url, &[&pin]),
        "does not say which registry",
    );
}

#[test]
fn adding_again_holds_the_pin_against_the_roots_that_are_trusted() {
    let env = TestEnv::new();
    let (url, second) = with_two_roots(&env);
    Fixture::get().add_url(&env, &url);
    let config = env.read("home/.cargo/marketplace/config.toml");
    // Two roots follow on the first: the operator's, which is trusted here, and one that was signed
    // with a stolen key. Whoever pins the stolen one must not go on with the other.
    let forked = next_root(
        &fs::read(env.path("registry/tuf/1.root.json")).unwrap(),
        &Fixture::key("offline"),
        |signed| signed["expires"] = "2031-01-01T00:00:00Z".into(),
    );
    let honest = fs::read(env.path("registry/tuf/2.root.json")).unwrap();
    env.write("registry/tuf/2.root.json", &forked);
    let pin = format!("--root=sha256:{}", Sha256Digest::of(&forked));
    let again = add(&env, &url, &[&pin]);
    assert_eq!(again.code, Some(4), "{again}");
    assert!(again.stderr.contains("error[MP0102]"), "{again}");
    assert_eq!(env.read("home/.cargo/marketplace/config.toml"), config);
    env.write("registry/tuf/2.root.json", &honest);
    for pin in [second, Fixture::get().root] {
        let pin = format!("--root=sha256:{pin}");
        let again = add(&env, &url, &[&pin]);
        assert_eq!(again.code, Some(0), "{again}");
    }
}

#[test]
fn a_pin_that_is_newer_than_what_is_trusted_takes_its_place() {
    let env = TestEnv::new();
    let folder = Fixture::get().add_to(&env);
    let url = format!("file://{}", folder.display());
    let (_, second) = with_two_roots(&env);
    let pin = format!("--root=sha256:{second}");
    let again = add(&env, &url, &[&pin]);
    assert_eq!(again.code, Some(0), "{again}");
    assert!(again.stderr.contains("root v2"), "{again}");
}

/// What the user named is at fault, and not the registry.
#[test]
fn a_file_that_is_no_root_is_named() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let url = format!("file://{}", folder.display());
    for (path, text) in [("work/empty", ""), ("work/page", "<html>")] {
        env.write(path, text);
        let add = ["registry", "add", "harbour", &url, "--root-file"];
        let file = path.trim_start_matches("work/");
        let refused = env.command(add.into_iter().chain([file])).run();
        assert_eq!(refused.code, Some(101), "{refused}");
        let told = format!("error: `{file}` is no root metadata\n");
        assert!(refused.stderr.contains(&told), "{refused}");
    }
}
