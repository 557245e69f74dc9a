//! The documents, tried: every command in a `console` block of `docs/*.md` and `README.md` is run, in
//! order, in a place where there is what the document says. What the commands print is not compared,
//! but they must end as announced: with 0, or with what a comment `# exit code N` says.
//!
//! Known forms: `cargo …`, before it `CARGO_…=value`; `cargo marketplace … &`, whose first line is then
//! `$PREVIEW`. Nothing but loopback is asked.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::samples::{Market, copy, project_folder};
use crate::small_registry::archive;

/// The README's two commands: the tour has a test of its own, and the other one is running.
const TRIED_ELSEWHERE: [&str; 2] = ["cargo run --release -- tour", "cargo test"];

#[test]
fn the_documents_for_users_are_true() {
    follow("docs/users.md");
}

#[test]
fn the_documents_for_publishers_are_true() {
    follow("docs/publishers.md");
}

#[test]
fn the_documents_for_operators_are_true() {
    follow("docs/operators.md");
}

#[test]
fn the_documents_on_formats_are_true() {
    follow("docs/formats.md");
}

#[test]
fn the_documents_on_security_are_true() {
    follow("docs/security.md");
}

#[test]
fn the_readme_is_true() {
    follow("README.md");
}

#[test]
fn there_is_no_other_document() {
    let known = [
        "formats.md",
        "operators.md",
        "publishers.md",
        "security.md",
        "users.md",
    ];
    for entry in fs::read_dir(project_folder().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name.as_str()),
            "no test follows `docs/{name}`"
        );
    }
}

#[test]
fn commands_are_read_as_a_shell_reads_them() {
    let text = "```console\n$ cargo x \"b c\" \\\n    'd' # exit code 3\nan answer\n$ cd e\n```\n\
                ```text\n$ none\n```\n";
    let read: Vec<Vec<String>> = commands(text).iter().map(|line| words(line)).collect();
    let first = ["cargo", "x", "b c", "d", "#", "exit", "code", "3"];
    assert_eq!(read, [&first[..], &["cd", "e"]]);
}

/// Runs all commands of a document.
fn follow(document: &str) {
    let text = fs::read_to_string(project_folder().join(document)).expect("it is there");
    let commands = commands(&text);
    assert!(!commands.is_empty(), "{document} has no command");
    let mut scene = Scene::new(document);
    for command in commands {
        if !TRIED_ELSEWHERE.contains(&command.as_str()) {
            scene.run(document, &command);
        }
    }
}

/// The commands in a document's `console` blocks, broken lines joined.
fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(open) = commands.last_mut().filter(|_| goes_on) {
            open.push_str(line);
            goes_on = line.ends_with('\\');
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            commands.push(command.to_owned());
            goes_on = line.ends_with('\\');
        }
    }
    let joined = commands.iter().map(|command| command.replace('\\', " "));
    joined.collect()
}

/// Words between spaces; quotes keep what is between them together.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quote) = (Vec::new(), None);
    let mut word: Option<String> = None;
    for c in text.chars() {
        match c {
            '"' | '\'' if quote.is_none() || quote == Some(c) => {
                quote = quote.is_none().then_some(c);
                word.get_or_insert_default();
            }
            ' ' if quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote stays open: {text}");
    words.extend(word);
    words
}

/// Where a document's commands are run.
struct Scene {
    market: Market,
    folder: &'static str,
    /// What stands for `$NAME`; where one name begins with another, the longer one first.
    variables: Vec<(&'static str, String)>,
    servers: Vec<Child>,
}

impl Scene {
    /// Makes what the document says is there.
    fn new(document: &str) -> Self {
        let market = Market::empty();
        let (folder, variables) = match document {
            "docs/users.md" => for_users(&market),
            "docs/publishers.md" => for_publishers(&market),
            _ => for_operators(&market),
        };
        Self {
            market,
            folder,
            variables,
            servers: Vec::new(),
        }
    }

    fn run(&mut self, document: &str, text: &str) {
        let all = words(&self.substitute(text));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (all, code) = match &all[..] {
            [rest @ .., "#", "exit", "code", code] => (rest, code.parse().expect("a number")),
            all => (all, 0),
        };
        let is_setting = |word: &&&str| word.starts_with("CARGO_") && word.contains('=');
        let (settings, all) = all.split_at(all.iter().take_while(is_setting).count());
        let env = &self.market.env;
        let mut command = match all {
            ["cargo", "marketplace", rest @ .., "&"] => return self.start(rest),
            ["cargo", "marketplace", rest @ ..] => env.command(rest.iter().chain(unattended(rest))),
            ["cargo", rest @ ..] => env.cargo(rest),
            _ => panic!("{document}: no test knows how to run `{text}`"),
        };
        for (name, value) in settings.iter().filter_map(|word| word.split_once('=')) {
            command = command.env(name, value);
        }
        let outcome = command.folder(self.folder).run();
        let fails = outcome.stderr.contains("error:") || outcome.stderr.contains("error[");
        let is_announced = outcome.code == Some(code) && fails == (code != 0);
        assert!(is_announced, "{document}: $ {text}\n{outcome}");
    }

    /// Starts what goes on in the background, and keeps the first line that it prints.
    fn start(&mut self, arguments: &[&str]) {
        let mut command = self.market.env.command(arguments).into_command();
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        out.read_line(&mut line).expect("it says where it is");
        self.variables.push(("PREVIEW", line.trim().to_owned()));
        self.servers.push(child);
    }

    fn substitute(&self, text: &str) -> String {
        if text.contains("$SUBMISSION") {
            sign(&self.market);
        }
        let replaced =
            |text: String, (name, value): &(&str, String)| text.replace(&format!("${name}"), value);
        self.variables.iter().fold(text.to_owned(), replaced)
    }
}

/// What else is said where there is nobody who could type a passphrase.
fn unattended(arguments: &[&str]) -> &'static [&'static str] {
    match arguments {
        ["key", "new", _] | ["key", "rotate", ..] | ["registry", "init", ..] => {
            &["--no-passphrase"]
        }
        _ => &[],
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

type Place = (&'static str, Vec<(&'static str, String)>);

/// A registry that holds the samples and was not added yet; an empty project.
fn for_users(market: &Market) -> Place {
    market.publish(&["--workspace", "--no-verify"]);
    market.must(["registry", "remove", "harbour"]);
    market.project("app", "");
    let folder = market.env.path("work/registry");
    let variables = vec![
        ("MIRROR", format!("file://{}/", folder.display())),
        ("URL", market.url().to_owned()),
        ("ROOT", market.root().to_string()),
        (
            "ARCHIVE",
            market.archive("tide-table").display().to_string(),
        ),
    ];
    ("work/app", variables)
}

/// A registry without packages that was added; the sample workspace; no key of a publisher.
fn for_publishers(market: &Market) -> Place {
    for key in ["harbour.pem", "harbour.pub.pem"] {
        let keys = market.env.marketplace_home().join("keys");
        fs::remove_file(keys.join(key)).expect("it is ours");
    }
    let registry = market.env.path("work/registry").display().to_string();
    ("work/samples", vec![("REGISTRY", registry)])
}

/// No registry and no keys; archives, and a copy of the repository's `registry-index`.
fn for_operators(market: &Market) -> Place {
    let env = &market.env;
    fs::remove_dir_all(env.marketplace_home()).expect("it is ours");
    copy(
        &project_folder().join("registry-index"),
        &env.path("work/registry-index"),
    );
    let archives = ["libm-lite", "moon-phase"].map(|name| {
        let path = format!("work/archives/{name}-1.0.0.crate");
        env.write(&path, archive(name, "1.0.0", ""))
            .display()
            .to_string()
    });
    let own = env.write(
        "work/own/sluice-1.0.0.crate",
        archive("sluice", "1.0.0", ""),
    );
    env.write("work/counts.csv", "tide-table,1204\nmoon-phase,7\n");
    let path = |path: &str| env.path(path).display().to_string();
    let variables = vec![
        ("REGISTRY", path("work/new")),
        ("URL", "https://registry.example.org/".to_owned()),
        ("PWD", path("work")),
        ("ARCHIVES", archives.join(" ")),
        ("OWN", own.display().to_string()),
        ("SUBMISSION", path("work/packaged/tide-table.submission")),
    ];
    ("work", variables)
}

/// Does what a publisher does before an operator gets a submission; once.
fn sign(market: &Market) {
    if market.env.path("work/packaged").is_dir() {
        return;
    }
    let package = [
        "package",
        "-p",
        "tide-table",
        "--no-verify",
        "-o",
        "../packaged",
    ];
    let outcome = market.env.command(package).folder("work/samples").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    market.must(["key", "new", "lighthouse", "--no-passphrase"]);
    let packaged = "packaged/tide-table-0.3.1.crate";
    market.must([
        "sign",
        packaged,
        "--registry-dir",
        "new",
        "--key",
        "lighthouse",
    ]);
}
