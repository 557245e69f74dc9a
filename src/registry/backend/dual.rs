//! Reading v2, and v1 where v2 is not usable: for reasons of format and availability only.

use super::{Backend, BackendError, Led};
use crate::formats::layout::Format;
use crate::formats::policy::FormatFloor;
use crate::model::{Document, Event, EventSink, PackageName, RegistryName};
use crate::ranking::{Hits, SearchRequest};
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
    fn document(
        &self,
        client: &Client<'_>,
        state: &Verified<PackageState>,
    ) -> Result<Verified<Document>, BackendError> {
        let document = self.first.document(client, state);
        fall_back(document, &Ground::of(client), || {
            self.fallback.document(client, state)
        })
    }

    fn catalog(&self, client: &Client<'_>) -> Result<Catalog, BackendError> {
        let catalog = self.first.catalog(client);
        fall_back(catalog, &Ground::of(client), || {
            self.fallback.catalog(client)
        })
    }

    fn refresh(&self, client: &Client<'_>) -> Result<Led, BackendError> {
        let led = self.first.refresh(client);
        fall_back(led, &Ground::of(client), || self.fallback.refresh(client))
    }

    fn search(&self, client: &Client<'_>, request: &SearchRequest) -> Result<Hits, BackendError> {
        let hits = self.first.search(client, request);
        fall_back(hits, &Ground::of(client), || {
            self.fallback.search(client, request)
        })
    }

    fn meant(
        &self,
        client: &Client<'_>,
        name: &PackageName,
    ) -> Result<Option<PackageName>, BackendError> {
        let meant = self.first.meant(client, name);
        fall_back(meant, &Ground::of(client), || {
            self.fallback.meant(client, name)
        })
    }
}

/// Where it is that one cannot be read.
struct Ground<'a> {
    registry: &'a RegistryName,
    floor: FormatFloor,
    events: &'a dyn EventSink,
}

impl<'a> Ground<'a> {
    fn of(client: &'a Client<'_>) -> Self {
        Self {
            registry: client.name(),
            floor: client.policy().format_floor,
            events: client.events(),
        }
    }
}

/// Reads the fallback where the first failed for a reason that lets it and the registry's policy
/// does, too, and says so.
fn fall_back<T>(
    first: Result<T, BackendError>,
    ground: &Ground<'_>,
    fallback: impl FnOnce() -> Result<T, BackendError>,
) -> Result<T, BackendError> {
    first.or_else(|error| {
        if !may_fall_back(error.cause()) {
            return Err(error);
        }
        if !ground.floor.allows(Format::V1) {
            return Err(BackendError::NoFallback(Box::new(error)));
        }
        ground.events.event(Event::FellBack {
            registry: ground.registry.clone(),
            reason: format!("{} ({error})", error.cause().as_str()),
        });
        fallback()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::formats::record::FileDigest;
    use crate::registry::files::FileError;

    #[derive(Default)]
    struct Told(Mutex<Vec<Event>>);

    impl EventSink for Told {
        fn event(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    /// What comes of v2, and how often the user was told, where v1 could be read.
    fn attempt(
        v2: Result<&'static str, BackendError>,
        floor: FormatFloor,
    ) -> (Result<&'static str, BackendError>, usize) {
        let told = Told::default();
        let ground = Ground {
            registry: &"harbour".parse().unwrap(),
            floor,
            events: &told,
        };
        let read = fall_back(v2, &ground, || Ok("v1"));
        (read, told.0.into_inner().unwrap().len())
    }

    /// Whether the fallback was read, and how often the user was told.
    fn outcome(error: impl Into<BackendError>) -> (bool, usize) {
        let (read, told) = attempt(Err(error.into()), FormatFloor::V1);
        (read.is_ok(), told)
    }

    #[test]
    fn what_is_not_to_be_had_in_v2_is_read_in_v1_and_said() {
        let path = || "se/rd/serde.ttl".to_owned();
        assert_eq!(outcome(FileError::Missing { path: path() }), (true, 1));
        assert_eq!(outcome(FileError::Offline { path: path() }), (true, 1));
        assert_eq!(outcome(BackendError::NoCatalog(Format::V2)), (true, 1));
    }

    #[test]
    fn wrong_bytes_in_v2_never_lead_to_v1() {
        let path = || "se/rd/serde.ttl".to_owned();
        let mismatch = FileError::Mismatch {
            path: path(),
            expected: FileDigest::of(b"right"),
            actual: FileDigest::of(b"wrong"),
        };
        assert_eq!(outcome(mismatch), (false, 0));
        let too_long = FileError::TooLong {
            path: path(),
            limit: 5,
        };
        assert_eq!(outcome(too_long), (false, 0));
    }

    #[test]
    fn nothing_leads_below_the_floor() {
        let missing = BackendError::NoCatalog(Format::V2);
        let (read, told) = attempt(Err(missing), FormatFloor::V2);
        assert!(matches!(read, Err(BackendError::NoFallback(_))) && told == 0);
    }

    #[test]
    fn what_can_be_read_is_not_read_twice() {
        for floor in [FormatFloor::V1, FormatFloor::V2] {
            let (read, told) = attempt(Ok("v2"), floor);
            assert_eq!((read.unwrap(), told), ("v2", 0));
        }
    }
}
