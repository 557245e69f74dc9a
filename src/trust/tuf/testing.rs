//! A registry's metadata in memory, with a key for every role, and a client of it. For tests only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Change, Lookup, Mode, Request, Settings, TargetFile, TufError, Updater, ed25519_only};
use crate::formats::canonical_json::{Form, canonical};
use crate::model::{Sha256Digest, UtcTime};
use crate::trust::{SecretKey, Verified};

/// The time at which tests take place.
pub(in crate::trust) fn now() -> UtcTime {
    UtcTime::from_unix(1_800_000_000).unwrap()
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// Keys as metadata lists them, by id.
pub(super) fn keys(seeds: &[u8]) -> Value {
    let keys = seeds.iter().map(|seed| {
        let public = secret(*seed).public();
        let key = json!({
            "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.to_string()},
        });
        (public.id().to_string(), key)
    });
    Value::Object(keys.collect())
}

/// A role that all of the seeds' keys must sign.
pub(super) fn role(seeds: &[u8]) -> Value {
    let ids = seeds
        .iter()
        .map(|seed| secret(*seed).public().id().to_string());
    json!({"keyids": ids.collect::<Vec<_>>(), "threshold": seeds.len()})
}

/// Signs metadata.
pub(super) fn sign(signed: &Value, seeds: &[u8]) -> Vec<u8> {
    let message = canonical(signed, Form::Olpc).unwrap();
    let signatures = seeds.iter().map(|seed| {
        let signature = secret(*seed).sign(&message);
        json!({"keyid": signature.key_id.to_string(), "sig": hex::encode(signature.bytes)})
    });
    let file = json!({"signatures": signatures.collect::<Vec<_>>(), "signed": signed});
    serde_json::to_vec_pretty(&file).unwrap()
}

pub(super) fn file(bytes: &[u8]) -> Value {
    let sha256 = Sha256Digest::of(bytes).to_string();
    json!({"length": bytes.len(), "hashes": {"sha256": sha256}})
}

/// A registry: what each role says, the seeds of its keys, and the files that are served.
#[derive(Clone)]
pub(in crate::trust) struct Repository {
    pub(super) roles: BTreeMap<String, Value>,
    pub(super) seeds: BTreeMap<String, Vec<u8>>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

const ROLES: [(&str, &[u8]); 8] = [
    ("root", &[1, 2]),
    ("timestamp", &[3]),
    ("snapshot", &[4]),
    ("targets", &[5]),
    ("docs", &[6, 7]),
    ("packages", &[5]),
    ("packages-0", &[8]),
    ("packages-1", &[8]),
];

impl Repository {
    pub(in crate::trust) fn new() -> Self {
        let mut repository = Self {
            roles: BTreeMap::new(),
            seeds: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        for (name, seeds) in ROLES {
            let kind = match name {
                "root" | "timestamp" | "snapshot" => name,
                _ => "targets",
            };
            let expires = now().plus_days(30).to_string();
            let signed = json!({
                "_type": kind, "spec_version": "1.0.31", "version": 0, "expires": expires,
                "targets": {}, "meta": {},
            });
            repository.roles.insert(name.into(), signed);
            repository.seeds.insert(name.into(), seeds.into());
        }
        repository.delegate();
        repository.write_root();
        for (name, _) in &ROLES[3..] {
            repository.edit(name, |_| ());
        }
        repository.commit();
        repository
    }

    fn delegate(&mut self) {
        let mut bins = role(&[8]);
        bins["bit_length"] = 1.into();
        bins["name_prefix"] = "packages".into();
        let mut docs = role(&[6, 7]);
        docs["name"] = "docs".into();
        docs["paths"] = json!(["docs/*.txt"]);
        let mut packages = role(&[5]);
        packages["name"] = "packages".into();
        packages["paths"] = json!(["?/*.json", "3/?/*.json", "??/??/*.json"]);
        packages["terminating"] = true.into();
        self.roles.get_mut("targets").unwrap()["delegations"] =
            json!({"keys": keys(&[5, 6, 7]), "roles": [docs, packages]});
        self.roles.get_mut("packages").unwrap()["delegations"] =
            json!({"keys": keys(&[8]), "succinct_roles": bins});
    }

    /// Writes the next root with the present seeds; the old root's keys sign it, too.
    pub(super) fn write_root(&mut self) {
        let before = self.roles["root"]["signers"].clone();
        let mut roles = serde_json::Map::new();
        let mut all = Vec::new();
        for name in ["root", "timestamp", "snapshot", "targets"] {
            roles.insert(name.into(), role(&self.seeds[name]));
            all.extend(&self.seeds[name]);
        }
        let mut signers: Vec<u8> = serde_json::from_value(before).unwrap_or_default();
        signers.extend(&self.seeds["root"]);
        signers.sort_unstable();
        signers.dedup();
        let seeds = self.seeds["root"].clone();
        let root = self.roles.get_mut("root").unwrap();
        root["consistent_snapshot"] = true.into();
        root["keys"] = keys(&all);
        root["roles"] = Value::Object(roles);
        root["version"] = (root["version"].as_u64().unwrap() + 1).into();
        root["signers"] = json!(seeds);
        let path = format!("{}.root.json", root["version"]);
        self.files.insert(path, sign(&self.roles["root"], &signers));
    }

    /// Changes a role that lists targets and writes its next version.
    pub(super) fn edit(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let signed = self.roles.get_mut(name).unwrap();
        change(signed);
        signed["version"] = (signed["version"].as_u64().unwrap() + 1).into();
        let path = format!("{}.{name}.json", signed["version"]);
        let bytes = sign(&self.roles[name], &self.seeds[name]);
        self.files.insert(path, bytes);
    }

    /// Lists a file in a role.
    pub(in crate::trust) fn add(&mut self, name: &str, path: &str, bytes: &[u8]) {
        self.edit(name, |signed| signed["targets"][path] = file(bytes));
    }

    /// Writes the next snapshot and timestamp.
    pub(in crate::trust) fn commit(&mut self) {
        let listed: Vec<_> = self.roles.keys().cloned().collect();
        for name in listed {
            if !["root", "timestamp", "snapshot"].contains(&name.as_str()) {
                let version = self.roles[&name]["version"].clone();
                self.roles.get_mut("snapshot").unwrap()["meta"][format!("{name}.json")] =
                    json!({"version": version});
            }
        }
        self.edit("snapshot", |_| ());
        self.announce();
    }

    /// Writes the next timestamp, which announces the snapshot as it is served.
    pub(super) fn announce(&mut self) {
        let version = self.roles["snapshot"]["version"].clone();
        let mut meta = file(&self.files[&format!("{version}.snapshot.json")]);
        meta["version"] = version;
        self.edit("timestamp", |signed| signed["meta"]["snapshot.json"] = meta);
        let version = self.roles["timestamp"]["version"].clone();
        let bytes = self.files.remove(&format!("{version}.timestamp.json"));
        self.files.insert("timestamp.json".into(), bytes.unwrap());
    }

    /// Serves a file signed with those seeds in place of the one at `path`.
    pub(super) fn forge(&mut self, path: &str, seeds: &[u8], change: impl FnOnce(&mut Value)) {
        let mut served: Value = serde_json::from_slice(&self.files[path]).unwrap();
        change(&mut served["signed"]);
        self.files
            .insert(path.into(), sign(&served["signed"], seeds));
    }
}

/// A client: what it keeps, and what it asked the registry for.
#[derive(Clone)]
pub(in crate::trust) struct Client {
    pub(super) kept: BTreeMap<String, Vec<u8>>,
    pub(super) asked: Vec<String>,
    pub(super) settings: Settings,
}

impl Client {
    /// A client that trusts the registry's first root.
    pub(in crate::trust) fn of(repository: &Repository) -> Self {
        let root = repository.files["1.root.json"].clone();
        Self {
            kept: BTreeMap::from([("root.json".into(), root)]),
            asked: Vec::new(),
            settings: Settings {
                now: now(),
                mode: Mode::Online,
                verifier: ed25519_only,
            },
        }
    }

    pub(super) fn offline(&self) -> Self {
        let mut client = self.clone();
        client.settings.mode = Mode::Offline;
        client
    }

    pub(super) fn recent(&self) -> Self {
        let mut client = self.clone();
        client.settings.mode = Mode::Recent;
        client
    }

    pub(super) fn answer(
        &mut self,
        updater: &mut Updater,
        served: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), TufError> {
        while let Some(request) = updater.next_request() {
            let answer = match request {
                Request::Stored { name } => self.kept.get(&name).cloned(),
                Request::Remote { path, .. } => {
                    assert_ne!(self.settings.mode, Mode::Offline, "{path}");
                    self.asked.push(path.clone());
                    served.get(&path).cloned()
                }
            };
            for change in updater.supply(answer)? {
                match change {
                    Change::Write { name, bytes } => self.kept.insert(name, bytes),
                    Change::Remove { name } => self.kept.remove(&name),
                };
            }
        }
        Ok(())
    }

    pub(in crate::trust) fn refresh(
        &mut self,
        repository: &Repository,
    ) -> Result<Updater, TufError> {
        let mut updater = Updater::start(&self.kept["root.json"], self.settings)?;
        self.answer(&mut updater, &repository.files)?;
        Ok(updater)
    }

    pub(in crate::trust) fn find(
        &mut self,
        repository: &Repository,
        path: &str,
    ) -> Result<Option<Verified<TargetFile>>, TufError> {
        let mut updater = self.refresh(repository)?;
        loop {
            match updater.find_target(path)? {
                Lookup::Found(file) => return Ok(Some(file)),
                Lookup::Absent => return Ok(None),
                Lookup::Needs => self.answer(&mut updater, &repository.files)?,
            }
        }
    }
}
