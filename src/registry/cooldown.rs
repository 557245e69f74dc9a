//! Which releases are too young to be chosen. A release's age is the registry's own: from the time
//! when it took the release in to that of its timestamp, so that a wrong clock here makes nothing
//! older. Where the registry goes on saying the same, the time counts that has passed since a release
//! was first held back on this machine.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::client::Client;
use super::files::{FileError, Files};
use crate::model::{Document, Entry, PackageName, Span, UtcTime};

/// The versions of a package that are younger than the cooldown. What no registry took in (a package
/// of the workspace at hand) has no age and is not held back.
pub fn held_back(
    client: &Client<'_>,
    document: &Document,
    cooldown: Span,
) -> Result<BTreeSet<Version>, FileError> {
    let young = young(document, client.timestamp_time(), cooldown);
    if young.is_empty() {
        return Ok(young);
    }
    let mut first_held = load(client.files(), &document.package)?;
    let known = first_held.len();
    let now = client.now();
    let still = |version: &Version| {
        let since = *first_held.entry(version.clone()).or_insert(now);
        now.unix().saturating_sub(since.unix()) < cooldown.seconds()
    };
    let held = young.into_iter().filter(still).collect();
    if first_held.len() > known {
        store(client.files(), &document.package, &first_held)?;
    }
    Ok(held)
}

fn young(document: &Document, time: UtcTime, cooldown: Span) -> BTreeSet<Version> {
    let is_young = |entry: &&Entry| {
        let accepted = entry.accepted.map(UtcTime::unix);
        accepted.is_some_and(|at| time.unix().saturating_sub(at) < cooldown.seconds())
    };
    let young = document.entries.iter().filter(is_young);
    young.map(|entry| entry.release.version.clone()).collect()
}

fn path(package: &PackageName) -> String {
    format!("held/{}", package.index_path())
}

/// When versions were first held back here.
fn load(files: &Files<'_>, package: &PackageName) -> Result<BTreeMap<Version, UtcTime>, FileError> {
    let text = files.kept(&path(package))?;
    Ok(read(text.as_deref()))
}

/// Reads lines `VERSION TIME`. What cannot be read counts for nothing: the time begins anew.
fn read(text: Option<&[u8]>) -> BTreeMap<Version, UtcTime> {
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    let pair = |line: &str| {
        let (version, time) = line.split_once(' ')?;
        Some((version.parse().ok()?, time.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

fn store(
    files: &Files<'_>,
    package: &PackageName,
    held: &BTreeMap<Version, UtcTime>,
) -> Result<(), FileError> {
    files.amend(&path(package), |kept| {
        // Another process may have held some back before this one did.
        let mut all = read(kept);
        for (version, time) in held {
            let first = all.entry(version.clone()).or_insert(*time);
            *first = (*first).min(*time);
        }
        let lines = all.iter();
        let lines = lines.map(|(version, time)| format!("{version} {time}\n"));
        Some(lines.collect::<Vec<_>>().concat().into_bytes())
    })
}
