//! What a thief of each key can do who also controls what is served: every row of the table in
//! `docs/security.md`, tried on a client that was never here before, on one with state, and on one in a
//! project with a committed `marketplace.trust`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use Outcome::{Fooled, Refused, Same};
use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::record::{self, Documents, FileDigest, Record};
use cargo_marketplace::formats::{v1, v2};
use cargo_marketplace::model::{
    Body, Document, PackageName, PublicKey, Release, Sha256Digest, TrustState,
};
use cargo_marketplace::publish::apply;
use cargo_marketplace::publish::folder::Folder;
use cargo_marketplace::publish::keystore::{KeyName, Keystore};
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::publish::sign::chain;
use cargo_marketplace::trust::{PackageState, SecretKey};
use serde_json::{Value, json};

use crate::samples::{Market, copy, project_folder};

/// What comes of an attack for one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It sees what the honest registry shows.
    Same,
    /// Exit code 4.
    Refused,
    /// It is shown something else and takes it.
    Fooled,
}

/// A row of the table: whose key, what is done with it, and what comes of it.
struct Row {
    key: &'static str,
    deed: &'static str,
    /// The package that is looked at.
    package: &'static str,
    attack: fn(&Scene),
    /// For a fresh client, for one with state, for one in a project with `marketplace.trust`.
    outcomes: [Outcome; 3],
}

/// Published on the first day and changed on the second; claimed.
const CLAIMED: &str = "tide-table";
/// Published on the first day, and not claimed.
const NEW: &str = "tide-clock";

/// A registry of two days, and a client that knows it as it is now.
struct Scene {
    market: Market,
    /// The registry as it was on the first day.
    yesterday: PathBuf,
    today: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let market = Market::of_many_keys();
        market.publish(&["--workspace", "--no-verify"]);
        publish_clock(&market, "0.1.0");
        let (registry, yesterday) = (
            market.env.path("work/registry"),
            market.env.path("yesterday"),
        );
        copy(&registry, &yesterday);
        market.publish_next();
        publish_clock(&market, "0.2.0");
        let today = market.env.path("today");
        copy(&registry, &today);
        for package in [CLAIMED, NEW] {
            market.must(["info", package]);
        }
        for folder in ["plain", "pinned"] {
            market.project(folder, "");
        }
        let pin = market
            .env
            .command(["registry", "pin"])
            .folder("work/pinned");
        let outcome = pin.run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        Self {
            market,
            yesterday,
            today,
        }
    }

    fn registry(&self) -> PathBuf {
        self.market.env.path("work/registry")
    }

    /// The secret key of that name: what the thief has.
    fn key(&self, name: &str) -> SecretKey {
        let store = Keystore::new(self.market.env.path("home/.cargo/marketplace/keys"));
        store.load(&name.parse::<KeyName>().unwrap(), None).unwrap()
    }

    /// The present version of a role, signed anew with a stolen key under the same version.
    fn resign(&self, role: &str, key: &str, edit: impl FnOnce(&mut Value)) {
        let path = self.registry().join(self.present(role));
        let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut file["signed"]);
        fs::write(path, self.sealed(role, key, &file["signed"])).unwrap();
    }

    fn sealed(&self, role: &str, key: &str, signed: &Value) -> Vec<u8> {
        let key = self.key(key);
        let description = json!({"keyids": [key.public().id().to_string()], "threshold": 1});
        RoleKeys::new([key])
            .seal(role, &description, signed)
            .unwrap()
    }

    /// The file of a role's present version.
    fn present(&self, role: &str) -> String {
        if role == "timestamp" {
            return layout::TIMESTAMP.to_owned();
        }
        let timestamp = read(&self.registry().join(layout::TIMESTAMP));
        let version = timestamp["signed"]["meta"]["snapshot.json"]["version"]
            .as_u64()
            .unwrap();
        if role == "snapshot" {
            return layout::metadata(role, version);
        }
        let snapshot = read(&self.registry().join(layout::metadata("snapshot", version)));
        let version = &snapshot["signed"]["meta"][format!("{role}.json")]["version"];
        layout::metadata(role, version.as_u64().unwrap())
    }

    /// The bin that lists a path, by who has it.
    fn bin(&self, path: &str) -> String {
        let bins = (0..8).flat_map(|n| [format!("packages-{n}"), format!("claimed-{n}")]);
        let mut bins = bins.filter(|bin| {
            let file = read(&self.registry().join(self.present(bin)));
            !file["signed"]["targets"][path].is_null()
        });
        bins.next().unwrap_or_else(|| panic!("no bin lists {path}"))
    }

    /// What each client makes of what is served now.
    fn outcomes(&self, package: &str, honest: &Value) -> [Outcome; 3] {
        let homes = ["fresh", "with-state", "pinned"].map(|name| self.market.env.path(name));
        for home in &homes {
            let _ = fs::remove_dir_all(home);
        }
        copy(&self.market.env.cargo_home(), &homes[1]);
        let root = format!("sha256:{}", self.market.root());
        let line = [
            "registry",
            "add",
            "harbour",
            self.market.url(),
            "--root",
            &root,
        ];
        let added =
            [("work/plain", &homes[0]), ("work/pinned", &homes[2])].map(|(folder, home)| {
                let add = self.market.env.command(line).folder(folder);
                add.env("CARGO_HOME", home).run().code
            });
        let shown = |folder: &str, home: &Path| {
            let info = ["info", package, "--message-format", "json"];
            let info = self.market.env.command(info).folder(folder);
            let info = info.env("CARGO_HOME", home).run();
            match info.code {
                Some(4) => Outcome::Refused,
                Some(0) if shown(&info.stdout) == *honest => Outcome::Same,
                // Another answer, or none where there is a package.
                Some(0 | 101) => Outcome::Fooled,
                code => panic!("{code:?}: {info}"),
            }
        };
        let fresh = |added: Option<i32>, folder: &str, home: &Path| match added {
            Some(4) => Outcome::Refused,
            _ => shown(folder, home),
        };
        [
            fresh(added[0], "work/plain", &homes[0]),
            shown("work/plain", &homes[1]),
            fresh(added[1], "work/pinned", &homes[2]),
        ]
    }

    fn restore(&self) {
        fs::remove_dir_all(self.registry()).unwrap();
        copy(&self.today, &self.registry());
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What is resolved of a package: versions, digests, owners, trust.
fn shown(stdout: &str) -> Value {
    let line = stdout
        .lines()
        .find(|line| line.contains("\"reason\":\"package\""));
    let package: Value = serde_json::from_str(line.expect("info shows a package")).unwrap();
    let keys = [
        "name", "version", "checksum", "owners", "claimed", "trust", "versions", "yanked",
    ];
    keys.into_iter()
        .map(|key| (key.to_owned(), package[key].clone()))
        .collect()
}

/// A package that its publisher adds without the offline key: it stays unclaimed.
fn publish_clock(market: &Market, version: &str) {
    let manifest = format!(
        "[workspace]\n[package]\nname = \"{NEW}\"\nversion = \"{version}\"\nedition = \"2024\"\n\
         license = \"MIT\"\ndescription = \"A clock\"\n"
    );
    market.env.write("work/clock/Cargo.toml", manifest);
    market.env.write("work/clock/src/lib.rs", "");
    let publish = "publish --registry-dir ../registry --key harbour --no-verify";
    let publish = market.env.command(publish.split(' ')).folder("work/clock");
    let outcome = publish.run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

fn path_of(package: &str) -> String {
    layout::record(&package.parse().unwrap())
}

/// What a bin of yesterday listed for a path.
fn yesterdays(scene: &Scene, path: &str) -> Value {
    let mut found = Value::Null;
    for entry in fs::read_dir(scene.yesterday.join("tuf")).unwrap() {
        let listed = read(&entry.unwrap().path())["signed"]["targets"][path].clone();
        if !listed.is_null() {
            found = listed;
        }
    }
    assert!(!found.is_null(), "yesterday listed no {path}");
    found
}

fn hide(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    let path = path_of(package);
    let bin = scene.bin(&path);
    sign(scene, &bin, &|signed| {
        signed["targets"].as_object_mut().unwrap().remove(&path);
    });
}

fn take_back(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    let path = path_of(package);
    let (bin, old) = (scene.bin(&path), yesterdays(scene, &path));
    sign(scene, &bin, &|signed| {
        signed["targets"][&path] = old.clone();
    });
}

/// Gives out the record of a package for that of one whose name differs in case.
fn respell(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    let path = path_of(package);
    let record = fs::read(scene.registry().join(&path)).unwrap();
    let mut record = record::decode(&record).unwrap();
    record.package = package.to_ascii_uppercase().parse().unwrap();
    let listed = place(scene, &path, &record::encode(&record).unwrap());
    sign(scene, &scene.bin(&path), &|signed| {
        signed["targets"][&path] = listed.clone();
    });
}

/// Puts a record that the registry's voucher vouches for in the place of the owner's.
fn vouch_over(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    let key = scene.key("vouchers");
    let vouch = |release| Body::Vouch {
        release,
        source: None,
    };
    replace(scene, package, (TrustState::Vouched, &vouch, &[&key]), sign);
}

/// Puts a record of a release that nobody signed in the place of the owner's.
fn unsign(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    let unsigned = |release| Body::Unsigned {
        release,
        source: None,
    };
    replace(scene, package, (TrustState::Unsigned, &unsigned, &[]), sign);
}

/// Puts another record of the first release in the place of a package's.
fn replace(
    scene: &Scene,
    package: &str,
    (trust, body, keys): (TrustState, &dyn Fn(Box<Release>) -> Body, &[&SecretKey]),
    sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value)),
) {
    let name: PackageName = package.parse().unwrap();
    let document = fs::read(scene.registry().join(name.index_path())).unwrap();
    let mut document = v1::decode(&name, &document).unwrap();
    document.entries.truncate(1);
    let entry = &mut document.entries[0];
    entry.release.publisher = None;
    entry.trust = Some(trust);
    let body = body(Box::new(entry.release.clone()));
    let accepted = BTreeMap::from([(entry.release.version.clone(), entry.accepted.unwrap())]);
    let state = PackageState::empty(scene.market.root(), name.clone());
    let record = Record {
        package: name,
        documents: Documents::default(),
        accepted,
        statements: chain(&state, [body], keys).unwrap(),
    };
    serve(scene, record, &document, sign);
}

/// Revokes the publisher's key, and forks the record of a package below the last statement that it
/// signed: the thief releases a version of their own where the owner's second one stands.
fn fork(scene: &Scene, package: &str, sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value))) {
    revoke(scene);
    let name: PackageName = package.parse().unwrap();
    let mut folder = Folder::open(&scene.yesterday).unwrap();
    let state = apply::state(&mut folder, &name).unwrap();
    let mut record = folder.record(&name).unwrap().unwrap();
    let mut document = state.document.clone();
    let mut stolen = document.entries[0].clone();
    stolen.release.version = "6.6.6".parse().unwrap();
    let accepted = stolen.accepted.unwrap();
    record.accepted.insert("6.6.6".parse().unwrap(), accepted);
    let body = Body::Release(Box::new(stolen.release.clone()));
    document.entries.push(stolen);
    let forged = chain(&state, [body], &[&scene.key("harbour")]).unwrap();
    record.statements.extend(forged);
    serve(scene, record, &document, sign);
}

/// The operator revokes the publisher's only key.
fn revoke(scene: &Scene) {
    let revoke = "key revoke harbour --registry-dir registry";
    scene.market.must(revoke.split(' '));
}

/// Serves a record and the documents of its package.
fn serve(
    scene: &Scene,
    mut record: Record,
    document: &Document,
    sign: impl FnOnce(&Scene, &str, &dyn Fn(&mut Value)),
) {
    let base = "https://registry.example.org/";
    let documents = [
        (Format::V1, v1::encode(document)),
        (Format::V2, v2::encode(document, base)),
    ];
    let [v1, v2] = documents.map(|(format, bytes)| {
        place(scene, &layout::document(&record.package, format), &bytes);
        Some(FileDigest::of(&bytes))
    });
    record.documents = Documents { v1, v2 };
    let path = layout::record(&record.package);
    let listed = place(scene, &path, &record::encode(&record).unwrap());
    sign(scene, &scene.bin(&path), &|signed| {
        signed["targets"][&path] = listed.clone();
    });
}

/// Writes a file under its hashed name, and returns how a role lists it.
fn place(scene: &Scene, path: &str, bytes: &[u8]) -> Value {
    let sha256 = Sha256Digest::of(bytes);
    fs::write(scene.registry().join(layout::hashed(path, &sha256)), bytes).unwrap();
    json!({"length": bytes.len(), "hashes": {"sha256": sha256.to_string()}})
}

/// With a bin's key alone: the same version of the bin with another content, since its digest stands
/// nowhere.
fn with_the_bins_key(scene: &Scene, bin: &str, edit: &dyn Fn(&mut Value)) {
    scene.resign(bin, "bins", edit);
}

/// With all online keys: a next version of the bin, announced by snapshot and timestamp.
fn with_the_online_key(scene: &Scene, bin: &str, edit: &dyn Fn(&mut Value)) {
    with_the_online_key_and(scene, bin, edit, &|_| ());
}

/// As [`with_the_online_key`], with more changed in the snapshot.
fn with_the_online_key_and(
    scene: &Scene,
    bin: &str,
    edit: &dyn Fn(&mut Value),
    edit_snapshot: &dyn Fn(&mut Value),
) {
    let next = |role: &str, edit: &dyn Fn(&mut Value)| {
        let mut signed = read(&scene.registry().join(scene.present(role)))["signed"].clone();
        let version = signed["version"].as_u64().unwrap() + 1;
        signed["version"] = version.into();
        edit(&mut signed);
        let key = if role == bin { "bins" } else { role };
        (version, scene.sealed(role, key, &signed))
    };
    let (bins_version, bytes) = next(bin, edit);
    fs::write(
        scene.registry().join(layout::metadata(bin, bins_version)),
        bytes,
    )
    .unwrap();
    let (version, snapshot) = next("snapshot", &|signed| {
        signed["meta"][format!("{bin}.json")]["version"] = bins_version.into();
        edit_snapshot(signed);
    });
    let announced = json!({
        "version": version,
        "length": snapshot.len(),
        "hashes": {"sha256": Sha256Digest::of(&snapshot).to_string()},
    });
    let (_, timestamp) = next("timestamp", &|signed| {
        signed["meta"]["snapshot.json"] = announced.clone();
    });
    fs::write(
        scene.registry().join(layout::metadata("snapshot", version)),
        snapshot,
    )
    .unwrap();
    fs::write(scene.registry().join(layout::TIMESTAMP), timestamp).unwrap();
}

/// A key as metadata lists it.
fn wire(key: &PublicKey) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.to_string()}})
}

/// With the key of `targets`: the bins to another key, which has signed nothing yet.
fn take_bins(scene: &Scene) {
    let thief = scene.key("harbour").public();
    let id = thief.id().to_string();
    scene.resign("targets", "targets", |signed| {
        let delegations = &mut signed["delegations"];
        delegations["keys"][&id] = wire(&thief);
        let roles = delegations["roles"].as_array_mut().unwrap();
        let mut roles = roles.iter_mut();
        let packages = roles.find(|role| role["name"] == "packages").unwrap();
        packages["keyids"] = json!([id]);
    });
    give_bins(scene, "harbour");
}

/// With a key of `packages`: the bins to the key that has signed nothing yet.
fn give_bins(scene: &Scene, key: &str) {
    let thief = scene.key("harbour").public();
    let id = thief.id().to_string();
    scene.resign("packages", key, |signed| {
        signed["delegations"]["keys"][&id] = wire(&thief);
        signed["delegations"]["succinct_roles"]["keyids"] = json!([id]);
    });
}

const ROWS: &[Row] = &[
    Row {
        key: "publisher",
        deed: "adds a release to the record that is served",
        package: NEW,
        attack: |scene| {
            let path = path_of(NEW);
            let name: PackageName = NEW.parse().unwrap();
            let listed = &read(&scene.registry().join(scene.present(&scene.bin(&path))))["signed"];
            let digest: Sha256Digest = listed["targets"][&path]["hashes"]["sha256"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let file = scene.registry().join(layout::hashed(&path, &digest));
            let mut record = record::decode(&fs::read(&file).unwrap()).unwrap();
            let mut folder = Folder::open(&scene.registry()).unwrap();
            let state = apply::state(&mut folder, &name).unwrap();
            let mut release = state.document.entries[0].release.clone();
            release.version = "9.9.9".parse().unwrap();
            let accepted = state.document.entries[0].accepted.unwrap();
            record.accepted.insert(release.version.clone(), accepted);
            let body = Body::Release(Box::new(release));
            let more = chain(&state, [body], &[&scene.key("harbour")]).unwrap();
            record.statements.extend(more);
            fs::write(file, record::encode(&record).unwrap()).unwrap();
        },
        outcomes: [Refused, Same, Refused],
    },
    Row {
        key: "publisher",
        deed: "signs a release that the operator takes in",
        package: NEW,
        attack: |scene| publish_clock(&scene.market, "9.9.9"),
        outcomes: [Fooled; 3],
    },
    Row {
        key: "a revoked key of a publisher, and the bins",
        deed: "signs another statement below the last good one",
        package: CLAIMED,
        attack: |scene| fork(scene, CLAIMED, with_the_bins_key),
        outcomes: [Refused, Same, Refused],
    },
    Row {
        key: "a revoked key of a publisher, and all online keys",
        deed: "signs another statement below the last good one",
        package: CLAIMED,
        attack: |scene| fork(scene, CLAIMED, with_the_online_key),
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "a revoked key of a publisher, and all online keys",
        deed: "shows the publisher's keys as they were, and adds a release",
        package: CLAIMED,
        attack: |scene| {
            let before = scene.present("targets");
            let version = read(&scene.registry().join(before))["signed"]["version"].clone();
            fork(scene, CLAIMED, |scene, bin, edit| {
                with_the_online_key_and(scene, bin, edit, &|signed| {
                    signed["meta"]["targets.json"]["version"] = version.clone();
                });
            });
        },
        outcomes: [Fooled, Refused, Fooled],
    },
    Row {
        key: "bins",
        deed: "hides a claimed package",
        package: CLAIMED,
        attack: |scene| hide(scene, CLAIMED, with_the_bins_key),
        outcomes: [Refused, Same, Refused],
    },
    Row {
        key: "bins",
        deed: "hides a package that is not claimed",
        package: NEW,
        attack: |scene| hide(scene, NEW, with_the_bins_key),
        outcomes: [Fooled, Same, Fooled],
    },
    Row {
        key: "bins",
        deed: "shows a package as it was",
        package: CLAIMED,
        attack: |scene| take_back(scene, CLAIMED, with_the_bins_key),
        outcomes: [Fooled, Same, Fooled],
    },
    Row {
        key: "all online keys",
        deed: "hides a claimed package",
        package: CLAIMED,
        attack: |scene| hide(scene, CLAIMED, with_the_online_key),
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "all online keys",
        deed: "hides a package that is not claimed",
        package: NEW,
        attack: |scene| hide(scene, NEW, with_the_online_key),
        outcomes: [Fooled, Refused, Fooled],
    },
    Row {
        key: "all online keys",
        deed: "shows a package as it was",
        package: CLAIMED,
        attack: |scene| take_back(scene, CLAIMED, with_the_online_key),
        outcomes: [Fooled, Refused, Fooled],
    },
    Row {
        key: "all online keys",
        deed: "spells the name of a claimed package otherwise in its record",
        package: CLAIMED,
        attack: |scene| respell(scene, CLAIMED, with_the_online_key),
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "all online keys",
        deed: "vouches for an archive of a claimed package",
        package: CLAIMED,
        attack: |scene| vouch_over(scene, CLAIMED, with_the_online_key),
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "all online keys",
        deed: "vouches for an archive of a package that is not claimed",
        package: NEW,
        attack: |scene| vouch_over(scene, NEW, with_the_online_key),
        outcomes: [Fooled, Refused, Fooled],
    },
    Row {
        key: "all online keys",
        deed: "lists a release that nobody signed",
        package: NEW,
        attack: |scene| unsign(scene, NEW, with_the_online_key),
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "timestamp",
        deed: "shows the whole registry as it was",
        package: CLAIMED,
        attack: |scene| {
            let old = read(&scene.yesterday.join(layout::TIMESTAMP))["signed"]["meta"].clone();
            scene.resign("timestamp", "timestamp", |signed| {
                signed["version"] = (signed["version"].as_u64().unwrap() + 1).into();
                signed["meta"] = old;
            });
        },
        outcomes: [Fooled, Refused, Refused],
    },
    Row {
        key: "snapshot",
        deed: "lists an older bin",
        package: CLAIMED,
        attack: |scene| {
            let bin = scene.bin(&path_of(CLAIMED));
            scene.resign("snapshot", "snapshot", |signed| {
                signed["meta"][format!("{bin}.json")]["version"] = 1.into();
            });
        },
        outcomes: [Refused, Same, Refused],
    },
    Row {
        key: "catalog",
        deed: "shows an older catalog",
        package: CLAIMED,
        attack: |scene| {
            let path = layout::CATALOG_INDEX;
            let old = yesterdays(scene, path);
            scene.resign("catalog", "catalog", |signed| signed["targets"][path] = old);
        },
        outcomes: [Same, Same, Same],
    },
    Row {
        key: "rollout",
        deed: "lists a package's record",
        package: CLAIMED,
        attack: |scene| {
            let path = path_of(CLAIMED);
            let old = yesterdays(scene, &path);
            scene.resign("rollout", "rollout", |signed| {
                signed["targets"][&path] = old;
            });
        },
        outcomes: [Same, Same, Same],
    },
    Row {
        key: "claimed",
        deed: "gives a name to nobody",
        package: CLAIMED,
        attack: |scene| {
            let path = layout::claim(&CLAIMED.parse().unwrap());
            let bin = scene.bin(&path);
            let other =
                json!({"length": 1, "hashes": {"sha256": Sha256Digest::of(b"x").to_string()}});
            scene.resign(&bin, "claimed", |signed| signed["targets"][&path] = other);
        },
        outcomes: [Refused, Same, Refused],
    },
    Row {
        key: "policy",
        deed: "makes itself a voucher",
        package: CLAIMED,
        attack: |scene| {
            let path = scene.registry().join(layout::POLICY);
            let mut policy = read(&path);
            policy["vouchers"] = policy["recovery"].clone();
            let bytes = serde_json::to_vec(&policy).unwrap();
            let listed = place(scene, layout::POLICY, &bytes);
            scene.resign("policy", "policy", |signed| {
                signed["targets"][layout::POLICY] = listed;
            });
        },
        outcomes: [Same, Same, Same],
    },
    Row {
        key: "packages",
        deed: "gives the bins to itself, and shows a package as it was",
        package: CLAIMED,
        attack: |scene| {
            give_bins(scene, "packages");
            take_back(scene, CLAIMED, |scene, bin, edit| {
                scene.resign(bin, "harbour", edit);
            });
        },
        outcomes: [Fooled, Same, Fooled],
    },
    Row {
        key: "one of the root's three",
        deed: "signs a next root",
        package: CLAIMED,
        attack: |scene| {
            let first = scene.registry().join(layout::metadata("root", 1));
            let mut next = read(&first)["signed"].clone();
            next["version"] = 2.into();
            next["registry_id"] = scene.market.root().to_string().into();
            let bytes = scene.sealed("root", "root-one", &next);
            fs::write(scene.registry().join(layout::metadata("root", 2)), bytes).unwrap();
        },
        outcomes: [Refused, Refused, Refused],
    },
    Row {
        key: "targets",
        deed: "gives the bins to itself, and shows a package as it was",
        package: CLAIMED,
        attack: |scene| {
            take_bins(scene);
            take_back(scene, CLAIMED, |scene, bin, edit| {
                scene.resign(bin, "harbour", edit);
            });
        },
        outcomes: [Fooled, Same, Fooled],
    },
    Row {
        key: "targets",
        deed: "gives the bins to itself and a publisher its key, and signs a release",
        package: CLAIMED,
        attack: |scene| {
            let thief = scene.key("rollout");
            let name: PackageName = CLAIMED.parse().unwrap();
            let mut folder = Folder::open(&scene.registry()).unwrap();
            let mut record = folder.record(&name).unwrap().unwrap();
            let state = apply::state(&mut folder, &name).unwrap();
            let mut entry = state.document.entries[0].clone();
            entry.release.version = "9.9.9".parse().unwrap();
            let version = entry.release.version.clone();
            record.accepted.insert(version, entry.accepted.unwrap());
            let body = Body::Release(Box::new(entry.release.clone()));
            record
                .statements
                .extend(chain(&state, [body], &[&thief]).unwrap());
            let mut document = state.document.clone();
            document.entries.push(entry);
            let path = layout::publisher(&"harbour".parse().unwrap());
            let mut publisher = read(&scene.registry().join(&path));
            let keys = publisher["keys"].as_array_mut().unwrap();
            keys.push(wire(&thief.public()));
            let listed = place(scene, &path, &serde_json::to_vec(&publisher).unwrap());
            take_bins(scene);
            scene.resign("targets", "targets", |signed| {
                signed["targets"][&path] = listed;
            });
            serve(scene, record, &document, |scene, bin, edit| {
                scene.resign(bin, "harbour", edit);
            });
        },
        outcomes: [Fooled, Same, Fooled],
    },
];

#[test]
fn a_thief_of_a_key_can_do_what_the_table_says_and_no_more() {
    let scene = Scene::new();
    let honest = |package| {
        let info = scene
            .market
            .env
            .command(["info", package, "--message-format", "json"])
            .run();
        shown(&info.stdout)
    };
    let honest: BTreeMap<&str, Value> = [CLAIMED, NEW].map(|name| (name, honest(name))).into();
    let mut wrong = Vec::new();
    for row in ROWS {
        (row.attack)(&scene);
        let found = scene.outcomes(row.package, &honest[row.package]);
        if found != row.outcomes {
            wrong.push(format!("{}, {}: {found:?}", row.key, row.deed));
        }
        scene.restore();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Each row began where the one before it had begun.
    assert_eq!(scene.outcomes(CLAIMED, &honest[CLAIMED]), [Same; 3]);
}

#[test]
fn the_table_for_people_is_this_one() {
    let text = fs::read_to_string(project_folder().join("docs/security.md")).unwrap();
    for row in ROWS {
        let words = row.outcomes.map(|outcome| match outcome {
            Same => "nothing",
            Refused => "refused",
            Fooled => "**believed**",
        });
        let line = format!("| {} | {} | {} |", row.key, row.deed, words.join(" | "));
        assert!(text.contains(&line), "docs/security.md lacks\n{line}");
    }
}
