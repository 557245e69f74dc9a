//! Claims about keys, signatures and key files.

use ed25519_dalek::Verifier as _;

use super::*;

const PASSPHRASE: &str = "correct horse";

fn key(hex: &str) -> PublicKey {
    hex.parse().unwrap()
}

fn secret(hex: &str) -> SecretKey {
    let mut seed = [0; 32];
    hex::decode_to_slice(hex, &mut seed).unwrap();
    SecretKey::from_seed(&seed)
}

/// RFC 8032, section 7.1: seed, public key, message, signature.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

/// The points of small order, and one more spelling of the neutral element (y = 1 + p).
const WEAK: [&str; 9] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn signs_and_verifies_as_rfc_8032() {
    for [seed, public, message, signature] in RFC_8032 {
        let secret = secret(seed);
        let message = hex::decode(message).unwrap();
        let signed = secret.sign(&message);
        assert_eq!(secret.public(), key(public));
        assert_eq!(hex::encode(&signed.bytes), signature);
        assert_eq!(signed.key_id, key(public).id());
        assert_eq!(verify(&key(public), &message, &signed.bytes), Ok(()));
    }
}

#[test]
fn refuses_any_flipped_bit() {
    let secret = SecretKey::from_seed(&[7; 32]);
    let signature = secret.sign(b"message").bytes;
    for bit in 0..signature.len() * 8 {
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&secret.public(), b"message", &changed).is_err());
    }
    assert_eq!(
        verify(&secret.public(), b"massage", &signature),
        Err(SignatureError::Mismatch(secret.public()))
    );
}

#[test]
fn refuses_signatures_of_another_length() {
    let secret = SecretKey::from_seed(&[7; 32]);
    let mut signature = secret.sign(b"message").bytes;
    signature.push(0);
    for length in [0, 63, 65] {
        assert_eq!(
            verify(&secret.public(), b"message", &signature[..length]),
            Err(SignatureError::Length(length))
        );
    }
}

#[test]
fn refuses_the_forgery_under_a_small_order_key_that_plain_verification_accepts() {
    // With the neutral element as key and as R, and S = 0, the lenient equation R = SB - kA holds
    // for every message: a signature that nobody made.
    let neutral = key(WEAK[0]);
    let mut forged = [0; 64];
    forged[0] = 1;
    let signature = ed25519_dalek::Signature::from_bytes(&forged);
    #[expect(
        clippy::disallowed_methods,
        reason = "shows what the library lets pass"
    )]
    let lenient = VerifyingKey::from_bytes(&neutral.0).unwrap();
    assert!(lenient.verify(b"any message", &signature).is_ok());
    assert_eq!(
        verify(&neutral, b"any message", &forged),
        Err(SignatureError::Key(KeyError::Weak(neutral)))
    );
}

#[test]
fn refuses_keys_of_small_order_and_non_points() {
    for weak in WEAK.map(key) {
        assert_eq!(check_key(&weak), Err(KeyError::Weak(weak)));
    }
    let mut no_point = [0; 32];
    no_point[0] = 2;
    let no_point = PublicKey(no_point);
    assert_eq!(check_key(&no_point), Err(KeyError::NotAPoint(no_point)));
    for [_, public, ..] in RFC_8032 {
        assert_eq!(check_key(&key(public)), Ok(()));
    }
}

#[test]
fn refuses_a_second_spelling_of_a_point() {
    // y + p below 2^255 for a small y: another spelling of the same point.
    let spellings = (0..19_u8).filter_map(|y| {
        let mut plain = [0; 32];
        plain[0] = y;
        let mut other = [0xff; 32];
        other[0] = 0xed + y;
        other[31] = 0x7f;
        check_key(&PublicKey(plain)).is_ok().then_some(other)
    });
    let mut seen = 0;
    for other in spellings.map(PublicKey) {
        assert_eq!(check_key(&other), Err(KeyError::NotAPoint(other)));
        seen += 1;
    }
    assert!(seen > 0, "some small y is the coordinate of a usable point");
}

#[test]
fn shows_no_secret() {
    let text = format!("{:?}", SecretKey::from_seed(&[7; 32]));
    assert!(text.starts_with("SecretKey(ed25519:"), "{text}");
    assert!(!text.contains("7, 7") && !text.contains("0707"), "{text}");
}

#[test]
fn reads_its_own_key_files() {
    let secret = SecretKey::from_seed(&[7; 32]);
    let plain = secret.to_pem(None, &[1; 32]).unwrap();
    assert!(plain.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let read = SecretKey::from_pem(&plain, None).unwrap();
    assert_eq!(read.public(), secret.public());

    let encrypted = secret.to_pem(Some(PASSPHRASE), &[1; 32]).unwrap();
    assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let read = SecretKey::from_pem(&encrypted, Some(PASSPHRASE)).unwrap();
    assert_eq!(read.public(), secret.public());
    assert_eq!(
        SecretKey::from_pem(&encrypted, None).unwrap_err(),
        KeyFileError::NeedsPassphrase
    );
    assert_eq!(
        SecretKey::from_pem(&encrypted, Some("wrong")).unwrap_err(),
        KeyFileError::WrongPassphrase
    );
}

#[test]
fn writes_the_public_key_for_other_programs() {
    // RFC 8410, section 10.1.
    let public = key("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    assert_eq!(
        public_pem(&public).unwrap(),
        "-----BEGIN PUBLIC KEY-----\n\
         MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
         -----END PUBLIC KEY-----\n"
    );
}

#[test]
fn refuses_what_is_no_key_file() {
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let public = public_pem(&SecretKey::from_seed(&[7; 32]).public()).unwrap();
    for text in ["", "hello", no_key, &public, &"a".repeat(1 << 20)] {
        assert_eq!(
            SecretKey::from_pem(text, None).unwrap_err(),
            KeyFileError::NotPkcs8
        );
    }
}

#[test]
fn refuses_keys_of_other_kinds() {
    // An X25519 key: the same form, another algorithm (RFC 8410: 1.3.101.110).
    let x25519 = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VuBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n\
        -----END PRIVATE KEY-----\n";
    assert_eq!(
        SecretKey::from_pem(x25519, None).unwrap_err(),
        KeyFileError::NotEd25519
    );
}

#[test]
fn refuses_a_key_file_that_would_eat_memory() {
    use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, ScryptParams};
    for (cost, block, parallel) in [
        (1 << 30, 8, 1),
        (1 << 17, 1024, 1),
        (1 << 17, 8, 4096),
        (0, 8, 1),
        (3, 8, 1),
    ] {
        let kdf = Kdf::Scrypt(ScryptParams {
            salt: [0; 16].as_slice().try_into().unwrap(),
            cost_parameter: cost,
            block_size: block,
            parallelization: parallel,
            key_length: None,
        });
        let encryption = EncryptionScheme::Aes256Cbc { iv: [0; 16] };
        let info = pkcs8::EncryptedPrivateKeyInfo {
            encryption_algorithm: Parameters { kdf, encryption }.into(),
            encrypted_data: pkcs8::der::asn1::OctetString::new([0; 64]).unwrap(),
        };
        let pem = pkcs8::SecretDocument::encode_msg(&info)
            .unwrap()
            .to_pem("ENCRYPTED PRIVATE KEY", pkcs8::LineEnding::LF)
            .unwrap();
        assert_eq!(
            SecretKey::from_pem(&pem, Some("x")).unwrap_err(),
            KeyFileError::UnsupportedEncryption
        );
    }
}
