//! Bringing a registry's TUF metadata up to date: the one loop between the state machine in `trust`
//! and the files and the network.

use std::cmp::Reverse;

use super::error::ClientError;
use super::files::{FileError, Files};
use super::freshness::{Freshness, Need, Terms};
use super::keeping::METADATA;
use super::mirrors::{Failures, Mirrors};
use crate::formats::layout;
use crate::model::{Event, EventSink, RegistryName, Sha256Digest, UtcTime};
use crate::trust::tuf::{Change, Mode, Request, Settings, TufError, Updater, Upheld, ed25519_only};

const ROOT_NAME: &str = "root.json";
const ROOT: &str = "tuf/root.json";
/// The digests of all roots that were trusted so far, the first one first, one a line.
const ROOTS: &str = "tuf/roots";
/// Until when the versions that are kept were the present ones: [`Upheld`].
const UPHELD: &str = "tuf/upheld";
/// Holds the time of the last refresh that went through.
const REFRESHED: &str = "tuf/refreshed";

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
    files.keep(ROOTS, &write_roots(chain))?;
    files.keep(ROOT, root)
}

/// The digests of the roots that were trusted so far, those among them that are known here.
pub fn roots(files: &Files<'_>) -> Result<Vec<Sha256Digest>, FileError> {
    let current = files.kept(ROOT)?.map(|root| Sha256Digest::of(&root));
    let mut all = read_roots(files.kept(ROOTS)?.as_deref());
    all.extend(current.filter(|current| !all.contains(current)));
    Ok(all)
}

fn read_roots(text: Option<&[u8]>) -> Vec<Sha256Digest> {
    let lines = String::from_utf8_lossy(text.unwrap_or_default());
    let known = lines.lines().filter_map(|line| line.parse().ok());
    known.collect()
}

fn write_roots(roots: &[Sha256Digest]) -> Vec<u8> {
    let lines = roots.iter().map(|root| format!("{root}\n"));
    lines.collect::<Vec<_>>().concat().into_bytes()
}

/// Remembers a root before it is the trusted one, so that none is forgotten if we are cut off.
fn remember_root(files: &Files<'_>, root: &[u8]) -> Result<(), FileError> {
    let digest = Sha256Digest::of(root);
    let trusted = roots(files)?;
    files.amend(ROOTS, |kept| {
        let mut all = read_roots(kept);
        let new = trusted.iter().chain([&digest]);
        let new: Vec<_> = new.filter(|root| !all.contains(root)).copied().collect();
        all.extend(&new);
        (!new.is_empty()).then(|| write_roots(&all))
    })
}

/// Forgets a root that did not prove good.
pub fn distrust(files: &Files<'_>) -> Result<(), FileError> {
    files.forget(ROOT)?;
    files.forget(ROOTS)
}

/// Takes the copy for the registry's present state, if it is recent, and nothing of it is missing, expired or
/// behind.
pub fn recent(files: &Files<'_>, terms: &Terms) -> Option<(Updater, Freshness)> {
    let refreshed = last_refresh(files).ok()??;
    if !terms.is_recent(refreshed) {
        return None;
    }
    let root = files.kept(ROOT).ok()??;
    let updater = start(files, &root, terms.now, Mode::Recent).ok()?;
    let mut updater = updater.with_least_snapshot(terms.least_snapshot);
    answer_requests(&mut updater, files).ok()?;
    files.look_up_by(updater.snapshot_version());
    let freshness = freshness(&updater, Some(refreshed), false);
    Some((updater, freshness))
}

/// Brings the metadata up to date, or, if the registry does not answer, takes the copy. `take` reads what goes
/// with it.
pub fn refresh<T>(
    files: &Files<'_>,
    registry: &RegistryName,
    terms: &Terms,
    events: &dyn EventSink,
    take: impl Fn((Updater, Freshness)) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let root = files.kept(ROOT)?;
    let root = root.ok_or_else(|| ClientError::NotTrusted(registry.clone()))?;
    let refreshed = last_refresh(files)?;
    let mut fault = None;
    if let Some(mirrors) = files.mirrors() {
        events.event(Event::Updating {
            registry: registry.clone(),
        });
        if refreshed.is_some() && terms.need.may_lag() {
            mirrors.hurry();
        }
        let taken = online(files, &root, terms).map(|updated| {
            files.tell_refusal(registry, events);
            take(updated)
        });
        mirrors.account().calm();
        let error = match taken {
            Ok(Ok(taken)) => return Ok(taken),
            // What goes with new metadata and is withheld is no reason to choose by what was before.
            Ok(Err(error)) if !terms.need.may_lag() => return Err(error),
            Ok(Err(error)) | Err(error) => error,
        };
        match refreshed {
            _ if !error.is_network_fault() || terms.need == Need::Present => return Err(error),
            None => return Err(no_copy(registry, error)),
            Some(refreshed) => events.event(Event::UsingCopy {
                registry: registry.clone(),
                reason: error.network_reason(),
                age_seconds: terms.now.unix().saturating_sub(refreshed.unix()).max(0),
            }),
        }
        files.go_offline();
        fault = Some(error);
    }
    // A newer one may have been kept before the registry fell silent, and what is kept below it with it.
    let root = files.kept(ROOT)?.unwrap_or(root);
    let copy = offline(files, &root, terms).and_then(|updater| {
        let freshness = freshness(&updater, refreshed, false);
        Ok((freshness.clone(), take((updater, freshness))?))
    });
    let (freshness, taken) = copy.map_err(|error| match fault {
        Some(fault) if error.is_missing_copy() => no_copy(registry, fault),
        _ => error,
    })?;
    freshness.warn_of_copy(registry, terms.now, events);
    Ok(taken)
}

fn no_copy(registry: &RegistryName, fault: ClientError) -> ClientError {
    ClientError::NoCopy {
        registry: registry.clone(),
        source: Box::new(fault),
    }
}

/// Reads the metadata again, of which another process has kept a newer version since.
pub fn catch_up(files: &Files<'_>, terms: &Terms) -> Result<(Updater, Freshness), ClientError> {
    let root = files.kept(ROOT)?;
    let root = root.ok_or_else(|| ClientError::NotListed(ROOT.into()))?;
    if files.is_online() {
        return online(files, &root, terms);
    }
    let updater = offline(files, &root, terms)?;
    let freshness = freshness(&updater, last_refresh(files)?, false);
    Ok((updater, freshness))
}

/// Reads the copy; once more, if another process has led it on meanwhile.
fn offline(files: &Files<'_>, root: &[u8], terms: &Terms) -> Result<Updater, ClientError> {
    loop {
        let before = files.kept(layout::TIMESTAMP)?;
        match offline_once(files, root, terms) {
            Err(_) if files.kept(layout::TIMESTAMP)? != before => {}
            read => return read,
        }
    }
}

fn offline_once(files: &Files<'_>, root: &[u8], terms: &Terms) -> Result<Updater, ClientError> {
    let updater = start(files, root, terms.now, Mode::Offline)?;
    let upheld = files.kept(UPHELD)?.unwrap_or_default();
    let mut updater = updater
        .with_least_snapshot(terms.least_snapshot)
        .with_upheld(Upheld::decode(&upheld));
    answer_requests(&mut updater, files)?;
    files.look_up_by(updater.snapshot_version());
    Ok(updater)
}

fn online(
    files: &Files<'_>,
    root: &[u8],
    terms: &Terms,
) -> Result<(Updater, Freshness), ClientError> {
    let now = terms.now;
    let updater = start(files, root, now, Mode::Online)?;
    let mut updater = updater.with_least_snapshot(terms.least_snapshot);
    answer_requests(&mut updater, files)?;
    files.amend(REFRESHED, |kept| {
        let is_later = kept.and_then(read_time).is_none_or(|kept| kept <= now);
        is_later.then(|| now.to_string().into_bytes())
    })?;
    uphold(&updater, files)?;
    files.look_up_by(updater.snapshot_version());
    let freshness = freshness(&updater, Some(now), true);
    Ok((updater, freshness))
}

/// Remembers what an update upholds, of which another process may have upheld more.
pub(super) fn uphold(updater: &Updater, files: &Files<'_>) -> Result<(), FileError> {
    files.amend(UPHELD, |kept| {
        let before = Upheld::decode(kept.unwrap_or_default());
        let mut upheld = before.clone();
        updater.uphold(&mut upheld);
        (upheld != before).then(|| upheld.encode())
    })
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
        withheld: updater.withheld(),
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
        let changes = match request {
            Request::Stored { name } => {
                kept = files.kept(&format!("{METADATA}/{name}"))?;
                updater.supply(kept.clone())?
            }
            Request::Remote {
                path,
                max_bytes,
                may_be_missing,
            } => {
                let path = format!("{METADATA}/{path}");
                let mirrors = files.asked(&path)?;
                match may_be_missing || path == layout::TIMESTAMP {
                    true => newest(updater, mirrors, &path, max_bytes)?,
                    // It is announced with its version: whoever has it will do.
                    false => {
                        mirrors.first(&path, max_bytes, |_, bytes| Ok(updater.supply(bytes)?))?
                    }
                }
            }
        };
        if let Some(Change::Write { name, bytes }) = changes.last()
            && name == ROOT_NAME
        {
            remember_root(files, bytes)?;
        }
        files.change(&changes, kept.as_deref())?;
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
