//! The change by which drafts come into force: the drafts themselves, and what follows from them and
//! is signed at once, with the keys at hand: bins, snapshot and timestamp.

use serde_json::json;

use super::rotation::rebinned;
use super::{DraftError, Pending};
use crate::formats::layout;
use crate::formats::policy::Lifetimes;
use crate::model::UtcTime;
use crate::publish::ceremony::BINS;
use crate::publish::journal::{Change, NewFile};
use crate::publish::metadata::{self, BIN_BITS, PACKAGES};
use crate::publish::role_keys::RoleKeys;
use crate::publish::roles::{Roles, version_of};
use crate::trust::lifetime;

/// A publication that is being put together.
struct Publication<'a> {
    /// The roles as they will be.
    after: Roles,
    keys: &'a RoleKeys,
    now: UtcTime,
    lifetimes: &'a Lifetimes,
    change: Change,
}

/// The change by which drafts that wait for nobody come into force. Where the bins change, all present
/// ones must have been read.
///
/// # Errors
///
/// [`DraftError::Seal`] if keys that sign what follows are not at hand.
pub fn publication(
    pending: &Pending,
    keys: &RoleKeys,
    now: UtcTime,
    lifetimes: &Lifetimes,
) -> Result<Change, DraftError> {
    let mut publication = Publication {
        after: pending.after.clone(),
        keys,
        now,
        lifetimes,
        change: Change::default(),
    };
    if !publication.after.contains("snapshot") {
        let empty = metadata::snapshot(0, now, std::iter::empty());
        publication.after.insert("snapshot", empty);
    }
    for role in pending.drafts().roles() {
        let file = pending.file(role)?;
        match role {
            "root" => publication.change.root = Some(file),
            role => publication.add(role, file),
        }
    }
    if pending.changes_bins() {
        publication.sign_bins(&pending.before)?;
    }
    if pending.changes_more_than_root() {
        publication.sign_snapshot_and_timestamp()?;
    }
    Ok(publication.change)
}

impl Publication<'_> {
    /// Adds a role of type `targets`, and tells the snapshot.
    fn add(&mut self, role: &str, file: NewFile) {
        let version = self.after.version(role);
        if let Some(snapshot) = self.after.get_mut("snapshot") {
            snapshot["meta"][format!("{role}.json")] = json!({"version": version});
        }
        self.change.metadata.push(file);
    }

    fn expires(&self, role: &str) -> UtcTime {
        self.now.plus_days(lifetime(role, self.lifetimes))
    }

    /// Gives every record to the bin that it belongs to by now.
    fn sign_bins(&mut self, before: &Roles) -> Result<(), DraftError> {
        let bits = self.after.bin_bits(PACKAGES).unwrap_or(BIN_BITS);
        let next = rebinned(before, (PACKAGES, bits), &|bin| self.expires(bin));
        for (bin, signed) in next {
            let bytes = self
                .keys
                .seal(BINS, &self.after.description(BINS), &signed)?;
            let path = layout::metadata(&bin, version_of(&signed));
            self.after.insert(&bin, signed);
            self.add(&bin, NewFile::new(path, bytes));
        }
        Ok(())
    }

    fn sign_snapshot_and_timestamp(&mut self) -> Result<(), DraftError> {
        let expires = self.expires("snapshot");
        let mut snapshot = self.after["snapshot"].clone();
        metadata::renew(&mut snapshot, expires);
        let description = self.after.description("snapshot");
        let bytes = self.keys.seal("snapshot", &description, &snapshot)?;
        let version = version_of(&snapshot);
        let timestamp = metadata::timestamp(
            self.after.version("timestamp") + 1,
            self.expires("timestamp"),
            version,
            &bytes,
        );
        let path = layout::metadata("snapshot", version);
        self.change.metadata.push(NewFile::new(path, bytes));
        let description = self.after.description("timestamp");
        let bytes = self.keys.seal("timestamp", &description, &timestamp)?;
        self.change.timestamp = Some(NewFile::new(layout::TIMESTAMP, bytes));
        Ok(())
    }
}
