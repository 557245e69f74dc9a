//! Bringing a registry's TUF metadata up to date: the one loop between the state machine in `trust`
//! and the files and the network.

use super::error::ClientError;
use super::files::{FileError, Files};
use super::keeping::METADATA;
use crate::model::{Event, EventSink, RegistryName, UtcTime};
use crate::trust::tuf::{Mode, Request, Settings, Updater, ed25519_only};

const ROOT: &str = "tuf/root.json";
/// Holds the time of the last refresh that went through.
const REFRESHED: &str = "tuf/refreshed";

/// How fresh the metadata is that a client works with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// When the registry last answered.
    pub refreshed: Option<UtcTime>,
    /// Whether it answered now.
    pub is_online: bool,
    /// The first expiry among timestamp, snapshot and root.
    pub expires: UtcTime,
}

/// Says whether a registry's root was trusted before.
pub fn is_trusted(files: &Files<'_>) -> Result<bool, FileError> {
    Ok(files.kept(ROOT)?.is_some())
}

/// Keeps a root file, which the user has pinned, as the start of all trust.
pub fn trust_root(files: &Files<'_>, root: &[u8]) -> Result<(), FileError> {
    files.keep(ROOT, root)
}

/// Forgets a root that did not prove good.
pub fn distrust(files: &Files<'_>) -> Result<(), FileError> {
    files.forget(ROOT)
}

/// Brings the metadata up to date, or, if the registry does not answer, takes the copy.
pub fn refresh(
    files: &mut Files<'_>,
    registry: &RegistryName,
    now: UtcTime,
    events: &dyn EventSink,
) -> Result<(Updater, Freshness), ClientError> {
    let root = files.kept(ROOT)?;
    let root = root.ok_or_else(|| ClientError::NotTrusted(registry.clone()))?;
    let refreshed = last_refresh(files)?;
    if files.is_online() {
        events.event(Event::Updating {
            registry: registry.clone(),
        });
        match online(files, &root, now) {
            Ok(result) => {
                files.tell_refusal(registry, events);
                return Ok(result);
            }
            Err(error) if error.is_network_fault() => {
                let Some(refreshed) = refreshed else {
                    return Err(ClientError::NoCopy {
                        registry: registry.clone(),
                        source: Box::new(error),
                    });
                };
                events.event(Event::UsingCopy {
                    registry: registry.clone(),
                    reason: error.network_reason(),
                    age_seconds: now.unix().saturating_sub(refreshed.unix()).max(0),
                });
                files.go_offline();
            }
            Err(error) => return Err(error),
        }
    }
    let updater = offline(files, &root, now)?;
    let freshness = freshness(&updater, refreshed, false);
    if freshness.expires <= now {
        // A mirror that answers with anything but metadata could hold users back for ever.
        events.event(Event::Warning(format!(
            "the copy of `{registry}` expired at {}: what was published, yanked or revoked since is unknown",
            freshness.expires
        )));
    }
    Ok((updater, freshness))
}

/// Reads the metadata again, of which another process has kept a newer version since.
pub fn catch_up(files: &Files<'_>, now: UtcTime) -> Result<Updater, ClientError> {
    let root = files.kept(ROOT)?;
    let root = root.ok_or_else(|| ClientError::NotListed(ROOT.into()))?;
    if files.is_online() {
        return Ok(online(files, &root, now)?.0);
    }
    offline(files, &root, now)
}

fn offline(files: &Files<'_>, root: &[u8], now: UtcTime) -> Result<Updater, ClientError> {
    let mut updater = start(files, root, now, Mode::Offline)?;
    answer_requests(&mut updater, files)?;
    files.look_up_by(updater.snapshot_version());
    Ok(updater)
}

fn online(
    files: &Files<'_>,
    root: &[u8],
    now: UtcTime,
) -> Result<(Updater, Freshness), ClientError> {
    let mut updater = start(files, root, now, Mode::Online)?;
    answer_requests(&mut updater, files)?;
    files.keep_unless(REFRESHED, now.to_string().as_bytes(), |kept| {
        read_time(kept).is_some_and(|kept| kept > now)
    })?;
    files.look_up_by(updater.snapshot_version());
    let freshness = freshness(&updater, Some(now), true);
    Ok((updater, freshness))
}

fn start(files: &Files<'_>, root: &[u8], now: UtcTime, mode: Mode) -> Result<Updater, ClientError> {
    let settings = Settings {
        now,
        mode,
        verifier: ed25519_only,
    };
    // It was good when it was kept.
    Updater::start(root, settings).map_err(|_| {
        let path = files.folder().join(ROOT);
        FileError::Damaged { path }.into()
    })
}

fn freshness(updater: &Updater, refreshed: Option<UtcTime>, is_online: bool) -> Freshness {
    Freshness {
        refreshed,
        is_online,
        expires: updater.earliest_expiry().1,
    }
}

fn last_refresh(files: &Files<'_>) -> Result<Option<UtcTime>, FileError> {
    Ok(files.kept(REFRESHED)?.and_then(|text| read_time(&text)))
}

fn read_time(text: &[u8]) -> Option<UtcTime> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Answers what the state machine asks for, until it asks for nothing more.
pub fn answer_requests(updater: &mut Updater, files: &Files<'_>) -> Result<(), ClientError> {
    // What was kept of the role that is being read.
    let mut kept = None;
    while let Some(request) = updater.next_request() {
        let answer = match request {
            Request::Stored { name } => {
                kept = files.kept(&format!("{METADATA}/{name}"))?;
                kept.clone()
            }
            Request::Remote {
                path, max_bytes, ..
            } => files.ask_for(&format!("{METADATA}/{path}"), max_bytes)?,
        };
        files.change(&updater.supply(answer)?, kept.as_deref())?;
    }
    Ok(())
}
