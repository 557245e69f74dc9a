//! Reading v2: Turtle documents.

use super::{Backend, BackendError};
use crate::formats::layout::Format;
use crate::formats::v2;
use crate::model::Document;
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::trust::{PackageState, Verified, compare};

/// Reads v2 only.
pub(super) struct V2;

impl Backend for V2 {
    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let bytes = super::document(client, state, Format::V2)?;
        let decoded = v2::decode(&state.document.package, &bytes, &client.policy().base)?;
        Ok(compare(state, &decoded)?)
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        let (_, turtle) = super::pack(client, Format::V2)?;
        Ok(Catalog::new(v2::decode_pack(
            &turtle,
            &client.policy().base,
        )?))
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
    let (serial, turtle) = super::pack(client, Format::V2)?;
    v2::decode_pack(&turtle, &client.policy().base)?;
    Ok(Triples { serial, turtle })
}
