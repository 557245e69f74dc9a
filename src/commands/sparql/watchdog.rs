//! A watch over work that may not end: an evaluator looks at its cancellation token only when it reads
//! the dataset, so sorting the rows of a cross join goes on for as long as it likes. What does not
//! end in time, or takes too much memory, ends with the process.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::failures;
use crate::commands::error::CommandError;
use crate::commands::shell::Shell;
use crate::dataset::STACK_SIZE;

/// How often the watch looks.
const GLANCE: Duration = Duration::from_millis(10);
/// The longest time that cancelled work is given to end by itself; at most a twentieth of its time, so that
/// the process ends within 1.2 times of it on a busy machine, too.
const GRACE: Duration = Duration::from_secs(1);

/// What the work may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Time.
    pub(super) time: Duration,
    /// Memory of the whole process, in bytes. Watched on Linux only.
    pub(super) memory: u64,
}

/// Does the work. When its time is over it is cancelled; if that does not help, or if the memory is
/// used up, the process ends with an error. Without a watch the work is not begun.
pub(super) fn watch<T>(
    allowance: Allowance,
    shell: &Shell,
    cancel: impl Fn() + Send,
    work: impl FnOnce() -> T,
) -> Result<T, CommandError> {
    thread::scope(|scope| {
        let (done, is_done) = channel::<()>();
        let watch = move || {
            if let Some(error) = guard(allowance, &is_done, cancel) {
                end_process(shell, &error);
            }
        };
        let watch = thread::Builder::new().spawn_scoped(scope, watch);
        watch.map_err(|error| failures::no_thread(&error))?;
        // The watch has its stack: a limit that is too low for it would not be noticed.
        let _limit = memory::limit(allowance.memory);
        let result = work();
        drop(done);
        Ok(result)
    })
}

/// Does the work on a stack that is deep enough for every query that is let through. The stack is
/// address space and no memory before it is used; the limit on it comes later, on top.
pub(super) fn on_deep_stack<T: Send>(
    work: impl FnOnce() -> Result<T, CommandError> + Send,
) -> Result<T, CommandError> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK_SIZE);
        let worker = worker.spawn_scoped(scope, work);
        let worker = worker.map_err(|error| failures::no_thread(&error))?;
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Waits for the work to be done. Returns why the process must end, if it must.
fn guard(allowance: Allowance, is_done: &Receiver<()>, cancel: impl Fn()) -> Option<CommandError> {
    let started = Instant::now();
    loop {
        let left = allowance.time.saturating_sub(started.elapsed());
        if ends_within(is_done, left.min(GLANCE)) {
            return None;
        }
        // Memory grows between two glances, too.
        let enough = allowance.memory - allowance.memory / 16;
        if memory::used().is_some_and(|used| used > enough) {
            return Some(failures::too_large(allowance));
        }
        if started.elapsed() >= allowance.time {
            cancel();
            let ended = ends_within(is_done, GRACE.min(allowance.time / 20));
            return (!ended).then(|| failures::too_slow(allowance));
        }
    }
}

/// Says whether the work is done before the time is over; its end of the channel closes then.
fn ends_within(is_done: &Receiver<()>, time: Duration) -> bool {
    !matches!(is_done.recv_timeout(time), Err(RecvTimeoutError::Timeout))
}

#[expect(clippy::exit, reason = "no thread can be stopped; only the process")]
fn end_process(shell: &Shell, error: &CommandError) -> ! {
    shell.error(error);
    // That the answer is not whole is said already.
    let _ = shell.finish();
    std::process::exit(i32::from(error.kind.exit_code()))
}

/// The memory of this process, as Linux tells it.
#[cfg(target_os = "linux")]
mod memory {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Address space beyond the limit, in bytes.
    const SLACK: u64 = 1 << 30;

    /// The former limit, which comes back at the end.
    pub(super) struct Limit(Rlimit);

    /// Limits the address space: what the watch is too slow to see fails in the allocator, which
    /// ends the process without a word. So that the watch comes first, there is room for a table
    /// that grows to its double, beside its former self and one more, and for what is asked for
    /// between two glances on a busy machine.
    pub(super) fn limit(bytes: u64) -> Option<Limit> {
        let before = getrlimit(Resource::As);
        let wanted = bytes.saturating_mul(4).saturating_add(SLACK);
        let wanted = field("VmSize:")?.saturating_add(wanted);
        let current = [before.current, before.maximum].into_iter().flatten();
        let current = Some(current.fold(wanted, u64::min));
        setrlimit(Resource::As, Rlimit { current, ..before }).ok()?;
        Some(Limit(before))
    }

    impl Drop for Limit {
        fn drop(&mut self) {
            // If it cannot be undone, the process goes on with less.
            let _ = setrlimit(Resource::As, self.0);
        }
    }

    /// Bytes of memory in use, without files that are mapped: those are not the query's, and give way.
    pub(super) fn used() -> Option<u64> {
        field("RssAnon:").or_else(|| field("VmRSS:"))
    }

    /// A field of `/proc/self/status` in bytes (proc(5)).
    fn field(name: &str) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kilobytes.checked_mul(1024)
    }
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
mod memory {
    /// No limit.
    pub(super) fn limit(_bytes: u64) -> Option<()> {
        None
    }

    /// Not known.
    pub(super) fn used() -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUCH: Allowance = Allowance {
        time: Duration::from_mins(10),
        memory: u64::MAX,
    };

    #[test]
    fn work_that_is_done_ends_the_watch() {
        let (done, is_done) = channel();
        drop(done);
        let cancel = || panic!("there was time");
        assert_eq!(guard(MUCH, &is_done, cancel), None);
    }

    #[test]
    fn work_that_does_not_heed_the_cancellation_ends_with_the_process() {
        let (_running, is_done) = channel();
        let no_time = Allowance {
            time: Duration::from_millis(1),
            ..MUCH
        };
        let error = guard(no_time, &is_done, || {}).unwrap();
        assert_eq!(error.message, "the query had no answer within 1ms");
    }

    #[test]
    fn work_that_heeds_the_cancellation_may_say_so_itself() {
        let (running, is_done) = channel();
        let running = std::cell::RefCell::new(Some(running));
        let little = Allowance {
            time: Duration::from_millis(1),
            ..MUCH
        };
        let cancel = || drop(running.take());
        assert_eq!(guard(little, &is_done, cancel), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn too_much_memory_ends_the_process() {
        let (_running, is_done) = channel();
        let little = Allowance {
            memory: 4096,
            ..MUCH
        };
        let error = guard(little, &is_done, || {}).unwrap();
        assert_eq!(error.message, "the query needs more than 4.0KiB of memory");
    }
}
