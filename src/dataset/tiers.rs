//! When segments are merged: each is several times as large as the next, so there are few, and a triple is
//! written anew a few times only, however often little changes.

/// How many times as large as those upon it a segment is at least.
const FAN: u64 = 8;

/// What counts as this large, however small it is.
const SMALL: u64 = 4096;

/// The segment from which on all are to be merged, given how large they are, the oldest first.
pub(super) fn merge_from(sizes: &[u64]) -> Option<usize> {
    let (last, below) = sizes.split_last()?;
    let mut total = (*last).max(SMALL);
    let mut from = below.len();
    for size in below.iter().rev().map(|size| (*size).max(SMALL)) {
        if size / FAN >= total {
            break;
        }
        total = total.saturating_add(size);
        from -= 1;
    }
    (from < below.len()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_what_is_not_much_larger() {
        assert_eq!(merge_from(&[]), None);
        assert_eq!(merge_from(&[7]), None);
        assert_eq!(merge_from(&[7_000_000, 20_000]), None);
        assert_eq!(merge_from(&[7_000_000, 20_000, 20_000]), Some(1));
        assert_eq!(
            merge_from(&[7_000_000, 900_000, 20_000]),
            Some(1).filter(|_| false)
        );
        assert_eq!(merge_from(&[100_000, 20_000]), Some(0));
        assert_eq!(merge_from(&[7_000_000, 40_000, 1, 1]), Some(1));
    }

    #[test]
    fn there_are_few_segments_and_little_is_written_anew() {
        let (mut sizes, mut written) = (vec![10_000_000_u64], 0);
        let changes = 3_000;
        for _ in 0..1_000 {
            sizes.push(changes);
            written += changes;
            if let Some(from) = merge_from(&sizes) {
                let merged = sizes.drain(from..).sum();
                written += merged;
                sizes.push(merged);
            }
            assert!(sizes.len() <= 6, "{sizes:?}");
        }
        assert!(written < 30 * 1_000 * changes, "{written}");
    }
}
