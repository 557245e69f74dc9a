//! Any change of any file that is served leaves what a client resolves as it was, or ends in an error.
//!
//! The library's client reads over real HTTP, in this process. What it resolves is everything of every
//! package: versions, digests, owners, trust, archives, and the catalog's word on all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cargo_marketplace::commands::error::CommandError;
use cargo_marketplace::formats::layout;
use cargo_marketplace::model::{Event, EventSink, PackageName, Sha256Digest, Silent};
use cargo_marketplace::registry::backend::{Backend, BackendError, backend};
use cargo_marketplace::registry::client::{Client, Opening};
use cargo_marketplace::registry::error::ClientError;
use cargo_marketplace::registry::freshness::Need;
use cargo_marketplace::registry::mirrors::Mirrors;
use cargo_marketplace::registry::transport::{
    self, BaseUrl, Limits, Network, Transport, TransportError,
};

use super::Days;
use crate::faults::{Fault, FaultServer, Files};
use crate::small_registry;

/// Short, so that silence is soon given up. A machine that is slower than that makes an error of what
/// would have been right, which is allowed.
const LIMITS: Limits = Limits {
    first_answer: Duration::from_secs(5),
    silence: Duration::from_millis(250),
    least_speed: 10,
    whole: Duration::from_secs(5),
    tries: 2,
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(1),
    is_patient: true,
};

/// All packages of today's registry, one of yesterday's among them that has not changed, and a name
/// that nobody has.
const NAMES: [&str; 4] = ["libm_lite", "tide-clock", "tide-table", "no-such"];

/// A file that is not there, and whose place an attacker may fill.
const NEXT_ROOT: &str = "tuf/2.root.json";

/// What was there before of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// Only the digest of the root.
    Fresh,
    /// All of today.
    Warm,
    /// All of yesterday.
    Upgraded,
}

/// One change, and who meets it.
#[derive(Clone)]
struct Case {
    path: String,
    operator: &'static str,
    fault: Fault,
    age: Age,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fault: String = format!("{:?}", self.fault).chars().take(60).collect();
        write!(
            f,
            "{} ({fault}) of {} for {:?}",
            self.operator, self.path, self.age
        )
    }
}

/// What a client can do, item by item; an error with its exit code.
type Resolved = BTreeMap<String, Result<String, u8>>;

/// A transport that many clients share: each one of its own would leave a thread behind.
struct Shared<'a>(&'a dyn Transport);

impl Transport for Shared<'_> {
    fn base(&self) -> &BaseUrl {
        self.0.base()
    }

    fn get(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError> {
        self.0.get(path, max_bytes)
    }
}

/// Whether the user was told that v1, or a copy, was read.
#[derive(Default)]
struct Told(Mutex<(bool, bool)>);

impl EventSink for Told {
    fn event(&self, event: Event) {
        let mut told = self.0.lock().unwrap();
        match event {
            Event::FellBack { .. } => told.0 = true,
            Event::UsingCopy { .. } => told.1 = true,
            _ => {}
        }
    }
}

/// What a registry that is served as it is resolves to, and what is kept of it.
struct Truth {
    resolved: Resolved,
    state: Files,
}

/// A server, and what clients of it may come to.
struct Bench {
    server: FaultServer,
    transport: Box<dyn Transport>,
    backend: Box<dyn Backend>,
    today: Arc<Files>,
    truths: BTreeMap<Age, Truth>,
}

impl Bench {
    fn new() -> Self {
        let days = Days::get();
        let server = FaultServer::over(days.yesterday.clone());
        let network = Network {
            limits: LIMITS,
            ..Network::default()
        };
        let transport = transport::open(&server.url(), &network, None, &Silent);
        let mut bench = Self {
            server,
            transport,
            backend: backend(None).unwrap(),
            today: Arc::new(days.today.clone()),
            truths: BTreeMap::new(),
        };
        let upgraded = bench.truth();
        bench.server.serve(Arc::clone(&bench.today));
        let warm = bench.truth();
        assert_ne!(upgraded.resolved, warm.resolved);
        let fresh = Truth {
            resolved: warm.resolved.clone(),
            state: Files::new(),
        };
        bench.truths = [
            (Age::Fresh, fresh),
            (Age::Warm, warm),
            (Age::Upgraded, upgraded),
        ]
        .into();
        bench
    }

    fn truth(&self) -> Truth {
        let home = tempfile::tempdir().unwrap();
        let (resolved, _) = self.resolve(home.path(), Age::Fresh);
        let wrong = resolved.values().filter(|item| item.is_err()).count();
        assert_eq!(wrong, 0, "{resolved:?}");
        let state = small_registry::files(&home.path().join(Days::root().to_string()));
        Truth { resolved, state }
    }

    /// What today's registry has.
    fn honest(&self) -> &Resolved {
        &self.truths[&Age::Warm].resolved
    }

    /// Resolves everything. Returns what came of it, and whether fallback and copy were spoken of.
    fn resolve(&self, home: &Path, age: Age) -> (Resolved, (bool, bool)) {
        let told = Told::default();
        let mut resolved = Resolved::new();
        match self.open(home, age, &told) {
            Ok(client) => self.ask_all(&client, &mut resolved),
            Err(code) => drop(resolved.insert("registry".into(), Err(code))),
        }
        let told = *told.0.lock().unwrap();
        (resolved, told)
    }

    fn open<'a>(&'a self, home: &Path, age: Age, told: &'a Told) -> Result<Client<'a>, u8> {
        let state = home.join(Days::root().to_string());
        if age == Age::Fresh && !state.join("tuf/root.json").exists() {
            // As `registry add --root sha256:…` does.
            let first = layout::metadata("root", 1);
            let root = self.transport.get(&first, 1 << 20).map_err(|_| 101)?;
            let root = root.ok_or(101)?;
            if Sha256Digest::of(&root) != Days::root() {
                return Err(4);
            }
            fs::create_dir_all(state.join("tuf")).unwrap();
            fs::write(state.join("tuf/root.json"), root).unwrap();
        }
        let opening = Opening {
            name: "harbour".parse().unwrap(),
            registry_id: Days::root(),
            home: home.to_owned(),
            mirrors: Some(Mirrors::over(Box::new(Shared(&*self.transport)), told)),
            now: small_registry::now(),
            need: Need::Latest,
            demands: Vec::new(),
            events: told,
        };
        Client::open(opening).map_err(code)
    }

    fn ask_all(&self, client: &Client<'_>, resolved: &mut Resolved) {
        resolved.insert("registry".into(), Ok(client.policy().base.clone()));
        for name in NAMES {
            let package: PackageName = name.parse().unwrap();
            let state = match client.package(&package) {
                Ok(Some(state)) => state,
                Ok(None) => {
                    resolved.insert(name.into(), Ok("no such package".into()));
                    continue;
                }
                Err(error) => {
                    resolved.insert(name.into(), Err(code(error)));
                    continue;
                }
            };
            let document = self.backend.document(client, &state);
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    resolved.insert(name.into(), Err(backend_code(error)));
                    continue;
                }
            };
            let (owners, claimed) = (&state.owners, state.is_claimed);
            let shown = format!("{owners:?} {claimed} {:?}", document.entries);
            resolved.insert(name.into(), Ok(shown));
            for entry in document.verified_entries() {
                let archive = client.archive(&entry);
                let archive = archive.map(|archive| Sha256Digest::of(&archive.bytes).to_string());
                let item = format!("{name} {} archive", entry.release.version);
                resolved.insert(item, archive.map_err(code));
            }
        }
        let catalog = self.backend.catalog(client);
        let catalog = catalog.map(|catalog| format!("{:?}", catalog.documents()));
        resolved.insert("catalog".into(), catalog.map_err(backend_code));
    }

    /// Tries a case, and says in a word what came of it.
    fn outcome(&self, case: &Case) -> Result<&'static str, String> {
        self.server.heal();
        self.server.only(&case.path, case.fault.clone());
        let home = tempfile::tempdir().unwrap();
        for (path, bytes) in &self.truths[&case.age].state {
            let path = home.path().join(Days::root().to_string()).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let (resolved, (fell_back, used_copy)) = self.resolve(home.path(), case.age);
        self.server.heal();
        let outcome = self.judge(case, &resolved, fell_back, used_copy)?;
        if outcome != "identical" {
            // Whatever came, it did no lasting harm.
            let (healed, _) = self.resolve(home.path(), case.age);
            if healed != *self.honest() {
                return Err(format!(
                    "{case} left behind {:?}",
                    diff(&healed, self.honest())
                ));
            }
        }
        Ok(outcome)
    }

    fn judge(
        &self,
        case: &Case,
        resolved: &Resolved,
        fell_back: bool,
        used_copy: bool,
    ) -> Result<&'static str, String> {
        let is_part_of = |truth: &Resolved| {
            let mut right = resolved.iter().filter(|(_, result)| result.is_ok());
            right.all(|(item, result)| truth.get(item) == Some(result))
        };
        let worst = resolved.values().filter_map(|result| result.clone().err());
        let refused = worst.clone().any(|code| code == 4);
        let failed = worst.clone().any(|code| code == 101);
        if worst.clone().any(|code| code != 4 && code != 101) {
            return Err(format!("{case} ends with another code: {resolved:?}"));
        }
        if is_part_of(self.honest()) {
            return Ok(match (refused, failed) {
                (true, _) => "refused (4)",
                (false, true) => "failed (101)",
                _ if fell_back => "identical, by v1",
                _ if used_copy => "identical, by the copy",
                _ => "identical",
            });
        }
        // One who was here yesterday may stay there, whole, and is told so. And nobody but one who was
        // here today can know that yesterday's timestamp is not the last one, until it expires.
        let old = &self.truths[&Age::Upgraded].resolved;
        let is_replayed = case.path == layout::TIMESTAMP && case.operator == "replay";
        match (case.age, is_part_of(old)) {
            (Age::Upgraded, true) if used_copy => Ok("yesterday's copy, and said so"),
            (Age::Upgraded | Age::Fresh, true) if is_replayed => Ok("yesterday's, not yet expired"),
            _ => Err(format!("{case} led to {:?}", diff(resolved, self.honest()))),
        }
    }
}

fn code(error: ClientError) -> u8 {
    CommandError::from(error).kind.exit_code()
}

/// What differs, for people.
fn diff(found: &Resolved, expected: &Resolved) -> Vec<String> {
    let differing = found
        .iter()
        .filter(|(item, result)| expected.get(*item) != Some(*result));
    let shown = differing.map(|(item, result)| format!("{item}: {result:?}"));
    shown.map(|text| text.chars().take(300).collect()).collect()
}

fn backend_code(error: BackendError) -> u8 {
    CommandError::from(error).kind.exit_code()
}

/// The file that another one can be exchanged with: the next of the same kind.
fn other<'a>(path: &str, files: &'a Files) -> Option<(&'a String, &'a Vec<u8>)> {
    let kind = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let end = name.rsplit_once('.').map(|(_, end)| end.to_owned());
        (path.starts_with("tuf/"), path.starts_with("crates/"), end)
    };
    let after = files.range(path.to_owned()..).skip(1);
    let mut next = after.chain(files.iter());
    next.find(|(name, bytes)| kind(name) == kind(path) && files.get(path) != Some(bytes))
}

/// What stood in a file's place before: of the same plain name yesterday, or in the version before.
fn before(path: &str) -> Option<Vec<u8>> {
    let Days { yesterday, today } = Days::get();
    if let Some(old) = yesterday.get(path) {
        return (today.get(path) != Some(old)).then(|| old.clone());
    }
    let (folder, name) = path.rsplit_once('/')?;
    let (prefix, plain) = name.split_once('.')?;
    match prefix.parse::<u64>() {
        Ok(version) => today.get(&format!("{folder}/{}.{plain}", version.checked_sub(1)?)),
        Err(_) => yesterday.get(&format!("{folder}/{plain}")),
    }
    .cloned()
}

/// Every file, changed in every way; `positions` places of each are tried for a flip and a cut.
fn cases(positions: usize) -> Vec<Case> {
    let today = &Days::get().today;
    let mut cases = Vec::new();
    let mut paths: BTreeSet<&str> = today.keys().map(String::as_str).collect();
    paths.insert(NEXT_ROOT);
    for path in paths {
        let empty = Vec::new();
        let bytes = today.get(path).unwrap_or(&empty);
        let mut faults: Vec<(&'static str, Fault)> = Vec::new();
        let bits = bytes.len() * 8;
        for place in 0..positions.min(bits) {
            // Odd, so that all bits of a byte have their turn.
            let bit = (bits / positions.min(bits) * place) | 1;
            faults.push(("flip", Fault::Flip(bit + place % 7)));
            let by = 1 + bytes.len().saturating_sub(1) / positions * place;
            faults.push(("truncate", Fault::Shorter(by)));
        }
        faults.push(("extend", Fault::Longer(b"\n".into())));
        faults.push(("extend", Fault::Longer(bytes.clone())));
        if let Some((name, bytes)) = other(path, today) {
            faults.push(("swap", Fault::Other(bytes.clone())));
            faults.push(("redirect", Fault::Redirect(format!("/{name}"))));
        }
        faults.extend(before(path).map(|old| ("replay", Fault::Other(old))));
        faults.push(("delete", Fault::Status(404)));
        faults.push(("delete", Fault::Closed));
        faults.push(("replace by HTML", Fault::Page));
        faults.push(("replace by HTML", Fault::Other(crate::faults::PAGE.into())));
        faults.push(("redirect", Fault::Redirect("https://127.0.0.1:1/".into())));
        faults.push(("redirect", Fault::Redirect(format!("/{path}"))));
        faults.push(("server error", Fault::Status(500)));
        faults.push(("cut off", Fault::CutOff));
        faults.push(("slow", Fault::Stall));
        faults.push(("late", Fault::Late(Duration::from_millis(20))));
        faults.push(("endless", Fault::Endless));
        for age in [Age::Fresh, Age::Warm, Age::Upgraded] {
            cases.extend(faults.iter().map(|(operator, fault)| Case {
                path: path.to_owned(),
                operator,
                fault: fault.clone(),
                age,
            }));
        }
    }
    cases
}

/// Tries cases and prints how many came to what.
#[expect(clippy::print_stdout, reason = "the counts are for people")]
fn try_all(cases: &[Case]) {
    let workers = 3;
    let wrong = Mutex::new(Vec::new());
    let counts = Mutex::new(BTreeMap::<_, usize>::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let bench = Bench::new();
                loop {
                    let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(case) = cases.get(place) else { return };
                    match bench.outcome(case) {
                        Ok(outcome) => {
                            let mut counts = counts.lock().unwrap();
                            *counts.entry((case.operator, outcome)).or_default() += 1;
                            *counts.entry(("all", outcome)).or_default() += 1;
                        }
                        Err(error) => wrong.lock().unwrap().push(error),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let counts = counts.into_inner().unwrap();
    println!(
        "{} changes tried, {} of them harmful",
        cases.len(),
        wrong.len()
    );
    for ((operator, outcome), count) in &counts {
        println!("{count:>7}  {operator}: {outcome}");
    }
    assert!(
        wrong.is_empty(),
        "{} of them: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
    for outcome in ["identical", "refused (4)", "failed (101)"] {
        assert!(counts[&("all", outcome)] > 0, "{outcome}");
    }
}

#[test]
fn no_change_of_a_file_changes_what_is_resolved() {
    let all = cases(1);
    // Every eleventh, which is prime to the number of operators: each file and each operator has its
    // turn.
    let some: Vec<Case> = all.into_iter().step_by(11).collect();
    assert!(some.len() > 300, "{}", some.len());
    try_all(&some);
}

#[test]
#[ignore = "needs .ci/long: it tries more than 10,000 changes"]
fn no_change_at_any_place_changes_what_is_resolved() {
    let all = cases(16);
    assert!(all.len() > 10_000, "{}", all.len());
    try_all(&all);
}
