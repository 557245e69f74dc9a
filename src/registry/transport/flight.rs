//! Downloads under way, told as one: many files are fetched at a time, and people see one bar.

use std::sync::{Mutex, PoisonError};

use crate::model::{EventSink, Progress, Unit};

/// The bytes of all downloads that are under way.
pub(super) struct Flight<'a> {
    events: &'a dyn EventSink,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    done: u64,
    total: u64,
    files: usize,
}

/// One download; it is over when this is dropped, whole or not.
pub(super) struct Download<'a> {
    flight: &'a Flight<'a>,
    /// Bytes announced that have not come.
    missing: u64,
}

impl<'a> Flight<'a> {
    pub(super) fn new(events: &'a dyn EventSink) -> Self {
        Self {
            events,
            counts: Mutex::default(),
        }
    }

    /// Begins a download of which `announced` bytes are to come.
    pub(super) fn begin(&'a self, announced: u64) -> Download<'a> {
        self.change(|counts| {
            counts.total += announced;
            counts.files += 1;
        });
        Download {
            flight: self,
            missing: announced,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        let Counts { done, total, files } = *counts;
        if files == 0 {
            *counts = Counts::default();
        }
        self.events.progress(Progress {
            verb: "Downloading",
            done: if files == 0 { total } else { done },
            total,
            unit: Unit::Bytes,
        });
    }
}

impl Download<'_> {
    /// Counts bytes that have come; more than were announced count for nothing.
    pub(super) fn came(&mut self, bytes: usize) {
        let bytes = self.missing.min(bytes as u64);
        self.missing -= bytes;
        self.flight.change(|counts| counts.done += bytes);
    }
}

impl Drop for Download<'_> {
    fn drop(&mut self) {
        let missing = self.missing;
        self.flight.change(|counts| {
            counts.total -= missing;
            counts.files -= 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, u64)>>);

    impl EventSink for Told {
        fn event(&self, _event: Event) {}

        fn progress(&self, progress: Progress) {
            let counts = (progress.done, progress.total);
            self.0.lock().unwrap().push(counts);
        }
    }

    #[test]
    fn downloads_add_up_and_the_last_one_ends_the_count() {
        let told = Told::default();
        let flight = Flight::new(&told);
        let mut one = flight.begin(10);
        let mut two = flight.begin(5);
        one.came(4);
        two.came(9);
        drop(one);
        drop(two);
        drop(flight.begin(3));
        let expected = [
            (0, 10),
            (0, 15),
            (4, 15),
            (9, 15),
            (9, 9),
            (9, 9),
            (0, 3),
            (0, 0),
        ];
        assert_eq!(*told.0.lock().unwrap(), expected);
    }
}
