//! Where verified documents and archives come from, as far as installing is concerned: a live
//! registry, or what an earlier visit left on this machine. What comes through here was checked by
//! `trust`; nothing in this folder takes bytes from anywhere else.

use std::collections::BTreeSet;
use std::error::Error;

use semver::Version;

use crate::model::{Document, Entry, PackageName};
use crate::trust::{Archive, Verified};

/// Why a source did not deliver. The caller, who made the source, knows the type behind it.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// A source of verified documents and archives, asked from many threads.
pub trait Source: Sync {
    /// Fails where what is known is too old to choose new releases from: a mirror that does not
    /// answer could else hold users back for ever.
    fn may_choose(&self) -> Result<(), SourceError>;

    /// A package's document; `None` if the registry has no such package.
    fn document(&self, name: &PackageName) -> Result<Option<Verified<Document>>, SourceError>;

    /// The releases of a package that are too young to be chosen.
    fn held_back(&self, document: &Document) -> Result<BTreeSet<Version>, SourceError>;

    /// The archive of a release.
    fn archive(&self, entry: &Verified<Entry>) -> Result<Verified<Archive>, SourceError>;
}
