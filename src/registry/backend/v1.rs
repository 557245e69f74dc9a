//! Reading v1: Cargo's JSON lines. It shares nothing with the dataset, since everything falls back to it.

use super::{Backend, BackendError};
use crate::formats::layout::{self, Format};
use crate::formats::v1;
use crate::model::Document;
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::trust::{PackageState, Verified, compare};

/// Reads v1 only.
pub(super) struct V1;

impl Backend for V1 {
    fn format(&self) -> Format {
        Format::V1
    }

    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let package = &state.document.package;
        let listed = state.documents.v1.ok_or_else(|| BackendError::NoDocument {
            package: package.clone(),
            format: Format::V1,
        })?;
        let path = layout::document(package, Format::V1);
        let bytes = client.files().document(&path, &listed)?;
        let decoded = v1::decode(package, &bytes)?;
        Ok(compare(state, &decoded)?)
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        let index = client.catalog_index()?;
        if index.v1.is_empty() && index.serial > 0 {
            return Err(BackendError::NoCatalog(Format::V1));
        }
        let text = client.pack(&index, Format::V1)?;
        let documents = v1::decode_pack(&text)?;
        Ok(Catalog::new(documents))
    }
}
