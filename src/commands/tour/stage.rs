//! The folder in which the tour happens, and the running of commands in it. A cargo home of its own
//! keeps the user's settings and packages out of it, and an interrupt does not leave the folder behind.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anstyle::{Effects, Style};

use super::interrupts::Interrupts;
use super::samples;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::registry::toml_file::TomlFile;

const PROMPT: Style = Style::new().effects(Effects::BOLD);

/// Variables that would lead cargo or us out of the tour's folder.
const SCRUBBED: [&str; 12] = [
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_INSTALL_ROOT",
    "CARGO_MARKETPLACE_HOME",
    "CARGO_MARKETPLACE_KEYS",
    "CARGO_MARKETPLACE_KEY_PASSPHRASE",
    "CARGO_MARKETPLACE_REGISTRY",
    "CARGO_NET_OFFLINE",
    "CARGO_REGISTRIES_HARBOUR_INDEX",
    "CARGO_REGISTRY_DEFAULT",
    "CARGO_TARGET_DIR",
    "CARGO_MARKETPLACE_NOW",
];

/// Where the tour happens.
pub(super) struct Stage<'a> {
    context: &'a Context,
    program: PathBuf,
    folder: PathBuf,
    /// Removes the folder in the end, unless it is to be kept.
    _temporary: Option<tempfile::TempDir>,
    server: Option<Child>,
    interrupts: Interrupts,
}

impl<'a> Stage<'a> {
    pub(super) fn new(context: &'a Context, keep: Option<&Path>) -> Result<Self, CommandError> {
        // Before there is anything to remove.
        let interrupts =
            Interrupts::watch().map_err(|error| failed("watch for interrupts", &error))?;
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
        Self::check_above(&folder)?;
        let stage = Self {
            context,
            program: std::env::current_exe().map_err(|error| failed("find itself", &error))?,
            folder,
            _temporary: temporary,
            server: None,
            interrupts,
        };
        stage
            .prepare()
            .map_err(|error| failed("prepare the tour", &error))?;
        Ok(stage)
    }

    /// An empty cargo home and the sample workspace.
    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.cargo_home())?;
        samples::write(&self.path("tides"))
    }

    /// Settings in a folder above the tour's must not mean another registry by the tour's name: cargo
    /// reads them, too, and what they would do is refused.
    fn check_above(folder: &Path) -> Result<(), CommandError> {
        for above in folder.ancestors().skip(1).map(|above| above.join(".cargo")) {
            // A file that cannot be read is cargo's to complain of.
            let Ok(settings) = TomlFile::load_of_cargo(&above) else {
                continue;
            };
            let registries = settings.document.get("registries");
            if registries.is_some_and(|names| names.get("harbour").is_some()) {
                let path = settings.path.display();
                let text = format!("`{path}` names a registry `harbour`, as the tour does");
                let folder = above.parent().unwrap_or(&above).display();
                let help = format!("do the tour outside of `{folder}`");
                return Err(CommandError::failure(text)
                    .with_note("cargo reads it in every folder below")
                    .with_help(help));
            }
        }
        Ok(())
    }

    /// Also the nearest folder of settings to all that happens, so that those of folders above the
    /// tour's come after it.
    pub(super) fn cargo_home(&self) -> PathBuf {
        self.folder.join(".cargo")
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
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
        let mut command = self.command(&self.program, "")?;
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
        let mut command = self.command(&self.program, "")?;
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
        let mut command = self.command(program, folder)?;
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

    /// A command of the tour: it knows no settings but the tour's own, and needs no network but this
    /// machine's, which is reached without a proxy.
    fn command(&self, program: &Path, folder: &str) -> Result<Command, CommandError> {
        let mut command = self.scrubbed(program, folder)?;
        command
            .env("CARGO_HOME", self.cargo_home())
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .env_remove("CARGO_HTTP_PROXY");
        Ok(command)
    }

    /// Cargo, without what would lead it out of the tour's folder.
    pub(super) fn scrubbed_cargo(&self, folder: &str) -> Result<Command, CommandError> {
        self.scrubbed(&self.cargo(), folder)
    }

    fn scrubbed(&self, program: &Path, folder: &str) -> Result<Command, CommandError> {
        if self.interrupts.came() {
            return Err(CommandError::failure("the tour was interrupted"));
        }
        let mut command = Command::new(program);
        command
            .current_dir(self.path(folder))
            .env("CARGO", self.cargo())
            .stdin(Stdio::null());
        for variable in SCRUBBED {
            command.env_remove(variable);
        }
        Ok(command)
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

pub(super) fn failed(action: &str, error: &io::Error) -> CommandError {
    CommandError::failure(format!("could not {action}")).caused_by(Some(error))
}

fn unexpected(line: &str, status: &str) -> CommandError {
    CommandError::failure(format!("`{line}` ended unexpectedly ({status})"))
}
