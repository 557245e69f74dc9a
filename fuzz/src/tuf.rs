//! TUF: metadata that is signed as it should be, whatever it says, to a client that updates.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_marketplace::formats::canonical_json::{Form, canonical, parse_strict};
use cargo_marketplace::model::UtcTime;
use cargo_marketplace::trust::tuf::{
    Authority, Change, Lookup, Mode, Request, Settings, TargetFile, Updater, ed25519_only,
    open_metadata,
};
use serde_json::{Value, json};

use crate::keys::key;

/// The root that the client has from elsewhere.
static ROOT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let role = json!({"keyids": [key(0).public().id().to_string()], "threshold": 1});
    let roles = ["root", "timestamp", "snapshot", "targets"];
    let roles: serde_json::Map<_, _> = roles
        .map(|name| (name.into(), role.clone()))
        .into_iter()
        .collect();
    let root = json!({
        "_type": "root", "spec_version": "1.0.31", "version": 1, "expires": "2030-01-01T00:00:00Z",
        "consistent_snapshot": true, "keys": keys(), "roles": roles,
    });
    sign(&root).expect("it has a canonical form")
});

/// Bytes as each kind of metadata: as they are, and as what was signed.
pub(crate) fn metadata(bytes: &[u8]) {
    let signed = parse_strict(bytes).ok().and_then(|value| sign(&value));
    for bytes in [Some(bytes.to_vec()), signed].iter().flatten() {
        for role in ["root", "timestamp", "snapshot", "targets"] {
            let authority = |_: &Value| Authority {
                description: json!({"keyids": [key(0).public().id().to_string()], "threshold": 1}),
                keys: keys(),
            };
            let _ = open_metadata(role, None, bytes, authority);
        }
        let _ = Updater::start(bytes, settings(Mode::Online));
    }
}

/// Lines as the answers of a registry, in their order. One that begins with `{` is signed by the key of
/// every role; after a `!` come bytes as they are; an empty one is the answer that there is no file.
pub(crate) fn updater(bytes: &[u8]) {
    let mut client = Client {
        kept: BTreeMap::from([("root.json".into(), ROOT.clone())]),
        answers: bytes.split(|byte| *byte == b'\n'),
        patience: 4,
    };
    let mut updater = start(&ROOT, Mode::Online);
    if !client.answer(&mut updater, Mode::Online) {
        return;
    }
    let online = client.search(&mut updater, Mode::Online);
    // What was kept leads to what was found, without the registry.
    let mut offline = start(&client.kept["root.json"], Mode::Offline);
    assert!(
        client.answer(&mut offline, Mode::Offline),
        "what was kept is refused"
    );
    for (path, found) in online {
        if let Some(Lookup::Found(offline)) = client.find(&mut offline, path, Mode::Offline) {
            assert_eq!(*offline, found);
        }
    }
}

const PATHS: [&str; 3] = ["policy.json", "ti/de/tide-table.json", "claimed/tide-table"];

fn start(root: &[u8], mode: Mode) -> Updater {
    Updater::start(root, settings(mode)).expect("the client keeps roots that it took")
}

struct Client<'a, T: Iterator<Item = &'a [u8]>> {
    kept: BTreeMap<String, Vec<u8>>,
    answers: T,
    patience: usize,
}

impl<'a, T: Iterator<Item = &'a [u8]>> Client<'a, T> {
    /// Answers what is asked until nothing is, or patience ends. An answer that is refused must leave
    /// the question as it was.
    fn answer(&mut self, updater: &mut Updater, mode: Mode) -> bool {
        while let Some(request) = updater.next_request() {
            let answer = match &request {
                Request::Stored { name } => self.kept.get(name).cloned(),
                Request::Remote { path, .. } => {
                    assert_eq!(mode, Mode::Online, "{path}");
                    plain(path);
                    let Some(line) = self.answers.next() else {
                        return false;
                    };
                    answer(line)
                }
            };
            match updater.supply(answer) {
                Ok(changes) => changes.into_iter().for_each(|change| self.keep(change)),
                Err(_) if self.patience > 0 && mode == Mode::Online => {
                    assert_eq!(updater.next_request(), Some(request));
                    self.patience -= 1;
                }
                Err(_) => return false,
            }
        }
        true
    }

    fn keep(&mut self, change: Change) {
        match change {
            Change::Write { name, bytes } => {
                plain(&name);
                self.kept.insert(name, bytes);
            }
            Change::Remove { name } => drop(self.kept.remove(&name)),
        }
    }

    fn search(&mut self, updater: &mut Updater, mode: Mode) -> Vec<(&'static str, TargetFile)> {
        let mut found = Vec::new();
        for path in PATHS {
            if let Some(Lookup::Found(file)) = self.find(updater, path, mode) {
                let name = file.location().rsplit('/').next().unwrap_or_default();
                plain(name);
                found.push((path, file.into_inner()));
            }
        }
        found
    }

    fn find(&mut self, updater: &mut Updater, path: &str, mode: Mode) -> Option<Lookup> {
        loop {
            match updater.find_target(path).ok()? {
                Lookup::Needs if self.answer(updater, mode) => {}
                Lookup::Needs => return None,
                found => return Some(found),
            }
        }
    }
}

/// Whatever a role is called, its file is one file beside the others.
fn plain(name: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~%".contains(&byte);
    assert!(name.bytes().all(plain) && !name.starts_with('.'), "{name}");
}

fn answer(line: &[u8]) -> Option<Vec<u8>> {
    match line {
        [] => None,
        [b'!', bytes @ ..] => Some(bytes.into()),
        _ => {
            let signed = parse_strict(line).ok().and_then(|value| sign(&value));
            Some(signed.unwrap_or_else(|| line.into()))
        }
    }
}

fn sign(signed: &Value) -> Option<Vec<u8>> {
    let message = canonical(signed, Form::Olpc).ok()?;
    let signature = key(0).sign(&message);
    let signatures = json!([
        {"keyid": signature.key_id.to_string(), "sig": hex::encode(signature.bytes)}
    ]);
    let file = json!({"signatures": signatures, "signed": signed});
    Some(file.to_string().into_bytes())
}

fn keys() -> Value {
    let public = key(0).public();
    json!({public.id().to_string(): {
        "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.to_string()},
    }})
}

fn settings(mode: Mode) -> Settings {
    Settings {
        now: UtcTime::from_unix(1_800_000_000).expect("a time"),
        mode,
        verifier: ed25519_only,
    }
}
