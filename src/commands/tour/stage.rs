//! The folder in which the tour happens, and the running of commands in it. A cargo home of its own
//! keeps the user's settings and packages out of it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anstyle::{Effects, Style};

use super::samples;
use crate::commands::context::Context;
use crate::commands::error::CommandError;

const PROMPT: Style = Style::new().effects(Effects::BOLD);

/// Variables that would lead cargo or us out of the tour's folder.
const SCRUBBED: [&str; 9] = [
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_INSTALL_ROOT",
    "CARGO_MARKETPLACE_HOME",
    "CARGO_MARKETPLACE_KEYS",
    "CARGO_MARKETPLACE_KEY_PASSPHRASE",
    "CARGO_MARKETPLACE_REGISTRY",
    "CARGO_REGISTRY_DEFAULT",
    "CARGO_TARGET_DIR",
    "SOURCE_DATE_EPOCH",
];

/// Where the tour happens.
pub(super) struct Stage<'a> {
    context: &'a Context,
    program: PathBuf,
    folder: PathBuf,
    /// Removes the folder in the end, unless it is to be kept.
    _temporary: Option<tempfile::TempDir>,
    server: Option<Child>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(context: &'a Context, keep: Option<&Path>) -> Result<Self, CommandError> {
        let (folder, temporary) = if let Some(folder) = keep {
            (context.absolute(folder), None)
        } else {
            let made = tempfile::Builder::new()
                .prefix("cargo-marketplace-tour-")
                .tempdir();
            let made = made.map_err(|error| failed("make a temporary folder", &error))?;
            (made.path().to_owned(), Some(made))
        };
        if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
            let text = format!("`{}` is not empty", folder.display());
            return Err(CommandError::failure(text).with_help("name a new folder"));
        }
        let stage = Self {
            context,
            program: std::env::current_exe().map_err(|error| failed("find itself", &error))?,
            folder,
            _temporary: temporary,
            server: None,
        };
        stage
            .prepare()
            .map_err(|error| failed("prepare the tour", &error))?;
        Ok(stage)
    }

    /// The cargo home gets the user's settings, and of the packages fetched before the one that
    /// the sample needs.
    fn prepare(&self) -> io::Result<()> {
        let home = self.cargo_home();
        fs::create_dir_all(&home)?;
        for file in ["config.toml", "config"] {
            let settings = self.context.cargo_home.join(file);
            if settings.is_file() {
                fs::copy(settings, home.join(file))?;
            }
        }
        copy_matching(
            &self.context.cargo_home.join("registry"),
            &home.join("registry"),
        )?;
        let workspace = self.folder.join("tides");
        samples::write(&workspace)
    }

    fn cargo_home(&self) -> PathBuf {
        self.folder.join("cargo-home")
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Takes the crate from crates.io out of the sample if it is not to be had.
    pub(super) fn check_foreign(&self) -> Result<(), CommandError> {
        let probe = self.folder.join("probe");
        let manifest = format!(
            "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n{} = \"0.11\"\n",
            samples::FOREIGN
        );
        let written = fs::create_dir_all(probe.join("src"))
            .and_then(|()| fs::write(probe.join("src/lib.rs"), ""))
            .and_then(|()| fs::write(probe.join("Cargo.toml"), manifest));
        written.map_err(|error| failed("prepare the tour", &error))?;
        let fetched = [&["fetch", "--offline"][..], &["fetch"]]
            .iter()
            .any(|arguments| {
                let mut cargo = self.command(&self.cargo(), "probe");
                let quiet = cargo
                    .args(*arguments)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                quiet.status().is_ok_and(|status| status.success())
            });
        if !fetched {
            let workspace = self.folder.join("tides");
            samples::without_foreign(&workspace).map_err(|e| failed("prepare the tour", &e))?;
            self.context
                .shell
                .note("crates.io is not reachable: the sample does without it");
        }
        fs::remove_dir_all(probe).map_err(|error| failed("prepare the tour", &error))
    }

    /// Becomes a newcomer: what was learnt of registries is gone, the keys stay.
    pub(super) fn forget(&self) -> Result<(), CommandError> {
        let home = self.cargo_home().join("marketplace");
        let moved = fs::rename(&home, self.folder.join("before"));
        moved.map_err(|error| failed("become a newcomer", &error))
    }

    /// Says what comes next.
    pub(super) fn say(&self, text: &str) {
        self.context.shell.line("");
        self.context.shell.line(&format!("# {text}"));
    }

    /// Runs `cargo marketplace` and expects that it ends with `code`.
    pub(super) fn marketplace(
        &self,
        folder: &str,
        line: &str,
        code: i32,
    ) -> Result<(), CommandError> {
        self.run(
            folder,
            &format!("cargo marketplace {line}"),
            &self.program,
            line,
            code,
        )
    }

    /// Runs stock cargo.
    pub(super) fn stock_cargo(&self, folder: &str, line: &str) -> Result<(), CommandError> {
        self.run(folder, &format!("cargo {line}"), &self.cargo(), line, 0)
    }

    /// Runs a program that was installed.
    pub(super) fn installed(&self, program: &str, line: &str) -> Result<(), CommandError> {
        let path = self.path("installed/bin").join(program);
        self.run(
            "",
            &format!("installed/bin/{program} {line}"),
            &path,
            line,
            0,
        )
    }

    /// Runs `cargo marketplace` for its answer.
    pub(super) fn answer(&self, line: &str) -> Result<String, CommandError> {
        self.show("", &format!("cargo marketplace {line}"));
        let mut command = self.command(&self.program, "");
        let output = command
            .args(line.split_whitespace())
            .stderr(Stdio::inherit())
            .output();
        let output = output.map_err(|error| failed("run itself", &error))?;
        self.context.shell.bytes(&output.stdout);
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(unexpected(line, &output.status.to_string())),
        }
    }

    /// Starts `registry serve`, and returns the address.
    pub(super) fn serve(&mut self, line: &str) -> Result<String, CommandError> {
        self.show("", &format!("cargo marketplace {line} &"));
        let mut command = self.command(&self.program, "");
        let command = command.args(line.split_whitespace()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::null()).spawn();
        let child = self
            .server
            .insert(child.map_err(|error| failed("run itself", &error))?);
        let mut url = String::new();
        if let Some(out) = child.stdout.take() {
            let read = BufReader::new(out).read_line(&mut url);
            read.map_err(|error| failed("read the server's address", &error))?;
        }
        let url = url.trim().to_owned();
        self.context.shell.line(&url);
        Ok(url)
    }

    fn run(
        &self,
        folder: &str,
        shown: &str,
        program: &Path,
        line: &str,
        code: i32,
    ) -> Result<(), CommandError> {
        self.show(folder, shown);
        let mut command = self.command(program, folder);
        let status = command.args(line.split_whitespace()).status();
        let status = status.map_err(|error| failed(&format!("run `{shown}`"), &error))?;
        match status.code() == Some(code) {
            true => Ok(()),
            false => Err(unexpected(line, &status.to_string())),
        }
    }

    fn show(&self, folder: &str, line: &str) {
        let at = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder} ")
        };
        self.context
            .shell
            .styled_line(&[(PROMPT, &format!("{at}$ {line}"))]);
        // The command prints on the same streams.
        self.context.shell.flush();
    }

    fn command(&self, program: &Path, folder: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(folder))
            .env("CARGO_HOME", self.cargo_home())
            .env("CARGO", self.cargo())
            .stdin(Stdio::null());
        for variable in SCRUBBED {
            command.env_remove(variable);
        }
        command
    }

    fn cargo(&self) -> PathBuf {
        OsString::from(&self.context.cargo).into()
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Copies what belongs to the crate from crates.io, and the registries' settings, out of cargo's
/// folder of indexes and archives.
fn copy_matching(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        let text = name.to_string_lossy();
        if source.is_dir() && text != "src" && text != ".git" {
            copy_matching(&source, &target)?;
        } else if source.is_file() && (text.starts_with(samples::FOREIGN) || text == "config.json")
        {
            fs::create_dir_all(to)?;
            fs::copy(source, target)?;
        }
    }
    Ok(())
}

fn failed(action: &str, error: &io::Error) -> CommandError {
    CommandError::failure(format!("could not {action}")).caused_by(Some(error))
}

fn unexpected(line: &str, status: &str) -> CommandError {
    CommandError::failure(format!("`{line}` ended unexpectedly ({status})"))
}
