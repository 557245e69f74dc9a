//! Catalog packs: the documents of all packages in one compressed file for each format. Pure.
//!
//! At present one full pack a format, made anew with each change; it keeps the documents sorted by
//! package.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

use crate::formats::catalog_index::Pack;
use crate::formats::layout::Format;
use crate::formats::pack::{self, MAX_UNPACKED};
use crate::model::{PackageName, Sha256Digest};

/// A fast level; the packs are made on every publish.
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
}

/// The documents of a pack by package.
pub type Documents = BTreeMap<PackageName, Vec<u8>>;

/// Joins documents to a pack: its compressed bytes, and what the index says of it.
pub fn make(documents: &Documents, serial: u64) -> Result<(Vec<u8>, Pack), PackError> {
    let parts: Vec<&[u8]> = documents.values().map(Vec::as_slice).collect();
    let text = parts.concat();
    let bytes = zstd::bulk::compress(&text, LEVEL).map_err(PackError::Compression)?;
    let pack = Pack {
        from: 0,
        to: serial,
        sha256: Sha256Digest::of(&bytes),
        length: bytes.len() as u64,
        uncompressed: text.len() as u64,
    };
    Ok((bytes, pack))
}

/// Takes a pack apart, to be joined anew with some documents changed.
pub fn split(bytes: &[u8], pack: &Pack, format: Format) -> Result<Documents, PackError> {
    let text = pack::unpack(bytes, pack, MAX_UNPACKED).map_err(PackError::Compression)?;
    match format {
        Format::V1 => split_lines(&text),
        Format::V2 => split_turtle(&text),
    }
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

    fn round_trip(format: Format, documents: &[(&str, &str)]) {
        let documents: Documents = documents
            .iter()
            .map(|(name, text)| (name.parse().unwrap(), text.as_bytes().to_vec()))
            .collect();
        let (bytes, pack) = make(&documents, 7).unwrap();
        assert_eq!(split(&bytes, &pack, format).unwrap(), documents);
        assert_eq!(
            (pack.from, pack.to, pack.length),
            (0, 7, bytes.len() as u64)
        );
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
