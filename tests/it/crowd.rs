//! Many processes with one home: they end as one after the other would, and none waits for another's
//! network.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::env::{TestCommand, TestEnv};
use crate::fixture::Fixture;
use crate::samples::{Market, copy, words};
use crate::small_registry::files;

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";
const CROWD: usize = 20;

fn spawn(command: TestCommand<'_>) -> Child {
    let mut command = command.into_command();
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for a command, which must not have failed, and returns what it printed.
fn finish(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What is kept in a home but for locks and drafts, and for the files of texts, whose names are drawn by lot.
fn kept(home: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut kept = files(&home.join("marketplace"));
    let has_own_name = |path: &str| path.ends_with(".triples") || path.ends_with(".dependents");
    kept.retain(|path, _| !path.contains("/dataset/") || has_own_name(path));
    kept
}

/// A kind of command for each number, in a place of its own where it writes to one.
fn member<'a>(env: &'a TestEnv, home: &Path, place: &str, number: usize) -> TestCommand<'a> {
    let command = match number % 4 {
        0 => env.command(["search", "tide"]),
        1 => env.command(["info", "tide-table"]),
        2 => env
            .command(["fetch", "--write-config"])
            .folder(&format!("work/{place}")),
        _ => env.command(["install", "tide-cli", "--debug", "--root", place]),
    };
    command.env("CARGO_HOME", home)
}

/// Files that a write has left without their name.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(left_behind(&path));
        } else if name == ".draft" || name.starts_with(".cargo-marketplace-") {
            found.push(path);
        }
    }
    found
}

#[test]
fn twenty_at_once_end_as_one_after_the_other() {
    let market = Market::published();
    let env = &market.env;
    let (crowd, alone) = (env.cargo_home(), env.path("home/alone"));
    copy(&crowd, &alone);
    let place = |number| format!("place-{number}");
    for number in 0..CROWD {
        market.project(&place(number), APP);
    }
    let children = (0..CROWD).map(|number| spawn(member(env, &crowd, &place(number), number)));
    let children: Vec<Child> = children.collect();
    let printed: Vec<String> = children.into_iter().map(finish).collect();
    market.project("alone", APP);
    for kind in 0..4 {
        let serial = finish(spawn(member(env, &alone, "alone", kind)));
        for number in (kind..CROWD).step_by(4) {
            assert_eq!(printed[number], serial);
        }
    }
    let (crowds, serial) = (kept(&crowd), kept(&alone));
    assert_eq!(
        crowds.keys().collect::<Vec<_>>(),
        serial.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &serial {
        assert!(crowds[path] == *bytes, "`{path}` differs");
    }
    let lock = env.read("work/alone/Cargo.lock");
    for number in (2..CROWD).step_by(4) {
        let other = env.read(&format!("work/{}/Cargo.lock", place(number)));
        assert_eq!(other.replace(&place(number), "alone"), lock);
    }
    for number in (3..CROWD).step_by(4) {
        let program = env.path(&format!("work/{}/bin/tide-cli", place(number)));
        assert_eq!(env.program(program, [""; 0]).run().code, Some(0));
    }
    assert_eq!(left_behind(&crowd), Vec::<PathBuf>::new());
}

/// A server over a folder that keeps some requests waiting until it is opened.
struct Gate {
    port: u16,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    /// Requests for paths that end so wait; none do without it.
    held: Option<&'static str>,
    /// How many wait, or have waited.
    waited: usize,
}

impl Gate {
    fn start(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, state) = (folder.clone(), Arc::clone(&shared));
                // A client that has gone is no matter here.
                std::thread::spawn(move || answer(stream, &folder, &state).unwrap_or_default());
            }
        });
        Self { port, state }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on requests for paths with that ending wait.
    fn hold(&self, ending: Option<&'static str>) {
        let (state, changed) = &*self.state;
        state.lock().unwrap().held = ending;
        changed.notify_all();
    }

    /// Returns when a request waits.
    fn reached(&self) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        drop(
            changed
                .wait_while(state, |state| state.waited == 0)
                .unwrap(),
        );
    }
}

fn answer(mut stream: TcpStream, folder: &Path, state: &(Mutex<State>, Condvar)) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (state, changed) = state;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let is_held = |state: &mut State| state.held.is_some_and(|ending| path.ends_with(ending));
    if is_held(&mut state) {
        state.waited += 1;
        changed.notify_all();
        state = changed.wait_while(state, is_held).unwrap();
    }
    drop(state);
    let (status, body) = match fs::read(folder.join(path.trim_start_matches('/'))) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// The sample registry behind a gate, added as `harbour`.
fn gated() -> (Market, Gate) {
    let mut market = Market::published();
    market.stop();
    let gate = Gate::start(market.env.path("work/registry"));
    market.must(["registry", "remove", "harbour"]);
    let root = format!("sha256:{}", market.root());
    market.must(["registry", "add", "harbour", &gate.url(), "--root", &root]);
    (market, gate)
}

#[test]
fn who_waits_for_the_network_keeps_nobody_waiting() {
    let (market, gate) = gated();
    market.project("app", APP);
    market.must(["search", "tide"]);
    market.must(["info", "tide-table"]);
    let env = &market.env;
    // In the middle of a refresh.
    gate.hold(Some("2.root.json"));
    let waiting = spawn(env.command(["search", "tide"]));
    gate.reached();
    market.must(["search", "tide", "--offline"]);
    market.must(["info", "tide-table", "--offline"]);
    let other = Fixture::get().registry_dir(env);
    let url = format!("file://{}", other.display());
    let root = format!("sha256:{}", Fixture::get().root);
    market.must(["registry", "add", "lighthouse", &url, "--root", &root]);
    market.must(["search", "tide", "--registry", "lighthouse"]);
    market.must(["registry", "remove", "lighthouse"]);
    gate.hold(None);
    assert!(finish(waiting).contains("tide-table"));
}

#[test]
fn who_waits_for_an_archive_keeps_nobody_waiting() {
    let (market, gate) = gated();
    market.project("app", APP);
    let env = &market.env;
    let archive = market.archive("tide-cli");
    let name: String = archive.file_name().unwrap().to_string_lossy().into();
    gate.hold(Some(name.leak()));
    let install = "install tide-cli --debug --root programs";
    let waiting = spawn(env.command(install.split(' ')));
    gate.reached();
    let fetched = env.command(["fetch"]).folder("work/app").run();
    assert_eq!(fetched.code, Some(0), "{fetched}");
    let checked = env
        .command(["exec", "--", "check"])
        .folder("work/app")
        .run();
    assert_eq!(checked.code, Some(0), "{checked}");
    gate.hold(None);
    finish(waiting);
    let program = env.path("work/programs/bin/tide-cli");
    assert_eq!(env.program(program, [""; 0]).run().code, Some(0));
}

/// Puts the next version of `tide-table` into the registry.
fn publish(market: &Market, from: &str, to: &str) {
    market.raise(from, to);
    market.publish(&["-p", "tide-table", "--no-verify"]);
}

#[test]
fn who_was_slow_takes_nothing_back_that_another_has_learnt() {
    let (market, gate) = gated();
    market.must(["info", "tide-table"]);
    publish(&market, "0.3.1", "0.3.2");
    // It knows of the second snapshot, and waits for it.
    gate.hold(Some(".snapshot.json"));
    let slow = spawn(market.env.command(["info", "tide-table"]));
    gate.reached();
    publish(&market, "0.3.2", "0.3.3");
    // The next one is let through, since nothing ends so.
    let held = fs::read_to_string(market.env.path("work/registry/tuf/timestamp.json")).unwrap();
    let held: serde_json::Value = serde_json::from_str(&held).unwrap();
    let version = held["signed"]["meta"]["snapshot.json"]["version"]
        .as_u64()
        .unwrap();
    gate.hold(Some(format!("/{}.snapshot.json", version - 1).leak()));
    market.must(["info", "tide-table"]);
    market.must(["search", "tide"]);
    let home = market.env.cargo_home();
    let before = kept(&home);
    gate.hold(None);
    // It was overtaken, and is no attack: it goes on from what the other one has learnt.
    assert!(finish(slow).contains("0.3.3"));
    let after = kept(&home);
    for (path, bytes) in &before {
        assert!(after.get(path) == Some(bytes), "`{path}` differs");
    }
    let offline = market.run(["info", "tide-table", "--offline"]);
    assert!(offline.contains("0.3.3"), "{offline}");
}

/// A package in `work/NAME` whose build script says that it runs, and waits until nobody listens.
fn write_package(market: &Market, folder: &str, (name, version): (&str, &str), port: Option<u16>) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\
         description = \"A lock\"\nlicense = \"MIT\"\n"
    );
    let path = |file: &str| format!("work/{folder}/{file}");
    market.env.write(&path("Cargo.toml"), manifest);
    market.env.write(&path("src/lib.rs"), "");
    if let Some(port) = port {
        let script = format!(
            "use std::io::Read;\nfn main() {{\n    let mut stream = \
             std::net::TcpStream::connect((\"127.0.0.1\", {port})).unwrap();\n    \
             let _ = stream.read_to_end(&mut Vec::new());\n}}\n"
        );
        market.env.write(&path("build.rs"), script);
    }
}

/// The command that publishes the package in a folder.
fn published_from<'a>(market: &'a Market, folder: &str) -> TestCommand<'a> {
    let line = "publish --registry-dir ../registry --key harbour";
    market
        .env
        .command(line.split(' '))
        .folder(&format!("work/{folder}"))
}

#[test]
fn nobody_waits_while_another_ones_package_is_built() {
    let market = Market::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    write_package(&market, "slow", ("sluice", "1.0.0"), Some(port));
    let slow = spawn(published_from(&market, "slow"));
    let (building, _) = listener.accept().unwrap();
    write_package(&market, "quick", ("weir", "1.0.0"), None);
    let quick = published_from(&market, "quick").run();
    assert_eq!(quick.code, Some(0), "{quick}");
    drop(building);
    finish(slow);
    market.must(["registry", "check", "registry", "--deep"]);

    // What was looked at before the build is looked at again after it.
    write_package(&market, "slow", ("sluice", "1.1.0"), Some(port));
    let slow = spawn(published_from(&market, "slow"));
    let (building, _) = listener.accept().unwrap();
    write_package(&market, "other", ("sluice", "1.1.0"), None);
    let other = published_from(&market, "other").run();
    assert_eq!(other.code, Some(0), "{other}");
    drop(building);
    let slow = slow.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&slow.stderr);
    assert_eq!(slow.status.code(), Some(101), "{shown}");
    assert!(shown.contains("error[MP0604]"), "{shown}");
    market.must(["registry", "check", "registry", "--deep"]);
}

/// All but the first are refused, as the name is taken, or say that it is there; none takes away what
/// another has added.
#[test]
fn a_registry_that_many_add_at_once_is_there() {
    let env = TestEnv::new();
    let folder = Fixture::get().registry_dir(&env);
    let url = format!("file://{}", folder.display());
    let root = folder.join("tuf/1.root.json").display().to_string();
    let names = ["harbour", "harbour", "other", "harbour"];
    for _ in 0..3 {
        let add = |name| ["registry", "add", name, &url, "--root-file", &root];
        let all = names.map(|name| spawn(env.command(add(name))));
        let all = all.map(|child| child.wait_with_output().unwrap());
        assert!(all.iter().any(|one| one.status.success()), "{all:?}");
        for (name, _) in names
            .iter()
            .zip(&all)
            .filter(|(_, one)| one.status.success())
        {
            let info = ["info", "tide-table", "--registry", name];
            let shown = env.command(info).run();
            assert_eq!(shown.code, Some(0), "{shown}");
        }
        fs::remove_dir_all(env.marketplace_home()).unwrap();
    }
}

/// A process that was slow remembers versions of a thief, so high that no honest one follows, after another
/// one has taken in that the thief's key was replaced.
#[test]
fn what_a_slow_one_remembers_under_a_replaced_key_does_not_last() {
    let market = Market::of_many_keys();
    market.publish(&["--workspace", "--no-verify"]);
    market.project("app", APP);
    let choose = || {
        let fetched = market.env.command(["fetch"]).folder("work/app").run();
        assert_eq!(fetched.code, Some(0), "{fetched}");
        fs::remove_file(market.env.path("work/app/Cargo.lock")).unwrap();
        fetched.stderr
    };
    choose();
    let root = market.root();
    let upheld = format!("home/.cargo/marketplace/{root}/tuf/upheld");
    let slow = market.env.read(&upheld);
    let slow = slow.lines().map(|line| match line.split_once(' ') {
        Some((version, rest)) if version.parse::<u64>().is_ok() => format!("1000 {rest}\n"),
        _ => format!("{line}\n"),
    });
    let slow: String = slow.collect();
    assert!(slow.contains("1000 "), "{slow}");
    market.must(["key", "new", "clock", "--no-passphrase"]);
    let rotate = "registry rotate-key registry --role timestamp --add clock --remove timestamp";
    market.must(words(rotate));
    market.must(["info", "tide-table"]);
    market.env.write(&upheld, slow);
    market.must(["info", "tide-table"]);
    // What is withheld from now on leaves the copy as good as it was.
    publish(&market, "0.3.1", "0.3.2");
    let timestamp = market.file("tuf/timestamp.json");
    let timestamp: serde_json::Value = serde_json::from_str(&timestamp).unwrap();
    let version = &timestamp["signed"]["meta"]["snapshot.json"]["version"];
    let snapshot = format!("work/registry/tuf/{version}.snapshot.json");
    fs::remove_file(market.env.path(&snapshot)).unwrap();
    let told = choose();
    let withheld = format!("announced version {version} of `snapshot`, which was not received");
    assert!(told.contains(&withheld), "{told}");
}

/// Two add one registry, and the first one is refused at the end: what the second one has trusted in the
/// meantime is gone, which is said, and not found out by the commands after it.
#[test]
fn who_adds_what_another_is_refused_is_told() {
    let mut market = Market::published();
    market.stop();
    let env = &market.env;
    let (whole, broken) = (env.path("work/registry"), env.path("work/broken"));
    copy(&whole, &broken);
    fs::remove_file(broken.join("tuf/timestamp.json")).unwrap();
    let gates = [Gate::start(broken), Gate::start(whole)];
    let root = format!("sha256:{}", market.root());
    let home = env.path("home/new");
    let add = |name: &str, gate: &Gate| {
        let url = gate.url();
        let command = env.command(["registry", "add", name, &url, "--root", &root]);
        command.env("CARGO_HOME", &home)
    };
    let [first, second] = ["other", "harbour"]
        .into_iter()
        .zip(&gates)
        .map(|(name, gate)| {
            gate.hold(Some("2.root.json"));
            let child = spawn(add(name, gate));
            gate.reached();
            child
        })
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    gates[0].hold(None);
    let refused = first.wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(101), "{refused:?}");
    gates[1].hold(None);
    let told = second.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(101), "{text}");
    assert!(text.contains("took its root back"), "{text}");
    assert!(
        text.ends_with("note: nothing was added\nhelp: try again\n"),
        "{text}"
    );
    let line = ["registry", "list"];
    let listed = env.command(line).env("CARGO_HOME", &home).run();
    assert_eq!(listed.stdout, "", "{listed}");
    let again = add("harbour", &gates[1]).run();
    assert_eq!(again.code, Some(0), "{again}");
    let info = env.command(["info", "tide-table"]);
    let info = info.env("CARGO_HOME", &home).run();
    assert_eq!(info.code, Some(0), "{info}");
}
