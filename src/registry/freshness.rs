//! How new what is known of a registry is, how new it must be, and what is said where it is neither.

use crate::model::{Event, EventSink, RegistryName, Span, UtcTime};
use crate::trust::tuf::{Updater, Withheld};

/// How fresh the metadata is that a client works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// When the registry last answered.
    pub refreshed: Option<UtcTime>,
    /// Whether it answered now.
    pub is_online: bool,
    /// The first expiry among all that was read; of the timestamps that of the last one under which
    /// nothing was withheld.
    pub expires: UtcTime,
    /// What was announced and is not here.
    pub withheld: Option<Withheld>,
}

impl Freshness {
    /// Takes in what was read since.
    pub(super) fn amend(&mut self, updater: &Updater) {
        self.expires = updater.earliest_expiry().1;
        self.withheld = updater.withheld();
    }

    /// The word of warning where a copy is read after its time: a mirror that answers with anything but
    /// metadata could hold users back for ever.
    pub(super) fn expired(&self, registry: &RegistryName) -> Event {
        Event::Warning(format!(
            "the copy of `{registry}` expired at {}: what was published, yanked or revoked since is unknown",
            self.expires
        ))
    }

    /// Says what is known of a copy that is not the registry's present state.
    pub(super) fn warn_of_copy(
        &self,
        registry: &RegistryName,
        now: UtcTime,
        events: &dyn EventSink,
    ) {
        let expires = self.expires;
        if let Some(Withheld { role, version }) = &self.withheld {
            let is = if expires <= now { "was" } else { "is" };
            events.event(Event::Warning(format!(
                "`{registry}` announced version {version} of `{role}`, which was not received: the copy {is} good until {expires}",
            )));
        }
        if expires <= now {
            events.event(self.expired(registry));
        }
    }
}

/// How much a command must know of a registry's present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It says what the present state is: no copy will do.
    Present,
    /// It chooses something: the registry is asked, for as long as that takes.
    Latest,
    /// It goes on from what another command has done: what was refreshed then will do, and the registry is else
    /// asked, for as long as that takes.
    Since(UtcTime),
    /// It shows something: a copy will do that is younger than this, and an older one where the registry does
    /// not answer soon.
    Recent(Span),
}

impl Need {
    /// Whether an earlier state will do where the present one does not come soon.
    pub(super) const fn may_lag(self) -> bool {
        matches!(self, Self::Recent(_))
    }
}

impl Terms {
    /// Whether what was refreshed at a time need not be asked for again. One in the future is no time: the clock
    /// went back.
    pub(super) fn is_recent(&self, refreshed: UtcTime) -> bool {
        match self.need {
            Need::Present | Need::Latest => false,
            Need::Since(time) => (time..=self.now).contains(&refreshed),
            Need::Recent(span) => {
                let age = self.now.unix().saturating_sub(refreshed.unix());
                (0..span.seconds()).contains(&age)
            }
        }
    }
}

/// On what terms metadata is taken.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The present time.
    pub now: UtcTime,
    /// No older snapshot will do.
    pub least_snapshot: u64,
    /// How new it must be.
    pub need: Need,
}
