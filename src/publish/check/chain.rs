//! The chain of trust of a registry in a folder, from its first root to every file that a role
//! lists. The judgements are those of the client's own updater; what it would stop at is noted,
//! and the rest is looked at all the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::report::{Log, Problem};
use super::tree::Tree;
use crate::formats::canonical_json::{Form, canonical, parse_strict};
use crate::formats::layout;
use crate::formats::policy::Lifetimes;
use crate::formats::record::FileDigest;
use crate::model::{Sha256Digest, UtcTime};
use crate::publish::roles::by_operator_name;
use crate::trust::tuf::{
    Lookup, MAX_ROOT, Mode, Request, RoleValidity, Settings, Target, TargetFile, TufError, Updater,
    ed25519_only,
};
use crate::trust::{Ageing, Verified, ageing};

/// What the signed metadata lists.
pub(super) struct Chain {
    /// The sha256 of the first root.
    pub(super) root: Sha256Digest,
    /// Every file, by path, with the role that lists it.
    pub(super) listed: BTreeMap<String, Listed>,
    /// Every role that was read, and until when it is valid.
    pub(super) validities: Vec<RoleValidity>,
    /// Whether every role could be read.
    pub(super) is_whole: bool,
}

/// A file that a role lists.
pub(super) struct Listed {
    pub(super) role: String,
    pub(super) file: Verified<TargetFile>,
}

impl Listed {
    /// The bytes of the file, checked; its plain copy is compared with it on the way.
    pub(super) fn load(&self, tree: &Tree, log: &mut Log) -> Option<Verified<Target>> {
        let (path, location) = (self.file.path(), self.file.location());
        log.refer(location);
        if let Some(sha256) = self.file.sha256() {
            let length = self.file.length();
            tree.check_copy(path, location, &FileDigest { sha256, length }, log);
        }
        let bytes = tree.read(location, self.file.length());
        let bytes = log.take(location, bytes)?;
        log.take(location, self.file.verify(bytes))
    }
}

impl Chain {
    /// Notes roles past their expiry, and returns those that have less than a third of their life
    /// left.
    pub(super) fn check_expiry(
        &self,
        now: UtcTime,
        lifetimes: &Lifetimes,
        log: &mut Log,
    ) -> Vec<Ageing> {
        let mut found = Vec::new();
        for validity in &self.validities {
            let (role, expires) = (&validity.role, validity.expires);
            if expires <= now {
                let path = match role.as_str() {
                    "timestamp" => layout::TIMESTAMP.to_owned(),
                    _ => layout::metadata(role, validity.version),
                };
                log.find(&path, Problem::Expired(expires));
            } else {
                found.extend(ageing(role, expires, lifetimes, now));
            }
        }
        by_operator_name(found)
    }
}

/// Notes metadata of later versions than those in force, where no change is under way.
pub(super) fn find_newer(chain: &Chain, tree: &Tree, log: &mut Log) {
    let next = chain.validities.iter();
    let next = next.map(|role| layout::metadata(&role.role, role.version + 1));
    for path in next.filter(|next| tree.paths().any(|path| path == next)) {
        log.find(&path, Problem::PutBack);
    }
}

/// Follows the chain. Nothing if it breaks before it leads to any file.
pub(super) fn follow(tree: &Tree, log: &mut Log) -> Option<Chain> {
    let first = layout::metadata("root", 1);
    let root = log.take(&first, tree.read(&first, MAX_ROOT))?;
    log.refer(&first);
    check_form(&first, &root, log);
    // Expiry is noted by itself, for each role: it must not keep the rest from being looked at.
    let settings = Settings {
        now: UtcTime::from_unix(0)?,
        mode: Mode::Online,
        verifier: ed25519_only,
    };
    let mut updater = log.take(&first, Updater::start(&root, settings))?;
    answer_requests(&mut updater, tree, log)?;
    let passed_over = read_roles(&mut updater, tree, log);
    Some(Chain {
        root: Sha256Digest::of(&root),
        listed: listed(&mut updater, &passed_over, log),
        validities: updater.validities(),
        is_whole: passed_over.is_empty(),
    })
}

/// Reads every role; returns those that a client would refuse.
fn read_roles(updater: &mut Updater, tree: &Tree, log: &mut Log) -> BTreeSet<String> {
    let snapshot = layout::metadata("snapshot", updater.snapshot_version().unwrap_or_default());
    let mut passed_over = BTreeSet::new();
    loop {
        match updater.next_role(&passed_over) {
            Ok(None) => return passed_over,
            Ok(Some(role)) if updater.listed_version(&role).is_none() => {
                log.find(&snapshot, TufError::NotInSnapshot { role: role.clone() });
                passed_over.insert(role);
            }
            Ok(Some(role)) => {
                if answer_requests(updater, tree, log).is_none() {
                    passed_over.insert(role);
                }
            }
            Err(error) => {
                log.find(&snapshot, error);
                passed_over.insert("targets".into());
                return passed_over;
            }
        }
    }
}

/// Answers what the updater asks for; nothing if it refuses an answer, which is noted.
fn answer_requests(updater: &mut Updater, tree: &Tree, log: &mut Log) -> Option<()> {
    while let Some(request) = updater.next_request() {
        let Request::Remote {
            path,
            max_bytes,
            may_be_missing,
        } = request
        else {
            // Nothing was kept: this client has never been here.
            updater.supply(None).ok()?;
            continue;
        };
        let path = format!("{}/{path}", layout::TUF);
        let bytes = match tree.read(&path, max_bytes) {
            Ok(bytes) => Some(bytes),
            Err(Problem::Missing) if may_be_missing => None,
            Err(problem) => {
                log.refer(&path);
                log.find(&path, problem);
                return None;
            }
        };
        if let Some(bytes) = &bytes {
            log.refer(&path);
            check_form(&path, bytes, log);
        }
        log.take(&path, updater.supply(bytes))?;
    }
    Some(())
}

/// Spaces and the case of hexadecimal digits are not signed; a changed file is one all the same.
fn check_form(path: &str, bytes: &[u8], log: &mut Log) {
    let Ok(value) = parse_strict(bytes) else {
        // The updater says what is wrong.
        return;
    };
    let is_lower = |signature: &Value| {
        let text = signature["sig"].as_str().unwrap_or_default();
        !text.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let signatures = value["signatures"].as_array();
    let as_written = canonical(&value, Form::Jcs).is_ok_and(|form| form == bytes)
        && signatures.into_iter().flatten().all(is_lower);
    if !as_written {
        log.find(path, Problem::NotAsWritten);
    }
}

fn listed(
    updater: &mut Updater,
    passed_over: &BTreeSet<String>,
    log: &mut Log,
) -> BTreeMap<String, Listed> {
    let mut listed: BTreeMap<String, Listed> = BTreeMap::new();
    for (path, role) in updater.listed_paths() {
        if let Some(other) = listed.get(&path) {
            log.find(&path, Problem::ListedTwice(other.role.clone(), role));
            continue;
        }
        match updater.find_target(&path) {
            Ok(Lookup::Found(file)) => {
                listed.insert(path, Listed { role, file });
            }
            // A role on the way was refused, which was noted; the updater is to wait no more.
            Ok(Lookup::Needs) => drop(updater.next_role(passed_over)),
            Ok(Lookup::Absent) => log.find(&path, Problem::Unreachable(role)),
            Err(error) => log.find(&path, error),
        }
    }
    listed
}
