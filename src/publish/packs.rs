//! Catalog packs: documents, or the changed parts of them, in one compressed file for each format. Pure.
//!
//! A pack keeps its documents sorted by package. What is merged is decoded only where both packs have
//! something to say of a package.

mod tiers;

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

pub use tiers::{Plan, plan};

use crate::formats::catalog_index::{Pack, Withdrawn};
use crate::formats::layout::Format;
use crate::formats::pack::{self, MAX_UNPACKED};
use crate::formats::v1::{self, V1Error};
use crate::formats::v2::{self, V2Error};
use crate::model::{Document, PackageName, Sha256Digest};

/// A fast level; packs are made on every publish.
const LEVEL: i32 = 6;

/// Why a pack cannot be made or taken apart.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is not what was compressed.
    #[error("the pack is not readable")]
    Compression(#[source] io::Error),
    /// A line or document of the pack is not of the form that we write.
    #[error("the pack holds something that is no document, at byte {0}")]
    Form(usize),
    /// A v1 document.
    #[error("a document cannot be read")]
    V1(#[from] V1Error),
    /// A v2 document.
    #[error("a document cannot be read")]
    V2(#[from] V2Error),
}

/// The documents of a pack by package.
pub type Documents = BTreeMap<PackageName, Vec<u8>>;

/// What a pack says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Documents, or parts of them.
    pub documents: Documents,
    /// The releases that are gone.
    pub withdrawn: Withdrawn,
}

/// How documents are read and written.
#[derive(Debug, Clone, Copy)]
pub struct Codec<'a> {
    /// The format.
    pub format: Format,
    /// The registry's base, which v2 documents name.
    pub base: &'a str,
}

impl Codec<'_> {
    /// A document as bytes; none if it is empty.
    #[must_use]
    pub fn encode(&self, document: &Document) -> Option<Vec<u8>> {
        let is_empty = document.entries.is_empty();
        (!is_empty).then(|| match self.format {
            Format::V1 => v1::encode(document),
            Format::V2 => v2::encode(document, self.base),
        })
    }

    fn decode(&self, package: &PackageName, bytes: &[u8]) -> Result<Document, PackError> {
        Ok(match self.format {
            Format::V1 => v1::decode(package, bytes)?,
            Format::V2 => v2::decode(package, bytes, self.base)?,
        })
    }
}

impl Contents {
    /// The number of bytes of the documents.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.documents
            .values()
            .map(|bytes| bytes.len() as u64)
            .sum()
    }

    /// Joins what later packs say to what this one says.
    pub fn followed_by(mut self, later: Self, codec: &Codec<'_>) -> Result<Self, PackError> {
        for (package, versions) in later.withdrawn {
            if let Some(bytes) = self.documents.remove(&package) {
                let mut document = codec.decode(&package, &bytes)?;
                document.withdraw(&versions);
                let rest = codec.encode(&document);
                self.documents
                    .extend(rest.map(|bytes| (package.clone(), bytes)));
            }
            self.withdrawn.entry(package).or_default().extend(versions);
        }
        for (package, bytes) in later.documents {
            let bytes = match self.documents.remove(&package) {
                None => bytes,
                Some(earlier) => {
                    let mut document = codec.decode(&package, &earlier)?;
                    document.update(codec.decode(&package, &bytes)?);
                    codec.encode(&document).unwrap_or_default()
                }
            };
            self.documents.insert(package, bytes);
        }
        Ok(self)
    }
}

/// Joins documents to a pack for a range of serials: its compressed bytes, and what the index says of it.
pub fn make(contents: Contents, (from, to): (u64, u64)) -> Result<(Vec<u8>, Pack), PackError> {
    let parts: Vec<&[u8]> = contents.documents.values().map(Vec::as_slice).collect();
    let text = parts.concat();
    let bytes = zstd::bulk::compress(&text, LEVEL).map_err(PackError::Compression)?;
    let pack = Pack {
        from,
        to,
        sha256: Sha256Digest::of(&bytes),
        length: bytes.len() as u64,
        uncompressed: text.len() as u64,
        // Whoever has nothing has nothing to forget.
        withdrawn: if from == 0 {
            Withdrawn::new()
        } else {
            contents.withdrawn
        },
    };
    Ok((bytes, pack))
}

/// Takes a pack apart, to be joined anew with others.
pub fn split(bytes: &[u8], pack: &Pack, format: Format) -> Result<Contents, PackError> {
    let text = pack::unpack(bytes, pack, MAX_UNPACKED).map_err(PackError::Compression)?;
    let documents = match format {
        Format::V1 => split_lines(&text),
        Format::V2 => split_turtle(&text),
    };
    Ok(Contents {
        documents: documents?,
        withdrawn: pack.withdrawn.clone(),
    })
}

#[derive(Deserialize)]
struct Line {
    name: String,
}

fn split_lines(text: &[u8]) -> Result<Documents, PackError> {
    let mut documents = Documents::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let form = |_| PackError::Form(at);
        let Line { name } = serde_json::from_slice(line).map_err(form)?;
        let name = name.parse().map_err(|_| PackError::Form(at))?;
        documents.entry(name).or_default().extend_from_slice(line);
        at += line.len();
    }
    Ok(documents)
}

/// Each document starts with a line `@base`, and then names its package's node; no literal that we
/// write holds a line feed.
fn split_turtle(text: &[u8]) -> Result<Documents, PackError> {
    const START: &[u8] = b"@base ";
    let mut documents = Documents::new();
    let mut document = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(START) && !document.is_empty() {
            add_turtle(&mut documents, std::mem::take(&mut document), at)?;
        }
        document.extend_from_slice(line);
        at += line.len();
    }
    if !document.is_empty() {
        add_turtle(&mut documents, document, at)?;
    }
    Ok(documents)
}

fn add_turtle(documents: &mut Documents, bytes: Vec<u8>, at: usize) -> Result<(), PackError> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let node = lines.find_map(|line| line.strip_prefix(b"<packages/"));
    let name = node.and_then(|rest| rest.split(|byte| *byte == b'/').next());
    let name = name.and_then(|name| std::str::from_utf8(name).ok()?.parse().ok());
    documents.insert(name.ok_or(PackError::Form(at))?, bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(documents: &[(&str, &str)]) -> Contents {
        let documents = documents.iter();
        Contents {
            documents: documents
                .map(|(name, text)| (name.parse().unwrap(), text.as_bytes().to_vec()))
                .collect(),
            withdrawn: [("gone".parse().unwrap(), ["1.0.0".parse().unwrap()].into())].into(),
        }
    }

    fn round_trip(format: Format, documents: &[(&str, &str)]) {
        let contents = contents(documents);
        let (bytes, pack) = make(contents.clone(), (3, 7)).unwrap();
        assert_eq!(split(&bytes, &pack, format).unwrap(), contents);
        let length = bytes.len() as u64;
        assert_eq!((pack.from, pack.to, pack.length), (3, 7, length));
    }

    #[test]
    fn comes_apart_into_what_it_was_joined_from() {
        let line = |name: &str| format!("{{\"name\":\"{name}\",\"vers\":\"1.0.0\"}}\n");
        round_trip(
            Format::V1,
            &[("a", &(line("a") + &line("a"))), ("b", &line("b"))],
        );
        let turtle = |name: &str| {
            format!(
                "@base <https://h/> .\n@prefix mp: <https://x/> .\n\n<packages/{name}/#package> a mp:Package .\n"
            )
        };
        round_trip(Format::V2, &[("a", &turtle("a")), ("a-b", &turtle("a-b"))]);
    }

    #[test]
    fn refuses_what_it_did_not_write() {
        let pack = Pack {
            from: 0,
            to: 1,
            sha256: Sha256Digest::of(b""),
            length: 0,
            uncompressed: 9,
            withdrawn: Withdrawn::new(),
        };
        let junk = zstd::bulk::compress(b"not json\n", LEVEL).unwrap();
        assert!(matches!(
            split(&junk, &pack, Format::V1),
            Err(PackError::Form(0))
        ));
        assert!(matches!(
            split(&junk, &pack, Format::V2),
            Err(PackError::Form(_))
        ));
        assert!(matches!(
            split(b"junk", &pack, Format::V1),
            Err(PackError::Compression(_))
        ));
    }
}
