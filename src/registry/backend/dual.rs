//! Reading v2, and v1 where v2 is not usable: for reasons of format and availability only.

use super::{Backend, BackendError};
use crate::formats::layout::Format;
use crate::model::{Document, Event};
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::rollout::may_fall_back;
use crate::trust::{PackageState, Verified};

/// Two backends, of which the second serves where the first cannot.
pub(super) struct Dual<A, B> {
    pub(super) first: A,
    pub(super) fallback: B,
}

impl<A: Backend, B: Backend> Backend for Dual<A, B> {
    fn format(&self) -> Format {
        self.first.format()
    }

    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let document = self.first.document(client, state);
        document.or_else(|error| {
            fell_back(client, error)?;
            self.fallback.document(client, state)
        })
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        let catalog = self.first.catalog(client);
        catalog.or_else(|error| {
            fell_back(client, error)?;
            self.fallback.catalog(client)
        })
    }
}

/// Says that v1 is read from here on, or gives the error back where that must not be.
fn fell_back(client: &Client<'_>, error: BackendError) -> Result<(), BackendError> {
    if !may_fall_back(error.cause()) {
        return Err(error);
    }
    client.events().event(Event::FellBack {
        registry: client.name().clone(),
        reason: format!("{} ({error})", error.cause().as_str()),
    });
    Ok(())
}
