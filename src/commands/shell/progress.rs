//! The progress bar: one line on a terminal, and only for work that has taken half a second.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::Progress;

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar for the work that is under way.
pub(super) struct Bar {
    started: Instant,
    shown: Option<(&'static str, ProgressBar)>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            shown: None,
        }
    }

    /// Shows the present count, once the work has taken long enough.
    pub(super) fn show(&mut self, progress: Progress) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        if self
            .shown
            .as_ref()
            .is_some_and(|(verb, _)| *verb != progress.verb)
        {
            self.clear();
        }
        let (_, bar) = self
            .shown
            .get_or_insert_with(|| (progress.verb, bar(progress)));
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }

    /// Takes the bar away while `print` runs.
    pub(super) fn suspend(&self, print: impl FnMut()) {
        let mut print = print;
        match &self.shown {
            Some((_, bar)) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&self) {
        if let Some((_, bar)) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn bar(progress: Progress) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(progress.total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix:>12.cyan.bold} [{bar:27}] {pos}/{len}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(progress.verb);
    bar
}
