//! A line that is typed and not shown. However the typing ends, the terminal shows again what is typed.

#[cfg(not(unix))]
pub(super) use elsewhere::{interrupt, read};
#[cfg(unix)]
pub(super) use unix::{interrupt, read};

#[cfg(unix)]
mod unix {
    use std::io::{self, ErrorKind};
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
    use std::thread;

    use rustix::io::retry_on_intr;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;
    use zeroize::Zeroizing;

    /// What the terminal is to be set back to, while it shows nothing.
    static SHOWN: Mutex<Option<Termios>> = Mutex::new(None);

    /// Whether signals that end the program find the terminal set back; see [`watch`].
    static WATCHED: LazyLock<io::Result<()>> = LazyLock::new(watch);

    /// No line that a terminal gives at once is longer.
    const LINE: usize = 4096;

    /// Asks, and reads a line from the terminal; nothing if the user would rather stop.
    ///
    /// Ctrl-C would end the program with the terminal as it is. So it makes no signal here: it ends the
    /// line, and the caller sends the signal when all is as it was. Of other signals, see [`watch`].
    pub(in super::super) fn read(
        ask: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Option<Zeroizing<String>>> {
        let terminal = io::stdin();
        let shown = tcgetattr(&terminal)?;
        let [interrupt, quit, suspend] = [
            SpecialCodeIndex::VINTR,
            SpecialCodeIndex::VQUIT,
            SpecialCodeIndex::VSUSP,
        ]
        .map(|key| shown.special_codes[key]);
        let mut hidden = shown.clone();
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        hidden.special_codes[SpecialCodeIndex::VEOL] = interrupt;
        hidden.special_codes[SpecialCodeIndex::VEOL2] = quit;
        if let Err(error) = &*WATCHED {
            return Err(error.kind().into());
        }
        let hiding = Hiding::begin(shown, &hidden)?;
        ask()?;
        let mut line = Zeroizing::new(vec![0; LINE]);
        let length = retry_on_intr(|| rustix::io::read(&terminal, &mut line[..]))?;
        drop(hiding);
        line.truncate(length);
        match line.last() {
            None => return Err(ErrorKind::UnexpectedEof.into()),
            Some(last) if [interrupt, quit].contains(last) => return Ok(None),
            Some(b'\n') => line.truncate(length - 1),
            Some(_) => {}
        }
        // The program cannot be suspended while nothing is shown.
        line.retain(|byte| *byte != suspend);
        let text = std::str::from_utf8(&line).map_err(io::Error::other)?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    /// Ends the program as Ctrl-C does, unless whoever started it wants it to go on.
    pub(in super::super) fn interrupt() {
        if !is_ignored(SIGINT) {
            // It cannot fail: the signal has a default.
            let _ = emulate_default_handler(SIGINT);
        }
    }

    /// A terminal that shows nothing; it is set back when this is dropped.
    struct Hiding;

    impl Hiding {
        fn begin(shown: Termios, hidden: &Termios) -> io::Result<Self> {
            let mut kept = kept();
            tcsetattr(io::stdin(), OptionalActions::Now, hidden)?;
            *kept = Some(shown);
            Ok(Self)
        }
    }

    impl Drop for Hiding {
        fn drop(&mut self) {
            set_back(&mut kept());
        }
    }

    fn kept() -> MutexGuard<'static, Option<Termios>> {
        SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_back(kept: &mut Option<Termios>) {
        if let Some(shown) = kept.take() {
            // If the terminal is gone, nothing is left to be set back.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &shown);
        }
    }

    /// From now on a signal that ends the program sets the terminal back before, if need be. What whoever
    /// started the program wants ignored stays so.
    fn watch() -> io::Result<()> {
        let signals = [SIGHUP, SIGINT, SIGTERM];
        let mut signals = Signals::new(signals.into_iter().filter(|one| !is_ignored(*one)))?;
        thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                // Kept until the end, so that nothing is hidden any more.
                let mut kept = kept();
                set_back(&mut kept);
                // It cannot fail: these signals have a default.
                let _ = emulate_default_handler(signal);
            }
        })?;
        Ok(())
    }

    /// Whether a signal is ignored. Only Linux says so to those who ask.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut lines = status.lines();
        let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use zeroize::Zeroizing;

    /// Asks, and reads a line from the terminal.
    pub(in super::super) fn read(
        ask: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Option<Zeroizing<String>>> {
        ask()?;
        rpassword::read_password().map(|line| Some(Zeroizing::new(line)))
    }

    /// Does nothing: the system has ended the program.
    pub(in super::super) fn interrupt() {}
}
