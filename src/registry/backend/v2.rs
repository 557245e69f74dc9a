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
        let index = client.catalog_index()?;
        if index.v2.is_empty() && index.serial > 0 {
            return Err(BackendError::NoCatalog(Format::V2));
        }
        let text = client.pack(&index, Format::V2)?;
        let documents = v2::decode_pack(&text, &client.policy().base)?;
        Ok(Catalog::new(documents))
    }
}
