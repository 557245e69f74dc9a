//! v2 documents: a package's releases as RDF, in Turtle that is the same for the same document.
//!
//! What is read must be, triple by triple, what this program would write for the releases in it:
//! a document can neither leave out nor invent what queries rely on (`mp:latest`, `mp:dependsOn`,
//! `dcterms:license`). There are no blank nodes.

mod graph;
mod license;
mod lock;
mod pack;
mod read;
mod scan;
mod triples;
mod turtle;
mod value;
mod vocabulary;
mod write;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use oxrdf::Triple;
use rayon::prelude::*;
use semver::Version;

use super::releases::MAX_RELEASES;
use crate::model::{Document, Entry, PackageName};
use graph::Graph;
pub use lock::{Locked, lock_triples};
pub use pack::PackReader;
use triples::Triples;
use turtle::Turtle;

/// The most bytes that one document may have.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// The most bytes that a catalog pack may have, unpacked.
pub const MAX_PACK_BYTES: u64 = 8 << 30;

/// How each document starts; literals are written on one line, so it never stands inside of one.
const START: &[u8] = b"@base ";

/// Why a v2 document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum V2Error {
    /// More bytes than we read.
    #[error("the document has {length} bytes, more than {limit}")]
    TooLarge {
        /// Its length.
        length: u64,
        /// What we read at most.
        limit: u64,
    },
    /// More triples than we read, or all too long together.
    #[error("the document has more than {limit} triples, or they are too long together")]
    TooManyTriples {
        /// What we read at most.
        limit: usize,
    },
    /// An IRI or literal that is longer than we read.
    #[error("the document has a term of more than {limit} bytes")]
    LongTerm {
        /// What we read at most.
        limit: usize,
    },
    /// Brackets stand too deep in each other.
    #[error("the document has brackets nested deeper than {limit} levels")]
    Nesting {
        /// What we read at most.
        limit: usize,
    },
    /// More releases of one package than we read.
    #[error("`{0}` has more than {MAX_RELEASES} releases")]
    TooManyReleases(PackageName),
    /// No Turtle.
    #[error("invalid Turtle at line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: u64,
        /// From 1, in characters.
        column: u64,
        /// What the parser says.
        message: String,
    },
    /// A schema that is not ours.
    #[error("document schema `{0}` is not one that this program knows")]
    UnknownSchema(String),
    /// A node without a name of its own.
    #[error("the document has a blank node")]
    BlankNode,
    /// None or several packages where there must be one.
    #[error("the document does not describe exactly one package")]
    NotOnePackage,
    /// Something that is referred to is not described.
    #[error("the document does not describe <{0}>")]
    NoNode(String),
    /// A value that a property cannot have.
    #[error("`{value}` is no value of {property} of <{node}>")]
    Value {
        /// Whose property.
        node: String,
        /// The property, as `mp:sha256`.
        property: &'static str,
        /// The value, or `none`, or `several`.
        value: String,
    },
    /// A version stands twice, build metadata ignored.
    #[error("`{package}` has the version {version} twice")]
    DuplicateVersion {
        /// The package.
        package: PackageName,
        /// The version, when it came up again.
        version: Version,
    },
    /// There are other triples than those that follow from the releases.
    #[error("the document of `{0}` is not what its releases say")]
    NotWhatReleasesSay(PackageName),
    /// A pack has two documents of a package.
    #[error("the pack has two documents of `{0}`")]
    PackageTwice(PackageName),
}

/// What kind of fault it is that a v2 document has; falling back depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum V2Fault {
    /// The bytes are no v2 document.
    Malformed,
    /// It is larger than we read.
    SizeLimit,
    /// It is of a newer form.
    UnknownSchema,
}

impl V2Error {
    /// The kind of fault.
    #[must_use]
    pub const fn fault(&self) -> V2Fault {
        match self {
            Self::TooLarge { .. }
            | Self::TooManyTriples { .. }
            | Self::LongTerm { .. }
            | Self::Nesting { .. }
            | Self::TooManyReleases(_) => V2Fault::SizeLimit,
            Self::UnknownSchema(_) => V2Fault::UnknownSchema,
            Self::Syntax { .. }
            | Self::BlankNode
            | Self::NotOnePackage
            | Self::NoNode(_)
            | Self::Value { .. }
            | Self::DuplicateVersion { .. }
            | Self::NotWhatReleasesSay(_)
            | Self::PackageTwice(_) => V2Fault::Malformed,
        }
    }
}

/// Returns the document in Turtle. `base` is the registry's canonical base IRI and ends in `/`.
#[must_use]
pub fn encode(document: &Document, base: &str) -> Vec<u8> {
    let mut turtle = Turtle::new(base);
    write::document(&mut turtle, document, base, |_, _| true);
    turtle.finish().into_bytes()
}

/// Reads the document of one package of the registry with this base IRI.
pub fn decode(package: &PackageName, bytes: &[u8], base: &str) -> Result<Document, V2Error> {
    let graph = parse(bytes)?;
    read_checked(&graph, package, bytes, base)
}

/// A document of a pack, and its triples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The document.
    pub document: Document,
    /// What it says, as triples; one may stand there twice.
    pub triples: Vec<Triple>,
}

/// Reads one document of a catalog pack, of whichever package.
pub fn decode_described(bytes: &[u8], base: &str) -> Result<Described, V2Error> {
    let graph = parse(bytes)?;
    let document = read_checked(&graph, &read::package(&graph)?, bytes, base)?;
    let triples = graph.into_triples();
    Ok(Described { document, triples })
}

/// The triples of a document; one may stand there twice.
#[must_use]
pub fn triples(document: &Document, base: &str) -> Vec<Triple> {
    triples_beside(Some(document), None, base)
}

/// What leads from one document of a package to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The triples that the first has alone.
    pub gone: HashSet<Triple>,
    /// The triples that the second has alone.
    pub new: HashSet<Triple>,
}

/// Compares two documents of a package; none is a package of which nothing is said. It costs what differs:
/// releases that both have in the same place are not looked into.
#[must_use]
pub fn difference(before: Option<&Document>, after: Option<&Document>, base: &str) -> Difference {
    let beside = |document, other| triples_beside(document, other, base).into_iter();
    let mut gone: HashSet<Triple> = beside(before, after).collect();
    let mut new: HashSet<Triple> = beside(after, before).collect();
    new.retain(|triple| !gone.remove(triple));
    Difference { gone, new }
}

/// The triples of a document without those of the releases that another has, too.
fn triples_beside(
    document: Option<&Document>,
    other: Option<&Document>,
    base: &str,
) -> Vec<Triple> {
    let others = other.map_or(&[][..], |other| &other.entries);
    let is_taken = |place, entry: &Entry| others.get(place) != Some(entry);
    let mut triples = Triples::new(base);
    if let Some(document) = document {
        write::document(&mut triples, document, base, is_taken);
    }
    triples.finish()
}

/// Reads a document from triples that are known to be those of one, and no others.
pub fn from_triples(
    package: &PackageName,
    triples: Vec<Triple>,
    base: &str,
) -> Result<Document, V2Error> {
    read::document(&Graph::new(triples), package, base)
}

/// The IRI that a package has, and with which the IRIs of its releases begin.
#[must_use]
pub fn package_iri(package: &PackageName, base: &str) -> (String, String) {
    let iri = format!("{base}{}", vocabulary::package(package));
    let folder = iri.trim_end_matches("#package").to_owned();
    (iri, folder)
}

/// The IRI of `mp:dependsOn`: from a release to a package that it needs.
pub const DEPENDS_ON: &str = vocabulary::DEPENDS_ON.iri;

/// The IRI of `mp:latest`: from a package to its latest release.
pub const LATEST: &str = vocabulary::LATEST.iri;

/// The IRI of `mp:matches`: from a package to words that it fits. No document says it; queries may ask.
pub const MATCHES: &str = "https://w3id.org/cargo-marketplace/ns#matches";

/// The IRI of `mp:score`: a function of a package and words, how well the package fits.
pub const SCORE: &str = "https://w3id.org/cargo-marketplace/ns#score";

/// The IRI of a release of the registry with this base IRI.
#[must_use]
pub fn release_iri(package: &PackageName, version: &Version, base: &str) -> String {
    format!("{base}{}", vocabulary::release(package, version))
}

/// The IRI of the package at a place of a lock file, with this name and version.
#[must_use]
pub fn locked_iri(place: usize, name: &str, version: &str) -> String {
    vocabulary::locked(place, name, version)
}

/// Reads a catalog pack: the documents of many packages, one after the other, as [`encode`] writes
/// them.
pub fn decode_pack(bytes: &[u8], base: &str) -> Result<Vec<Document>, V2Error> {
    check_length(bytes, MAX_PACK_BYTES)?;
    let documents: Vec<Document> = split_pack(bytes)
        .into_par_iter()
        .map(|bytes| Ok(decode_described(bytes, base)?.document))
        .collect::<Result<_, _>>()?;
    let mut names = HashSet::new();
    match documents
        .iter()
        .find(|document| !names.insert(&document.package))
    {
        Some(twice) => Err(V2Error::PackageTwice(twice.package.clone())),
        None => Ok(documents),
    }
}

fn parse(bytes: &[u8]) -> Result<Graph, V2Error> {
    check_length(bytes, MAX_DOCUMENT_BYTES)?;
    let graph = Graph::parse(bytes)?;
    graph.check_schema()?;
    Ok(graph)
}

fn check_length(bytes: &[u8], limit: u64) -> Result<(), V2Error> {
    let length = bytes.len() as u64;
    if length > limit {
        return Err(V2Error::TooLarge { length, limit });
    }
    Ok(())
}

/// Reads a document, and writes it again to see that it holds nothing else.
fn read_checked(
    graph: &Graph,
    package: &PackageName,
    bytes: &[u8],
    base: &str,
) -> Result<Document, V2Error> {
    let document = read::document(graph, package, base)?;
    let again = encode(&document, base);
    if again == bytes || Graph::new(triples(&document, base)).equals(graph) {
        Ok(document)
    } else {
        Err(V2Error::NotWhatReleasesSay(package.clone()))
    }
}

/// The documents of a pack, cut where a line starts one.
fn split_pack(bytes: &[u8]) -> Vec<&[u8]> {
    let mut documents = Vec::new();
    let mut start = 0;
    let line_ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    for line in line_ends.map(|(place, _)| place + 1) {
        if bytes[line..].starts_with(START) {
            documents.push(&bytes[start..line]);
            start = line;
        }
    }
    documents.push(&bytes[start..]);
    documents.retain(|document| !document.is_empty());
    documents
}
