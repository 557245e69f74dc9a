//! The `openssl` program as referee for key files and signatures.

use std::path::Path;
use std::process::{Command, Output};

use cargo_marketplace::trust::ed25519::{self, SecretKey};

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

/// `openssl pkey` gives scrypt at most 32 MiB and cannot be told otherwise; our files ask for 128.
/// OpenSSL's own scrypt and AES, called one by one, do read them.
#[test]
#[ignore = "needs openssl"]
fn openssl_decrypts_our_encrypted_key_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let secret = SecretKey::from_seed(&[7; 32]);
    let pem = secret.to_pem(Some(PASSPHRASE), &[9; 32]).unwrap();
    std::fs::write(folder.join("key.pem"), pem.as_bytes()).unwrap();

    let listing = openssl(folder, &["asn1parse", "-in", "key.pem"]).stdout;
    let listing = String::from_utf8(listing).unwrap();
    let encrypted = listing.lines().last().unwrap().split(':').next().unwrap();
    let [offset, salt] = [encrypted.trim(), "hexsalt:09090909090909090909090909090909"];
    let parse = ["asn1parse", "-in", "key.pem", "-strparse", offset, "-noout"];
    openssl(folder, &[&parse[..], &["-out", "encrypted"]].concat());

    let pass = format!("pass:{PASSPHRASE}");
    let mut kdf = vec!["kdf", "-keylen", "32"];
    for option in [
        &pass,
        salt,
        "n:131072",
        "r:8",
        "p:1",
        "maxmem_bytes:200000000",
    ] {
        kdf.extend(["-kdfopt", option]);
    }
    kdf.push("SCRYPT");
    let key = String::from_utf8(openssl(folder, &kdf).stdout).unwrap();
    let key = key.trim().replace(':', "");
    let decrypt = [
        "enc",
        "-d",
        "-aes-256-cbc",
        "-in",
        "encrypted",
        "-out",
        "plain",
    ];
    openssl(
        folder,
        &[&decrypt[..], &["-K", &key, "-iv", &"09".repeat(16)]].concat(),
    );
    let read = openssl(
        folder,
        &["pkey", "-inform", "DER", "-in", "plain", "-pubout"],
    );
    assert_eq!(
        String::from_utf8(read.stdout).unwrap(),
        ed25519::public_pem(&secret.public()).unwrap()
    );
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
