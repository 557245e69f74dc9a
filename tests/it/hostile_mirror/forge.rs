//! Somebody who has a registry's keys and breaks its rules: what the writer would never write, signed
//! as clients demand.

use std::collections::{BTreeMap, BTreeSet};

use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::record::{self, FileDigest, Record};
use cargo_marketplace::model::Sha256Digest;
use cargo_marketplace::publish::metadata;
use cargo_marketplace::trust::tuf::bin_name;
use serde_json::{Value, json};

use super::package;
use crate::faults::Files;
use crate::small_registry::{key, role_keys};

/// A registry in memory, and what is to become of it.
pub(super) struct Forge {
    files: Files,
    roles: BTreeMap<String, Value>,
    changed: BTreeSet<String>,
    /// Changes of the snapshot and the timestamp, just before they are signed.
    last: Vec<(&'static str, Box<dyn FnOnce(&mut Value)>)>,
}

impl Forge {
    pub(super) fn open(files: &Files) -> Self {
        let mut forge = Self {
            files: files.clone(),
            roles: BTreeMap::new(),
            changed: BTreeSet::new(),
            last: Vec::new(),
        };
        let timestamp = forge.signed(layout::TIMESTAMP);
        let version = timestamp["meta"]["snapshot.json"]["version"].as_u64();
        let snapshot = forge.signed(&layout::metadata("snapshot", version.unwrap()));
        let roles = [("timestamp", timestamp), ("snapshot", snapshot)];
        forge.roles = roles.map(|(role, signed)| (role.into(), signed)).into();
        forge
    }

    fn signed(&self, path: &str) -> Value {
        let mut file: Value = serde_json::from_slice(&self.files[path]).unwrap();
        file["signed"].take()
    }

    /// The file of a role in the version that the snapshot lists.
    pub(super) fn path(&self, role: &str) -> String {
        let version = match role {
            "timestamp" => return layout::TIMESTAMP.to_owned(),
            "snapshot" => self.roles["snapshot"]["version"].as_u64(),
            _ => self.roles["snapshot"]["meta"][format!("{role}.json")]["version"].as_u64(),
        };
        layout::metadata(role, version.unwrap())
    }

    /// Changes what a role says.
    pub(super) fn role(&mut self, role: &str, change: impl FnOnce(&mut Value)) {
        if !self.roles.contains_key(role) {
            let signed = self.signed(&self.path(role));
            self.roles.insert(role.to_owned(), signed);
        }
        change(self.roles.get_mut(role).unwrap());
        self.changed.insert(role.to_owned());
    }

    /// Changes the snapshot or the timestamp when all else is done.
    pub(super) fn at_last(
        &mut self,
        role: &'static str,
        change: impl FnOnce(&mut Value) + 'static,
    ) {
        self.last.push((role, Box::new(change)));
    }

    /// Serves a file under its plain name and its digest, and has a role list it.
    pub(super) fn target(&mut self, role: &str, path: &str, bytes: &[u8]) {
        self.serve(path, bytes);
        self.role(role, |signed| metadata::set_target(signed, path, bytes));
    }

    /// The bytes of a file.
    pub(super) fn file(&self, path: &str) -> &[u8] {
        &self.files[path]
    }

    /// Serves a file under its plain name and its digest.
    pub(super) fn serve(&mut self, path: &str, bytes: &[u8]) {
        let hashed = layout::hashed(path, &Sha256Digest::of(bytes));
        self.files.insert(hashed, bytes.to_vec());
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    /// Changes the record of the package.
    pub(super) fn record(&mut self, change: impl FnOnce(&mut Record)) {
        let path = layout::record(&package());
        let mut record = record::decode(self.file(&path)).unwrap();
        change(&mut record);
        let bytes = record::encode(&record).unwrap();
        self.target(&bin(&path), &path, &bytes);
    }

    /// Gives the package another document, which the record names by its digest.
    pub(super) fn document(&mut self, format: Format, bytes: &[u8]) {
        self.serve(&layout::document(&package(), format), bytes);
        self.record(|record| {
            let listed = Some(FileDigest::of(bytes));
            match format {
                Format::V1 => record.documents.v1 = listed,
                Format::V2 => record.documents.v2 = listed,
            }
        });
    }

    /// Signs all that was changed, and returns the files of the registry.
    pub(super) fn commit(mut self) -> Files {
        for role in std::mem::take(&mut self.changed) {
            let version = self.renew(&role);
            self.roles.get_mut("snapshot").unwrap()["meta"][format!("{role}.json")] =
                json!({ "version": version });
            self.seal(&role);
        }
        self.renew("snapshot");
        self.change_last("snapshot");
        let path = self.seal("snapshot");
        let bytes = self.files[&path].clone();
        let listed = json!({
            "version": self.roles["snapshot"]["version"],
            "length": bytes.len(),
            "hashes": {"sha256": Sha256Digest::of(&bytes).to_string()},
        });
        self.renew("timestamp");
        self.roles.get_mut("timestamp").unwrap()["meta"]["snapshot.json"] = listed;
        self.change_last("timestamp");
        self.seal("timestamp");
        self.files
    }

    fn change_last(&mut self, role: &str) {
        let changes = std::mem::take(&mut self.last).into_iter();
        let (now, later): (Vec<_>, Vec<_>) = changes.partition(|(of, _)| *of == role);
        self.last = later;
        for (_, change) in now {
            change(self.roles.get_mut(role).unwrap());
        }
    }

    fn renew(&mut self, role: &str) -> u64 {
        let signed = self.roles.get_mut(role).unwrap();
        let version = signed["version"].as_u64().unwrap() + 1;
        signed["version"] = version.into();
        version
    }

    /// Signs a role by its key and returns where its file lies.
    fn seal(&mut self, role: &str) -> String {
        let signed = &self.roles[role];
        let path = match role {
            "timestamp" => layout::TIMESTAMP.to_owned(),
            _ => layout::metadata(role, signed["version"].as_u64().unwrap()),
        };
        let is_online =
            matches!(role, "timestamp" | "snapshot" | "catalog") || role.starts_with("packages-");
        let key = key(if is_online { 2 } else { 1 }).public().id();
        let description = json!({"keyids": [key.to_string()], "threshold": 1});
        let bytes = role_keys().seal(role, &description, signed).unwrap();
        self.files.insert(path.clone(), bytes);
        path
    }
}

/// The bin that lists a record: of eight, as in every registry that this program makes.
pub(super) fn bin(path: &str) -> String {
    bin_name("packages", 3, path)
}
