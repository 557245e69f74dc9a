//! Changes of a package's owners: who they are to be. Nothing is signed here.

use super::role_keys::can_be_met;
use crate::model::{Owners, PackageName, PublisherId};
use crate::trust::PackageState;

/// What is to be different about a package's owners.
#[derive(Debug, Clone, Default)]
pub struct OwnersChange {
    /// Those who join.
    pub add: Vec<PublisherId>,
    /// Those who leave.
    pub remove: Vec<PublisherId>,
    /// How many must sign from then on.
    pub threshold: Option<u32>,
}

/// Why the owners stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnersError {
    /// The registry has no such package.
    #[error("no package `{0}` in the registry")]
    NoPackage(PackageName),
    /// Nobody owns the package.
    #[error("`{0}` has no owner")]
    NoOwner(PackageName),
    /// One who joins is there.
    #[error("`{0}` owns it already")]
    IsOwner(PublisherId),
    /// One who leaves is not there.
    #[error("`{0}` does not own it")]
    IsNoOwner(PublisherId),
    /// Nobody would be left.
    #[error("nobody would own it any more")]
    Nobody,
    /// More must sign than there are, or nobody.
    #[error("{threshold} of {count} owners cannot sign")]
    Threshold {
        /// How many must.
        threshold: u32,
        /// How many there are.
        count: usize,
    },
    /// All is so already.
    #[error("the owners are these already")]
    Nothing,
}

/// The owners after a change.
pub fn changed(state: &PackageState, change: &OwnersChange) -> Result<Owners, OwnersError> {
    let package = || state.document.package.clone();
    if state.sequence() == 0 {
        return Err(OwnersError::NoPackage(package()));
    }
    let present = state.owners.as_ref();
    let present = present.ok_or_else(|| OwnersError::NoOwner(package()))?;
    let mut publishers = present.publishers.clone();
    for id in &change.add {
        if publishers.contains(id) {
            return Err(OwnersError::IsOwner(id.clone()));
        }
        publishers.push(id.clone());
    }
    for id in &change.remove {
        let place = publishers.iter().position(|owner| owner == id);
        let place = place.ok_or_else(|| OwnersError::IsNoOwner(id.clone()))?;
        publishers.remove(place);
    }
    let most = u32::try_from(publishers.len()).unwrap_or(u32::MAX);
    let threshold = change.threshold.unwrap_or(present.threshold.min(most));
    let next = owners(publishers, threshold)?;
    match next == *present {
        true => Err(OwnersError::Nothing),
        false => Ok(next),
    }
}

/// The owners whom the operator gives a package.
pub fn assigned(
    state: &PackageState,
    publishers: Vec<PublisherId>,
    threshold: u32,
) -> Result<Owners, OwnersError> {
    if state.sequence() == 0 {
        return Err(OwnersError::NoPackage(state.document.package.clone()));
    }
    let next = owners(publishers, threshold)?;
    match state.owners.as_ref() == Some(&next) {
        true => Err(OwnersError::Nothing),
        false => Ok(next),
    }
}

fn owners(mut publishers: Vec<PublisherId>, threshold: u32) -> Result<Owners, OwnersError> {
    publishers.sort();
    publishers.dedup();
    let count = publishers.len();
    if count == 0 {
        return Err(OwnersError::Nobody);
    }
    if !can_be_met(threshold.into(), count) {
        return Err(OwnersError::Threshold { threshold, count });
    }
    Ok(Owners {
        publishers,
        threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Sha256Digest};
    use std::collections::BTreeMap;

    fn ids(names: &[&str]) -> Vec<PublisherId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn owned(names: &[&str], threshold: u32) -> PackageState {
        let id = Sha256Digest::of(b"root");
        let mut state = PackageState::empty(id, "tide".parse().unwrap());
        let body = Body::Genesis(owners(ids(names), threshold).unwrap());
        let statement = state.next(body);
        state.apply(&statement, id, &BTreeMap::new()).unwrap();
        state
    }

    fn refused(
        state: &PackageState,
        add: &[&str],
        remove: &[&str],
        threshold: Option<u32>,
    ) -> String {
        let change = OwnersChange {
            add: ids(add),
            remove: ids(remove),
            threshold,
        };
        match changed(state, &change) {
            Ok(owners) => panic!("{owners:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn owners_come_and_go() {
        let anna = owned(&["anna"], 1);
        let both = owned(&["anna", "ferris"], 2);
        let list = |state: &PackageState, add: &[&str], remove: &[&str], threshold| {
            let change = OwnersChange {
                add: ids(add),
                remove: ids(remove),
                threshold,
            };
            let next = changed(state, &change).unwrap();
            (next.publishers, next.threshold)
        };
        let two = ids(&["anna", "ferris"]);
        assert_eq!(list(&anna, &["ferris"], &[], None), (two.clone(), 1));
        assert_eq!(list(&anna, &["ferris"], &[], Some(2)), (two.clone(), 2));
        assert_eq!(list(&both, &[], &[], Some(1)), (two, 1));
        // Two cannot sign where one is left.
        assert_eq!(list(&both, &[], &["anna"], None), (ids(&["ferris"]), 1));
        let exchanged = list(&anna, &["ferris"], &["anna"], None);
        assert_eq!(exchanged, (ids(&["ferris"]), 1));
    }

    #[test]
    fn changes_that_make_no_sense_are_refused() {
        let anna = owned(&["anna"], 1);
        for (add, remove, threshold, expected) in [
            (&["anna"][..], &[][..], None, "`anna` owns it already"),
            (&[], &["ferris"], None, "`ferris` does not own it"),
            (&[], &["anna"], None, "nobody would own it any more"),
            (&[], &[], Some(2), "2 of 1 owners cannot sign"),
            (&["ferris"], &[], Some(0), "0 of 2 owners cannot sign"),
            (&[], &[], Some(1), "the owners are these already"),
        ] {
            assert_eq!(refused(&anna, add, remove, threshold), expected);
        }
        let id = Sha256Digest::of(b"root");
        let empty = PackageState::empty(id, "tide".parse().unwrap());
        let text = "no package `tide` in the registry";
        assert_eq!(refused(&empty, &["anna"], &[], None), text);
        let error = assigned(&empty, ids(&["anna"]), 1).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}
