//! How much an archive may ask for. Nothing is read past a limit, and nothing is allocated by a
//! length that the archive states.

/// Caps on one archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the `.crate` file.
    pub archive_size: u64,
    /// Bytes that it may unpack to, tar headers included.
    pub unpacked_size: u64,
    /// Bytes of one file.
    pub file_size: u64,
    /// Files and folders, folders that are only implied by a path included.
    pub entries: usize,
    /// How many times larger than the archive its content may be, past the first MiB.
    pub ratio: u64,
    /// Bytes of one file that is kept in memory, such as the manifest.
    pub kept_size: u64,
}

impl Limits {
    /// Where the ratio begins to count: small files of one letter pack very well and do no harm.
    pub(super) const RATIO_FLOOR: u64 = 1 << 20;
}

impl Default for Limits {
    /// About twice what the largest of 1,400 real crates need (ratio 32, 233 MB, 7,400 files);
    /// cargo itself unpacks at most 512 MiB.
    fn default() -> Self {
        Self {
            archive_size: 128 << 20,
            unpacked_size: 512 << 20,
            file_size: 256 << 20,
            entries: 65_536,
            ratio: 100,
            kept_size: 4 << 20,
        }
    }
}
