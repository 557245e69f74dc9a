//! Bringing a registry's TUF metadata up to date: the one loop between the state machine in `trust`
//! and the files and the network.

use std::cmp::Reverse;

use super::error::ClientError;
use super::files::{FileError, Files};
use super::mirrors::{Failures, Mirrors};
use crate::formats::layout;
use crate::model::{Event, EventSink, RegistryName, Sha256Digest, UtcTime};
use crate::trust::tuf::{Change, Mode, Request, Settings, TufError, Updater, ed25519_only};

/// The folder of the kept metadata; `root.json` in it is the trusted root.
const FOLDER: &str = "tuf";
const ROOT_NAME: &str = "root.json";
const ROOT: &str = "tuf/root.json";
/// The digests of all roots that were trusted so far, the first one first, one a line.
const ROOTS: &str = "tuf/roots";
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

/// The version of the root that was trusted before, and its digest.
pub fn trusted_root(files: &Files<'_>) -> Result<Option<(u64, Sha256Digest)>, ClientError> {
    let Some(root) = files.kept(ROOT)? else {
        return Ok(None);
    };
    let updater = start(files, &root, UtcTime::MAX, Mode::Offline)?;
    Ok(Some((updater.root_version(), Sha256Digest::of(&root))))
}

/// Keeps a root file, which the user has pinned, as the start of all trust; `chain` are the digests
/// of the roots up to it.
pub fn trust_root(files: &Files<'_>, root: &[u8], chain: &[Sha256Digest]) -> Result<(), FileError> {
    keep_roots(files, chain)?;
    files.keep(ROOT, root)
}

/// The digests of the roots that were trusted so far, those among them that are known here.
pub fn roots(files: &Files<'_>) -> Result<Vec<Sha256Digest>, FileError> {
    let text = files.kept(ROOTS)?.unwrap_or_default();
    let lines = String::from_utf8_lossy(&text);
    let known = lines.lines().filter_map(|line| line.parse().ok());
    let current = files.kept(ROOT)?.map(|root| Sha256Digest::of(&root));
    let mut all: Vec<Sha256Digest> = known.collect();
    all.extend(current.filter(|current| !all.contains(current)));
    Ok(all)
}

fn keep_roots(files: &Files<'_>, roots: &[Sha256Digest]) -> Result<(), FileError> {
    let lines: Vec<String> = roots.iter().map(|root| format!("{root}\n")).collect();
    files.keep(ROOTS, lines.concat().as_bytes())
}

/// Remembers a root before it is the trusted one, so that none is forgotten if we are cut off.
fn remember_root(files: &Files<'_>, root: &[u8]) -> Result<(), FileError> {
    let (mut all, digest) = (roots(files)?, Sha256Digest::of(root));
    if all.contains(&digest) {
        return Ok(());
    }
    all.push(digest);
    keep_roots(files, &all)
}

/// Forgets a root that did not prove good.
pub fn distrust(files: &Files<'_>) -> Result<(), FileError> {
    files.forget(ROOT)?;
    files.forget(ROOTS)
}

/// Brings the metadata up to date, or, if the registry does not answer, takes the copy.
pub fn refresh(
    files: &mut Files<'_>,
    registry: &RegistryName,
    (now, least_snapshot): (UtcTime, u64),
    events: &dyn EventSink,
) -> Result<(Updater, Freshness), ClientError> {
    let root = files.kept(ROOT)?;
    let root = root.ok_or_else(|| ClientError::NotTrusted(registry.clone()))?;
    let refreshed = last_refresh(files)?;
    if files.is_online() {
        events.event(Event::Updating {
            registry: registry.clone(),
        });
        match online(files, &root, now, least_snapshot) {
            Ok(result) => return Ok(result),
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
    let updater = start(files, &root, now, Mode::Offline)?;
    let mut updater = updater.with_least_snapshot(least_snapshot);
    answer_requests(&mut updater, files)?;
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

fn online(
    files: &Files<'_>,
    root: &[u8],
    now: UtcTime,
    least_snapshot: u64,
) -> Result<(Updater, Freshness), ClientError> {
    let updater = start(files, root, now, Mode::Online)?;
    let mut updater = updater.with_least_snapshot(least_snapshot);
    answer_requests(&mut updater, files)?;
    files.keep(REFRESHED, now.to_string().as_bytes())?;
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
    let text = files.kept(REFRESHED)?;
    Ok(text.and_then(|text| String::from_utf8(text).ok()?.parse().ok()))
}

/// Answers what the state machine asks for, until it asks for nothing more.
pub fn answer_requests(updater: &mut Updater, files: &Files<'_>) -> Result<(), ClientError> {
    while let Some(request) = updater.next_request() {
        let changes = match request {
            Request::Stored { name } => updater.supply(files.kept(&format!("{FOLDER}/{name}"))?)?,
            Request::Remote {
                path,
                max_bytes,
                may_be_missing,
            } => {
                let path = format!("{FOLDER}/{path}");
                let mirrors = files.mirrors();
                let mirrors = mirrors.ok_or_else(|| FileError::Offline { path: path.clone() })?;
                match may_be_missing || path == layout::TIMESTAMP {
                    true => newest(updater, mirrors, &path, max_bytes)?,
                    // It is announced with its version: whoever has it will do.
                    false => {
                        mirrors.first(&path, max_bytes, |_, bytes| Ok(updater.supply(bytes)?))?
                    }
                }
            }
        };
        for change in changes {
            match change {
                Change::Write { name, bytes } if name == ROOT_NAME => {
                    remember_root(files, &bytes)?;
                    files.keep(ROOT, &bytes)?;
                }
                Change::Write { name, bytes } => files.keep(&format!("{FOLDER}/{name}"), &bytes)?,
                Change::Remove { name } => files.forget(&format!("{FOLDER}/{name}"))?,
            }
        }
    }
    Ok(())
}

/// Asks all mirrors for what tells of something new, and takes the newest that is verified: one
/// that is behind, or is meant to be, cannot hold users back while another is not.
fn newest(
    updater: &mut Updater,
    mirrors: &Mirrors<'_>,
    path: &str,
    max_bytes: u64,
) -> Result<Vec<Change>, ClientError> {
    let mut failures = Failures::default();
    let mut found = Vec::new();
    let mut is_absent = false;
    for (place, answer) in mirrors.all(path, max_bytes) {
        match answer {
            Ok(Some(bytes)) => found.push((place, bytes)),
            Ok(None) if path == layout::TIMESTAMP => {
                let path = "timestamp.json".to_owned();
                let error = ClientError::Tuf(TufError::Missing { path });
                mirrors.failed(place, false, error, &mut failures);
            }
            Ok(None) => is_absent = true,
            Err(error) => mirrors.failed(place, false, error.into(), &mut failures),
        }
    }
    // Only an order of trying: a version is believed when its signatures are.
    found.sort_by_key(|(_, bytes)| Reverse(claimed_version(bytes)));
    for (place, bytes) in found {
        match updater.supply(Some(bytes)) {
            Ok(changes) => {
                mirrors.prefer(place);
                return Ok(changes);
            }
            Err(error) => mirrors.failed(place, true, error.into(), &mut failures),
        }
    }
    // Those that lie are left. Where none says that there is no newer one, that is the end.
    match is_absent {
        true => Ok(updater.supply(None)?),
        false => Err(failures.into_error()),
    }
}

fn claimed_version(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.get("signed")?.get("version")?.as_u64()
}
