//! Statements: the signed facts about a package that its record is made of.

use semver::Version;

use super::{PackageName, PublisherId, Release, Sha256Digest};

/// One signed fact about a package. Its place in the chain is part of what is signed, so that
/// nothing can be replayed under another name, version or registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The sha256 of the registry's first root file.
    pub registry_id: Sha256Digest,
    /// The package.
    pub package: PackageName,
    /// 1 for the first statement of the record, and one more for each that follows.
    pub sequence: u64,
    /// The sha256 of the canonical bytes of the statement before; absent for the first.
    pub previous: Option<Sha256Digest>,
    /// The fact.
    pub body: Body,
}

/// The fact that a statement states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The package has these owners; always the first statement of an owned package.
    Genesis {
        /// Publishers, sorted, at least one.
        owners: Vec<PublisherId>,
        /// How many of them must sign each later statement.
        threshold: u32,
    },
    /// An owner publishes this release.
    Release(Box<Release>),
    /// A version is not to be chosen any more.
    Yank {
        /// Which.
        version: Version,
        /// Why.
        reason: Option<String>,
    },
    /// A yank is taken back.
    Unyank {
        /// Of which version.
        version: Version,
    },
    /// The operator says that this archive is what that source served. It gives no ownership.
    Vouch {
        /// The release as derived from the archive.
        release: Box<Release>,
        /// Where the archive came from, in the operator's words (`crates.io`).
        source: Option<String>,
    },
}

impl Body {
    /// The word for the kind of fact, as written in statements.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Genesis { .. } => "genesis",
            Self::Release(_) => "release",
            Self::Yank { .. } => "yank",
            Self::Unyank { .. } => "unyank",
            Self::Vouch { .. } => "vouch",
        }
    }
}
