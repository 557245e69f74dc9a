//! A registry's own keys: made on several machines, rotated, taken away; bins shared out anew. Clients
//! that knew the registry before follow without a question, and fewer keys than demanded move nobody.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::model::UtcTime;
use cargo_marketplace::publish::keystore::Keystore;
use cargo_marketplace::publish::role_keys::RoleKeys;
use cargo_marketplace::trust::SecretKey;
use serde_json::{Value, json};

use crate::env::{NOW, Outcome, TestEnv};
use crate::fixture::Fixture;

/// People, each with keys on a machine of their own, and a client that added the fixture before any of
/// it; the operator has both keys of the fixture.
struct Scene {
    env: TestEnv,
    registry: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new();
        let registry = Fixture::get().add_to(&env);
        let scene = Self { env, registry };
        for name in ["offline", "online"] {
            scene.give("operator", name, &Fixture::key(name));
        }
        scene.client_follows();
        scene
    }

    fn keys(&self, person: &str) -> PathBuf {
        self.env.path(&format!("people/{person}"))
    }

    fn give(&self, person: &str, name: &str, key: &SecretKey) -> PathBuf {
        let store = Keystore::new(self.keys(person));
        let name = name.parse().unwrap();
        store.save(&name, key, None, &[0; 32]).unwrap();
        self.keys(person).join(format!("{name}.pub.pem"))
    }

    /// Somebody with a key, of whom the others have the public half.
    fn person(&self, name: &str) -> String {
        self.give(name, name, &key_of(name)).display().to_string()
    }

    /// What somebody does with their keys.
    fn by(&self, person: &str, line: &str) -> Outcome {
        self.at(0, person, line)
    }

    fn at(&self, days: i64, person: &str, line: &str) -> Outcome {
        let command = self.env.command(line.split(' '));
        let command = command.env("CARGO_MARKETPLACE_KEYS", self.keys(person));
        let command = command.env("CARGO_MARKETPLACE_NOW", (NOW + days * 86_400).to_string());
        command.folder("").run()
    }

    fn must(&self, person: &str, line: &str) -> String {
        let outcome = self.by(person, line);
        assert_eq!(outcome.code, Some(0), "{line}\n{outcome}");
        outcome.to_string()
    }

    /// The client that was there before still finds every package, and the registry is sound.
    fn client_follows(&self) {
        for line in ["search tide", "info tide-table", "info libm-lite"] {
            self.must("nobody", line);
        }
        let report = self.must("nobody", "registry check registry --deep");
        assert!(report.contains("are in order"), "{report}");
    }

    fn file(&self, path: &str) -> Value {
        serde_json::from_slice(&fs::read(self.registry.join(path)).unwrap()).unwrap()
    }

    fn timestamp(&self) -> Value {
        self.file("tuf/timestamp.json")["signed"].clone()
    }

    fn snapshot(&self) -> Value {
        let version = &self.timestamp()["meta"]["snapshot.json"]["version"];
        self.file(&format!("tuf/{version}.snapshot.json"))["signed"].clone()
    }

    fn newest(&self, role: &str) -> Value {
        let version = &self.snapshot()["meta"][format!("{role}.json")]["version"];
        self.file(&format!("tuf/{version}.{role}.json"))["signed"].clone()
    }

    /// Serves metadata that those keys alone have signed, and says how the client takes it.
    fn forged(&self, path: &str, signed: &Value, signers: &[&str]) -> Outcome {
        let keys = signers.iter().map(|name| key_of(name));
        let keys = RoleKeys::new(keys);
        let ids: Vec<String> = signers
            .iter()
            .map(|n| key_of(n).public().id().to_string())
            .collect();
        let description = json!({"keyids": ids, "threshold": ids.len()});
        let bytes = keys.seal("forged", &description, signed).unwrap();
        let path = self.registry.join(path);
        let before = fs::read(&path).ok();
        fs::write(&path, bytes).unwrap();
        let outcome = self.by("nobody", "search tide");
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        outcome
    }
}

/// The key that a person has in these tests.
fn key_of(name: &str) -> SecretKey {
    if ["offline", "online"].contains(&name) {
        return Fixture::key(name);
    }
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SecretKey::from_seed(&seed)
}

fn refused(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains("MP0402"), "{outcome}");
}

/// A registry that was made by several people, in the folder `new`.
pub(crate) fn made_by_many() -> TestEnv {
    let scene = Scene::new();
    let people = ["ann", "bob", "eve", "tess", "clock"];
    let [ann, bob, eve, tess, _] = people.map(|name| scene.person(name));
    let line = format!(
        "registry init new --base-url https://new.example.org/ --role-key root={ann},{bob},{eve}:2 \
         --role-key targets={tess} --role-key timestamp=clock"
    );
    let waiting = scene.must("clock", &line);
    for expected in ["root: 0 of 2", "targets: 0 of 1", "claimed: 0 of 1"] {
        assert!(waiting.contains(expected), "{waiting}");
    }
    assert!(!scene.env.path("new/tuf").exists());
    let report = scene.must("nobody", "registry check new");
    assert!(report.contains("drafts wait for signatures"), "{report}");
    let again = scene.by("clock", &line);
    assert_eq!(again.code, Some(101), "{again}");

    let stranger = scene.by("eve", "registry sign new --yes --role targets --key eve");
    assert_eq!(stranger.code, Some(101), "{stranger}");
    scene.must("ann", "registry sign new --yes --role root --key ann");
    let twice = scene.must("ann", "registry sign new --yes --role root");
    assert!(twice.contains("root: 1 of 2"), "{twice}");
    scene.must("tess", "registry sign new --yes");
    assert!(!scene.env.path("new/tuf").exists());
    // The last signature of people; timestamp, snapshot and bins are signed elsewhere.
    let last = scene.must("bob", "registry sign new --yes --role root");
    assert!(last.contains("timestamp: 0 of 1"), "{last}");
    assert!(!scene.env.path("new/tuf").exists());
    let done = scene.must("clock", "registry sign new --yes");
    assert!(done.contains("Created"), "{done}");
    assert!(!scene.env.path("new/.drafts").exists());
    let report = scene.must("nobody", "registry check new --deep");
    assert!(report.contains("0 packages"), "{report}");
    let root = done
        .lines()
        .find(|line| line.starts_with("sha256:"))
        .unwrap();
    let url = format!("file://{}", scene.env.path("new").display());
    scene.must("nobody", &format!("registry add new {url} --root {root}"));
    scene.env
}

#[test]
fn a_registry_of_many_keys_is_made_on_many_machines() {
    let root = made_by_many().read("new/tuf/1.root.json");
    let root: Value = serde_json::from_str(&root).unwrap();
    assert_eq!(root["signatures"].as_array().unwrap().len(), 2);
    let roles = &root["signed"]["roles"];
    assert_eq!(roles["root"]["keyids"].as_array().unwrap().len(), 3);
    assert_eq!(roles["root"]["threshold"], 2);
    assert_ne!(roles["targets"]["keyids"], roles["timestamp"]["keyids"]);
}

/// The fixture with a root of two keys out of three, other keys and other bins, in the folder
/// `registry`.
pub(crate) fn grown() -> TestEnv {
    let scene = Scene::new();
    let (bob, eve) = (scene.person("bob"), scene.person("eve"));
    for (person, line) in [
        (
            "operator",
            format!("rotate-key registry --role root --add {bob} --add {eve} --threshold 2"),
        ),
        ("bob", "sign registry --yes --role root".to_owned()),
        ("operator", "rebin registry --bits 5".to_owned()),
        ("operator", "rebin registry --bits 2".to_owned()),
        (
            "operator",
            "rebin registry --bits 4 --role claimed".to_owned(),
        ),
    ] {
        scene.must(person, &format!("registry {line}"));
    }
    for (role, old) in [
        ("timestamp", "online"),
        ("targets", "offline"),
        ("bins", "online"),
    ] {
        scene.give("operator", role, &key_of(role));
        let id = key_of(old).public().id();
        scene.must(
            "operator",
            &format!("registry rotate-key registry --role {role} --add {role} --remove {id}"),
        );
        // Of the root's keys two sign: the operator's and one more.
        if role != "bins" {
            scene.must("bob", "registry sign registry --yes --role root");
            scene.must("operator", "registry sign registry --yes");
        }
    }
    scene.client_follows();
    scene.env
}

#[test]
fn a_solo_root_grows_to_two_of_three_and_lets_the_first_key_go() {
    let scene = Scene::new();
    let (bob, eve) = (scene.person("bob"), scene.person("eve"));
    let line =
        format!("registry rotate-key registry --role root --add {bob} --add {eve} --threshold 2");
    let waiting = scene.must("operator", &line);
    assert!(waiting.contains("root: 1 of 2"), "{waiting}");
    // What is drafted is in force for nobody.
    assert!(!scene.registry.join("tuf/2.root.json").exists());
    let report = scene.must("nobody", "registry check registry");
    assert!(
        report.contains("drafts wait for signatures: root"),
        "{report}"
    );
    scene.client_follows();
    let second = scene.by("operator", &line);
    assert!(second.stderr.contains("MP0607"), "{second}");
    let published = scene.must("bob", "registry sign registry --yes --role root --key bob");
    assert!(published.contains("Published root"), "{published}");
    // As if it had been cut off before the drafts were removed.
    let drafts = scene.registry.join(".drafts");
    fs::create_dir(&drafts).unwrap();
    let root = scene.registry.join("tuf/2.root.json");
    fs::copy(root, drafts.join("root.json")).unwrap();
    let nothing = scene.by("bob", "registry sign registry --yes");
    assert!(nothing.stderr.contains("nothing waits"), "{nothing}");
    assert!(!drafts.exists());
    scene.client_follows();
    let shown = scene.must("nobody", "registry show harbour");
    assert!(shown.contains("root: v2"), "{shown}");

    // One of three cannot do it alone.
    let mut next = scene.file("tuf/2.root.json")["signed"].clone();
    next["version"] = 3.into();
    for alone in ["offline", "bob", "eve"] {
        refused(&scene.forged("tuf/3.root.json", &next, &[alone]));
    }
    let alone = scene.must("eve", "registry sign registry --yes --role root --key eve");
    assert!(alone.contains("root: 1 of 2"), "{alone}");
    scene.must("eve", "registry sign registry --discard");

    // The first key goes: two of the old keys and two of the new ones sign.
    let offline = Fixture::key("offline").public().id();
    let line = format!("registry rotate-key registry --role root --remove {offline}");
    scene.must("bob", &line);
    let after = scene.must("operator", "registry sign registry --yes --role root");
    assert!(after.contains("root: 1 of 2"), "{after}");
    scene.must("eve", "registry sign registry --yes --role root");
    scene.client_follows();
    let mut next = scene.file("tuf/3.root.json")["signed"].clone();
    assert_eq!(next["registry_id"], Fixture::get().root.to_string());
    assert!(
        next["keys"].get(offline.to_string()).is_some(),
        "it signs targets"
    );
    next["version"] = 4.into();
    refused(&scene.forged("tuf/4.root.json", &next, &["offline", "bob"]));
    scene.client_follows();
}

#[test]
fn each_role_can_have_another_key_and_the_old_one_is_refused() {
    let scene = Scene::new();
    let online = Fixture::key("online").public().id();
    let offline = Fixture::key("offline").public().id();
    for (role, old) in [
        ("timestamp", online),
        ("snapshot", online),
        ("catalog", online),
        ("bins", online),
        ("targets", offline),
        ("policy", offline),
        ("rollout", offline),
        ("claimed", offline),
        ("packages", offline),
    ] {
        scene.give("operator", role, &key_of(role));
        let line =
            format!("registry rotate-key registry --role {role} --add {role} --remove {old}");
        let published = scene.must("operator", &line);
        assert!(published.contains("Published"), "{published}");
        scene.client_follows();
    }
    let mut timestamp = scene.timestamp();
    let next = timestamp["version"].as_u64().unwrap() + 1;
    timestamp["version"] = next.into();
    refused(&scene.forged("tuf/timestamp.json", &timestamp, &["online"]));
    let taken = scene.forged("tuf/timestamp.json", &timestamp, &["timestamp"]);
    assert_eq!(taken.code, Some(0), "{taken}");
    for (role, old) in [
        ("catalog", "online"),
        ("targets", "offline"),
        ("packages", "offline"),
    ] {
        let fresh = TestEnv::new();
        let mut signed = scene.newest(role);
        signed["targets"] = json!({});
        let path = format!("tuf/{}.{role}.json", signed["version"]);
        let good = fs::read(scene.registry.join(&path)).unwrap();
        let keys = RoleKeys::new([key_of(old)]);
        let id = key_of(old).public().id().to_string();
        let bytes = keys
            .seal(role, &json!({"keyids": [id], "threshold": 1}), &signed)
            .unwrap();
        fs::write(scene.registry.join(&path), bytes).unwrap();
        let url = format!("file://{}", scene.registry.display());
        let root = format!("--root=sha256:{}", Fixture::get().root);
        let added = fresh.command(["registry", "add", "x", &url, &root]).run();
        let asked = fresh.command(["info", "tide-table"]).run();
        let searched = fresh.command(["search", "tide"]).run();
        let codes = [added.code, asked.code, searched.code];
        assert!(codes.contains(&Some(4)), "{role}: {added}{asked}{searched}");
        fs::write(scene.registry.join(&path), good).unwrap();
    }
}

#[test]
fn a_role_keeps_enough_keys_for_its_threshold() {
    let scene = Scene::new();
    let online = Fixture::key("online").public().id();
    for line in [
        format!("--role bins --remove {online}"),
        "--role bins --threshold 2".to_owned(),
        "--role nobody --threshold 1".to_owned(),
    ] {
        let outcome = scene.by("operator", &format!("registry rotate-key registry {line}"));
        assert_eq!(outcome.code, Some(1), "{outcome}");
    }
}

#[test]
fn records_are_shared_out_among_more_bins_and_fewer() {
    let scene = Scene::new();
    let before = scene.newest("packages-7")["version"].as_u64().unwrap();
    let unchanged = scene.must("operator", "registry rebin registry");
    assert!(unchanged.contains("Unchanged"), "{unchanged}");
    for (bits, last) in [(5, "packages-1f"), (1, "packages-1"), (3, "packages-7")] {
        scene.must(
            "operator",
            &format!("registry rebin registry --bits {bits}"),
        );
        let meta = scene.snapshot()["meta"].clone();
        assert!(meta.get(format!("{last}.json")).is_some(), "{meta}");
        // What was a bin once never vanishes: old clients would take that for an attack.
        assert!(meta.get("packages-1f.json").is_some(), "{meta}");
        scene.client_follows();
        let fresh = TestEnv::new();
        let url = format!("file://{}", scene.registry.display());
        let root = format!("--root=sha256:{}", Fixture::get().root);
        fresh.command(["registry", "add", "x", &url, &root]).run();
        let found = fresh.command(["info", "tide-table"]).run();
        assert_eq!(found.code, Some(0), "{found}");
    }
    let after = scene.newest("packages-7")["version"].as_u64().unwrap();
    assert!(after > before, "it went on counting: {before} {after}");
    scene.must(
        "operator",
        "registry rebin registry --role claimed --bits 4",
    );
    scene.client_follows();
    // Changes go on in the new bins.
    scene.must("operator", "registry claim registry");
    scene.client_follows();
    let wrong = scene.by("operator", "registry rebin registry --bits 17");
    assert_eq!(wrong.code, Some(1), "{wrong}");
}

#[test]
fn what_refresh_cannot_sign_is_signed_by_those_who_have_the_keys() {
    let env = TestEnv::new();
    let line = "registry init registry --solo --no-passphrase --base-url https://new.example.org/";
    assert_eq!(env.command(line.split(' ')).run().code, Some(0));
    let at = |days: i64, line: &str| {
        let command = env.command(line.split(' '));
        let outcome = command
            .env("CARGO_MARKETPLACE_NOW", (NOW + days * 86_400).to_string())
            .run();
        assert_eq!(outcome.code, Some(0), "{line}\n{outcome}");
        outcome.to_string()
    };
    let offline = [
        "root", "targets", "policy", "rollout", "claimed", "packages",
    ];
    let refreshed = at(300, "registry refresh registry");
    for role in offline {
        let warning = format!("warning: `{role}` expires at 2027-11-22T12:00:00Z");
        assert_eq!(refreshed.matches(&warning).count(), 1, "{refreshed}");
    }
    let shown = at(
        300,
        "registry sign registry --role root --role claimed --dry-run",
    );
    assert!(
        shown.contains("root version 2, until 2028-09-17T12:00:00Z"),
        "{shown}"
    );
    assert!(!shown.contains(".drafts"), "{shown}");
    assert!(!env.path("work/registry/.drafts").exists());
    let all: Vec<String> = offline
        .iter()
        .map(|role| format!("--role {role}"))
        .collect();
    let signed = at(
        300,
        &format!("registry sign registry --yes {}", all.join(" ")),
    );
    assert!(signed.contains("Published"), "{signed}");
    let refreshed = at(301, "registry refresh registry");
    assert!(!refreshed.contains("warning"), "{refreshed}");
    let report = at(301, "registry check registry");
    assert!(!report.contains("warning"), "{report}");
    let online = env.run(["registry", "sign", "registry", "--role", "snapshot"]);
    assert!(online.contains("registry refresh DIR"), "{online}");
    let nothing = env.run(["registry", "sign", "registry"]);
    assert!(
        nothing.contains("nothing waits for signatures"),
        "{nothing}"
    );
}

#[test]
fn drafts_that_were_overtaken_or_are_no_files_are_refused() {
    let scene = Scene::new();
    let bob = scene.person("bob");
    let line = format!("registry rotate-key registry --role policy --add {bob} --threshold 2");
    scene.must("operator", &line);
    let draft = scene.registry.join(".drafts/targets.json");
    let kept = fs::read(&draft).unwrap();
    scene.must("operator", "registry sign registry --discard");
    scene.must("operator", "registry sign registry --yes --role targets");
    fs::create_dir(scene.registry.join(".drafts")).unwrap();
    fs::write(&draft, kept).unwrap();
    let overtaken = scene.by("operator", "registry sign registry --yes");
    assert_eq!(overtaken.code, Some(101), "{overtaken}");
    assert!(overtaken.stderr.contains("error[MP0607]"), "{overtaken}");
    fs::write(&draft, "{}").unwrap();
    refused_code(
        &scene.by("operator", "registry sign registry --yes"),
        "MP0607",
    );
    let report = scene.by("nobody", "registry check registry");
    assert_eq!(report.code, Some(3), "{report}");
    link_is_refused(&scene, &draft);
}

#[test]
fn nobody_signs_what_is_not_shown() {
    let scene = Scene::new();
    let bob = scene.person("bob");
    let line = format!("registry rotate-key registry --role root --add {bob} --threshold 2");
    scene.must("operator", &line);
    let draft = scene.registry.join(".drafts/root.json");
    let good = fs::read(&draft).unwrap();
    let id = key_of("bob").public().id().to_string();
    let changes: [fn(&mut Value, &str); 6] = [
        |draft, id| {
            let other = format!("{id}\n    root: 1 of {id}");
            draft["signed"]["roles"]["root"]["keyids"][0] = other.into();
        },
        |draft, id| draft["signed"]["roles"]["root"]["keyids"][0] = id.to_uppercase().into(),
        |draft, _| draft["signed"]["roles"]["timestamp"]["keyids"] = json!([7]),
        |draft, id| draft["signed"]["keys"][id]["keyval"]["public"] = "00".repeat(32).into(),
        |draft, _| draft["signed"]["base"] = "https://elsewhere.example.org/".into(),
        |draft, _| draft["signed"]["consistent_snapshot"] = false.into(),
    ];
    for change in changes {
        let mut other: Value = serde_json::from_slice(&good).unwrap();
        change(&mut other, &id);
        fs::write(&draft, other.to_string()).unwrap();
        refused_code(&scene.by("bob", "registry sign registry --yes"), "MP0607");
    }
    fs::write(&draft, good).unwrap();
    scene.must("bob", "registry sign registry --yes");
    scene.client_follows();
}

#[test]
fn no_draft_lists_other_files_nor_moves_a_claim() {
    let scene = Scene::new();
    let other = json!({"hashes": {"sha256": "00".repeat(32)}, "length": 1});
    for (role, path) in [
        ("policy", "policy.json"),
        ("targets", "publishers/harbour.json"),
        ("rollout", "rollout.json"),
        ("claimed-0", "tide-table"),
        ("claimed-7", "tide-table"),
    ] {
        let named = role.split('-').next().unwrap();
        let line = format!("registry sign registry --yes --role {named}");
        // Without a key it waits.
        scene.must("nobody", &line);
        let draft = scene.registry.join(format!(".drafts/{role}.json"));
        let mut changed: Value = serde_json::from_slice(&fs::read(&draft).unwrap()).unwrap();
        changed["signed"]["targets"][path] = other.clone();
        fs::write(&draft, changed.to_string()).unwrap();
        let refused = scene.by("operator", "registry sign registry --yes");
        refused_code(&refused, "MP0607");
        assert!(refused.stderr.contains(role), "{refused}");
        scene.must("operator", "registry sign registry --discard");
    }
    // Fewer bins by the number alone would hide what the others list.
    scene.must("nobody", "registry sign registry --yes --role claimed");
    let draft = scene.registry.join(".drafts/claimed.json");
    let mut changed: Value = serde_json::from_slice(&fs::read(&draft).unwrap()).unwrap();
    let bits = "/signed/delegations/succinct_roles/bit_length";
    *changed.pointer_mut(bits).unwrap() = 1.into();
    fs::write(&draft, changed.to_string()).unwrap();
    for bin in 0..8 {
        let draft = format!(".drafts/claimed-{bin}.json");
        fs::remove_file(scene.registry.join(draft)).unwrap();
    }
    refused_code(
        &scene.by("operator", "registry sign registry --yes"),
        "MP0607",
    );
    scene.client_follows();
}

#[test]
fn the_first_to_sign_are_shown_the_policy_and_sign_nothing_besides() {
    let scene = Scene::new();
    let [ann, tess, clock] = ["ann", "tess", "clock"].map(|name| scene.person(name));
    let line = format!(
        "registry init new --base-url https://new.example.org/ --role-key root={ann} \
         --role-key targets={tess} --role-key timestamp={clock}"
    );
    scene.must("nobody", &line);
    let shown = scene.must("tess", "registry sign new --dry-run");
    let id = |name| key_of(name).public().id();
    for line in [
        format!("Drafted recovery: {}\n", id("tess")),
        format!("Drafted vouchers: {}\n", id("clock")),
        "Drafted base URL https://new.example.org/\n".to_owned(),
    ] {
        assert!(shown.contains(&line), "{shown}");
    }
    let file = json!({"hashes": {"sha256": "00".repeat(32)}, "length": 1});
    for (role, place, value) in [
        ("root", "base", json!("https://elsewhere.example.org/")),
        ("targets", "targets", json!({"publishers/eve.json": file})),
        ("claimed-3", "targets", json!({"claimed/tide": file})),
    ] {
        let draft = scene.env.path(&format!("new/.drafts/{role}.json"));
        let good = fs::read(&draft).unwrap();
        let mut changed: Value = serde_json::from_slice(&good).unwrap();
        changed["signed"][place] = value;
        fs::write(&draft, changed.to_string()).unwrap();
        refused_code(&scene.by("tess", "registry sign new --yes"), "MP0607");
        fs::write(&draft, good).unwrap();
    }
    // Another policy than the one that is drafted.
    let policy = scene.env.path("new/policy.json");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replace("\"v1\"", "\"v2\"")).unwrap();
    let other = scene.by("tess", "registry sign new --yes");
    assert_eq!(other.code, Some(101), "{other}");
    assert!(other.stderr.contains("MP0701"), "{other}");
}

fn refused_code(outcome: &Outcome, code: &str) {
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains(code), "{outcome}");
}

#[cfg(unix)]
fn link_is_refused(scene: &Scene, draft: &Path) {
    fs::remove_file(draft).unwrap();
    let elsewhere = scene.env.write("elsewhere", "mine");
    std::os::unix::fs::symlink(&elsewhere, draft).unwrap();
    let outcome = scene.by("operator", "registry sign registry --yes");
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert_eq!(fs::read(elsewhere).unwrap(), b"mine");
}

#[cfg(not(unix))]
fn link_is_refused(_: &Scene, _: &Path) {}

#[test]
fn everybody_is_warned_when_a_third_of_a_life_is_left() {
    let env = TestEnv::new();
    let line = "registry init registry --solo --no-passphrase --base-url https://new.example.org/";
    let made = env.command(line.split(' ')).run();
    let url = format!("file://{}", env.path("work/registry").display());
    let root = made.stdout.trim().to_owned();
    let added = env
        .command(["registry", "add", "new", &url, "--root", &root])
        .run();
    assert_eq!(added.code, Some(0), "{added}");
    let at = |days: i64, line: &str| {
        let command = env.command(line.split(' '));
        let time = (NOW + days * 86_400).to_string();
        let outcome = command.env("CARGO_MARKETPLACE_NOW", time).run();
        assert_eq!(outcome.code, Some(0), "{line}\n{outcome}");
        outcome
    };
    let warned = |outcome: &Outcome| {
        let roles = outcome.stderr.lines().filter_map(|line| {
            let rest = line.strip_prefix("warning: of `new`, `")?;
            Some(rest.split('`').next()?.to_owned())
        });
        roles.collect::<Vec<_>>()
    };
    assert!(warned(&at(4, "search x")).is_empty());
    assert_eq!(warned(&at(5, "search x")), ["timestamp"]);
    let json = at(5, "search x --message-format json");
    let expires = UtcTime::from_unix(NOW + 7 * 86_400).unwrap();
    let expected = format!("\"message\":\"of `new`, `timestamp` expires at {expires}");
    assert_eq!(json.stdout.matches(&expected).count(), 1, "{json}");
    at(25, "registry refresh registry");
    at(72, "registry refresh registry");
    // Everything online is fresh, everything offline is old.
    at(260, "registry refresh registry");
    let roles = warned(&at(260, "search x"));
    assert_eq!(roles, ["root", "policy", "targets"]);
    let archive = crate::small_registry::archive("sluice", "1.0.0", "");
    env.write("work/sluice-1.0.0.crate", archive);
    let imported = at(
        260,
        "registry import registry --as-mirror --vouch sluice-1.0.0.crate",
    );
    for role in [
        "root", "targets", "policy", "rollout", "claimed", "packages",
    ] {
        let warning = format!("warning: `{role}` expires at");
        assert_eq!(imported.stderr.matches(&warning).count(), 1, "{imported}");
    }
    let asked = warned(&at(260, "info sluice"));
    for role in ["root", "targets", "policy", "packages"] {
        let count = asked.iter().filter(|found| *found == role).count();
        assert_eq!(count, 1, "{role} in {asked:?}");
    }
    assert!(
        !asked.iter().any(|role| role.starts_with("packages-")),
        "{asked:?}"
    );
}

#[test]
fn a_registry_that_falls_silent_amid_a_rotation_is_not_taken_for_a_forged_one() {
    let scene = Scene::new();
    let old = Fixture::key("online").public().id();
    scene.give("operator", "timestamp", &key_of("timestamp"));
    let line =
        format!("registry rotate-key registry --role timestamp --add timestamp --remove {old}");
    scene.must("operator", &line);
    // The new root and timestamp come, and what they announce cannot be read.
    let version = scene.timestamp()["meta"]["snapshot.json"]["version"].clone();
    let snapshot = scene.registry.join(format!("tuf/{version}.snapshot.json"));
    let bytes = fs::read(&snapshot).unwrap();
    fs::remove_file(&snapshot).unwrap();
    fs::create_dir(&snapshot).unwrap();
    let silent = scene.by("nobody", "info tide-table");
    assert_eq!(silent.code, Some(101), "{silent}");
    assert!(silent.stderr.contains("error[MP0201]"), "{silent}");
    fs::remove_dir(&snapshot).unwrap();
    fs::write(&snapshot, bytes).unwrap();
    scene.client_follows();
}

#[test]
fn a_key_is_kept_offline_or_online_and_never_both() {
    let scene = Scene::new();
    for (role, key, both) in [
        (
            "targets",
            "online",
            "of `targets`, which is kept offline, and of `catalog`",
        ),
        (
            "bins",
            "offline",
            "of `root`, which is kept offline, and of `bins`",
        ),
    ] {
        let line = format!("registry rotate-key registry --role {role} --add {key}");
        let refused = scene.by("operator", &line);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(both), "{refused}");
        assert!(refused.stderr.contains("nothing was written"), "{refused}");
    }
    assert!(!scene.registry.join(".drafts").exists());
}

#[test]
fn a_damaged_draft_of_a_registry_that_is_being_made_is_found() {
    let env = TestEnv::new();
    fs::create_dir_all(env.path("new/.drafts")).unwrap();
    fs::write(env.path("new/.drafts/root.json"), "{}").unwrap();
    let checked = env.command(["registry", "check", "new"]).folder("").run();
    assert_eq!(checked.code, Some(3), "{checked}");
    assert!(checked.stdout.contains(".drafts: the draft"), "{checked}");
}
