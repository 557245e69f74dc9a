//! Why a dataset cannot be opened or written.

use super::triples::{Damaged, WriteError};
use crate::disk::{Failure, is_read_only};
use crate::formats::v2::V2Error;

/// Why a dataset cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// Its files are not what was written.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// It cannot be written.
    #[error("the dataset cannot be written")]
    Write(#[from] WriteError),
    /// Its text cannot be written.
    #[error("the text of the dataset cannot be written")]
    Text(#[from] tantivy::TantivyError),
    /// A pack cannot be decompressed.
    #[error("a pack of the v2 catalog cannot be read")]
    Pack(#[source] std::io::Error),
    /// A document cannot be read.
    #[error("the v2 index cannot be read")]
    Document(#[from] V2Error),
    /// Other processes replace it again and again.
    #[error("other processes keep replacing the dataset")]
    Busy,
}

/// That the text index cannot be read.
pub(super) const UNREADABLE: Damaged = Damaged("its text cannot be read");

impl DatasetError {
    /// Whether the place is one where nothing may be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Disk(failure) if is_read_only(&failure.source))
    }
}
