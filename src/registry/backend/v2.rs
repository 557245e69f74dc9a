//! Reading v2: Turtle documents.

use super::{Backend, BackendError, Led};
use crate::dataset::{Damaged, Dataset, DatasetError, Packed, Place};
use crate::formats::catalog_index::CatalogIndex;
use crate::formats::layout::Format;
use crate::formats::v2;
use crate::model::{Document, Event, PackageName};
use crate::ranking::{Hits, SearchRequest};
use crate::registry::catalog::Catalog;
use crate::registry::client::Client;
use crate::registry::error::ClientError;
use crate::registry::files::FileError;
use crate::registry::search::meant;
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
        super::catalog(client, Format::V2, decode)
    }

    fn refresh(&self, client: &Client<'_>) -> Result<Led, BackendError> {
        let before = place(client).and_then(|place| place.open());
        // What is damaged is said, and built anew, below.
        let from = before.ok().flatten().map_or(0, |dataset| dataset.serial());
        let to = dataset(client)?.serial();
        Ok(Led { from, to })
    }

    fn search(&self, client: &Client<'_>, request: &SearchRequest) -> Result<Hits, BackendError> {
        asked(client, |dataset| dataset.search(request))
    }

    /// As fast as a search where there is a dataset. None is built for this alone: a small catalog is scanned,
    /// a large one is not.
    fn meant(
        &self,
        client: &Client<'_>,
        name: &PackageName,
    ) -> Result<Option<PackageName>, BackendError> {
        let is_there = match place(client).and_then(|place| place.open()) {
            Ok(dataset) => dataset.is_some(),
            Err(error) => !error.is_read_only(),
        };
        if is_there {
            return asked(client, |dataset| dataset.meant(name));
        }
        let index = client.awake(|_| true, || super::catalog_index(client, Format::V2))?;
        match is_small(&index) {
            true => Ok(meant(&self.catalog(client)?, name)),
            false => Ok(None),
        }
    }
}

/// The most bytes of documents that are read for a suggestion: those of some thousand releases.
const SMALL: u64 = 4 << 20;

fn is_small(index: &CatalogIndex) -> bool {
    let packs = index.since(0, Format::V2).unwrap_or_default();
    let bytes = packs.iter().map(|pack| pack.uncompressed);
    bytes.fold(0, u64::saturating_add) <= SMALL
}

/// What the dataset answers. One that proves to be damaged is built anew, and asked again.
fn asked<T>(
    client: &Client<'_>,
    ask: impl Fn(&Dataset) -> Result<T, DatasetError>,
) -> Result<T, BackendError> {
    match ask(&dataset(client)?) {
        Err(DatasetError::Damaged(damage)) => Ok(ask(&dataset_anew(client, &damage)?)?),
        answer => Ok(answer?),
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
    match place(client) {
        Err(error) if error.is_read_only() => newest_in(client, &memory(client)),
        place => newest_in(client, &place?),
    }
}

fn newest_in(client: &Client<'_>, place: &Place) -> Result<Dataset, BackendError> {
    let led = super::catalog_index(client, Format::V2).and_then(|index| {
        match lead(client, &index, place) {
            Err(Fault::Dataset(error)) if error.is_read_only() => {
                Ok(lead(client, &index, &memory(client))?)
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

/// The registry's dataset after damage was found in it while it was read: built anew, in memory where the
/// damaged one cannot be taken away.
pub fn dataset_anew(client: &Client<'_>, damage: &Damaged) -> Result<Dataset, BackendError> {
    say_damaged(client, damage);
    match place(client).and_then(|place| place.forget()) {
        Err(error) if error.is_read_only() => {
            client.awake(|_| true, || newest_in(client, &memory(client)))
        }
        forgotten => {
            forgotten?;
            dataset(client)
        }
    }
}

/// Where nothing may be written.
fn memory(client: &Client<'_>) -> Place {
    Place::memory(&client.policy().base)
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
    let popularity_file = client.popularity_file()?;
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
        let is_newest =
            |current: &Dataset| at == index.serial && current.popularity() == popularity_file;
        if let Some(current) = current.filter(is_newest) {
            return Ok(current);
        }
        let from = if at <= index.serial { at } else { 0 };
        let popularity = client.popularity()?;
        let packs = client.packs(index, from, Format::V2)?;
        client.prune_packs(index)?;
        let packs: Vec<Packed<'_>> = packs
            .iter()
            .map(|(pack, bytes)| Packed { pack, bytes })
            .collect();
        if let Some(dataset) = place.advance(&packs, index.serial, &popularity)? {
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
    use crate::dataset::testing::{BASE, PUBLISHERS, pack, popularity, step, steps};
    use crate::formats::catalog_index::Pack;
    use crate::formats::popularity::Published;
    use crate::model::{Dependency, Entry, Release, Sha256Digest, TrustState, rust_version};
    use crate::ranking::Filters;
    use crate::registry::search::{meant, search};

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
        let of_owner = |owner: &str| Filters {
            owner: Some(owner.parse().unwrap()),
            ..any()
        };
        let trusted = |trust| Filters {
            trust: Some(trust),
            ..any()
        };
        let filters = [
            any(),
            of_owner(PUBLISHERS[0]),
            of_owner("nobody"),
            trusted(TrustState::Vouched),
            trusted(TrustState::Unsigned),
            Filters {
                trust: Some(TrustState::Signed),
                rust_version: rust_version("1.71"),
                ..of_owner(PUBLISHERS[1])
            },
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

    fn needing(name: &PackageName, needed: Option<&PackageName>) -> Document {
        let mut release = Release::sample(name.as_str(), "1.0.0");
        let needed = needed.map(|needed| Dependency::sample(needed.as_str()));
        release.dependencies = needed.into_iter().collect();
        let entry = Entry {
            release,
            accepted: None,
            yanked: None,
            trust: None,
        };
        Document {
            package: name.clone(),
            entries: vec![entry],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_index_means_what_the_scan_means(
            names in prop::collection::btree_set("[a-c][a-cB_-]{0,5}", 2..40),
            typed in prop::collection::vec("[a-c][a-cB_-]{0,5}", 20),
        ) {
            let parsed = names.iter().map(|name| name.parse().unwrap());
            let names: Vec<PackageName> = parsed.collect();
            let needed = names.iter().skip(1).step_by(3);
            let documents = names.iter().zip(needed.map(Some).chain(std::iter::repeat(None)));
            let documents: Vec<Document> = documents.map(|(name, needed)| needing(name, needed)).collect();
            // Half as a base, half as a change of it.
            let (one, other) = documents.split_at(documents.len() / 2);
            let packs = [pack(one.iter().cloned(), 0), pack(other.iter().cloned(), 1)];
            let packed: Vec<_> = packs.iter().map(|(pack, bytes)| Packed { pack, bytes }).collect();
            let dataset = Place::memory(BASE).advance(&packed, 2, &Published::default()).unwrap().unwrap();
            let catalog = Catalog::new(documents.into_iter().collect());
            for name in &typed {
                let name = name.parse().unwrap();
                prop_assert_eq!(dataset.meant(&name).unwrap(), meant(&catalog, &name), "{}", name);
            }
        }
    }

    #[test]
    fn a_catalog_is_small_as_long_as_its_packs_together_are() {
        let pack = |from, uncompressed| Pack {
            from,
            to: from + 1,
            sha256: Sha256Digest::of(b""),
            length: 1,
            uncompressed,
            withdrawn: BTreeMap::new(),
        };
        let is_small = |sizes: &[u64]| {
            let packs = (0..).zip(sizes).map(|(from, size)| pack(from, *size));
            is_small(&CatalogIndex {
                serial: sizes.len() as u64,
                v1: Vec::new(),
                v2: packs.collect(),
            })
        };
        assert!(is_small(&[]) && is_small(&[SMALL - 1, 1]));
        assert!(!is_small(&[SMALL + 1]) && !is_small(&[SMALL, 1]) && !is_small(&[u64::MAX, 2]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_index_finds_what_the_scan_finds(
            all in steps(),
            folded in 0_usize..3,
            said in prop::collection::vec(popularity(), 12),
        ) {
            let place = Place::memory(BASE);
            let mut said = said.into_iter();
            let mut documents = BTreeMap::new();
            let mut packs = Vec::new();
            for (from, steps) in (0..).zip(&all) {
                packs.push(step(&mut documents, steps, from));
                if packs.len() <= folded && from + 1 < all.len() as u64 {
                    continue;
                }
                let packed: Vec<_> = packs.iter().map(|(pack, bytes)| Packed { pack, bytes }).collect();
                let catalog = Catalog::new(documents.values().cloned().collect());
                let serial = from + 1;
                // What is said of downloads comes with changes of packages, and without.
                for (packed, said) in [&packed[..], &[]].into_iter().zip(&mut said) {
                    let dataset = place.advance(packed, serial, &said).unwrap().unwrap();
                    prop_assert_eq!((dataset.serial(), dataset.popularity()), (serial, said.file));
                    let catalog = catalog.clone().with_popularity(said.counts);
                    for request in requests() {
                        prop_assert_eq!(dataset.search(&request).unwrap(), search(&catalog, &request));
                    }
                    for name in ["package-1", "Package_2", "packgae-3", "pakage-17", "ackage", "pack"] {
                        let name = name.parse().unwrap();
                        prop_assert_eq!(dataset.meant(&name).unwrap(), meant(&catalog, &name));
                    }
                }
                packs.clear();
            }
        }
    }
}
