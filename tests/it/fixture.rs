//! A registry for tests: 14 small packages by two publishers and the operator, made by the library's
//! own functions from fixed keys at fixed times, so that the same code gives the same bytes.
//!
//! It is made once per test process and kept in memory. Each test writes a copy of its own, which it
//! may damage; nothing here ever changes the one in memory. See [`packages`] for what is in it.

pub(crate) mod packages;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cargo_marketplace::formats::config_json::Readers;
use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::formats::policy::Lifetimes;
use cargo_marketplace::formats::v1;
use cargo_marketplace::model::{
    Body, Document, Event, EventSink, PackageName, PublisherId, Sha256Digest, UtcTime,
};
use cargo_marketplace::publish::apply::{self, Authority, Proposal};
use cargo_marketplace::publish::ceremony::Ceremony;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::import::{Archive, Attestation, derive_all, import};
use cargo_marketplace::publish::init::{Made, NewRegistry, init};
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::publish::sign::{self, Signer};
use cargo_marketplace::trust::SecretKey;

use crate::env::TestEnv;
use packages::{Package, Step, Who};

/// The registry's canonical address.
pub(crate) const BASE: &str = "https://registry.example.org/";

/// Every role stays valid for ten years, so that a test can set the clock as it likes.
const LIFETIMES: Lifetimes = Lifetimes {
    offline: 3650,
    online: 3650,
    snapshot: 3650,
    timestamp: 3650,
};

/// The registry in memory.
pub(crate) struct Fixture {
    /// The sha256 of its root, which is also its id.
    pub(crate) root: Sha256Digest,
    /// Bytes by path below the registry's root.
    files: BTreeMap<String, Vec<u8>>,
}

impl Fixture {
    /// The registry, made on first use.
    pub(crate) fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(make)
    }

    /// Writes a copy into a test's folder and returns its path: `registry` below the environment's.
    pub(crate) fn registry_dir(&self, env: &TestEnv) -> PathBuf {
        for (path, bytes) in &self.files {
            env.write(&format!("registry/{path}"), bytes);
        }
        env.path("registry")
    }

    /// Writes a copy into a test's folder and adds it there under the name `harbour`. Returns the
    /// copy's path.
    pub(crate) fn add_to(&self, env: &TestEnv) -> PathBuf {
        let folder = self.registry_dir(env);
        self.add_url(env, &format!("file://{}", folder.display()));
        folder
    }

    /// Adds the registry under the name `harbour`, served at `url`.
    pub(crate) fn add_url(&self, env: &TestEnv, url: &str) {
        let root = format!("--root=sha256:{}", self.root);
        let added = env
            .command(["registry", "add", "harbour", url, &root])
            .run();
        assert_eq!(added.code, Some(0), "{added}");
    }

    /// The secret key of a publisher (`harbour`, `lighthouse`) or role (`offline`, `online`).
    pub(crate) fn key(name: &str) -> SecretKey {
        let seed = match name {
            "harbour" => 11,
            "lighthouse" => 12,
            "offline" => 21,
            "online" => 22,
            _ => panic!("the fixture has no key `{name}`"),
        };
        SecretKey::from_seed(&[seed; 32])
    }

    /// The bytes of a file, by its path below the registry's root.
    pub(crate) fn file(&self, path: &str) -> &[u8] {
        &self.files[path]
    }

    /// Where a package's document stands by digest: what the client reads.
    pub(crate) fn document_path(&self, package: &str, format: Format) -> String {
        let plain = layout::document(&package.parse().unwrap(), format);
        layout::hashed(&plain, &Sha256Digest::of(self.file(&plain)))
    }

    /// The documents of all packages, sorted by name, as their v1 files say them.
    pub(crate) fn documents(&self) -> Vec<Document> {
        let names = packages::all().map(|package| package.name().to_owned());
        let names: std::collections::BTreeSet<String> = names.collect();
        let document = |name: String| {
            let name: PackageName = name.parse().unwrap();
            let bytes = self.file(&layout::document(&name, Format::V1));
            v1::decode(&name, bytes).unwrap()
        };
        names.into_iter().map(document).collect()
    }
}

/// Nobody listens.
pub(crate) struct Silence;

impl EventSink for Silence {
    fn event(&self, _event: Event) {}
}

fn make() -> Fixture {
    let temporary = tempfile::tempdir().expect("tests have a folder for temporary files");
    let folder = temporary.path();
    let keys = RoleKeys::new(["offline", "online"].map(Fixture::key));
    let [offline, online] = ["offline", "online"].map(Fixture::key);
    let made = init(
        folder,
        &NewRegistry {
            base: BASE,
            ceremony: Ceremony::solo(offline.public(), online.public()).unwrap(),
            keys: &keys,
            now: time("2026-01-01T00:00:00Z"),
            mirrors: &[],
            readers: Readers::Everybody,
            lifetimes: LIFETIMES,
        },
    )
    .unwrap();
    let Made::Published(root) = made else {
        panic!("both keys are at hand");
    };
    for (at, step) in packages::STEPS {
        let authority = Authority {
            keys: &keys,
            now: time(at),
        };
        take(folder, step, &authority);
    }
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files);
    Fixture { root, files }
}

fn take(folder: &Path, step: &Step, authority: &Authority<'_>) {
    let open = Folder::open(folder).unwrap();
    match step {
        Step::Import(who, packages) => import_all(open, *who, packages, authority),
        Step::Yank(who, name, version, reason) => {
            yank(open, *who, (name, version, *reason), authority);
        }
    }
}

fn import_all(folder: Folder, who: Who, packages: &[Package], authority: &Authority<'_>) {
    let archives = packages.iter().map(|package| Archive {
        label: package.name().to_owned(),
        bytes: package.archive(),
    });
    let archives = archives.collect();
    let (key, publisher) = (who.key(), who.publisher());
    let (home, attestation) = match &publisher {
        None => (
            Home::Mirror,
            Attestation::Vouch {
                key: &key,
                source: Some("crates.io"),
            },
        ),
        Some(publisher) => (
            Home::Own {
                index_urls: vec![format!("sparse+{BASE}")],
            },
            Attestation::Sign(Signer {
                publisher,
                key: &key,
            }),
        ),
    };
    let archives = derive_all(archives, &home, &Silence).unwrap();
    let imported = import(folder, archives, attestation, authority).unwrap();
    assert!(imported.missing.is_empty(), "{:?}", imported.missing);
}

fn yank(
    mut folder: Folder,
    who: Who,
    (name, version, reason): (&str, &str, Option<&str>),
    authority: &Authority<'_>,
) {
    let package = name.parse().unwrap();
    let state = apply::state(&mut folder, &package).unwrap();
    let body = Body::Yank {
        version: version.parse().unwrap(),
        reason: reason.map(str::to_owned),
    };
    let proposal = Proposal {
        package,
        statements: sign::chain(&state, [body], &[&who.key()]).unwrap(),
        archives: Vec::new(),
        publishers: Vec::new(),
    };
    apply::apply(folder, vec![proposal].into(), authority).unwrap();
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
            continue;
        }
        let relative = path.strip_prefix(root).unwrap();
        let parts = relative.iter().map(|part| part.to_str().unwrap());
        files.insert(
            parts.collect::<Vec<_>>().join("/"),
            fs::read(&path).unwrap(),
        );
    }
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

impl Who {
    /// The key that signs.
    fn key(self) -> SecretKey {
        Fixture::key(match self {
            Self::Operator => "online",
            Self::Harbour => "harbour",
            Self::Lighthouse => "lighthouse",
        })
    }

    /// The publisher; the operator, who vouches, is none.
    fn publisher(self) -> Option<PublisherId> {
        let id = match self {
            Self::Operator => return None,
            Self::Harbour => "harbour",
            Self::Lighthouse => "lighthouse",
        };
        Some(id.parse().unwrap())
    }
}

#[test]
fn the_fixture_is_the_same_each_time() {
    let (first, second) = (Fixture::get(), make());
    assert_eq!(first.root, second.root);
    assert_eq!(first.files, second.files);
}
