//! Which packs are made anew with a change: in all as many bytes as the change has, times a logarithm of
//! what there is. Pure.
//!
//! A pack's tier is the logarithm of its size. Packs of a lower tier never stand before those of a higher
//! one: a change takes the smaller packs before it into its own pack, and [`FAN`] packs of one tier are
//! merged to one of the next. What a pack was merged from stays listed for a while, so that whoever was
//! here lately fetches little more than what changed.

use crate::formats::catalog_index::Pack;

/// How many packs of a tier there may be, and how much larger each tier is than the one below.
const FAN: usize = 4;

/// Packs of fewer bytes, decompressed, are taken into the next one always.
const SMALL: u64 = 64 << 10;

/// What is to be done with the packs of a format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// These and the change become one pack; in their order.
    pub with_change: Vec<Pack>,
    /// These become one pack; in their order. None, or several.
    pub merged: Vec<Pack>,
    /// What stays listed as it is; of those merged, too.
    pub kept: Vec<Pack>,
}

/// Says what is to be done with the packs of a format when there is a change of so many bytes.
#[must_use]
pub fn plan(packs: &[Pack], change: u64) -> Plan {
    let mut chain = chain(packs);
    let with_change = chain.split_off(first_with_change(&chain, change));
    let merged = chain.split_off(first_merged(&chain));
    let end = chain.iter().chain(&merged).map(|pack| pack.to).max();
    let is_kept = |pack: &Pack| chain.contains(pack) || Some(pack.to) <= end;
    let mut kept: Vec<Pack> = packs.iter().filter(|pack| is_kept(pack)).cloned().collect();
    kept.sort_by_key(|pack| (pack.to, pack.from));
    let mut newer = Vec::new();
    for place in (0..kept.len()).rev() {
        let own = tier(kept[place].uncompressed);
        if chain.contains(&kept[place]) {
            continue;
        }
        newer.push(own);
        if newer.iter().filter(|tier| **tier == own).count() > FAN {
            kept.remove(place);
        }
    }
    Plan {
        with_change,
        merged,
        kept,
    }
}

/// The packs that hold everything, each following on the one before; of several that start at a serial,
/// the one that leads furthest.
fn chain(packs: &[Pack]) -> Vec<Pack> {
    let mut chain: Vec<Pack> = Vec::new();
    loop {
        let at = chain.last().map_or(0, |pack| pack.to);
        let follow = packs.iter().filter(|pack| pack.from == at && pack.to > at);
        match follow.max_by_key(|pack| pack.to) {
            Some(pack) => chain.push(pack.clone()),
            None => return chain,
        }
    }
}

/// Where the packs begin that are smaller than what would stand behind them.
fn first_with_change(chain: &[Pack], change: u64) -> usize {
    let mut size = change;
    let smaller = chain.iter().rev().take_while(|pack| {
        let is_smaller = pack.uncompressed < SMALL || tier(pack.uncompressed) < tier(size);
        size = size.saturating_add(pack.uncompressed);
        is_smaller
    });
    chain.len() - smaller.count()
}

/// Where the packs begin that are merged: [`FAN`] of a tier, and those with which they are as many of the
/// next.
fn first_merged(chain: &[Pack]) -> usize {
    let (mut first, mut size) = (chain.len(), 0_u64);
    while let Some(last) = chain[..first].last() {
        let own = tier(if size > 0 { size } else { last.uncompressed });
        let alike = chain[..first].iter().rev();
        let alike = alike
            .take_while(|pack| tier(pack.uncompressed) <= own)
            .count();
        if alike + usize::from(size > 0) < FAN {
            break;
        }
        first -= alike;
        size = chain[first..].iter().map(|pack| pack.uncompressed).sum();
    }
    first
}

/// 0 for what is small, then one more for each time [`FAN`].
fn tier(size: u64) -> u32 {
    (size / SMALL)
        .checked_ilog(FAN as u64)
        .map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::catalog_index::{CatalogIndex, Withdrawn};
    use crate::formats::layout::Format;
    use crate::model::Sha256Digest;

    /// A registry whose changes are only counted.
    #[derive(Default)]
    struct Counted {
        serial: u64,
        packs: Vec<Pack>,
        written: u64,
        files: u64,
        sizes: Vec<u64>,
    }

    impl Counted {
        fn pack(&mut self, parts: &[Pack], more: u64) -> Pack {
            let size = parts.iter().map(|pack| pack.uncompressed).sum::<u64>() + more;
            self.written += size;
            self.files += 1;
            let (from, to) = match parts {
                [] => (self.serial - 1, self.serial),
                [first, ..] => (first.from, parts[parts.len() - 1].to),
            };
            Pack {
                from,
                to: if more > 0 { self.serial } else { to },
                sha256: Sha256Digest::of(b""),
                length: size,
                uncompressed: size,
                withdrawn: Withdrawn::new(),
            }
        }

        fn change(&mut self, size: u64) {
            self.serial += 1;
            self.sizes.push(size);
            let plan = plan(&self.packs, size);
            self.packs.clone_from(&plan.kept);
            if !plan.merged.is_empty() {
                assert!(plan.merged.len() > 1);
                let merged = self.pack(&plan.merged, 0);
                self.packs.push(merged);
            }
            let with_change = self.pack(&plan.with_change, size);
            self.packs.push(with_change);
        }

        /// What whoever has everything up to a serial must fetch: packs, their bytes, and what changed.
        fn missed(&self, serial: u64) -> (usize, u64, u64) {
            let index = CatalogIndex {
                serial: self.serial,
                v1: self.packs.clone(),
                v2: Vec::new(),
            };
            let path = index.since(serial, Format::V1).unwrap();
            let bytes = path.iter().map(|pack| pack.length).sum();
            let place = usize::try_from(serial).unwrap();
            (path.len(), bytes, self.sizes[place..].iter().sum())
        }
    }

    #[track_caller]
    fn assert_in_proportion(counted: &Counted) {
        for serial in 0..=counted.serial {
            let (packs, bytes, changed) = counted.missed(serial);
            assert!(
                bytes <= 8 * changed + 2 * SMALL,
                "since {serial} of {}: {bytes} bytes for {changed}",
                counted.serial
            );
            assert!(packs <= 40, "since {serial}: {packs} packs");
        }
    }

    #[test]
    fn small_changes_cost_what_they_hold() {
        let mut counted = Counted::default();
        for _ in 0..20_000 {
            counted.change(2_000);
        }
        assert_in_proportion(&counted);
        let total: u64 = counted.sizes.iter().sum();
        // Each change is in a pack that is still small about half of the times, then once in each tier.
        assert!(
            counted.written < 25 * total,
            "{} of {total}",
            counted.written
        );
        assert!(counted.files < 20_000 + 20_000 / 32, "{}", counted.files);
        assert!(counted.packs.len() < 50, "{}", counted.packs.len());
    }

    #[test]
    fn changes_of_all_sizes_cost_what_they_hold() {
        let mut counted = Counted::default();
        let mut state = 7_u64;
        for _ in 0..3_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // From a few bytes to some megabytes, small ones far more often.
            let size = 1 << (((state >> 33) % 24) * ((state >> 40) % 24) / 24);
            counted.change(size);
            if counted.serial.is_multiple_of(97) {
                assert_in_proportion(&counted);
            }
        }
        assert_in_proportion(&counted);
        assert!(counted.packs.len() < 60, "{}", counted.packs.len());
    }

    #[test]
    fn a_large_first_change_stays_as_it_is_for_long() {
        let mut counted = Counted::default();
        counted.change(400 << 20);
        for _ in 0..1_000 {
            counted.change(2_000);
        }
        assert!(
            counted
                .packs
                .iter()
                .any(|pack| (pack.from, pack.to) == (0, 1))
        );
        assert!(counted.written < (400 << 20) + 25 * 1_000 * 2_000);
        assert_in_proportion(&counted);
    }

    #[test]
    fn a_small_registry_has_one_pack() {
        let mut counted = Counted::default();
        for serial in 1..=20 {
            counted.change(2_000);
            assert_eq!(counted.packs.len(), 1);
            assert_eq!((counted.packs[0].from, counted.packs[0].to), (0, serial));
        }
    }
}
