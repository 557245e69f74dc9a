//! A count for each document, by its number.

use std::io::{self, Write};

use tantivy::directory::OwnedBytes;

/// Counts in a file: 32 bits each, the lowest byte first.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct Column(OwnedBytes);

/// What is counted of documents. A column may be shorter than another: what it lacks is 0.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct Columns {
    /// How many packages need each.
    pub(in crate::dataset) dependents: Column,
    /// How often each was downloaded.
    pub(in crate::dataset) downloads: Column,
}

const WIDTH: usize = size_of::<u32>();

impl Column {
    /// Takes the bytes of a file.
    pub(in crate::dataset) fn new(bytes: OwnedBytes) -> Self {
        Self(bytes)
    }

    /// How many numbers it has.
    pub(in crate::dataset) fn len(&self) -> usize {
        self.0.len() / WIDTH
    }

    /// The count of a document; 0 if it is not in it.
    pub(in crate::dataset) fn get(&self, number: usize) -> u32 {
        let end = number.saturating_add(1).saturating_mul(WIDTH);
        let bytes = self.0.get(end.saturating_sub(WIDTH)..end);
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_le_bytes)
    }

    /// All counts.
    pub(in crate::dataset) fn to_vec(&self) -> Vec<u32> {
        (0..self.len()).map(|number| self.get(number)).collect()
    }

    /// Writes counts.
    pub(in crate::dataset) fn write(counts: &[u32], out: &mut impl Write) -> io::Result<()> {
        let bytes: Vec<u8> = counts
            .iter()
            .flat_map(|count| count.to_le_bytes())
            .collect();
        out.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_0_beyond() {
        let mut bytes = Vec::new();
        Column::write(&[7, 0, u32::MAX], &mut bytes).unwrap();
        let column = Column::new(OwnedBytes::new(bytes));
        assert_eq!(column.to_vec(), [7, 0, u32::MAX]);
        assert_eq!((column.get(3), column.get(usize::MAX)), (0, 0));
    }
}
