//! Reading v2: Turtle documents.

use rayon::prelude::*;

use super::{Backend, BackendError};
use crate::formats::layout::Format;
use crate::formats::union::Union;
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
        let (_, union) = union(client)?;
        Ok(Catalog::new(union))
    }
}

fn union(client: &Client<'_>) -> Result<(u64, Union), BackendError> {
    let base = &client.policy().base;
    super::union(client, Format::V2, |text| v2::decode_pack(text, base))
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
    let (serial, union) = union(client)?;
    let documents: Vec<Document> = union.into_documents().into_values().collect();
    let base = &client.policy().base;
    let turtle = documents.par_iter().map(|one| v2::encode(one, base));
    let turtle = turtle.collect::<Vec<_>>().concat();
    Ok(Triples { serial, turtle })
}
