//! How fast a file comes. A server that trickles bytes holds a user as long as one that is silent.

use std::time::Instant;

use super::Limits;

/// How fast bytes come: too slowly, if fewer than the limit came over a whole stretch of time.
pub(super) struct Pace<'a> {
    limits: &'a Limits,
    since: Instant,
    bytes_then: u64,
}

impl<'a> Pace<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            since: Instant::now(),
            bytes_then: 0,
        }
    }

    /// Says whether too little came since the last stretch of time began.
    pub(super) fn is_too_slow(&mut self, bytes: u64, now: Instant) -> bool {
        let time = now.saturating_duration_since(self.since);
        if time < self.limits.silence {
            return false;
        }
        let came = u128::from(bytes - self.bytes_then) * 1000;
        self.since = now;
        self.bytes_then = bytes;
        came < u128::from(self.limits.least_speed) * time.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_trickle_is_too_slow_and_a_pause_is_not() {
        let limits = Limits {
            silence: Duration::from_secs(10),
            least_speed: 10,
            ..Limits::default()
        };
        let mut pace = Pace::new(&limits);
        let at = |seconds| pace.since + Duration::from_secs(seconds);
        let [soon, first, second, third] = [9, 11, 22, 33].map(at);
        assert!(!pace.is_too_slow(1, soon));
        assert!(!pace.is_too_slow(1000, first));
        assert!(!pace.is_too_slow(1110, second));
        assert!(pace.is_too_slow(1200, third));
    }

    #[test]
    fn without_a_limit_nothing_is_too_slow() {
        let limits = Limits {
            least_speed: 0,
            ..Limits::default()
        };
        let mut pace = Pace::new(&limits);
        let later = pace.since + limits.silence * 2;
        assert!(!pace.is_too_slow(0, later));
    }
}
