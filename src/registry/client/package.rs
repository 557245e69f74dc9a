//! The state of a package, held against what was seen of it before, by this process or another one.

use super::Client;
use crate::model::PackageName;
use crate::registry::error::ClientError;
use crate::registry::{metadata, seen};
use crate::trust::{PackageState, Verified, verify_record};

impl Client<'_> {
    /// The verified state of a package: what its record's statements add up to.
    pub fn package(
        &self,
        package: &PackageName,
    ) -> Result<Option<Verified<PackageState>>, ClientError> {
        match self.package_at_hand(package) {
            // What is at hand is older than what another process has learnt since it was fetched.
            Err(error) if error.goes_back() && self.files.is_behind()? => {
                *self.tuf() = metadata::catch_up(&self.files, self.now)?;
                self.forget_registered();
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
            let state = verify_record(&target, &self.context(package, &registered, before))?;
            let meanwhile = seen::store(&self.files, package, before, &state)?;
            self.files.tell_refusal(&self.name, self.events);
            let last = state.seen().map(|seen| seen.sequence);
            match meanwhile.filter(|other| Some(other.sequence) <= last) {
                // What another process has seen in the meantime binds this one, too.
                Some(other) => before = Some(other),
                // It has read further: this record was good when it was fetched.
                None => return Ok(Some(state)),
            }
        }
    }
}
