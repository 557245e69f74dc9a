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
    /// The package is new and has these owners, each of whom signs.
    Genesis(Owners),
    /// From now on the package has these owners; the owners so far sign, and each new one.
    Owners(Owners),
    /// The registry's operator gives the package these owners, each of whom signs, too: it had none,
    /// or they lost their keys.
    Assign(Owners),
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
    /// The operator takes a version out of the registry for good: a leak, or a court's order.
    Withdraw {
        /// Which.
        version: Version,
        /// Why.
        reason: Option<String>,
    },
    /// The operator says that this archive is what that source served. It gives no ownership.
    Vouch {
        /// The release as derived from the archive.
        release: Box<Release>,
        /// Where the archive came from, in the operator's words (`crates.io`).
        source: Option<String>,
    },
    /// A release that nobody answers for: it counts only where the registry's offline keys list it.
    Unsigned {
        /// The release as derived from the archive.
        release: Box<Release>,
        /// Where the archive came from, in the operator's words.
        source: Option<String>,
    },
}

/// Who may speak for a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// Publishers, sorted, at least one.
    pub publishers: Vec<PublisherId>,
    /// How many of them must sign each statement.
    pub threshold: u32,
}

impl Body {
    /// The owners that it gives the package.
    #[must_use]
    pub const fn owners(&self) -> Option<&Owners> {
        match self {
            Self::Genesis(owners) | Self::Owners(owners) | Self::Assign(owners) => Some(owners),
            Self::Release(_)
            | Self::Yank { .. }
            | Self::Unyank { .. }
            | Self::Withdraw { .. }
            | Self::Vouch { .. }
            | Self::Unsigned { .. } => None,
        }
    }

    /// The version that it is about.
    #[must_use]
    pub const fn version(&self) -> Option<&Version> {
        match self {
            Self::Release(release)
            | Self::Vouch { release, .. }
            | Self::Unsigned { release, .. } => Some(&release.version),
            Self::Yank { version, .. }
            | Self::Unyank { version }
            | Self::Withdraw { version, .. } => Some(version),
            Self::Genesis(_) | Self::Owners(_) | Self::Assign(_) => None,
        }
    }

    /// The release that it adds.
    #[must_use]
    pub const fn release(&self) -> Option<&Release> {
        match self {
            Self::Release(release)
            | Self::Vouch { release, .. }
            | Self::Unsigned { release, .. } => Some(release),
            Self::Genesis(_)
            | Self::Owners(_)
            | Self::Assign(_)
            | Self::Yank { .. }
            | Self::Unyank { .. }
            | Self::Withdraw { .. } => None,
        }
    }

    /// The word for the kind of fact, as written in statements.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Owners(_) => "owners",
            Self::Assign(_) => "assign",
            Self::Release(_) => "release",
            Self::Yank { .. } => "yank",
            Self::Unyank { .. } => "unyank",
            Self::Withdraw { .. } => "withdraw",
            Self::Vouch { .. } => "vouch",
            Self::Unsigned { .. } => "unsigned",
        }
    }
}
