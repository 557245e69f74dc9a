//! What the requests to one registry may take, and what they took, at all of its addresses together.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a command that has a copy waits for a registry. The rest of two seconds is for its own work.
const PATIENCE: Duration = Duration::from_millis(1_800);

/// Shared by all transports to one registry.
#[derive(Debug, Default)]
pub struct Account {
    until: Mutex<Option<Instant>>,
    is_hasty: AtomicBool,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Account {
    /// From now on no silence is long, and all answers must come soon, until [`Account::calm`]. To be called
    /// before the first request.
    pub(in crate::registry) fn hurry(&self) {
        self.is_hasty.store(true, Ordering::Relaxed);
        *self.lock() = Some(Instant::now() + PATIENCE);
    }

    /// From now on files may come for as long as they take.
    pub(in crate::registry) fn calm(&self) {
        *self.lock() = None;
    }

    /// The requests that were sent so far, and the bytes of files that came.
    #[must_use]
    pub fn traffic(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.requests), count(&self.bytes))
    }

    pub(super) fn is_hasty(&self) -> bool {
        self.is_hasty.load(Ordering::Relaxed)
    }

    /// When answers are no longer waited for.
    pub(super) fn until(&self) -> Option<Instant> {
        *self.lock()
    }

    /// That time, or an earlier one.
    pub(super) fn at_most(&self, end: Instant) -> Instant {
        self.until().map_or(end, |until| until.min(end))
    }

    /// That silence, or a shorter one.
    pub(super) fn silence(&self, usual: Duration) -> Duration {
        match self.is_hasty() {
            true => usual.min(PATIENCE),
            false => usual,
        }
    }

    pub(super) fn asked(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn came(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
