//! The record of a package and the state that it adds up to, held against what was seen of it before, by this process or another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Client;
use super::registered::Registered;
use crate::formats::policy::Policy;
use crate::formats::unsigned::UnsignedList;
use crate::formats::{layout, record};
use crate::model::{PackageName, Sha256Digest};
use crate::registry::error::ClientError;
use crate::registry::seen;
use crate::trust::tuf::Target;
use crate::trust::{
    PackageState, RecordContext, RecordError, Seen, SignedStatement, Verified, signed_statements,
    verify_record,
};

impl Client<'_> {
    /// The verified state of a package: what its record's statements add up to.
    pub fn package(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<PackageState>>, ClientError> {
        self.awake(Option::is_some, || self.package_caught_up(package))
    }

    fn package_caught_up(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<PackageState>>, ClientError> {
        match self.package_at_hand(package) {
            // What is at hand is older than what another process has learnt since it was fetched.
            Err(error) if error.goes_back() && !self.is_resting() && self.files.is_behind()? => {
                self.catch_up()?;
                self.package_at_hand(package)
            }
            answer => answer,
        }
    }

    fn package_at_hand(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<PackageState>>, ClientError> {
        let mut before = seen::load(&self.files, package)?;
        let Some((target, registered)) = self.record(package, before)? else {
            return Ok(None);
        };
        loop {
            let state = verify_record(&target, &self.context(&registered, before));
            let state = state.map_err(|error| self.of_copy(package, error))?;
            let meanwhile = seen::store(&self.files, package, before, &state)?;
            self.files.tell_refusal(&self.name, self.events);
            let last = state.seen().map(|seen| seen.sequence);
            match meanwhile.filter(|other| Some(other.sequence) <= last) {
                // What another process has seen in the meantime binds this one, too.
                Some(other) => before = Some(other),
                // It has read further: this record was good when it was fetched.
                None => return Ok(Some(state).filter(|state| state.document.package == *package)),
            }
        }
    }

    /// The statements of a package's record and who signed them; every signature is checked.
    pub fn statements(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<Vec<SignedStatement>>>, ClientError> {
        let record = || self.record(package, None);
        let Some((target, registered)) = self.awake(Option::is_some, record)? else {
            return Ok(None);
        };
        let context = self.context(&registered, None);
        let statements = signed_statements(&target, &context);
        let statements = statements.map_err(|error| self.of_copy(package, error))?;
        Ok(Some(statements).filter(|_| registered.package == *package))
    }

    /// The record of a package, not yet verified but for its digest, and by what it is judged: all of
    /// one state of the registry.
    fn record(
        &self,
        package: &PackageName,
        before: Option<Seen>,
    ) -> Result<Option<(Verified<Target>, Registered)>, ClientError> {
        loop {
            let policy = self.policy();
            let found = self.record_under(&policy, package, before)?;
            // Another thread may have caught up in the meantime.
            if Arc::ptr_eq(&policy, &self.policy()) {
                return Ok(found);
            }
        }
    }

    fn record_under(
        &self,
        policy: &Arc<Verified<Policy>>,
        package: &PackageName,
        before: Option<Seen>,
    ) -> Result<Option<(Verified<Target>, Registered)>, ClientError> {
        let target = self.target(&layout::record(package));
        let target = target.map_err(|error| self.in_copy(package, error))?;
        let claim = self.claim(package);
        let claim = claim.map_err(|error| self.in_copy(package, error))?;
        let Some(target) = target else {
            return match before {
                _ if self.standing().tuf.is_behind() => Err(self.not_in_copy(package)),
                Some(_) => Err(ClientError::Vanished(package.clone())),
                None if claim.is_some() => Err(ClientError::ClaimedAbsent(package.clone())),
                None => Ok(None),
            };
        };
        let mut registered = Registered {
            package: package.clone(),
            policy: Arc::clone(policy),
            publishers: BTreeMap::new(),
            unsigned: UnsignedList::default(),
            claim,
        };
        // What cannot be read is told by `verify_record`, with all that belongs to it.
        if let Ok(record) = record::decode(&target.bytes) {
            registered.publishers = self.publishers(&record)?;
            registered.unsigned = self.unsigned_for(&record)?;
            // A name of the same place but for case: the package that was asked for does not exist, if this
            // one does.
            if is_other_spelling(&record.package, package) {
                registered.package = record.package;
            }
        }
        Ok(Some((target, registered)))
    }

    /// The statement by which its owners have a package, as the offline role `claimed` says.
    fn claim(&self, package: &PackageName) -> Result<Option<Sha256Digest>, ClientError> {
        let path = layout::claim(package);
        let Some(listed) = self.find(&path)? else {
            return Ok(None);
        };
        let digest = listed.sha256();
        digest.map(Some).ok_or(ClientError::NotListed(path))
    }

    /// What an error means where a package was asked for that no copy may hold.
    fn in_copy(&self, package: &PackageName, error: ClientError) -> ClientError {
        match error.is_missing_copy() {
            true => self.not_in_copy(package),
            false => error,
        }
    }

    /// What the refusal of a record means where its role may be older than those by which it is judged: a key
    /// that was revoked since counts only in a record that holds its last good statement.
    fn of_copy(&self, package: &PackageName, error: RecordError) -> ClientError {
        let is_older = !self.files.is_online() && self.standing().tuf.is_behind();
        match is_older && error.is_of_its_context() {
            true => self.not_in_copy(package),
            false => error.into(),
        }
    }

    fn not_in_copy(&self, package: &PackageName) -> ClientError {
        ClientError::NotInCopy {
            package: package.clone(),
            registry: self.name.clone(),
        }
    }

    fn context<'b>(
        &'b self,
        registered: &'b Registered,
        verified_before: Option<Seen>,
    ) -> RecordContext<'b> {
        RecordContext {
            registry_id: self.registry_id,
            package: &registered.package,
            publishers: &registered.publishers,
            policy: &registered.policy,
            unsigned: &registered.unsigned,
            claim: registered.claim,
            verified_before,
        }
    }
}

fn is_other_spelling(found: &PackageName, asked: &PackageName) -> bool {
    found != asked && found.as_str().eq_ignore_ascii_case(asked.as_str())
}
