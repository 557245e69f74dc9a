//! Reading v2: Turtle documents.

use super::{Backend, BackendError, Led};
use crate::dataset::{Damaged, Dataset, DatasetError, Packed, Place};
use crate::formats::catalog_index::CatalogIndex;
use crate::formats::layout::Format;
use crate::formats::v2;
use crate::model::{Document, Event};
use crate::ranking::{Hits, SearchRequest};
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
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
        let base = &client.policy().base;
        let decode = |text: &[u8]| v2::decode_pack(text, base);
        Ok(Catalog::new(super::union(client, Format::V2, decode)?))
    }

    fn refresh(&self, client: &Client<'_>) -> Result<Led, BackendError> {
        let before = place(client).and_then(|place| place.open());
        // What is damaged is said, and built anew, below.
        let from = before.ok().flatten().map_or(0, |dataset| dataset.serial());
        let to = dataset(client)?.serial();
        Ok(Led { from, to })
    }

    fn search(&self, client: &Client<'_>, request: &SearchRequest) -> Result<Hits, BackendError> {
        match dataset(client)?.search(request) {
            Err(DatasetError::Damaged(damage)) => {
                Ok(dataset_anew(client, &damage)?.search(request)?)
            }
            found => Ok(found?),
        }
    }
}

/// The folder of the dataset, below that of the registry's copy.
const FOLDER: &str = "dataset";

/// How often it is tried to lead the dataset on while other processes do so, too.
const ATTEMPTS: usize = 5;

/// The registry's dataset, as new as its catalog. Only what has changed since the last time is fetched; no
/// lock is held meanwhile. A damaged one is built anew.
pub fn dataset(client: &Client<'_>) -> Result<Dataset, BackendError> {
    client.awake(|_| true, || newest(client))
}

fn newest(client: &Client<'_>) -> Result<Dataset, BackendError> {
    let memory = || Place::memory(&client.policy().base);
    let place = match place(client) {
        Err(error) if error.is_read_only() => memory(),
        place => place?,
    };
    let led = super::catalog_index(client, Format::V2).and_then(|index| {
        match lead(client, &index, &place) {
            Err(Fault::Dataset(error)) if error.is_read_only() => {
                Ok(lead(client, &index, &memory())?)
            }
            led => Ok(led?),
        }
    });
    match led {
        Err(BackendError::Client(error)) if client.may_lag(&error) => {
            let earlier = place.open()?;
            earlier
                .inspect(|earlier| client.say_earlier(earlier.serial(), &error))
                .ok_or(error.into())
        }
        led => led,
    }
}

/// The registry's dataset after damage was found in it while it was read: built anew.
pub fn dataset_anew(client: &Client<'_>, damage: &Damaged) -> Result<Dataset, BackendError> {
    say_damaged(client, damage);
    place(client)?.forget()?;
    dataset(client)
}

fn place(client: &Client<'_>) -> Result<Place, DatasetError> {
    let folder = client.files().folder().join(FOLDER);
    Place::folder(&folder, &client.policy().base)
}

fn say_damaged(client: &Client<'_>, damage: &Damaged) {
    let text = format!("{damage}; it is built anew");
    client.events().event(Event::Warning(text));
}

/// Why a dataset is not led on.
enum Fault {
    Client(ClientError),
    Dataset(DatasetError),
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<DatasetError> for Fault {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(error)
    }
}

impl From<Fault> for BackendError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Client(error) => error.into(),
            Fault::Dataset(error) => error.into(),
        }
    }
}

impl From<DatasetError> for BackendError {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Document(error) => error.into(),
            DatasetError::Pack(error) => ClientError::Pack(error).into(),
            DatasetError::Disk(failure) => FileError::from(failure).into(),
            DatasetError::Damaged(_)
            | DatasetError::Write(_)
            | DatasetError::Text(_)
            | DatasetError::Busy => Self::Dataset(Box::new(error)),
        }
    }
}

/// Leads the dataset of a place to the serial of an index.
fn lead(client: &Client<'_>, index: &CatalogIndex, place: &Place) -> Result<Dataset, Fault> {
    for _ in 0..ATTEMPTS {
        let current = match place.open() {
            // To be said once; and what it is built anew from may not be here.
            Err(DatasetError::Damaged(damaged)) if !client.is_resting() => {
                say_damaged(client, &damaged);
                None
            }
            current => current?,
        };
        let at = current.as_ref().map_or(0, Dataset::serial);
        if let Some(current) = current.filter(|_| at == index.serial) {
            return Ok(current);
        }
        let from = if at < index.serial { at } else { 0 };
        let packs = client.packs(index, from, Format::V2)?;
        client.prune_packs(index)?;
        let packs: Vec<Packed<'_>> = packs
            .iter()
            .map(|(pack, bytes)| Packed { pack, bytes })
            .collect();
        if let Some(dataset) = place.advance(&packs, index.serial)? {
            return Ok(dataset);
        }
    }
    Err(DatasetError::Busy.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::dataset::testing::{BASE, step, steps};
    use crate::model::rust_version;
    use crate::ranking::Filters;
    use crate::registry::search::search;

    fn requests() -> impl Iterator<Item = SearchRequest> {
        let words = [
            "",
            "package",
            "package 3",
            "pakage-2",
            "does",
            "what",
            "keywrod 1 in",
            "1 pack",
        ];
        let any = Filters::default;
        let filters = [
            any(),
            Filters {
                keywords: vec!["Keyword-1".into()],
                ..any()
            },
            Filters {
                license: Some("mit".into()),
                rust_version: rust_version("1.71"),
                ..any()
            },
        ];
        words.into_iter().flat_map(move |words| {
            let words: Vec<String> = words.split_whitespace().map(Into::into).collect();
            let all = filters
                .clone()
                .into_iter()
                .map(move |filters| SearchRequest {
                    filters,
                    ..SearchRequest::new(words.clone(), 4)
                });
            all.collect::<Vec<_>>()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_index_finds_what_the_scan_finds(all in steps(), folded in 0_usize..3) {
            let place = Place::memory(BASE);
            let mut documents = BTreeMap::new();
            let mut packs = Vec::new();
            for (from, steps) in (0..).zip(&all) {
                packs.push(step(&mut documents, steps, from));
                if packs.len() <= folded && from + 1 < all.len() as u64 {
                    continue;
                }
                let packed: Vec<_> = packs.iter().map(|(pack, bytes)| Packed { pack, bytes }).collect();
                let dataset = place.advance(&packed, from + 1).unwrap().unwrap();
                packs.clear();
                let catalog = Catalog::new(documents.values().cloned().collect());
                for request in requests() {
                    prop_assert_eq!(dataset.search(&request).unwrap(), search(&catalog, &request));
                }
            }
        }
    }
}
