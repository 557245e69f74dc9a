//! A place of its own for each test: folders, environment and clock, so that a test runs the real
//! program and neither sees nor touches the machine it runs on.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// The time in tests: 2026-11-22T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_348_800;

/// A temporary home, and the program run in it.
pub(crate) struct TestEnv {
    root: TempDir,
    /// The real path of `root`, which may be reached by links.
    real: PathBuf,
}

/// A program about to be run.
pub(crate) struct TestCommand<'a> {
    env: &'a TestEnv,
    command: Command,
    stdin: Vec<u8>,
    digests: bool,
}

/// What a program did, redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("tests have a folder for temporary files");
        let real = fs::canonicalize(root.path()).expect("it was just made");
        let env = Self { root, real };
        for folder in ["home/.cargo", "tmp", "work"] {
            fs::create_dir_all(env.path(folder)).expect("the folder is new and ours");
        }
        env
    }

    /// A path below the temporary folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.real.join(path)
    }

    /// The working folder.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn cargo_home(&self) -> PathBuf {
        self.path("home/.cargo")
    }

    /// Our folder in cargo's home.
    pub(crate) fn marketplace_home(&self) -> PathBuf {
        self.cargo_home().join("marketplace")
    }

    /// Writes a file below the temporary folder, and the folders above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        let folder = path
            .parent()
            .expect("the path has the temporary folder above it");
        fs::create_dir_all(folder).expect("the folder is ours");
        fs::write(&path, content).expect("the folder is ours");
        path
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| format!("{path}: {error}"))
    }

    /// Runs the program and shows all that it did.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        self.command(arguments).run().to_string()
    }

    /// The program with arguments, to be run.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> TestCommand<'_> {
        self.program(env!("CARGO_BIN_EXE_cargo-marketplace"), arguments)
    }

    /// Stock cargo with arguments, to be run; it finds our program as its subcommand.
    pub(crate) fn cargo<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> TestCommand<'_> {
        self.program(real_cargo(), arguments)
    }

    /// Any program with arguments, to be run in this place.
    pub(crate) fn program<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> TestCommand<'_> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.work());
        command.env_clear().envs(self.environment());
        TestCommand {
            env: self,
            command,
            stdin: Vec::new(),
            digests: false,
        }
    }

    fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let mut all = vec![
            ("HOME", self.path("home").into()),
            ("CARGO_HOME", self.cargo_home().into()),
            ("TMPDIR", self.path("tmp").into()),
            ("CARGO_MARKETPLACE_NOW", NOW.to_string().into()),
            // The time stands still: a copy would be recent for ever.
            ("CARGO_MARKETPLACE_REFRESH_AFTER", "0".into()),
            ("CARGO", real_cargo().into()),
            ("PATH", path_variable()),
        ];
        // Without these, rustup's and Windows' own programs do not start.
        for name in ["RUSTUP_TOOLCHAIN", "SYSTEMROOT", "TEMP"] {
            all.extend(variable(name).map(|value| (name, value)));
        }
        let rustup =
            variable("RUSTUP_HOME").or_else(|| Some(std::env::home_dir()?.join(".rustup").into()));
        all.extend(rustup.map(|home| ("RUSTUP_HOME", home)));
        all
    }

    /// Replaces what differs from run to run.
    fn redact(&self, text: &str, digests: bool) -> String {
        let mut text = text.replace(&*self.real.to_string_lossy(), "[ROOT]");
        text = text.replace(&*self.root.path().to_string_lossy(), "[ROOT]");
        let mut rules = vec![
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
            (r"\bin \d+(\.\d+)? ?m?s\b", "in [TIME]"),
            (r"(cargo-marketplace) \d+\.\d+\.\d+", "$1 [VERSION]"),
        ];
        if digests {
            rules.push((r"\b[0-9a-f]{64}\b", "[DIGEST]"));
            rules.push((r"ed25519:[0-9A-Z]{4}-[0-9A-Z]{4}", "[FINGERPRINT]"));
        }
        for (pattern, replacement) in rules {
            let pattern = Regex::new(pattern).expect("the patterns are fixed");
            text = pattern.replace_all(&text, replacement).into_owned();
        }
        text
    }
}

impl TestCommand<'_> {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it in another folder below the temporary one.
    pub(crate) fn folder(mut self, path: &str) -> Self {
        self.command.current_dir(self.env.path(path));
        self
    }

    /// Gives it something to read.
    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Shows digests and fingerprints as `[DIGEST]` and `[FINGERPRINT]`.
    pub(crate) fn redact_digests(mut self) -> Self {
        self.digests = true;
        self
    }

    /// The command itself, for a group of processes that an interrupt ends, as on a terminal. Under
    /// `nohup`, say, tests ignore it, and so would what they start.
    #[cfg(unix)]
    pub(crate) fn into_interruptible_command(self) -> Command {
        use std::os::unix::process::CommandExt as _;

        let mut command = self.command;
        if is_ignored(rustix::process::Signal::INT) {
            let mut restored = Command::new("env");
            restored.arg("--default-signal=INT");
            restored.arg(command.get_program()).args(command.get_args());
            restored.current_dir(command.get_current_dir().expect("it was set"));
            let variables = command.get_envs();
            let variables = variables.filter_map(|(name, value)| Some((name, value?)));
            restored.env_clear().envs(variables);
            command = restored;
        }
        command.process_group(0);
        command
    }

    /// The command itself, for what this type does not offer.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    pub(crate) fn run(mut self) -> Outcome {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A program that does not read what it is given is no reason to stop.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        let output = child.wait_with_output().expect("it was started");
        let redact = |bytes: &[u8]| {
            self.env
                .redact(&String::from_utf8_lossy(bytes), self.digests)
        };
        Outcome {
            code: output.status.code(),
            stdout: redact(&output.stdout),
            stderr: redact(&output.stderr),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self
            .code
            .map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        write!(f, "exit: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// The cargo that runs the tests: the toolchain's own, not rustup's shim.
fn real_cargo() -> PathBuf {
    variable("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Where the cargo that runs the tests keeps what it downloaded.
pub(crate) fn real_cargo_home() -> PathBuf {
    variable("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .unwrap_or_default()
}

/// Our program first, so that cargo finds it; then the toolchain, then the machine's programs.
fn path_variable() -> std::ffi::OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_cargo-marketplace")).parent();
    let cargo = real_cargo();
    let toolchain = cargo.parent().filter(|folder| folder.is_absolute());
    let machine = variable("PATH").unwrap_or_default();
    let all = own
        .into_iter()
        .chain(toolchain)
        .map(Path::to_owned)
        .chain(std::env::split_paths(&machine));
    std::env::join_paths(all).unwrap_or(machine)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own surroundings")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has loopback");
    listener.local_addr().expect("it is bound").port()
}

/// Whether this process ignores a signal (proc(5)).
#[cfg(unix)]
pub(crate) fn is_ignored(signal: rustix::process::Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0) & (1 << (signal.as_raw() - 1)) != 0
}
