//! Files named by digest: documents, packs, targets. The one place that compares bytes with what
//! was signed for; archives, which have their own message, are in `verified`.

use crate::formats::record::FileDigest;
use crate::model::Sha256Digest;

/// The bytes are not those that were signed for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{path}` is not the file that was signed for: expected {expected_length} bytes with {expected}, got {length} bytes with sha256 {sha256}"
)]
pub struct FileMismatch {
    /// The file's path below the registry's root.
    pub path: String,
    /// The digest that was signed, with its algorithm: `sha256 ab…`.
    pub expected: String,
    /// The length that was signed.
    pub expected_length: u64,
    /// The sha256 of the bytes.
    pub sha256: Sha256Digest,
    /// Their number.
    pub length: u64,
}

/// Checks that `bytes` are the file that a record or catalog names.
pub fn check_file(path: &str, expected: &FileDigest, bytes: &[u8]) -> Result<(), FileMismatch> {
    let found = FileDigest::of(bytes);
    if found == *expected {
        return Ok(());
    }
    Err(FileMismatch {
        path: path.into(),
        expected: format!("sha256 {}", expected.sha256),
        expected_length: expected.length,
        sha256: found.sha256,
        length: found.length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_other_bytes_and_other_lengths() {
        let expected = FileDigest::of(b"document");
        assert_eq!(check_file("se/rd/serde", &expected, b"document"), Ok(()));
        let error = check_file("se/rd/serde", &expected, b"Document").unwrap_err();
        assert_eq!((error.length, error.expected_length), (8, 8));
        let longer = FileDigest {
            length: 9,
            ..expected
        };
        assert!(check_file("se/rd/serde", &longer, b"document").is_err());
    }
}
