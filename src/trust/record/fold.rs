//! What a package's statements add up to: its owners and the document that both formats must hold.
//!
//! The same fold serves the client, which reads a whole record, and the writer, which adds one
//! statement. It judges what statements say, never who signed them.

use std::collections::BTreeMap;

use semver::Version;

use crate::formats::record::Documents;
use crate::model::{
    Body, Document, Entry, Owners, PackageName, Release, Sha256Digest, Statement, TrustState,
    UtcTime, Yank, same_release,
};

/// What a record says of its package, up to some statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageState {
    /// The sha256 of the registry's first root file.
    pub registry_id: Sha256Digest,
    /// What the package's documents must hold, to the letter.
    pub document: Document,
    /// Who owns the package; nobody does if all is vouched for.
    pub owners: Option<Owners>,
    /// Versions that were taken out for good; none is released again.
    pub withdrawn: Vec<Version>,
    /// The offline role `claimed` says that these owners have the name: a thief of online keys
    /// cannot give it to others.
    pub is_claimed: bool,
    /// The documents' digests; empty until a whole record was read.
    pub documents: Documents,
    /// The digest of each statement so far, the first one first.
    history: Vec<Sha256Digest>,
    title: Option<Sha256Digest>,
}

/// How far a record was read: its last statement's number and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The statement's number.
    pub sequence: u64,
    /// The sha256 of its bytes.
    pub last: Sha256Digest,
}

/// Why a statement cannot follow on those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Made for another registry.
    #[error("it was made for the registry {found}, not for {expected}")]
    OtherRegistry {
        /// This registry.
        expected: Sha256Digest,
        /// The one that it names.
        found: Sha256Digest,
    },
    /// Made for another package.
    #[error("it was made for `{found}`, not for `{expected}`")]
    OtherPackage {
        /// This package.
        expected: PackageName,
        /// The one that it names.
        found: PackageName,
    },
    /// A gap, or a statement twice.
    #[error("its sequence is {found} where {expected} must follow")]
    Sequence {
        /// The next number.
        expected: u64,
        /// The one that it has.
        found: u64,
    },
    /// It was signed on top of another statement than the one that stands before it.
    #[error("it does not follow on the statement before it")]
    Previous,
    /// A genesis anywhere but in first place.
    #[error("a genesis can only be the first statement")]
    LateGenesis,
    /// New owners of a package that nobody owns.
    #[error("it changes the owners of a package that has none")]
    NoOwners,
    /// A new name is taken by its owner, not assigned.
    #[error("it assigns a package that does not exist")]
    AssignNew,
    /// A version that was withdrawn comes again.
    #[error("version {0} was withdrawn")]
    Withdrawn(Version),
    /// A release of a package without an owner.
    #[error("version {0} is released, but the package has no owner")]
    NoOwner(Version),
    /// A release of a package that the operator vouches for.
    #[error("version {0} is released, but the package is vouched for and has no owner")]
    ReleaseInVouched(Version),
    /// The operator vouches for a version of a package that has an owner.
    #[error("version {0} is vouched for, but the package has an owner")]
    VouchInOwned(Version),
    /// The same version again, build metadata ignored.
    #[error("version {again} comes after {first}, which counts as the same version")]
    SecondRelease {
        /// The version that is there.
        first: Version,
        /// The one that came later.
        again: Version,
    },
    /// A release names a publisher who does not own the package, or none.
    #[error("version {0} does not name one of the owners as its publisher")]
    Publisher(Version),
    /// An unsigned release of a package that has an owner.
    #[error("version {0} is unsigned, but the package has an owner")]
    UnsignedInOwned(Version),
    /// An unsigned release names a publisher, who did not sign it.
    #[error("version {0} is unsigned and names a publisher")]
    UnsignedPublisher(Version),
    /// A vouched release names a publisher, who did not sign it.
    #[error("version {0} is vouched for and names a publisher")]
    VouchedPublisher(Version),
    /// A yank or its undoing for a version that there is not.
    #[error("there is no version {0}")]
    UnknownVersion(Version),
    /// A yank of what is yanked, or its undoing for what is not.
    #[error("version {0} already is in that state")]
    NothingChanges(Version),
    /// The registry does not say when it took a release in.
    #[error("the time of acceptance of version {0} is missing")]
    AcceptedMissing(Version),
}

impl PackageState {
    /// The state before the first statement.
    #[must_use]
    pub fn empty(registry_id: Sha256Digest, package: PackageName) -> Self {
        Self {
            registry_id,
            document: Document {
                package,
                entries: Vec::new(),
            },
            owners: None,
            withdrawn: Vec::new(),
            is_claimed: false,
            documents: Documents::default(),
            history: Vec::new(),
            title: None,
        }
    }

    /// The number of statements so far.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.history.len() as u64
    }

    /// The digest of the last statement, which the next one must name.
    #[must_use]
    pub fn last(&self) -> Option<Sha256Digest> {
        self.history.last().copied()
    }

    /// How far the record was read, to be kept and compared with later ones.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        let last = self.last()?;
        let sequence = self.sequence();
        Some(Seen { sequence, last })
    }

    /// The digest of the statement with that number.
    #[must_use]
    pub fn digest_at(&self, sequence: u64) -> Option<Sha256Digest> {
        let place = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.history.get(place).copied()
    }

    /// The digest of the statement by which the package came to its owners, who may have changed them
    /// since: its `genesis`, or the last `assign`.
    #[must_use]
    pub const fn title(&self) -> Option<Sha256Digest> {
        self.title
    }

    /// Says whether a statement with that digest is among those so far.
    #[must_use]
    pub fn holds(&self, digest: &Sha256Digest) -> bool {
        self.history.contains(digest)
    }

    /// Returns the statement that would say `body` next.
    #[must_use]
    pub fn next(&self, body: Body) -> Statement {
        Statement {
            registry_id: self.registry_id,
            package: self.document.package.clone(),
            sequence: self.sequence() + 1,
            previous: self.last(),
            body,
        }
    }

    /// Adds a statement whose bytes have that digest. On an error nothing has changed.
    pub fn apply(
        &mut self,
        statement: &Statement,
        digest: Sha256Digest,
        accepted: &BTreeMap<Version, UtcTime>,
    ) -> Result<(), FoldError> {
        self.check_place(statement)?;
        match &statement.body {
            Body::Genesis(owners) => {
                require(self.history.is_empty(), FoldError::LateGenesis)?;
                self.owners = Some(owners.clone());
            }
            Body::Owners(owners) => {
                require(self.owners.is_some(), FoldError::NoOwners)?;
                self.owners = Some(owners.clone());
            }
            Body::Assign(owners) => {
                require(!self.history.is_empty(), FoldError::AssignNew)?;
                self.owners = Some(owners.clone());
            }
            Body::Release(release) => {
                self.check_release(release)?;
                self.add(release, TrustState::Signed, accepted)?;
            }
            Body::Vouch { release, .. } => {
                self.check_vouch(release)?;
                self.add(release, TrustState::Vouched, accepted)?;
            }
            Body::Unsigned { release, .. } => {
                self.check_unsigned(release)?;
                self.add(release, TrustState::Unsigned, accepted)?;
            }
            Body::Yank { version, reason } => {
                let yank = Yank {
                    reason: reason.clone(),
                };
                self.set_yanked(version, Some(yank))?;
            }
            Body::Unyank { version } => self.set_yanked(version, None)?,
            Body::Withdraw { version, .. } => self.withdraw(version)?,
        }
        if matches!(statement.body, Body::Genesis(_) | Body::Assign(_)) {
            self.title = Some(digest);
        }
        self.history.push(digest);
        Ok(())
    }

    fn check_place(&self, statement: &Statement) -> Result<(), FoldError> {
        if statement.registry_id != self.registry_id {
            return Err(FoldError::OtherRegistry {
                expected: self.registry_id,
                found: statement.registry_id,
            });
        }
        self.check_name(&statement.package)?;
        let expected = self.sequence() + 1;
        if statement.sequence != expected {
            return Err(FoldError::Sequence {
                expected,
                found: statement.sequence,
            });
        }
        if statement.previous != self.last() {
            return Err(FoldError::Previous);
        }
        Ok(())
    }

    fn check_name(&self, found: &PackageName) -> Result<(), FoldError> {
        if *found == self.document.package {
            return Ok(());
        }
        Err(FoldError::OtherPackage {
            expected: self.document.package.clone(),
            found: found.clone(),
        })
    }

    fn withdraw(&mut self, version: &Version) -> Result<(), FoldError> {
        let entries = &mut self.document.entries;
        let place = entries
            .iter()
            .position(|entry| same_release(&entry.release.version, version))
            .ok_or_else(|| FoldError::UnknownVersion(version.clone()))?;
        self.withdrawn.push(entries.remove(place).release.version);
        Ok(())
    }

    fn check_release(&self, release: &Release) -> Result<(), FoldError> {
        let version = || release.version.clone();
        match (&self.owners, &release.publisher) {
            (None, _) if self.history.is_empty() => Err(FoldError::NoOwner(version())),
            (None, _) => Err(FoldError::ReleaseInVouched(version())),
            (Some(owners), Some(publisher)) if owners.publishers.contains(publisher) => Ok(()),
            (Some(_), _) => Err(FoldError::Publisher(version())),
        }
    }

    fn check_vouch(&self, release: &Release) -> Result<(), FoldError> {
        let version = || release.version.clone();
        if self.owners.is_some() {
            return Err(FoldError::VouchInOwned(version()));
        }
        if release.publisher.is_some() {
            return Err(FoldError::VouchedPublisher(version()));
        }
        Ok(())
    }

    fn check_unsigned(&self, release: &Release) -> Result<(), FoldError> {
        let version = || release.version.clone();
        if self.owners.is_some() {
            return Err(FoldError::UnsignedInOwned(version()));
        }
        if release.publisher.is_some() {
            return Err(FoldError::UnsignedPublisher(version()));
        }
        Ok(())
    }

    fn add(
        &mut self,
        release: &Release,
        trust: TrustState,
        accepted: &BTreeMap<Version, UtcTime>,
    ) -> Result<(), FoldError> {
        self.check_name(&release.name)?;
        let version = &release.version;
        if let Some(first) = self.document.entry(version) {
            return Err(FoldError::SecondRelease {
                first: first.release.version.clone(),
                again: version.clone(),
            });
        }
        let mut withdrawn = self.withdrawn.iter();
        if withdrawn.any(|gone| same_release(gone, version)) {
            return Err(FoldError::Withdrawn(version.clone()));
        }
        let time = accepted
            .get(version)
            .ok_or_else(|| FoldError::AcceptedMissing(version.clone()))?;
        self.document.entries.push(Entry {
            release: release.clone(),
            accepted: Some(*time),
            yanked: None,
            trust: Some(trust),
        });
        Ok(())
    }

    fn set_yanked(&mut self, version: &Version, yank: Option<Yank>) -> Result<(), FoldError> {
        let mut entries = self.document.entries.iter_mut();
        let entry = entries
            .find(|entry| same_release(&entry.release.version, version))
            .ok_or_else(|| FoldError::UnknownVersion(version.clone()))?;
        if entry.yanked.is_some() == yank.is_some() {
            return Err(FoldError::NothingChanges(version.clone()));
        }
        entry.yanked = yank;
        Ok(())
    }
}

fn require(holds: bool, error: FoldError) -> Result<(), FoldError> {
    if holds { Ok(()) } else { Err(error) }
}
