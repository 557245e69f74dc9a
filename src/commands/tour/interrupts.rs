//! Noticing that the user wants to stop. The tour must outlive an interrupt for as long as it takes to
//! remove its folder; the command that it runs gets the terminal's interrupt, too, and ends by it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime;

/// Whether there was an interrupt.
pub(super) struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    /// From now on an interrupt is noted, and no longer ends this program.
    pub(super) fn watch() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let interrupt = {
            let _inside = runtime.enter();
            interrupt()?
        };
        let came = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&came);
        thread::spawn(move || {
            runtime.block_on(interrupt);
            noted.store(true, Ordering::Relaxed);
        });
        Ok(Self(came))
    }

    /// Says whether there was one.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The first of Ctrl-C, `kill` and the end of the terminal.
#[cfg(unix)]
fn interrupt() -> io::Result<impl Future<Output = ()> + Send> {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::signal::unix::{SignalKind, signal};

    let mut signals = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ];
    Ok(poll_fn(move |context| {
        let mut came = signals.iter_mut().map(|one| one.poll_recv(context));
        match came.any(|one| one.is_ready()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn interrupt() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        // Where Ctrl-C cannot be noticed it ends the program, as it does elsewhere.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
