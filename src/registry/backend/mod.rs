//! Backends: reading a registry's documents in one format, or in v2 with v1 to fall back to.
//!
//! A backend reads what the record and the signed catalog name by digest; it decides nothing about
//! trust. Which backends there are is a matter of the cargo features, here and nowhere else.

#[cfg(all(feature = "marketplace-v1", feature = "marketplace-v2"))]
mod dual;
mod error;
#[cfg(feature = "marketplace-v1")]
mod v1;
#[cfg(feature = "marketplace-v2")]
mod v2;

pub use error::BackendError;
#[cfg(feature = "marketplace-v2")]
pub use v2::{dataset, dataset_anew};

use super::catalog::Catalog;
use super::client::Client;
use crate::formats::catalog_index::CatalogIndex;
use crate::formats::layout::{self, Format};
use crate::formats::union::Union;
use crate::model::{Document, PackageName};
use crate::ranking::{Hits, SearchRequest};
use crate::trust::{PackageState, Verified};

/// A way to read documents.
pub trait Backend: Sync {
    /// Reads a package's document and compares it with what its statements say.
    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError>;

    /// Reads the documents of all packages.
    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError>;

    /// Brings what is known here of the catalog to its newest serial.
    fn refresh(&self, client: &Client<'_>) -> Result<Led, BackendError>;

    /// Searches the latest releases of all packages.
    fn search(&self, client: &Client<'_>, request: &SearchRequest) -> Result<Hits, BackendError>;

    /// The package that was perhaps meant by a name that is not there; none, too, where it would take long to
    /// look for it.
    fn meant(
        &self,
        client: &Client<'_>,
        name: &PackageName,
    ) -> Result<Option<PackageName>, BackendError>;
}

/// What a refresh of the catalog has led from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Led {
    /// The serial before; 0 where there was nothing.
    pub from: u64,
    /// The registry's serial.
    pub to: u64,
}

/// Whether this build reads v2.
pub const READS_V2: bool = cfg!(feature = "marketplace-v2");

/// The policy is signed offline, so that nobody but the operator turns a registry back to v1.
fn check_floor(client: &Client<'_>, format: Format) -> Result<(), BackendError> {
    match client.policy().format_floor.allows(format) {
        true => Ok(()),
        false => Err(BackendError::BelowFloor(format)),
    }
}

/// The bytes of a package's document, as its record names them.
fn document(
    client: &Client<'_>,
    state: &PackageState,
    format: Format,
) -> Result<Vec<u8>, BackendError> {
    check_floor(client, format)?;
    let package = &state.document.package;
    let listed = state.documents.get(format);
    let listed = listed.ok_or_else(|| BackendError::NoDocument {
        package: package.clone(),
        format,
    })?;
    let path = layout::document(package, format);
    Ok(client.awake(|_| true, || client.files().document(&path, &listed))?)
}

/// The index of the catalog, which lists packs in a format.
fn catalog_index(client: &Client<'_>, format: Format) -> Result<CatalogIndex, BackendError> {
    check_floor(client, format)?;
    let index = client.catalog_index()?;
    match index.packs(format).is_empty() && index.serial > 0 {
        true => Err(BackendError::NoCatalog(format)),
        false => Ok(index),
    }
}

/// What the packs of one format say together, and how often their packages were downloaded.
fn catalog<E: Into<BackendError>>(
    client: &Client<'_>,
    format: Format,
    decode: impl Fn(&[u8]) -> Result<Vec<Document>, E>,
) -> Result<Catalog, BackendError> {
    let read = |index: &CatalogIndex| -> Result<Union, BackendError> {
        let mut union = Union::default();
        for (pack, text) in client.unpacked(index, format)? {
            union.take(pack, decode(&text).map_err(Into::into)?);
        }
        Ok(union)
    };
    let newest = || {
        let index = catalog_index(client, format)?;
        // Much the smaller one: where it does not come, nothing else need.
        let popularity = client.popularity()?.counts;
        let union = read(&index)?;
        client.prune_packs(&index)?;
        Ok(Catalog::new(union).with_popularity(popularity))
    };
    match client.awake(|_| true, newest) {
        Err(BackendError::Client(error)) if client.may_lag(&error) => {
            while let Some(earlier) = client.last_whole(format)? {
                let union = read(&earlier);
                // Another process may have put a later one in its place meanwhile.
                if union.is_ok() || client.last_whole(format)?.as_ref() == Some(&earlier) {
                    client.say_earlier(earlier.serial, &error);
                    let popularity = client.last_popularity()?;
                    return Ok(Catalog::new(union?).with_popularity(popularity));
                }
            }
            Err(error.into())
        }
        catalog => catalog,
    }
}

/// The backend for a format that was asked for; without one, the best that this build has. A build
/// with one format has no other.
pub fn backend(asked: Option<Format>) -> Result<Box<dyn Backend>, BackendError> {
    match asked {
        None => best(),
        Some(Format::V1) => only_v1(),
        Some(Format::V2) => only_v2(),
    }
}

#[cfg(all(feature = "marketplace-v1", feature = "marketplace-v2"))]
#[expect(clippy::unnecessary_wraps, reason = "other builds may have no backend")]
fn best() -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(dual::Dual {
        first: v2::V2,
        fallback: v1::V1,
    }))
}

#[cfg(not(all(feature = "marketplace-v1", feature = "marketplace-v2")))]
fn best() -> Result<Box<dyn Backend>, BackendError> {
    only_v2().or_else(|_| only_v1())
}

#[cfg(feature = "marketplace-v1")]
#[expect(clippy::unnecessary_wraps, reason = "other builds have no v1")]
fn only_v1() -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(v1::V1))
}

#[cfg(not(feature = "marketplace-v1"))]
fn only_v1() -> Result<Box<dyn Backend>, BackendError> {
    Err(BackendError::NotBuilt(Format::V1))
}

#[cfg(feature = "marketplace-v2")]
#[expect(clippy::unnecessary_wraps, reason = "other builds have no v2")]
fn only_v2() -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(v2::V2))
}

#[cfg(not(feature = "marketplace-v2"))]
fn only_v2() -> Result<Box<dyn Backend>, BackendError> {
    Err(BackendError::NotBuilt(Format::V2))
}
