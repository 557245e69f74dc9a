//! Running stock cargo. Only the program that the caller names is run, with an environment that
//! holds no signing key and no token that it can do without: cargo runs build scripts, and those read what they can.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use semver::Version;

use crate::model::KEY_VARIABLES;

/// How much of what cargo said is repeated in an error.
const TOLD: usize = 4000;

/// Stock cargo and what all its calls have in common.
#[derive(Debug, Clone)]
pub struct Cargo {
    /// The program: what the variable `CARGO` names, which is the real one behind a rustup proxy.
    pub program: PathBuf,
    /// Cargo's home, absolute.
    pub home: PathBuf,
    /// Whether cargo must not use the network.
    pub offline: bool,
    /// Whether its status lines are left away.
    pub quiet: bool,
    /// Variables of the environment that it does not get: tokens for which it has no use. It would
    /// hand them on to build scripts.
    pub withheld: Vec<String>,
}

/// Why a call of cargo came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// The program could not be run.
    #[error("could not run `{}`", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Cargo failed, and what it said is in the message.
    #[error("`cargo {command}` failed ({status}):\n{stderr}")]
    FailedSaying {
        /// The subcommand.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, cut to its end.
        stderr: String,
    },
    /// Cargo failed and has told the user why.
    #[error("`cargo {command}` failed ({status})")]
    Failed {
        /// The subcommand.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Cargo answered something that we do not understand.
    #[error("could not read what `cargo {command}` answered: {reason}")]
    Answer {
        /// The subcommand.
        command: &'static str,
        /// Why.
        reason: String,
    },
}

/// One call: a subcommand, its arguments, and where it runs.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    arguments: Vec<OsString>,
    folder: &'a Path,
    network: bool,
}

impl<'a> Call<'a> {
    /// A call of `subcommand` in `folder` with a configuration file.
    ///
    /// The file follows the subcommand. Where `--config` stands on both sides of it, cargo forgets
    /// those before it.
    pub(super) fn new(subcommand: &str, folder: &'a Path, config: &Path) -> Self {
        Self {
            arguments: vec![subcommand.into(), "--config".into(), config.into()],
            folder,
            network: true,
        }
    }

    /// A call with arguments as they are, the subcommand among them.
    pub(super) fn verbatim(arguments: Vec<OsString>, folder: &'a Path) -> Self {
        Self {
            arguments,
            folder,
            network: true,
        }
    }

    pub(super) fn with<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        let arguments = arguments.into_iter().map(|a| a.as_ref().to_owned());
        self.arguments.extend(arguments);
        self
    }

    /// The same call without network, whatever the settings are.
    pub(super) fn without_network(mut self) -> Self {
        self.network = false;
        self
    }

    fn name(&self) -> String {
        let name = self.arguments.first();
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

impl Cargo {
    /// The compiler of the same toolchain.
    #[must_use]
    pub fn rustc(&self) -> PathBuf {
        let rustc = format!("rustc{}", std::env::consts::EXE_SUFFIX);
        let beside = self.program.with_file_name(&rustc);
        if beside.is_file() {
            beside
        } else {
            rustc.into()
        }
    }

    /// The version of that compiler.
    pub fn rustc_version(&self) -> Result<Version, CargoError> {
        let program = self.rustc();
        let output = Command::new(&program)
            .arg("-V")
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|source| CargoError::Run { program, source })?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text
            .split_whitespace()
            .nth(1)
            .and_then(|text| text.parse().ok());
        version.ok_or(CargoError::Answer {
            command: "rustc -V",
            reason: format!("`{}` names no version", text.trim()),
        })
    }

    /// The platform that builds here, as `x86_64-unknown-linux-gnu`.
    pub(super) fn host(&self, folder: &Path) -> Result<String, CargoError> {
        let answer = self.answer(&Call::verbatim(vec!["-vV".into()], folder))?;
        let answer = String::from_utf8_lossy(&answer);
        let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(ToOwned::to_owned).ok_or(CargoError::Answer {
            command: "-vV",
            reason: "it names no host".into(),
        })
    }

    /// Runs cargo in a folder with arguments of ours and no configuration.
    pub fn plain(&self, folder: &Path, arguments: &[OsString]) -> Result<ExitStatus, CargoError> {
        self.status(&Call::verbatim(arguments.to_vec(), folder))
    }

    /// Runs cargo for its standard output; what it says besides is told only if it fails.
    pub(super) fn answer(&self, call: &Call<'_>) -> Result<Vec<u8>, CargoError> {
        let output = self
            .command(call)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| self.not_run(source))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        let start = said.len().saturating_sub(TOLD);
        let start = (start..=said.len()).find(|at| said.is_char_boundary(*at));
        Err(CargoError::FailedSaying {
            command: call.name(),
            status: output.status,
            stderr: said[start.unwrap_or_default()..].to_owned(),
        })
    }

    /// Runs cargo in sight of the user.
    pub(super) fn run(&self, call: &Call<'_>) -> Result<(), CargoError> {
        let status = self.status(call)?;
        if status.success() {
            return Ok(());
        }
        Err(CargoError::Failed {
            command: call.name(),
            status,
        })
    }

    /// Runs cargo in sight of the user, and returns how it ended.
    pub(super) fn status(&self, call: &Call<'_>) -> Result<ExitStatus, CargoError> {
        self.command(call)
            .status()
            .map_err(|source| self.not_run(source))
    }

    fn command(&self, call: &Call<'_>) -> Command {
        let mut command = Command::new(&self.program);
        // Before the subcommand, where they reach every kind of it.
        if self.offline || !call.network {
            command.arg("--offline");
        }
        if self.quiet {
            command.arg("--quiet");
        }
        command.args(&call.arguments);
        command
            .current_dir(call.folder)
            .env("CARGO_HOME", &self.home);
        for variable in KEY_VARIABLES {
            command.env_remove(variable);
        }
        for variable in &self.withheld {
            command.env_remove(variable);
        }
        command
    }

    fn not_run(&self, source: io::Error) -> CargoError {
        CargoError::Run {
            program: self.program.clone(),
            source,
        }
    }
}
