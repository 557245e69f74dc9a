//! Checking a registry in a folder: everything that clients could ever read of it, as they would
//! judge it, and what else must hold of a whole registry. It changes nothing and stops at nothing.

mod catalog;
mod chain;
mod package;
mod replay;
mod report;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::drafts::{self, Drafts};
use super::journal::{Journal, JournalError};
use super::roles::operator_name;
use crate::disk::Failure;
use crate::formats::config_json::{self, Readers};
use crate::formats::layout;
use crate::formats::policy::Policy;
use crate::formats::publisher::Publisher;
use crate::formats::unsigned::UnsignedList;
use crate::model::{EventSink, PackageName, Progress, PublisherId, Sha256Digest, Unit, UtcTime};
use crate::trust::{PackageState, Verified, read_policy, read_publisher, read_unsigned};
use chain::{Chain, Listed};
use package::Judge;
use report::Log;
use tree::Tree;

pub use report::{Finding, Problem, Report};

/// Why a folder could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no registry.
    #[error("`{}` holds no registry", .0.display())]
    NoRegistry(PathBuf),
    /// The files cannot be listed.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// It cannot be made sure that no change is under way.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What clients could judge.
    Usual,
    /// Every archive, too, is read, and what its release says is derived from it anew.
    Deep,
}

/// Checks the registry in the folder `root` as it is at the time `now`.
pub fn check(
    root: &Path,
    now: UtcTime,
    depth: Depth,
    events: &dyn EventSink,
) -> Result<Report, CheckError> {
    let mut log = Log::default();
    let waiting = waiting(root, &mut log);
    if !root.join(layout::TUF).is_dir() && !Journal::has_pending_change(root) {
        return match waiting.is_empty() && log.findings.is_empty() {
            true => Err(CheckError::NoRegistry(root.to_owned())),
            false => Ok(Report {
                waiting,
                findings: log.findings,
                ..unchecked("all, since the registry is not published yet")
            }),
        };
    }
    let _reading = Journal::wait(root)?;
    let tree = Tree::list(root)?;
    let chain = chain::follow(&tree, &mut log);
    if Journal::has_pending_change(root) {
        log.find(".journal/plan.json", Problem::PendingChange);
    } else if let Some(chain) = &chain {
        chain::find_newer(chain, &tree, &mut log);
    }
    let mut report = match chain {
        Some(chain) => check_chain(&tree, &chain, (now, depth), events, &mut log),
        None => unchecked("what the metadata lists"),
    };
    if report.unchecked.is_none() {
        check_rest(&tree, &mut log, &mut report);
    }
    report.waiting = waiting;
    report.files = log.referenced.len();
    report.findings = log.findings;
    report.findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(report)
}

/// The roles whose next version waits for signatures; nobody reads it before.
fn waiting(root: &Path, log: &mut Log) -> BTreeSet<String> {
    let drafts = log.take(drafts::FOLDER, Drafts::load(root));
    let drafts = drafts.unwrap_or_default();
    let roles = drafts.roles().map(operator_name);
    roles.map(str::to_owned).collect()
}

fn unchecked(part: &'static str) -> Report {
    Report {
        unchecked: Some(part),
        ..Report::default()
    }
}

fn check_chain(
    tree: &Tree,
    chain: &Chain,
    (now, depth): (UtcTime, Depth),
    events: &dyn EventSink,
    log: &mut Log,
) -> Report {
    let policy = check_policy(tree, chain, log);
    let lifetimes = policy.as_ref().map(|policy| policy.lifetimes);
    let ageing = chain.check_expiry(now, &lifetimes.unwrap_or_default(), log);
    let report = match policy {
        Some(policy) => check_listed(tree, chain, (&policy, depth), events, log),
        None => unchecked("packages and catalog, since there is no policy"),
    };
    Report {
        root: Some(chain.root),
        ageing,
        ..report
    }
}

/// Checks every file that some role lists, and what those files name.
fn check_listed(
    tree: &Tree,
    chain: &Chain,
    (policy, depth): (&Policy, Depth),
    events: &dyn EventSink,
    log: &mut Log,
) -> Report {
    check_config(tree, &policy.base, log);
    let publishers = check_publishers(tree, chain, log);
    let unsigned = check_unsigned(tree, chain, log);
    let claims = claims(chain);
    let judge = Judge {
        tree,
        registry_id: chain.root,
        publishers: &publishers,
        policy,
        depth,
        index: format!("sparse+{}", policy.base),
        unsigned: &unsigned,
        claims: &claims,
    };
    let (records, others) = split(chain);
    for listed in &others {
        listed.load(tree, log);
    }
    let states = check_packages(&records, &judge, events, log);
    check_names(&states, log);
    let is_whole = chain.is_whole && states.len() == records.len();
    if is_whole {
        check_claims(&states, &claims, log);
    }
    let serial = catalog::check(chain, &states, is_whole, &judge, log);
    catalog::check_popularity(chain, &states, is_whole, &judge, log);
    let releases = states.iter().map(|state| state.document.entries.len());
    Report {
        serial: serial.unwrap_or_default(),
        packages: states.len(),
        releases: releases.sum(),
        unclaimed: unclaimed(&states),
        unchecked: (!chain.is_whole).then_some("what the roles list that cannot be read"),
        ..Report::default()
    }
}

/// Records, and files that are neither records nor looked at by name.
fn split(chain: &Chain) -> (Vec<&Listed>, Vec<&Listed>) {
    let is_known = |path: &str| {
        [
            layout::POLICY,
            layout::UNSIGNED,
            layout::CATALOG_INDEX,
            layout::POPULARITY,
        ]
        .contains(&path)
            || path.starts_with(layout::CLAIMS)
            || layout::publisher_of(path).is_some()
    };
    let listed = chain.listed.iter().filter(|(path, _)| !is_known(path));
    let listed = listed.map(|(_, listed)| listed);
    listed.partition(|listed| listed.role.starts_with(super::metadata::PACKAGES))
}

/// The claims by their paths. No file lies there: each names a statement within a record.
fn claims(chain: &Chain) -> BTreeMap<String, Sha256Digest> {
    let listed = chain.listed.iter();
    let claims = listed.filter(|(path, _)| path.starts_with(layout::CLAIMS));
    claims
        .filter_map(|(path, listed)| Some((path.clone(), listed.file.sha256()?)))
        .collect()
}

/// Every claim is that of a package.
fn check_claims(
    states: &[Verified<PackageState>],
    claims: &BTreeMap<String, Sha256Digest>,
    log: &mut Log,
) {
    let packages = states.iter().map(|state| &state.document.package);
    let known: BTreeSet<String> = packages.map(layout::claim).collect();
    for path in claims.keys().filter(|path| !known.contains(*path)) {
        log.find(path, Problem::NothingClaimed);
    }
}

/// Packages with an owner that are not claimed.
fn unclaimed(states: &[Verified<PackageState>]) -> Vec<PackageName> {
    let owned = states.iter().filter(|state| state.owners.is_some());
    let unclaimed = owned.filter(|state| !state.is_claimed);
    unclaimed
        .map(|state| state.document.package.clone())
        .collect()
}

fn check_publishers(tree: &Tree, chain: &Chain, log: &mut Log) -> BTreeMap<PublisherId, Publisher> {
    let mut publishers = BTreeMap::new();
    for (path, listed) in &chain.listed {
        let Some(id) = layout::publisher_of(path) else {
            continue;
        };
        if let Some(target) = listed.load(tree, log) {
            let publisher = log.take(path, read_publisher(&target, &id));
            publishers.extend(publisher.map(|publisher| (id, publisher.into_inner())));
        }
    }
    publishers
}

fn check_policy(tree: &Tree, chain: &Chain, log: &mut Log) -> Option<Verified<Policy>> {
    let Some(listed) = chain.listed.get(layout::POLICY) else {
        if chain.is_whole {
            log.find(layout::POLICY, Problem::NotListed);
        }
        return None;
    };
    let target = listed.load(tree, log)?;
    log.take(layout::POLICY, read_policy(&target))
}

fn check_unsigned(tree: &Tree, chain: &Chain, log: &mut Log) -> UnsignedList {
    let listed = chain.listed.get(layout::UNSIGNED);
    let target = listed.and_then(|listed| listed.load(tree, log));
    let list = target.and_then(|target| log.take(layout::UNSIGNED, read_unsigned(&target)));
    list.map(Verified::into_inner).unwrap_or_default()
}

/// No client of ours trusts it, but stock cargo does.
fn check_config(tree: &Tree, base: &str, log: &mut Log) {
    log.refer(layout::CONFIG);
    let known = Readers::ALL.map(|readers| config_json::encode(base, readers));
    let longest = known.iter().map(Vec::len).max().unwrap_or_default();
    match tree.read(layout::CONFIG, longest as u64) {
        Ok(bytes) if known.contains(&bytes) => {}
        Ok(_) => log.find(layout::CONFIG, Problem::Config(base.to_owned())),
        Err(problem) => log.find(layout::CONFIG, problem),
    }
}

fn check_packages(
    records: &[&Listed],
    judge: &Judge<'_>,
    events: &dyn EventSink,
    log: &mut Log,
) -> Vec<Verified<PackageState>> {
    let done = AtomicU64::new(0);
    let total = records.len() as u64;
    let check_one = |listed: &&Listed| {
        let checked = package::check(listed, judge);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        events.progress(Progress {
            verb: "Checking",
            done,
            total,
            unit: Unit::Items,
        });
        checked
    };
    let checked: Vec<_> = records.par_iter().map(check_one).collect();
    let mut states = Vec::new();
    for (found, state) in checked {
        log.merge(found);
        states.extend(state);
    }
    states
}

/// No two names may differ only in case or sign.
fn check_names(states: &[Verified<PackageState>], log: &mut Log) {
    let mut names: BTreeMap<String, &PackageName> = BTreeMap::new();
    for state in states {
        let package = &state.document.package;
        if let Some(other) = names.insert(package.collision_key(), package) {
            log.find(&layout::record(package), Problem::Collision(other.clone()));
        }
    }
}

/// Files that nothing refers to do no harm, unless they are not what their name says, or stock
/// cargo would read them.
fn check_rest(tree: &Tree, log: &mut Log, report: &mut Report) {
    let referenced: &BTreeSet<String> = &log.referenced;
    let rest = tree.paths().filter(|path| !referenced.contains(*path));
    let rest: Vec<&str> = rest.collect();
    let problems: Vec<(&str, Option<Problem>)> = rest
        .into_par_iter()
        .map(|path| (path, unreferenced(tree, path)))
        .collect();
    for (path, problem) in problems {
        match problem {
            Some(problem) => log.find(path, problem),
            None => report.unreferenced.push(path.to_owned()),
        }
    }
}

fn unreferenced(tree: &Tree, path: &str) -> Option<Problem> {
    let file = path.rsplit('/').next()?;
    let package: Option<PackageName> = file.parse().ok();
    if package.is_some_and(|package| package.index_path() == path) {
        return Some(Problem::Stray);
    }
    let named: Sha256Digest = file.split('.').next()?.parse().ok()?;
    match tree.digest(path) {
        Ok(actual) if actual.sha256 == named => None,
        Ok(actual) => Some(Problem::Name(actual.sha256)),
        Err(problem) => Some(problem),
    }
}
