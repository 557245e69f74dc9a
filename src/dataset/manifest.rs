//! The one file of a dataset that changes: which files it consists of. It is replaced whole, so that a
//! reader sees one dataset or the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shelf::Stamp;
use super::triples::Damaged;

/// Another number for each change of the files' form: a dataset of another form is built anew.
const FORM: u32 = 3;

/// What a dataset consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    form: u32,
    /// The registry's serial to which it belongs.
    pub(super) serial: u64,
    /// The registry's base IRI.
    pub(super) base: String,
    /// The segments of the triples, the oldest first.
    pub(super) segments: Vec<String>,
    /// The texts.
    pub(super) text: Text,
    /// All files, by name.
    pub(super) files: BTreeMap<String, Sealed>,
}

/// The texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Text {
    /// Tantivy's list of its segments.
    pub(super) segments: String,
    /// The file that says how many packages need each.
    pub(super) dependents: String,
    /// How often packages were downloaded, where the registry says.
    pub(super) downloads: Option<Downloads>,
}

/// What the registry says of downloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Downloads {
    /// The file with the counts.
    pub(super) column: String,
    /// The SHA-256 of the registry's file of which it was made.
    pub(super) file: String,
}

/// A file as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// What it looked like then. If it does not any more, the checksum decides.
    #[serde(flatten)]
    pub(super) stamp: Stamp,
    /// The CRC-32 of its bytes.
    pub(super) checksum: u32,
}

impl Manifest {
    /// A dataset without triples.
    pub(super) fn new(base: &str, serial: u64, text: Text) -> Self {
        Self {
            form: FORM,
            serial,
            base: base.to_owned(),
            segments: Vec::new(),
            text,
            files: BTreeMap::new(),
        }
    }

    /// The bytes of the file: JSON on one line, and its checksum on the next.
    pub(super) fn encode(&self) -> Vec<u8> {
        // A map of strings and numbers can always be written.
        let text = serde_json::to_string(self).unwrap_or_default();
        let checksum = crc32fast::hash(text.as_bytes());
        format!("{text}\n{checksum:08x}\n").into_bytes()
    }

    /// Reads the bytes of the file. `None` for a dataset of another form.
    pub(super) fn decode(bytes: &[u8]) -> Result<Option<Self>, Damaged> {
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }
        let damaged = Damaged("its manifest cannot be read");
        let text = std::str::from_utf8(bytes).map_err(|_| damaged.clone())?;
        let (text, checksum) = text.split_once('\n').ok_or_else(|| damaged.clone())?;
        if checksum.trim_end() != format!("{:08x}", crc32fast::hash(text.as_bytes())) {
            return Err(damaged);
        }
        let form: Form = serde_json::from_str(text).map_err(|_| damaged.clone())?;
        if form.form != FORM {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|_| damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let downloads = Downloads {
            column: "12-00.downloads".to_owned(),
            file: "00".to_owned(),
        };
        let sealed = Sealed {
            stamp: Stamp {
                length: 5,
                modified: u64::MAX,
            },
            checksum: 7,
        };
        let text = Text {
            segments: "{}".to_owned(),
            dependents: "12.dependents".to_owned(),
            downloads: Some(downloads),
        };
        Manifest {
            segments: vec!["12-0.triples".to_owned()],
            files: [("12-0.triples".to_owned(), sealed)].into(),
            ..Manifest::new("https://registry.example.org/", 12, text)
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let bytes = manifest().encode();
        assert_eq!(Manifest::decode(&bytes).unwrap(), Some(manifest()));
    }

    #[test]
    fn another_form_is_no_damage() {
        let later = Manifest {
            form: FORM + 1,
            ..manifest()
        };
        assert_eq!(Manifest::decode(&later.encode()).unwrap(), None);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_damage() {
        let bytes = manifest().encode();
        for end in 0..bytes.len() - 1 {
            assert!(Manifest::decode(&bytes[..end]).is_err(), "{end}");
        }
        for place in 0..bytes.len() - 1 {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                assert!(Manifest::decode(&flipped).is_err(), "{place} {bit}");
            }
        }
    }
}
