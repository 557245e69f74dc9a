//! Which packs lead from one serial to the present.

use std::collections::BTreeMap;

use super::{CatalogIndex, Pack};
use crate::formats::layout::Format;

impl CatalogIndex {
    /// The packs that together hold every change after a serial, in the order in which they are to be
    /// taken: those of the fewest bytes. The first may start earlier. `None` if the packs leave a serial
    /// out, or end at another one than the index says.
    #[must_use]
    pub fn since(&self, serial: u64, format: Format) -> Option<Vec<&Pack>> {
        // What is to be fetched from a serial on, and the pack that comes first; from the end backwards.
        let mut ways: BTreeMap<u64, (u64, Option<&Pack>)> = [(self.serial, (0, None))].into();
        let mut starts: Vec<u64> = self.packs(format).iter().map(|pack| pack.to).collect();
        starts.push(serial);
        starts.retain(|start| (serial..self.serial).contains(start));
        starts.sort_unstable();
        starts.dedup();
        for start in starts.into_iter().rev() {
            let leads_on = |pack: &&Pack| (pack.from..pack.to).contains(&start);
            let length = |pack: &Pack| ways.get(&pack.to)?.0.checked_add(pack.length);
            let packs = self.packs(format).iter().filter(leads_on);
            let best = packs
                .filter_map(|pack| Some((length(pack)?, pack)))
                .min_by_key(|(length, _)| *length);
            if let Some((length, pack)) = best {
                ways.insert(start, (length, Some(pack)));
            }
        }
        let mut path = Vec::new();
        let mut at = serial;
        while let Some(pack) = ways.get(&at)?.1 {
            path.push(pack);
            at = pack.to;
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::catalog_index::Withdrawn;
    use crate::model::Sha256Digest;

    fn pack((from, to, length): (u64, u64, u64)) -> Pack {
        Pack {
            from,
            to,
            sha256: Sha256Digest::of(format!("{from} {to}").as_bytes()),
            length,
            uncompressed: length,
            withdrawn: Withdrawn::new(),
        }
    }

    fn index(packs: &[(u64, u64, u64)]) -> CatalogIndex {
        CatalogIndex {
            serial: packs.iter().map(|pack| pack.1).max().unwrap_or(0),
            v1: packs.iter().copied().map(pack).collect(),
            v2: Vec::new(),
        }
    }

    #[track_caller]
    fn assert_since(packs: &[(u64, u64, u64)], serial: u64, expected: Option<&[(u64, u64)]>) {
        let index = index(packs);
        let path = index.since(serial, Format::V1);
        let path: Option<Vec<_>> =
            path.map(|path| path.iter().map(|pack| (pack.from, pack.to)).collect());
        assert_eq!(path.as_deref(), expected, "{packs:?} since {serial}");
    }

    #[test]
    fn takes_the_packs_of_the_fewest_bytes() {
        let packs = [
            (0, 10, 900),
            (10, 14, 40),
            (10, 12, 20),
            (12, 14, 21),
            (14, 15, 9),
        ];
        assert_since(&packs, 15, Some(&[]));
        assert_since(&packs, 14, Some(&[(14, 15)]));
        assert_since(&packs, 13, Some(&[(12, 14), (14, 15)]));
        assert_since(&packs, 10, Some(&[(10, 14), (14, 15)]));
        assert_since(&packs, 0, Some(&[(0, 10), (10, 14), (14, 15)]));
    }

    #[test]
    fn has_no_way_over_a_gap() {
        let packs = [(0, 3, 1), (4, 5, 1)];
        assert_since(&packs, 0, None);
        assert_since(&packs, 3, None);
        assert_since(&packs, 4, Some(&[(4, 5)]));
        assert_since(&[], 0, Some(&[]));
    }

    #[test]
    fn does_not_go_round_in_circles() {
        assert_since(
            &[(3, 3, 1), (5, 2, 1), (0, 4, u64::MAX), (2, 5, u64::MAX)],
            0,
            None,
        );
        assert_since(&[(0, 1, 1)], 7, None);
    }

    proptest! {
        #[test]
        fn every_way_holds_every_change(
            packs in prop::collection::vec((0_u64..12, 0_u64..12, 0_u64..9), 0..12),
            serial in 0_u64..14,
        ) {
            let index = index(&packs);
            let Some(path) = index.since(serial, Format::V1) else { return Ok(()) };
            let mut at = serial;
            for pack in path {
                prop_assert!(pack.from <= at && at < pack.to);
                at = pack.to;
            }
            prop_assert_eq!(at, index.serial);
        }
    }
}
