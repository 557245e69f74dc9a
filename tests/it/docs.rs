//! The documents, tried: every command in a `console` block of `docs/*.md` and `README.md` is run, in
//! order, in a place where there is what the document says. What the commands print is not compared,
//! but they must end as announced: with 0, or with what a comment `# exit code N` says.
//!
//! Known forms: `cargo marketplace …`, `cargo …`, `cd FOLDER`; before them `NAME=value`, after them
//! `&`, which leaves the first line that is printed in `$PREVIEW`. Nothing but loopback is asked.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::env::{TestCommand, TestEnv};
use crate::samples::{Market, copy, copy_samples, crates_io, project_folder};
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
fn the_readme_is_true() {
    follow("README.md");
}

#[test]
fn there_is_no_other_document() {
    let mut names: Vec<String> = fs::read_dir(project_folder().join("docs"))
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    let known = ["formats.md", "operators.md", "publishers.md", "users.md"];
    assert_eq!(names, known, "each document needs a test");
}

#[test]
fn commands_are_read_as_a_shell_reads_them() {
    let text = "```console\n$ A=1 cargo x \"b c\" \\\n    'd' # exit code 3\nan answer\n$ cd e\n```\n\
                ```text\n$ none\n```\n";
    let read: Vec<Line> = lines(text).iter().map(|text| Line::parse(text)).collect();
    assert_eq!(read[0].variables, [("A".to_owned(), "1".to_owned())]);
    assert_eq!(read[0].words, ["cargo", "x", "b c", "d"]);
    assert_eq!((read[0].code, read[1].code, read.len()), (3, 0, 2));
}

/// Runs all commands of a document.
fn follow(document: &str) {
    let text = fs::read_to_string(project_folder().join(document)).expect("it is there");
    let commands = lines(&text);
    assert!(!commands.is_empty(), "{document} has no command");
    let mut scene = Scene::new(document);
    for command in commands {
        if !TRIED_ELSEWHERE.contains(&command.as_str()) {
            scene.run(document, &command);
        }
    }
}

/// The commands in a document's `console` blocks, broken lines joined.
fn lines(text: &str) -> Vec<String> {
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

/// A command as it is written.
struct Line {
    variables: Vec<(String, String)>,
    words: Vec<String>,
    background: bool,
    code: i32,
}

impl Line {
    fn parse(text: &str) -> Self {
        let (text, code) = match text.split_once(" # exit code ") {
            Some((text, code)) => (text, code.trim().parse().expect("a number follows")),
            None => (text, 0),
        };
        let (text, background) = match text.trim_end().strip_suffix(" &") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut words = words(text);
        let is_variable = |word: &String| word.split_once('=').is_some_and(|(n, _)| is_name(n));
        let count = words.iter().take_while(|word| is_variable(word)).count();
        let pair = |word: String| word.split_once('=').map(|(n, v)| (n.into(), v.into()));
        let variables = words.drain(..count).filter_map(pair).collect();
        Self {
            variables,
            words,
            background,
            code,
        }
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
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
    folder: String,
    /// What stands for `$NAME`; where one name begins with another, the longer one first.
    variables: Vec<(&'static str, String)>,
    servers: Vec<Child>,
}

impl Scene {
    /// Makes what the document says is there.
    fn new(document: &str) -> Self {
        let env = TestEnv::new();
        crates_io(&env, &["strsim-0.11.1"]);
        copy_samples(&env);
        let market = Market::bare(env);
        let (folder, variables) = match document {
            "docs/users.md" => for_users(&market),
            "docs/publishers.md" => for_publishers(&market),
            _ => for_operators(&market),
        };
        Self {
            market,
            folder: folder.to_owned(),
            variables,
            servers: Vec::new(),
        }
    }

    fn run(&mut self, document: &str, text: &str) {
        let line = Line::parse(&self.substitute(text));
        let mut words: Vec<&str> = line.words.iter().map(String::as_str).collect();
        if let ["cd", folder] = words[..] {
            self.folder = format!("{}/{folder}", self.folder);
            return;
        }
        // There is nobody who could type a passphrase.
        if let ["cargo", "marketplace", "key", "new", _]
        | ["cargo", "marketplace", "registry", "init", ..] = words[..]
        {
            words.push("--no-passphrase");
        }
        let env = &self.market.env;
        let command = match &words[..] {
            ["cargo", "marketplace", rest @ ..] => env.command(rest),
            ["cargo", rest @ ..] => env.cargo(rest),
            _ => panic!("{document}: no test knows how to run `{text}`"),
        };
        let mut command = command.folder(&self.folder);
        for (name, value) in &line.variables {
            command = command.env(name, value);
        }
        if line.background {
            let (server, url) = start(command);
            self.servers.push(server);
            self.variables.push(("PREVIEW", url));
            return;
        }
        let outcome = command.run();
        let fails = outcome.stderr.contains("error:") || outcome.stderr.contains("error[");
        let is_announced = outcome.code == Some(line.code) && fails == (line.code != 0);
        assert!(is_announced, "{document}: $ {text}\n{outcome}");
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
    market.must(["key", "new", "harbour", "--no-passphrase"]);
    market.publish(&["--workspace", "--no-verify"]);
    market.must(["registry", "remove", "harbour"]);
    market.project("app", "");
    let variables = vec![
        ("URL", market.url().to_owned()),
        ("ROOT", market.root.replace("sha256:", "")),
        (
            "ARCHIVE",
            market.archive("tide-table").display().to_string(),
        ),
    ];
    ("work/app", variables)
}

/// A registry without packages that was added; the sample workspace.
fn for_publishers(market: &Market) -> Place {
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

/// Starts what goes on in the background; returns the first line that it prints.
fn start(command: TestCommand<'_>) -> (Child, String) {
    let mut command = command.into_command();
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program can be started");
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    BufReader::new(out)
        .read_line(&mut line)
        .expect("it says where it is");
    (child, line.trim().to_owned())
}
