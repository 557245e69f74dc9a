//! The moments at which tests end the program: just before each step that changes the disk. A build
//! for users (`--release`) has none of it.
//!
//! `CARGO_MARKETPLACE_TEST_STEPS=N:FILE` appends what each step does to FILE, and ends the program
//! before step N as `kill -9` does: nothing is flushed, nothing cleared away. Step 0 never comes. With
//! `stop:` before it, the program is stopped there, until it is ended or goes on.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Announces a step that changes the disk.
#[cfg(not(debug_assertions))]
pub fn step(_action: &str, _path: &Path) {}

/// Writes all bytes to a file.
#[cfg(not(debug_assertions))]
pub(super) fn write_all(file: &mut File, bytes: &[u8], _path: &Path) -> io::Result<()> {
    file.write_all(bytes)
}

/// Announces a step that changes the disk.
#[cfg(debug_assertions)]
pub fn step(action: &str, path: &Path) {
    if let Some(steps) = counted::STEPS.as_ref() {
        steps.count(action, path);
    }
}

/// Writes all bytes to a file, and is seen halfway, too.
#[cfg(debug_assertions)]
pub(super) fn write_all(file: &mut File, bytes: &[u8], path: &Path) -> io::Result<()> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    step("go on writing", path);
    file.write_all(second)
}

#[cfg(debug_assertions)]
mod counted {
    use std::fs::File;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::{LazyLock, Mutex, PoisonError};

    pub(super) static STEPS: LazyLock<Option<Steps>> = LazyLock::new(Steps::asked_for);

    /// The steps of this process.
    pub(super) struct Steps {
        last: usize,
        stops: bool,
        log: Mutex<(usize, File)>,
    }

    impl Steps {
        #[expect(
            clippy::disallowed_methods,
            reason = "no setting: builds for users do not have it"
        )]
        fn asked_for() -> Option<Self> {
            let value = std::env::var("CARGO_MARKETPLACE_TEST_STEPS").ok()?;
            let stop = value.strip_prefix("stop:");
            let (last, path) = stop.unwrap_or(&value).split_once(':')?;
            let log = File::options().append(true).create(true).open(path).ok()?;
            Some(Self {
                last: last.parse().ok()?,
                stops: stop.is_some(),
                log: Mutex::new((0, log)),
            })
        }

        pub(super) fn count(&self, action: &str, path: &Path) {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.0 += 1;
            // A test that reads the file sees what is missing.
            let _ = log
                .1
                .write_all(format!("{action} {}\n", path.display()).as_bytes());
            if log.0 == self.last {
                end(self.stops);
            }
        }
    }

    #[cfg(unix)]
    fn end(stops: bool) {
        use rustix::process::{Signal, getpid, kill_process};
        let signal = if stops { Signal::STOP } else { Signal::KILL };
        // It cannot fail: the process is ours.
        let _ = kill_process(getpid(), signal);
    }

    #[cfg(not(unix))]
    fn end(_stops: bool) {
        std::process::abort();
    }
}
