//! A terminal of the test's own, with somebody who types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Termios, tcgetattr};

use crate::env::{TestCommand, TestEnv, is_ignored};

/// Both ends of a terminal.
pub(crate) struct Terminal {
    keyboard: File,
    screen: OwnedFd,
    shown: String,
    /// How much of it was waited for.
    seen: usize,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let screen = ioctl_tiocgptpeer(&keyboard, flags).unwrap();
        Self {
            keyboard: keyboard.into(),
            screen,
            shown: String::new(),
            seen: 0,
        }
    }

    /// Starts a program at the terminal; what it prints as data goes nowhere.
    pub(crate) fn start(&self, command: TestCommand<'_>) -> Child {
        let end = || Stdio::from(self.screen.try_clone().unwrap());
        let mut command = command.into_command();
        command.stdin(end()).stdout(Stdio::null()).stderr(end());
        command.spawn().unwrap()
    }

    /// Reads until the program has shown this, which it must.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.shown[self.seen..].contains(text) {
            let mut bytes = [0; 1024];
            let count = self.keyboard.read(&mut bytes).unwrap();
            self.shown
                .push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        self.seen = self.shown.len();
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// All that was shown since the beginning; the program has come to its end.
    pub(crate) fn shown(mut self) -> String {
        drop(self.screen);
        let mut bytes = Vec::new();
        // A terminal whose other end is closed fails to be read.
        let _ = self.keyboard.read_to_end(&mut bytes);
        self.shown.push_str(&String::from_utf8_lossy(&bytes));
        self.shown
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.screen).unwrap()
    }
}

const NEW_KEY: [&str; 3] = ["key", "new", "harbour"];

/// Types at the prompt for a new passphrase, and returns how the program ended.
fn typed(env: &TestEnv, text: &str) -> ExitStatus {
    let mut terminal = Terminal::open();
    let before = terminal.settings();
    assert!(
        before
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ISIG)
    );
    let mut child = terminal.start(env.command(NEW_KEY));
    terminal.wait_for("New passphrase for `harbour`: ");
    terminal.write(text);
    let status = child.wait().unwrap();
    let after = terminal.settings();
    assert_eq!(after.local_modes, before.local_modes);
    assert_eq!(
        format!("{:?}", after.special_codes),
        format!("{:?}", before.special_codes)
    );
    assert!(
        !terminal.shown().contains("horse"),
        "what is typed is not shown"
    );
    status
}

#[test]
fn a_prompt_that_is_interrupted_leaves_the_terminal_as_it_was() {
    for key in ["\u{3}", "hor\u{3}", "horse\u{1c}", "\u{4}"] {
        let env = TestEnv::new();
        let status = typed(&env, key);
        assert!(!status.success(), "{key:?}: {status}");
        assert!(!env.marketplace_home().exists());
    }
}

#[test]
fn a_prompt_that_a_signal_ends_leaves_the_terminal_as_it_was() {
    let signals = [Signal::TERM, Signal::INT, Signal::HUP].into_iter();
    // Under `nohup`, say, tests ignore a signal, and so does what they start.
    for signal in signals.filter(|signal| !is_ignored(*signal)) {
        let env = TestEnv::new();
        let mut terminal = Terminal::open();
        let before = terminal.settings();
        let mut child = terminal.start(env.command(NEW_KEY));
        terminal.wait_for("New passphrase for `harbour`: ");
        terminal.write("hor");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal.as_raw()));
        assert_eq!(terminal.settings().local_modes, before.local_modes);
        assert!(!env.marketplace_home().exists());
    }
}

#[test]
fn a_passphrase_that_is_typed_is_not_shown() {
    let env = TestEnv::new();
    // Letters that are taken back, and a key that would suspend the program, do not count.
    let status = typed(&env, "horsy\u{7f}e\nho\u{1a}rse\n");
    assert!(status.success(), "{status}");
    let path = env.path("home/.cargo/marketplace/keys/harbour.pem");
    let secret = std::fs::read_to_string(path).unwrap();
    assert!(secret.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

#[test]
fn two_passphrases_that_differ_make_no_key() {
    let env = TestEnv::new();
    let mut terminal = Terminal::open();
    let mut child = terminal.start(env.command(NEW_KEY));
    terminal.wait_for("New passphrase for `harbour`: ");
    terminal.write("horse\n");
    terminal.wait_for("The same again: ");
    terminal.write("cart\n");
    assert_eq!(child.wait().unwrap().code(), Some(101));
    let shown = terminal.shown();
    assert!(shown.contains("the two passphrases differ"), "{shown}");
}
