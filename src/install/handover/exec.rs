//! `exec -- <cargo arguments>`: any command of cargo, with the verified packages in its sight.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::project::{Project, prepare};
use super::{Ground, HandoverError, Session};
use crate::install::cargo::{Call, Cargo};
use crate::install::guard;
use crate::install::replacement::Purpose;
use crate::model::Event;

/// Cargo's own subcommands. What is neither one of them nor an alias is a program that starts
/// cargo anew, without our configuration.
const BUILTIN: [&str; 41] = [
    "add",
    "b",
    "bench",
    "build",
    "c",
    "check",
    "clean",
    "config",
    "d",
    "doc",
    "fetch",
    "fix",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "install",
    "locate-project",
    "login",
    "logout",
    "metadata",
    "new",
    "owner",
    "package",
    "pkgid",
    "publish",
    "r",
    "remove",
    "rm",
    "run",
    "rustc",
    "rustdoc",
    "search",
    "t",
    "test",
    "tree",
    "uninstall",
    "update",
    "vendor",
    "version",
    "yank",
];

/// Those of them that can ask a registry itself, and need the user's token then.
const WITH_TOKENS: [&str; 5] = ["info", "owner", "publish", "search", "yank"];

/// Options before the subcommand that take the next word as their value.
const WITH_VALUE: [&str; 5] = ["--config", "--color", "--explain", "-Z", "-C"];

/// Runs cargo in a folder with the user's arguments, after its project was made ready; returns how
/// it ended.
pub fn exec(
    session: Session<'_>,
    folder: &Path,
    arguments: &[OsString],
) -> Result<ExitStatus, HandoverError> {
    let given = Given::read(arguments);
    // The user may ask for no network here, too.
    let cargo = Cargo {
        offline: session.cargo.offline || given.offline,
        ..session.cargo.clone()
    };
    let session = Session {
        cargo: &cargo,
        ..session
    };
    let ground = Ground::check(session, folder)?;
    if let Some(word) = &given.word {
        guard::check_alias(word, &ground.files)?;
    }
    let ground = match (&given.manifest, has_project(folder)) {
        (None, false) => ground,
        (manifest, _) => {
            let project = Project {
                folder,
                manifest: manifest.as_deref(),
                locked: given.locked,
            };
            prepare(session, project)?.ground
        }
    };
    let config = ground.config(Purpose::Build)?;
    let is_known = |word: &String| BUILTIN.contains(&word.as_str()) || is_alias(word, &ground);
    let arguments = if given.word.as_ref().is_none_or(is_known) {
        given.with_config(config.path().as_os_str())
    } else {
        session.events.event(Event::Note(format!(
            "`{}` starts cargo by itself and does not see the verified packages; run `cargo marketplace fetch --write-config` once",
            given.word.as_deref().unwrap_or_default()
        )));
        arguments.to_vec()
    };
    let mut cargo = cargo.clone();
    if !given.is_without_tokens() {
        cargo.withheld.clear();
    }
    Ok(cargo.status(&Call::verbatim(arguments, folder))?)
}

fn has_project(folder: &Path) -> bool {
    folder
        .ancestors()
        .any(|folder| folder.join("Cargo.toml").is_file())
}

fn is_alias(word: &str, ground: &Ground<'_>) -> bool {
    let mut aliases = ground
        .files
        .iter()
        .filter_map(|file| file.table.get("alias"));
    aliases.any(|aliases| aliases.get(word).is_some())
}

/// The user's arguments, as far as they matter here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Given {
    /// The subcommand.
    word: Option<String>,
    manifest: Option<PathBuf>,
    locked: bool,
    offline: bool,
    /// The values of `--config`.
    configs: Vec<OsString>,
    /// All arguments but `--config`.
    rest: Vec<OsString>,
}

impl Given {
    fn read(arguments: &[OsString]) -> Self {
        let mut given = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            match text.as_ref() {
                "--" => {
                    given.rest.push(argument.clone());
                    given.rest.extend(arguments.by_ref().cloned());
                    break;
                }
                "--config" => given.configs.extend(arguments.next().cloned()),
                "--manifest-path" => {
                    let value = arguments.next();
                    given.manifest = value.map(PathBuf::from);
                    given.rest.push(argument.clone());
                    given.rest.extend(value.cloned());
                }
                _ => {
                    given.take(argument, &text);
                    if given.word.is_none() && WITH_VALUE.contains(&text.as_ref()) {
                        given.rest.extend(arguments.next().cloned());
                    }
                }
            }
        }
        given
    }

    /// Takes an argument that is one word.
    fn take(&mut self, argument: &OsString, text: &str) {
        if let Some(value) = text.strip_prefix("--config=") {
            self.configs.push(value.into());
            return;
        }
        if let Some(value) = text.strip_prefix("--manifest-path=") {
            self.manifest = Some(value.into());
        }
        self.locked |= matches!(text, "--locked" | "--frozen");
        self.offline |= matches!(text, "--offline" | "--frozen");
        if self.word.is_none() && !text.starts_with('-') {
            self.word = Some(text.to_owned());
        }
        self.rest.push(argument.clone());
    }

    /// Whether the subcommand has no use for tokens. Of one that is not cargo's own nobody knows.
    fn is_without_tokens(&self) -> bool {
        let word = self.word.as_deref().unwrap_or_default();
        BUILTIN.contains(&word) && !WITH_TOKENS.contains(&word)
    }

    /// The arguments with our configuration. Cargo forgets every `--config` before the subcommand
    /// if there is one after it, so all stand before it; ours is the last, and wins.
    fn with_config(&self, ours: &OsStr) -> Vec<OsString> {
        let configs = self.configs.iter().map(OsString::as_os_str).chain([ours]);
        configs
            .flat_map(|value| [OsString::from("--config"), value.to_owned()])
            .chain(self.rest.iter().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(line: &str) -> Given {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Given::read(&words)
    }

    #[test]
    fn understands_what_matters_of_cargos_arguments() {
        let read = given("--color never run --frozen --manifest-path a/Cargo.toml -- --config x");
        assert_eq!(read.word.as_deref(), Some("run"));
        assert_eq!(read.manifest, Some("a/Cargo.toml".into()));
        assert!(read.locked && read.offline && read.configs.is_empty());
        assert_eq!(given("").word, None);
        assert_eq!(given("--manifest-path=b t").manifest, Some("b".into()));
        assert_eq!(given("-- run").word, None);
    }

    #[test]
    fn only_who_asks_a_registry_gets_tokens() {
        for line in ["build --release", "r", "test", "install tide-cli", "fetch"] {
            assert!(given(line).is_without_tokens(), "{line}");
        }
        for line in ["publish", "owner --list", "release", "nextest run", ""] {
            assert!(!given(line).is_without_tokens(), "{line}");
        }
    }

    #[test]
    fn our_configuration_is_the_last_one() {
        let read = given("--config a build --config b --config=c --release");
        let line = read.with_config(OsStr::new("ours"));
        assert_eq!(
            line.join(OsStr::new(" ")),
            "--config a --config b --config c --config ours build --release"
        );
    }
}
