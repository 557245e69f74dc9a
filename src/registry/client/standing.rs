//! How a client stands towards its registry: a verified state, taken from a copy that is recent or from the
//! registry itself. What a recent copy does not hold wakes the client, which then asks.

use std::sync::{Arc, Mutex};

use super::registered::Known;
use super::{Client, Opening};
use crate::formats::layout;
use crate::formats::policy::Policy;
use crate::model::{Event, EventSink, RegistryName, Sha256Digest};
use crate::registry::error::ClientError;
use crate::registry::files::Files;
use crate::registry::freshness::{Freshness, Terms};
use crate::registry::metadata;
use crate::trust::tuf::{Lookup, TargetFile, Updater};
use crate::trust::{Verified, read_policy};

/// A verified state of the registry: what belongs together changes together.
pub(super) struct Standing {
    pub(super) tuf: Updater,
    pub(super) policy: Arc<Verified<Policy>>,
    pub(super) freshness: Freshness,
    pub(super) known: Arc<Mutex<Known>>,
}

impl Standing {
    /// Takes the copy if it is as new as it needs to be, else what the registry says.
    pub(super) fn open(
        files: &Files<'_>,
        terms: &Terms,
        opening: &Opening<'_>,
    ) -> Result<Self, ClientError> {
        if files.is_online() {
            files.rest();
            let recent = metadata::recent(files, terms);
            let recent = recent.filter(|_| check_roots(files, opening).is_ok());
            if let Some(Ok(standing)) = recent.map(|recent| Self::new(recent, files)) {
                return Ok(standing);
            }
            files.wake();
        }
        let standing = Self::refreshed(files, &opening.name, terms, opening.events)?;
        check_roots(files, opening)?;
        Ok(standing)
    }

    /// What the registry says; if it does not answer, the copy.
    fn refreshed(
        files: &Files<'_>,
        registry: &RegistryName,
        terms: &Terms,
        events: &dyn EventSink,
    ) -> Result<Self, ClientError> {
        let take = |refreshed| Self::new(refreshed, files);
        metadata::refresh(files, registry, terms, events, take)
    }

    /// Reads the policy of a state.
    pub(super) fn new(
        (mut tuf, freshness): (Updater, Freshness),
        files: &Files<'_>,
    ) -> Result<Self, ClientError> {
        let policy = find(&mut tuf, files, layout::POLICY)?
            .ok_or_else(|| ClientError::NotListed(layout::POLICY.to_owned()))?;
        let policy = Arc::new(read_policy(&files.target(&policy)?)?);
        Ok(Self {
            tuf,
            policy,
            freshness,
            known: Arc::default(),
        })
    }

    /// How fresh all is that was read so far.
    pub(super) fn freshness(&self) -> Freshness {
        let mut freshness = self.freshness.clone();
        freshness.amend(&self.tuf);
        freshness
    }
}

impl Client<'_> {
    /// Does work by the copy, while it is recent; where that fails or does not suffice, by what the registry
    /// says now. A copy that another process leads on meanwhile is read again.
    pub fn awake<T, E: From<ClientError>>(
        &self,
        suffices: impl Fn(&T) -> bool,
        work: impl Fn() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut answer = work();
        if self.is_resting() && !answer.as_ref().is_ok_and(suffices) {
            self.wake()?;
            answer = work();
        }
        let is_overtaken = || self.files.is_behind().map_err(ClientError::from);
        while answer.is_err() && !self.files.is_online() && is_overtaken()? {
            self.catch_up()?;
            answer = work();
        }
        answer
    }

    /// Goes on from what another process has learnt.
    pub(super) fn catch_up(&self) -> Result<(), ClientError> {
        let newer = metadata::catch_up(&self.files, &self.terms)?;
        *self.standing() = Standing::new(newer, &self.files)?;
        Ok(())
    }

    /// Asks the registry, if it was not asked yet. From now on all is by its present state.
    pub fn wake(&self) -> Result<(), ClientError> {
        let mut standing = self.standing();
        if self.files.is_resting() {
            self.files.wake();
            *standing = Standing::refreshed(&self.files, &self.name, &self.terms, self.events)?;
            drop(standing);
            self.warn_of_age();
        }
        Ok(())
    }

    /// Whether an earlier state may be shown, since the registry is silent. One that answers, and does not have
    /// what it announced, may hold something back.
    #[must_use]
    pub fn may_lag(&self, error: &ClientError) -> bool {
        let is_absent = error.is_silence() || error.is_missing_copy();
        is_absent && !self.is_resting() && self.terms.need.may_lag()
    }

    /// Says that an earlier state is shown, and why.
    pub fn say_earlier(&self, serial: u64, error: &ClientError) {
        let (name, reason) = (&self.name, error.network_reason());
        let text = format!(
            "could not fetch what has changed in `{name}` ({reason}); answering from serial {serial}"
        );
        self.events.event(Event::Warning(text));
    }

    /// Whether the registry is not asked, since the copy is recent.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.files.is_resting()
    }
}

/// Each root that a project demands must be one of those that led to the trusted one.
fn check_roots(files: &Files<'_>, opening: &Opening<'_>) -> Result<(), ClientError> {
    let roots = metadata::roots(files)?;
    let is_known = |root: &Sha256Digest| *root == opening.registry_id || roots.contains(root);
    let mut demanded = opening.demands.iter().map(|demand| demand.root);
    match demanded.find(|root| !is_known(root)) {
        None => Ok(()),
        Some(root) => Err(ClientError::RootNotReached {
            registry: opening.name.clone(),
            root,
        }),
    }
}

/// Looks a target up, fetching the roles on the way.
pub(super) fn find(
    tuf: &mut Updater,
    files: &Files<'_>,
    path: &str,
) -> Result<Option<Verified<TargetFile>>, ClientError> {
    loop {
        match tuf.find_target(path)? {
            Lookup::Found(file) => return Ok(Some(file)),
            Lookup::Absent => return Ok(None),
            Lookup::Needs => {
                metadata::answer_requests(tuf, files)?;
                if files.is_online() {
                    metadata::uphold(tuf, files)?;
                }
            }
        }
    }
}
