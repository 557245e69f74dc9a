//! The program's layers, read off its sources: which folder may import which, what a pure folder may
//! touch, and where the few special things stand. Says nothing about behaviour.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of `src`; each may import itself and those before it.
const LAYERS: [&str; 12] = [
    "model", "formats", "trust", "rollout", "ranking", "disk", "dataset", "registry", "install",
    "publish", "site", "commands",
];

/// The folders without I/O, clock, environment or randomness.
const PURE: [&str; 5] = ["model", "formats", "trust", "rollout", "ranking"];

/// What a pure folder never names.
const IMPURE: [&str; 15] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "getrandom",
    "libc::",
    "reqwest",
    "hyper",
    "tokio",
];

/// The most lines that a file has before its tests.
const MOST_LINES: usize = 400;

/// A file of `src`.
struct Source {
    /// Relative to `src`, with `/` on every system.
    path: String,
    text: String,
}

impl Source {
    /// The folder of `src` that it lies in; none for `lib.rs` and `main.rs`.
    fn layer(&self) -> Option<&str> {
        self.path.split_once('/').map(|(layer, _)| layer)
    }

    /// Its lines before its tests, numbered from 1.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let end = lines
            .windows(2)
            .position(|two| two[0] == "#[cfg(test)]" && two[1] == "mod tests {")
            .unwrap_or(lines.len());
        lines
            .into_iter()
            .take(end)
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Its lines of code before its tests: without those that are comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.shipped()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Each line of code for which `finding` has something to say.
    fn findings(&self, finding: impl Fn(&str) -> Option<String>) -> Vec<String> {
        self.code()
            .filter_map(|(line, code)| Some((line, finding(code)?)))
            .map(|(line, found)| format!("src/{}:{line}: {found}", self.path))
            .collect()
    }

    /// How many modules lie between the crate's root and this file's module, itself included.
    fn depth(&self) -> usize {
        let names = self.path.split('/').count();
        names - usize::from(self.path.ends_with("/mod.rs"))
    }
}

/// All of `src` but its test modules.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut sources: Vec<Source> = files
        .iter()
        .map(|file| Source {
            path: relative(file, &root),
            text: fs::read_to_string(file).unwrap(),
        })
        .collect();
    let tests: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    sources.retain(|source| !belongs_to_tests(&source.path, &tests));
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(sources.len() > 50, "src was not found whole");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn relative(file: &Path, root: &Path) -> String {
    let names = file.strip_prefix(root).unwrap().iter();
    names
        .map(|name| name.to_str().unwrap())
        .collect::<Vec<_>>()
        .join("/")
}

/// The modules in files of their own that a file declares for tests only, as paths without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = source.path.strip_suffix("/mod.rs");
    let folder = folder.or(source.path.strip_suffix(".rs")).unwrap();
    let lines: Vec<&str> = source.text.lines().collect();
    lines
        .windows(2)
        .filter(|two| two[0] == "#[cfg(test)]")
        .filter_map(|two| two[1].strip_suffix(';')?.split_once("mod "))
        .map(|(_, name)| format!("{folder}/{name}"))
        .collect()
}

fn belongs_to_tests(path: &str, tests: &BTreeSet<String>) -> bool {
    let module = path
        .strip_suffix("/mod.rs")
        .or(path.strip_suffix(".rs"))
        .unwrap();
    tests.iter().any(|test| {
        module == test
            || module
                .strip_prefix(test)
                .is_some_and(|rest| rest.starts_with('/'))
    })
}

/// The rank of a folder of `src`.
fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

/// The folders that a line names by `crate::`.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter_map(|(start, word)| {
        let path = &line[start + word.len()..];
        let end = path
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(path.len());
        (!line[..start].ends_with('$')).then_some(&path[..end])
    })
}

/// Asserts that there is nothing to report.
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "{}\n", findings.join("\n"));
}

/// The findings of all files that `applies` to.
fn search(
    applies: impl Fn(&Source) -> bool,
    finding: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let sources = sources();
    let sources = sources.iter().filter(|source| applies(source));
    sources
        .flat_map(|source| source.findings(&finding))
        .collect()
}

/// Says that a line names one of these words.
fn names<'a>(words: &'a [&str]) -> impl Fn(&str) -> Option<String> + 'a {
    move |line| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some(format!("names `{word}`"))
    }
}

#[test]
fn a_folder_imports_only_folders_above_it() {
    let mut findings = Vec::new();
    for source in sources() {
        let Some(layer) = source.layer() else {
            continue;
        };
        let Some(own) = rank(layer) else {
            findings.push(format!("src/{}: `{layer}` is no layer", source.path));
            continue;
        };
        let folder = source.findings(|line| {
            let below = imported(line).find(|name| rank(name).is_none_or(|rank| rank > own))?;
            Some(format!("`{layer}` imports `{below}`"))
        });
        findings.extend(folder);
    }
    assert_none(&findings);
}

#[test]
fn no_path_climbs_out_of_its_folder() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.layer().is_some()) {
        let climb = "super::".repeat(source.depth());
        findings.extend(source.findings(names(&[&climb])));
    }
    assert_none(&findings);
}

#[test]
fn pure_folders_touch_nothing_outside() {
    assert_none(&search(
        |source| source.layer().is_some_and(|layer| PURE.contains(&layer)),
        names(&IMPURE),
    ));
}

#[test]
fn only_trust_calls_ed25519() {
    assert_none(&search(
        |source| source.layer() != Some("trust"),
        names(&["ed25519_dalek"]),
    ));
}

#[test]
fn only_registry_uses_the_network() {
    assert_none(&search(
        |source| source.layer() != Some("registry"),
        names(&["reqwest", "hyper", "TcpStream", "TcpListener", "UdpSocket"]),
    ));
}

#[test]
fn only_the_shell_and_the_prompt_print() {
    let elsewhere = |source: &Source| {
        !source.path.starts_with("commands/shell") && source.path != "commands/prompt.rs"
    };
    let words = [
        "print!(",
        "println!(",
        "io::stdout()",
        "io::stderr()",
        "Stdout",
        "Stderr",
    ];
    assert_none(&search(elsewhere, names(&words)));
}

#[test]
fn features_are_told_apart_in_two_files() {
    let known = ["commands/mod.rs", "lib.rs", "registry/backend/mod.rs"];
    let feature = |line: &str| line.contains("cfg").then(|| names(&["feature = "])(line))?;
    assert_none(&search(
        |source| !known.contains(&source.path.as_str()),
        feature,
    ));
    let in_lib = search(|source| source.path == "lib.rs", feature);
    assert!(
        in_lib.len() <= 1,
        "lib.rs leaves out one module at most: {in_lib:?}"
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let mute = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "));
    assert_none(
        &mute
            .map(|source| format!("src/{}: no `//!` head", source.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_are_short() {
    let lengths = sources()
        .into_iter()
        .map(|source| (source.shipped().count(), source.path));
    let long = lengths.filter(|(lines, _)| *lines > MOST_LINES);
    assert_none(
        &long
            .map(|(lines, path)| format!("src/{path}: {lines} lines"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn ignored_tests_say_what_they_need() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root.join(folder), &mut files);
    }
    let mut findings = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let ignored = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("#[ignore"));
        let silent = ignored.filter(|line| !line.starts_with("#[ignore = \"needs "));
        findings.extend(silent.map(|line| format!("{}: {line}", relative(&file, root))));
    }
    assert_none(&findings);
}

#[test]
fn this_test_sees_what_it_looks_for() {
    assert_eq!(
        imported("use crate::model::Version;").collect::<Vec<_>>(),
        ["model"]
    );
    assert_eq!(
        imported("fn f(a: crate::trust::X) -> crate::formats::Y").count(),
        2
    );
    assert_eq!(
        imported("use crate::{model, trust};").collect::<Vec<_>>(),
        [""]
    );
    assert_eq!(rank(""), None);
    let source = Source {
        path: "trust/tuf/mod.rs".into(),
        text: "//! std::fs\nuse std::fs;\n#[cfg(test)]\nmod testing;\nuse a;\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}".into(),
    };
    assert_eq!(
        source.findings(names(&IMPURE)),
        ["src/trust/tuf/mod.rs:2: names `std::fs`"]
    );
    assert_eq!(source.shipped().count(), 5);
    assert_eq!(source.depth(), 2);
    let tests = test_modules(&source).into_iter().collect();
    assert!(belongs_to_tests("trust/tuf/testing/case.rs", &tests));
    assert!(!belongs_to_tests("trust/tuf/testing_more.rs", &tests));
}
