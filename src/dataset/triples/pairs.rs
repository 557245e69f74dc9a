//! Pairs of term numbers under one predicate: finding those that begin with a number, and adding up
//! what several segments say of each.

use super::key::TermId;

/// Two terms: subject and object, or the other way round.
pub(super) type Pair = [TermId; 2];

/// A pair, and whether it comes (1) or goes (-1).
pub(super) type Change = (Pair, i32);

/// The pairs of a sorted list that begin with `first`, and of those only the one that ends with
/// `second` if it is given.
pub(super) fn starting(pairs: &[Pair], first: TermId, second: Option<TermId>) -> &[Pair] {
    if let Some(second) = second {
        let place = pairs.binary_search(&[first, second]);
        return place.map_or(&[], |place| &pairs[place..=place]);
    }
    let start = pairs.partition_point(|pair| pair[0] < first);
    let rest = &pairs[start..];
    // Most have few: look near before far.
    let near = rest.iter().take(NEAR).take_while(|pair| pair[0] == first);
    let near = near.count();
    let length = match near == NEAR {
        true => rest.partition_point(|pair| pair[0] == first),
        false => near,
    };
    &rest[..length]
}

const NEAR: usize = 8;

/// Sorts changes and adds up those of the same pair; those that come to nothing go.
pub(super) fn sum(changes: &mut Vec<Change>) {
    changes.sort_unstable_by_key(|(pair, _)| *pair);
    changes.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            kept.1 += later.1;
        }
        is_same
    });
    changes.retain(|(_, count)| *count != 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_starts_with_a_number() {
        let mut pairs: Vec<Pair> = (0..30).map(|second| [5, second]).collect();
        pairs.insert(0, [1, 9]);
        pairs.push([7, 0]);
        pairs.push([7, 3]);
        assert_eq!(starting(&pairs, 1, None), [[1, 9]]);
        assert_eq!(starting(&pairs, 5, None).len(), 30);
        assert_eq!(starting(&pairs, 7, None), [[7, 0], [7, 3]]);
        assert_eq!(starting(&pairs, 7, Some(3)), [[7, 3]]);
        for (first, second) in [(0, None), (6, None), (8, None), (7, Some(2))] {
            assert!(starting(&pairs, first, second).is_empty());
        }
    }

    #[test]
    fn adds_up() {
        let (a, b, c) = ([1, 1], [1, 2], [2, 1]);
        let mut changes = vec![(c, 1), (a, 1), (b, 1), (a, -1), (c, -1), (c, 1)];
        sum(&mut changes);
        assert_eq!(changes, [(b, 1), (c, 1)]);
    }
}
