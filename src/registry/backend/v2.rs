//! Reading v2: Turtle documents.

use super::{Backend, BackendError};
use crate::formats::layout::{self, Format};
use crate::formats::v2;
use crate::model::Document;
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::trust::{PackageState, Verified, compare};

/// Reads v2 only.
pub(super) struct V2;

impl Backend for V2 {
    fn format(&self) -> Format {
        Format::V2
    }

    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let package = &state.document.package;
        let listed = state.documents.v2.ok_or_else(|| BackendError::NoDocument {
            package: package.clone(),
            format: Format::V2,
        })?;
        let path = layout::document(package, Format::V2);
        let bytes = client.files().document(&path, &listed)?;
        let decoded = v2::decode(package, &bytes, &client.policy().base)?;
        Ok(compare(state, &decoded)?)
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        let Triples { turtle, .. } = pack(client)?;
        let documents = v2::decode_pack(&turtle, &client.policy().base)?;
        Ok(Catalog::new(documents))
    }
}

/// All documents of a registry as one Turtle text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triples {
    /// The registry's serial to which they belong.
    pub serial: u64,
    /// The documents, one after the other.
    pub turtle: Vec<u8>,
}

/// Reads the triples of a registry. Each document is what its releases say, as where it is searched.
pub fn triples(client: &Client<'_>) -> Result<Triples, BackendError> {
    let triples = pack(client)?;
    v2::decode_pack(&triples.turtle, &client.policy().base)?;
    Ok(triples)
}

/// The v2 pack as it was served; only its digest was checked.
fn pack(client: &Client<'_>) -> Result<Triples, BackendError> {
    let index = client.catalog_index()?;
    if index.v2.is_empty() && index.serial > 0 {
        return Err(BackendError::NoCatalog(Format::V2));
    }
    Ok(Triples {
        serial: index.serial,
        turtle: client.pack(&index, Format::V2)?,
    })
}
