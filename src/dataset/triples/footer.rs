//! How a segment file is laid out: the bytes of all terms one after the other, where each ends, the pairs of
//! all predicates, a row for each predicate, and a footer. Numbers are those of the machine.

use bytemuck::{Pod, Zeroable, bytes_of};

/// What a footer starts with. Another byte order reads it as something else.
const MAGIC: u64 = 0x3145_4c50_4952_544d;

/// The end of a segment file. Places are in bytes, multiples of eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Footer {
    magic: u64,
    /// The number of the segment's first own term.
    pub(super) first_id: u64,
    /// How many terms it has of its own.
    pub(super) terms: u64,
    /// How many bytes these have.
    pub(super) terms_length: u64,
    /// Where the ends of the terms stand, after a 0.
    pub(super) ends_start: u64,
    /// Where the pairs stand.
    pub(super) pairs_start: u64,
    /// How many there are.
    pub(super) pairs: u64,
    /// Where the rows stand.
    pub(super) rows_start: u64,
    /// How many there are.
    pub(super) rows: u64,
    /// The CRC-32 of the footer before this number.
    checksum: u64,
}

/// The length of the footer in bytes.
pub(super) const FOOTER_LENGTH: usize = size_of::<Footer>();

/// A predicate's pairs. Those that are added stand there twice: by subject, and then by object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Row {
    /// The predicate.
    pub(super) predicate: u32,
    /// The first pair that is added.
    pub(super) added: u32,
    /// How many are.
    pub(super) added_count: u32,
    /// The first pair that is removed; they stand by subject only.
    pub(super) removed: u32,
    /// How many are.
    pub(super) removed_count: u32,
}

impl Footer {
    /// The footer with what its writer need not say.
    pub(super) fn sealed(mut self) -> Self {
        self.magic = MAGIC;
        self.checksum = self.sum();
        self
    }

    /// Says whether this is the footer of a segment, and whole.
    pub(super) fn is_sealed(&self) -> bool {
        self.magic == MAGIC && self.checksum == self.sum()
    }

    fn sum(&self) -> u64 {
        let bytes = bytes_of(self);
        u64::from(crc32fast::hash(&bytes[..FOOTER_LENGTH - size_of::<u64>()]))
    }
}

impl Default for Footer {
    fn default() -> Self {
        Self::zeroed()
    }
}
