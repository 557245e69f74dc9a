//! Writing a segment, part by part.

use std::io::{self, Write};

use super::Damaged;
use super::footer::{Footer, Row};
use super::key::{INLINE, TermId};
use super::pairs::{Change, Pair, sum};

/// Why a segment cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk, or whatever it is.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More terms or pairs than numbers.
    #[error("the registry has more terms than a dataset can number")]
    TooMany,
    /// What was to be merged is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Writes a segment: all terms in their order, then predicates in theirs.
pub(super) struct SegmentWriter<W> {
    out: Counted<W>,
    footer: Footer,
    ends: Vec<u32>,
    rows: Vec<Row>,
}

impl<W: Write> SegmentWriter<W> {
    /// Begins a segment whose first own term has this number.
    pub(super) fn new(out: W, first_id: TermId) -> Self {
        let mut footer = Footer::default();
        footer.first_id = u64::from(first_id);
        Self {
            out: Counted {
                inner: out,
                length: 0,
            },
            footer,
            ends: vec![0],
            rows: Vec::new(),
        }
    }

    /// Writes the next term; its bytes come after those of the one before.
    pub(super) fn term(&mut self, key: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(key)?;
        self.ends.push(number(self.out.length)?);
        self.footer.terms += 1;
        match self.footer.first_id + self.footer.terms <= u64::from(INLINE) {
            true => Ok(()),
            false => Err(WriteError::TooMany),
        }
    }

    /// Ends the terms.
    pub(super) fn end_terms(&mut self) -> io::Result<()> {
        self.footer.terms_length = self.out.length;
        self.footer.ends_start = self.out.align()?;
        self.out.write_all(bytemuck::cast_slice(&self.ends))?;
        self.ends = Vec::new();
        self.footer.pairs_start = self.out.align()?;
        Ok(())
    }

    /// Writes what changes under the next predicate, once the terms have ended.
    pub(super) fn predicate(
        &mut self,
        predicate: TermId,
        mut changes: Vec<Change>,
    ) -> Result<(), WriteError> {
        sum(&mut changes);
        let mut added = pairs_with(&changes, |count| count > 0);
        let removed = pairs_with(&changes, |count| count < 0);
        drop(changes);
        if added.is_empty() && removed.is_empty() {
            return Ok(());
        }
        let start = self.pairs(&added)?;
        for pair in &mut added {
            pair.swap(0, 1);
        }
        added.sort_unstable();
        self.pairs(&added)?;
        let row = Row {
            predicate,
            added: start,
            added_count: number(added.len() as u64)?,
            removed: self.pairs(&removed)?,
            removed_count: number(removed.len() as u64)?,
        };
        self.rows.push(row);
        Ok(())
    }

    /// Writes the rest. Returns the file.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.footer.rows_start = self.out.align()?;
        self.footer.rows = self.rows.len() as u64;
        self.out.write_all(bytemuck::cast_slice(&self.rows))?;
        self.out.align()?;
        let footer = self.footer.sealed();
        self.out.write_all(bytemuck::bytes_of(&footer))?;
        Ok(self.out.inner)
    }

    /// Returns where they begin.
    fn pairs(&mut self, pairs: &[Pair]) -> Result<u32, WriteError> {
        let start = number(self.footer.pairs)?;
        self.out.write_all(bytemuck::cast_slice(pairs))?;
        self.footer.pairs += pairs.len() as u64;
        Ok(start)
    }
}

fn number(count: u64) -> Result<u32, WriteError> {
    u32::try_from(count).map_err(|_| WriteError::TooMany)
}

fn pairs_with(changes: &[Change], is_wanted: impl Fn(i32) -> bool) -> Vec<Pair> {
    let wanted = changes.iter().filter(|(_, count)| is_wanted(*count));
    wanted.map(|(pair, _)| *pair).collect()
}

/// What is written, counted.
struct Counted<W> {
    inner: W,
    length: u64,
}

impl<W: Write> Counted<W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Fills up to a multiple of eight, and returns it.
    fn align(&mut self) -> io::Result<u64> {
        while !self.length.is_multiple_of(8) {
            self.write_all(&[0])?;
        }
        Ok(self.length)
    }
}
