//! A small registry with one of everything, made of real archives by the library's own functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cargo_marketplace::formats::catalog_index::{self, CatalogIndex};
use cargo_marketplace::formats::config_json::Readers;
use cargo_marketplace::formats::layout;
use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::policy::Lifetimes;
use cargo_marketplace::formats::submission::Submission;
use cargo_marketplace::model::{
    Body, Event, EventSink, PackageName, PublisherId, Release, Sha256Digest, UtcTime,
};
use cargo_marketplace::publish::apply::{self, Authority, Proposal};
use cargo_marketplace::publish::ceremony::Ceremony;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::import::{Archive, Attestation, derive_all, import};
use cargo_marketplace::publish::init::{NewRegistry, init};
use cargo_marketplace::publish::journal::Change;
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::publish::sign::{self, Signer};
use cargo_marketplace::trust::SecretKey;

use crate::env::NOW;

pub(crate) const BASE: &str = "https://registry.example/";

/// Takes events and forgets them.
pub(crate) struct Silent;

impl EventSink for Silent {
    fn event(&self, _: Event) {}
}

/// The time in tests.
pub(crate) fn now() -> UtcTime {
    UtcTime::from_unix(NOW).unwrap()
}

/// The key of the offline roles (1), of the online ones (2), of the publisher (3), or a stranger's.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// The registry's role keys.
pub(crate) fn role_keys() -> RoleKeys {
    RoleKeys::new([key(1), key(2)])
}

/// A `.crate` file: a manifest and a library. `more` goes to the end of the manifest.
pub(crate) fn archive(name: &str, version: &str, more: &str) -> Vec<u8> {
    archive_of(name, version, more, b"")
}

/// The same with a library of that content.
pub(crate) fn archive_of(name: &str, version: &str, more: &str, library: &[u8]) -> Vec<u8> {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\
         description = \"A small {name}\"\nlicense = \"MIT OR Apache-2.0\"\n{more}"
    );
    pack(name, version, &manifest, library)
}

/// The same with a manifest of one's own.
pub(crate) fn archive_with(name: &str, version: &str, manifest: &str) -> Vec<u8> {
    pack(name, version, manifest, b"")
}

fn pack(name: &str, version: &str, manifest: &str, library: &[u8]) -> Vec<u8> {
    let files = [("Cargo.toml", manifest.as_bytes()), ("src/lib.rs", library)];
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let path = format!("{name}-{version}/{path}");
        tar.append_data(&mut header, path, bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Makes the registry: `tide-table` has an owner, two releases and a yank, and depends on
/// `libm_lite`, for which the operator vouches.
pub(crate) fn make(root: &Path) {
    let keys = role_keys();
    let new = NewRegistry {
        base: BASE,
        ceremony: Ceremony::solo(key(1).public(), key(2).public()).unwrap(),
        keys: &keys,
        now: now(),
        mirrors: &[],
        readers: Readers::Everybody,
        lifetimes: Lifetimes::default(),
    };
    init(root, &new).unwrap();
    let vouch = Attestation::Vouch {
        key: &key(2),
        source: Some("crates.io"),
    };
    take(root, &[archive("libm_lite", "1.0.0", "")], vouch);
    let releases = [
        archive("tide-table", "0.1.0", DEPENDENCY),
        archive("tide-table", "0.2.0", DEPENDENCY),
    ];
    publish(root, &releases);
    let yank = Body::Yank {
        version: "0.1.0".parse().unwrap(),
        reason: Some("wrong datum".into()),
    };
    let submission = submission(root, "tide-table", yank);
    apply(root, submission);
}

/// What `tide-table` says besides.
const DEPENDENCY: &str = "keywords = [\"tide\"]\n[dependencies]\nlibm_lite = \"1\"\n";

/// Makes the registry a day older: `tide-table` and `libm_lite` have one more release each, and there
/// is a package `tide-clock`.
pub(crate) fn next_day(root: &Path) {
    let vouch = Attestation::Vouch {
        key: &key(2),
        source: Some("crates.io"),
    };
    take(root, &[archive("libm_lite", "1.0.1", "")], vouch);
    let releases = [
        archive("tide-table", "0.2.1", DEPENDENCY),
        archive("tide-clock", "1.0.0", ""),
    ];
    publish(root, &releases);
}

/// Takes in archives as releases that their owner signed.
pub(crate) fn publish(root: &Path, archives: &[Vec<u8>]) {
    let id: PublisherId = "harbour".parse().unwrap();
    let key = key(3);
    let signer = Signer {
        publisher: &id,
        key: &key,
    };
    take(root, archives, Attestation::Sign(signer));
}

pub(crate) fn take(root: &Path, archives: &[Vec<u8>], attestation: Attestation<'_>) {
    let archives = archives.iter().map(|bytes| Archive {
        label: "test.crate".into(),
        bytes: bytes.clone(),
    });
    let folder = Folder::open(root).unwrap();
    let keys = role_keys();
    let archives = derive_all(archives.collect(), &Home::Mirror, &Silent).unwrap();
    import(folder, archives, attestation, &authority(&keys)).unwrap();
}

/// What the owner would submit.
pub(crate) fn submission(root: &Path, package: &str, body: Body) -> Submission {
    let mut folder = Folder::open(root).unwrap();
    let package: PackageName = package.parse().unwrap();
    let state = apply::state(&mut folder, &package).unwrap();
    let (id, key) = ("harbour".parse().unwrap(), key(3));
    let signer = Signer {
        publisher: &id,
        key: &key,
    };
    sign::sign(&state, vec![body], signer).unwrap()
}

/// Takes in what the owner submitted.
pub(crate) fn apply(root: &Path, submission: Submission) {
    let proposal = Proposal {
        package: submission.package,
        statements: submission.statements,
        archives: Vec::new(),
        publishers: submission.publishers,
    };
    let folder = Folder::open(root).unwrap();
    let keys = role_keys();
    apply::apply(folder, vec![proposal].into(), &authority(&keys)).unwrap();
}

/// Takes in what the operator says with the recovery key.
pub(crate) fn recover(root: &Path, package: &str, body: Body) {
    let mut folder = Folder::open(root).unwrap();
    let package: PackageName = package.parse().unwrap();
    let state = apply::state(&mut folder, &package).unwrap();
    let proposal = Proposal {
        package,
        statements: sign::chain(&state, [body], &[&key(1)]).unwrap(),
        archives: Vec::new(),
        publishers: Vec::new(),
    };
    let keys = role_keys();
    apply::apply(folder, vec![proposal].into(), &authority(&keys)).unwrap();
}

/// Signs another index of the catalog.
pub(crate) fn set_catalog(root: &Path, index: &CatalogIndex) {
    let bytes = catalog_index::encode(index);
    set_target(root, "catalog", layout::CATALOG_INDEX, bytes);
}

/// Signs another target, whatever it says.
pub(crate) fn set_target(root: &Path, role: &str, path: &str, bytes: Vec<u8>) {
    let mut folder = Folder::open(root).unwrap();
    let mut change = Change::default();
    folder.set_target(role, path, &bytes).unwrap();
    change.add_hashed(path, bytes);
    folder.commit(change, &role_keys(), now()).unwrap();
}

/// Takes in a release for which the operator vouches, whatever it says.
pub(crate) fn propose(root: &Path, release: Release, archive: Vec<u8>) {
    let mut folder = Folder::open(root).unwrap();
    let package = release.name.clone();
    let state = apply::state(&mut folder, &package).unwrap();
    let vouch = Body::Vouch {
        release: Box::new(release),
        source: None,
    };
    let proposal = Proposal {
        package,
        statements: sign::chain(&state, [vouch], &[&key(2)]).unwrap(),
        archives: vec![archive],
        publishers: Vec::new(),
    };
    let keys = role_keys();
    apply::apply(folder, vec![proposal].into(), &authority(&keys)).unwrap();
}

fn authority(keys: &RoleKeys) -> Authority<'_> {
    Authority { keys, now: now() }
}

/// The files of a registry, by path, hidden ones left out.
pub(crate) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.file_type().unwrap().is_dir() {
                folders.push((entry.path(), path + "/"));
            } else {
                found.insert(path, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// One digest for all files of a registry and their paths.
pub(crate) fn fingerprint(root: &Path) -> Sha256Digest {
    let lines = files(root)
        .into_iter()
        .map(|(path, bytes)| format!("{path} {}\n", Sha256Digest::of(&bytes)));
    Sha256Digest::of(lines.collect::<String>().as_bytes())
}
