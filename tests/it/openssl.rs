//! The `openssl` program as referee for key files and signatures.

use std::path::Path;
use std::process::{Command, Output};

use cargo_marketplace::trust::ed25519::{self, SecretKey};

use crate::env::TestEnv;

const PASSPHRASE: &str = "not a secret";

fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("the test is only run where openssl is installed");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output
}

#[test]
#[ignore = "needs openssl"]
fn openssl_reads_our_plain_key_files() {
    let folder = tempfile::tempdir().unwrap();
    let secret = SecretKey::from_seed(&[7; 32]);
    let pem = secret.to_pem(None, &[9; 32]).unwrap();
    std::fs::write(folder.path().join("key.pem"), pem.as_bytes()).unwrap();
    let read = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]);
    assert_eq!(
        String::from_utf8(read.stdout).unwrap(),
        ed25519::public_pem(&secret.public()).unwrap()
    );
}

#[test]
#[ignore = "needs openssl"]
fn openssl_reads_our_encrypted_key_files() {
    let folder = tempfile::tempdir().unwrap();
    let secret = SecretKey::from_seed(&[7; 32]);
    let pem = secret.to_pem(Some(PASSPHRASE), &[9; 32]).unwrap();
    std::fs::write(folder.path().join("key.pem"), pem.as_bytes()).unwrap();
    let source = format!("pass:{PASSPHRASE}");
    let read = openssl(
        folder.path(),
        &["pkey", "-in", "key.pem", "-passin", &source, "-pubout"],
    );
    assert_eq!(
        String::from_utf8(read.stdout).unwrap(),
        ed25519::public_pem(&secret.public()).unwrap()
    );
}

#[test]
#[ignore = "needs openssl"]
fn openssl_reads_what_is_exported() {
    let env = TestEnv::new();
    let run = |arguments: &[&str]| {
        let command = env.command(arguments);
        let command = command.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", PASSPHRASE);
        let outcome = command.run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.stdout
    };
    run(&["key", "new", "anchor"]);
    run(&["key", "export", "anchor", "--secret", "-o", "backup.pem"]);
    let source = format!("pass:{PASSPHRASE}");
    let work = env.work();
    let pkey = |more: &[&str]| {
        let read = openssl(&work, &[&["pkey"][..], more].concat());
        String::from_utf8(read.stdout).unwrap()
    };
    let exported = run(&["key", "export", "anchor"]);
    let secret = pkey(&["-in", "backup.pem", "-passin", &source, "-pubout"]);
    assert_eq!(secret, exported);
    env.write("work/public.pem", &exported);
    assert_eq!(pkey(&["-pubin", "-in", "public.pem"]), exported);
    // The last 32 bytes are the key itself, in every form.
    let hex = run(&["key", "export", "anchor", "--format", "hex"]);
    let text = pkey(&["-pubin", "-in", "public.pem", "-noout", "-text"]);
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    assert!(digits.ends_with(hex.trim()), "{text}");
}

#[test]
#[ignore = "needs openssl"]
fn openssl_verifies_our_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let secret = SecretKey::from_seed(&[7; 32]);
    let public = ed25519::public_pem(&secret.public()).unwrap();
    std::fs::write(folder.join("public.pem"), public).unwrap();
    std::fs::write(folder.join("message"), b"message").unwrap();
    std::fs::write(folder.join("signature"), secret.sign(b"message").bytes).unwrap();
    let inputs = ["-in", "message", "-sigfile", "signature"];
    let verify = ["pkeyutl", "-verify", "-rawin", "-pubin"];
    openssl(
        folder,
        &[&verify[..], &["-inkey", "public.pem"], &inputs].concat(),
    );
}

#[test]
#[ignore = "needs openssl"]
fn we_read_the_key_files_of_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let genpkey = ["genpkey", "-algorithm", "ed25519", "-out", "key.pem"];
    let source = format!("pass:{PASSPHRASE}");
    let encrypted = ["-aes-256-cbc", "-pass", &source];
    for (arguments, passphrase) in [
        (genpkey.to_vec(), None),
        ([&genpkey[..], &encrypted].concat(), Some(PASSPHRASE)),
    ] {
        openssl(folder, &arguments);
        let text = std::fs::read_to_string(folder.join("key.pem")).unwrap();
        let secret = SecretKey::from_pem(&text, passphrase).unwrap();
        let public = openssl(
            folder,
            &["pkey", "-in", "key.pem", "-passin", &source, "-pubout"],
        );
        assert_eq!(
            String::from_utf8(public.stdout).unwrap(),
            ed25519::public_pem(&secret.public()).unwrap()
        );
    }
}
