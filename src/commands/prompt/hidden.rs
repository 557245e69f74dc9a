//! A line that is typed and not shown. However the typing ends, the terminal shows again what is typed.

#[cfg(not(unix))]
pub(super) use elsewhere::{interrupt, read};
#[cfg(unix)]
pub(super) use unix::{interrupt, read};

#[cfg(unix)]
mod unix {
    use std::io::{self, ErrorKind};

    use rustix::io::retry_on_intr;
    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };
    use zeroize::Zeroizing;

    /// No line that a terminal gives at once is longer.
    const LINE: usize = 4096;

    /// Asks, and reads a line from the terminal; nothing if the user would rather stop.
    ///
    /// Ctrl-C would end the program with the terminal as it is. So it makes no signal here: it ends the
    /// line, and the caller sends the signal when all is as it was.
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
        let restore = Restore(shown);
        tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
        ask()?;
        let mut line = Zeroizing::new(vec![0; LINE]);
        let length = retry_on_intr(|| rustix::io::read(&terminal, &mut line[..]))?;
        drop(restore);
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
        // It cannot fail: the process is ours.
        let _ = kill_process(getpid(), Signal::INT);
    }

    /// Sets the terminal back when it is dropped.
    struct Restore(Termios);

    impl Drop for Restore {
        fn drop(&mut self) {
            // If the terminal is gone, nothing is left to be set back.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        }
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
