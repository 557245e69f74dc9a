//! Reading v1: Cargo's JSON lines. It shares nothing with the dataset, since everything falls back to it.

use super::{Backend, BackendError, Led};
use crate::formats::layout::Format;
use crate::formats::v1;
use crate::model::{Document, PackageName};
use crate::ranking::{Hits, SearchRequest};
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::registry::search::{meant, search};
use crate::trust::{PackageState, Verified, compare};

/// Reads v1 only.
pub(super) struct V1;

impl Backend for V1 {
    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let bytes = super::document(client, state, Format::V1)?;
        let decoded = v1::decode(&state.document.package, &bytes)?;
        Ok(compare(state, &decoded)?)
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        super::catalog(client, Format::V1, v1::decode_pack)
    }

    fn refresh(&self, client: &Client<'_>) -> Result<Led, BackendError> {
        let before = client.last_whole(Format::V1)?;
        let index = super::catalog_index(client, Format::V1)?;
        client.popularity()?;
        client.whole(&index, Format::V1)?;
        client.prune_packs(&index)?;
        Ok(Led {
            from: before.map_or(0, |index| index.serial),
            to: index.serial,
        })
    }

    fn search(&self, client: &Client<'_>, request: &SearchRequest) -> Result<Hits, BackendError> {
        Ok(search(&self.catalog(client)?, request))
    }

    fn meant(
        &self,
        client: &Client<'_>,
        name: &PackageName,
    ) -> Result<Option<PackageName>, BackendError> {
        Ok(meant(&self.catalog(client)?, name))
    }
}
