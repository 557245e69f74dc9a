//! What a check found: a list of findings, each with its file, and what is worth a word beside.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;

use semver::Version;

use crate::formats::catalog_index::CatalogIndexError;
use crate::formats::layout::Format;
use crate::formats::popularity::PopularityError;
use crate::formats::record::{FileDigest, RecordFormatError};
use crate::formats::v1::V1Error;
use crate::formats::v2::V2Error;
use crate::install::archive::DisagreementError;
use crate::model::{PackageName, Sha256Digest, UtcTime};
use crate::publish::drafts::DraftError;
use crate::trust::tuf::{TargetMismatch, TufError};
use crate::trust::{Ageing, Disagreement, RecordError, RegisteredError};

/// What a check of a whole registry came to.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong, by path.
    pub findings: Vec<Finding>,
    /// Roles that have less than a third of their life left.
    pub ageing: Vec<Ageing>,
    /// Roles whose next version waits for signatures.
    pub waiting: BTreeSet<String>,
    /// Files that nothing refers to: older versions, pages of a site.
    pub unreferenced: Vec<String>,
    /// Packages whose owners have them only by the online key's word.
    pub unclaimed: Vec<PackageName>,
    /// Says why a part of the registry could not be looked at.
    pub unchecked: Option<&'static str>,
    /// The sha256 of the first root file.
    pub root: Option<Sha256Digest>,
    /// The registry's serial.
    pub serial: u64,
    /// Packages whose records are in order.
    pub packages: usize,
    /// Their releases.
    pub releases: usize,
    /// Files that something refers to.
    pub files: usize,
}

/// Something that is wrong with a file.
#[derive(Debug)]
pub struct Finding {
    /// The file, below the registry's root.
    pub path: String,
    /// The package that it belongs to.
    pub package: Option<PackageName>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A journal with a plan.
    #[error("a change was cut off, and the next command that changes the registry finishes it")]
    PendingChange,
    /// A draft that nobody can sign.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Something refers to it, and it is not there.
    #[error("it is missing")]
    Missing,
    /// It is there and cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// Other bytes than something that is signed says.
    #[error(
        "it should have {} bytes and the sha256 {}, and has {} and {}",
        expected.length, expected.sha256, actual.length, actual.sha256
    )]
    Digest {
        /// What it should be.
        expected: FileDigest,
        /// What it is.
        actual: FileDigest,
    },
    /// Longer than anything that a client reads.
    #[error("it has {0} bytes, more than a client reads")]
    TooLong(u64),
    /// A plain name that does not hold what the name for good holds.
    #[error("it is not the same as `{0}`")]
    Copy(String),
    /// A file that nothing refers to, and that is not what its own name says.
    #[error("its name says another sha256 than it has, {0}")]
    Name(Sha256Digest),
    /// Metadata that a client refuses.
    #[error(transparent)]
    Tuf(#[from] TufError),
    /// Metadata that a client takes, but not byte for byte what was written.
    #[error("it was changed outside of what is signed")]
    NotAsWritten,
    /// A file that a client takes, but not in the form in which it is written.
    #[error("it is not in its own form")]
    Form,
    /// A list of downloads.
    #[error(transparent)]
    Popularity(#[from] PopularityError),
    /// A package of which there is none.
    #[error("it names `{0}`, which is no package of the registry")]
    NoPackage(PackageName),
    /// Metadata past its expiry.
    #[error("it expired at {0}")]
    Expired(UtcTime),
    /// Metadata of a later version than the one in force.
    #[error("it is newer than what is in force: an older state of the registry was put back")]
    PutBack,
    /// A target in a role where no client looks for it.
    #[error("the role `{0}` lists it, where no client looks for it")]
    Unreachable(String),
    /// A target in two roles.
    #[error("the roles `{0}` and `{1}` both list it")]
    ListedTwice(String, String),
    /// A claim on a name that no package has.
    #[error("no package has the name that it claims")]
    NothingClaimed,
    /// A target that every registry has.
    #[error("no role lists it")]
    NotListed,
    /// A target that is no record and in a place for records.
    #[error("it is not the record of a package that belongs there")]
    NoRecord,
    /// A target that is not what is listed.
    #[error(transparent)]
    Target(#[from] TargetMismatch),
    /// The policy or a publisher's keys.
    #[error(transparent)]
    Registered(#[from] RegisteredError),
    /// Cargo's configuration.
    #[error("it is not what belongs to the base `{0}`")]
    Config(String),
    /// A record that is not readable.
    #[error("it cannot be read")]
    RecordFormat(#[from] RecordFormatError),
    /// A record that a client refuses.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record without a document in one of the formats.
    #[error("the record names no {} document", .0.as_str())]
    NoDocument(Format),
    /// A v1 document.
    #[error("it cannot be read")]
    V1(#[from] V1Error),
    /// A v2 document.
    #[error("it cannot be read")]
    V2(#[from] V2Error),
    /// A document that does not say what the statements say.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// The archive of a release.
    #[error("the archive of version {version} is not in order")]
    Archive {
        /// The version.
        version: Version,
        /// Why.
        #[source]
        source: Box<Problem>,
    },
    /// An archive that holds something else than its release says.
    #[error(transparent)]
    Contents(#[from] DisagreementError),
    /// A document that says what it should, in other bytes.
    #[error("it is not byte for byte what the releases give")]
    NotAsDerived,
    /// A document that no record covers.
    #[error("no record covers it, and stock cargo reads it")]
    Stray,
    /// Two names that look alike.
    #[error("its name collides with `{0}`")]
    Collision(PackageName),
    /// The catalog's index.
    #[error(transparent)]
    CatalogIndex(#[from] CatalogIndexError),
    /// Packs that leave changes out, or contradict each other.
    #[error("its {} packs do not lead from each serial to the same", .0.as_str())]
    PackRange(Format),
    /// A pack that does not decompress.
    #[error("it does not decompress to {0} bytes")]
    Pack(u64),
    /// A package that the catalog has not.
    #[error("the {} catalog lacks `{package}`", format.as_str())]
    CatalogLacks {
        /// The format of the catalog.
        format: Format,
        /// The package.
        package: PackageName,
    },
    /// A package of which the catalog says something else.
    #[error("the {} catalog says something else of `{package}` than its record", format.as_str())]
    CatalogDiffers {
        /// The format of the catalog.
        format: Format,
        /// The package.
        package: PackageName,
    },
    /// A package that only the catalog has.
    #[error("the {} catalog has `{package}`, which has no record", format.as_str())]
    CatalogExtra {
        /// The format of the catalog.
        format: Format,
        /// The package.
        package: PackageName,
    },
}

impl Problem {
    /// What is wrong, with its causes, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        text
    }
}

/// Findings and references, gathered for one part of a registry and then put together.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) findings: Vec<Finding>,
    pub(super) referenced: BTreeSet<String>,
    /// The package that findings belong to.
    pub(super) package: Option<PackageName>,
}

impl Log {
    pub(super) fn of(package: PackageName) -> Self {
        Self {
            package: Some(package),
            ..Self::default()
        }
    }

    /// Notes that something refers to a file.
    pub(super) fn refer(&mut self, path: &str) {
        self.referenced.insert(path.to_owned());
    }

    pub(super) fn find(&mut self, path: &str, problem: impl Into<Problem>) {
        self.findings.push(Finding {
            path: path.to_owned(),
            package: self.package.clone(),
            problem: problem.into(),
        });
    }

    /// Returns what is in order, and notes what is not.
    pub(super) fn take<T>(
        &mut self,
        path: &str,
        result: Result<T, impl Into<Problem>>,
    ) -> Option<T> {
        result.map_err(|problem| self.find(path, problem)).ok()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.referenced.extend(other.referenced);
    }
}
