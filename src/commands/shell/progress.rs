//! Progress bars: a line on a terminal for each kind of work that has taken half a second.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::model::{Progress, Unit};

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bars for the work that is under way, on stderr.
#[derive(Default)]
pub(super) struct Bars {
    lines: MultiProgress,
    works: Vec<Work>,
}

struct Work {
    verb: &'static str,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Bars {
    /// Takes the present count, and shows it once the work has taken long enough.
    pub(super) fn update(&mut self, progress: Progress) {
        let known = self
            .works
            .iter()
            .position(|work| work.verb == progress.verb);
        if progress.done >= progress.total {
            if let Some(place) = known {
                self.works.remove(place).end();
            }
            return;
        }
        let Some(place) = known else {
            self.works.push(Work {
                verb: progress.verb,
                started: Instant::now(),
                bar: None,
            });
            return;
        };
        let work = &mut self.works[place];
        if work.started.elapsed() < PATIENCE {
            return;
        }
        let bar = work.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(progress.total).with_style(style(progress.unit));
            self.lines.add(bar.with_prefix(progress.verb))
        });
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }

    /// Takes the bars away while `print` runs.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.lines.suspend(print);
    }

    /// Takes all bars away for good.
    pub(super) fn clear(&mut self) {
        self.works.drain(..).for_each(Work::end);
    }
}

impl Work {
    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Items => "{prefix:>12.cyan.bold} [{bar:27}] {pos}/{len}",
        Unit::Bytes => "{prefix:>12.cyan.bold} [{bar:27}] {binary_bytes}/{binary_total_bytes}",
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}
