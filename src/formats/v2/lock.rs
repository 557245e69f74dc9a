//! A project's lock file as a small graph, for queries that see it beside the triples of registries. It is
//! made for one query on the machine that asks, and is written nowhere.

use oxrdf::Triple;

use super::triples::Triples;
use super::value::{Sink as _, iri, text, typed};
use super::vocabulary as mp;
use super::write::{optional_text, rust_version};
use crate::model::{Sha256Digest, UtcTime};

/// A package of a lock file, which may say anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// From where; none for a member of the workspace.
    pub source: Option<String>,
    /// The SHA-256 of its archive.
    pub checksum: Option<Sha256Digest>,
    /// The places of the packages that it needs.
    pub requires: Vec<usize>,
    /// The IRI of the release that it is, if a registry at hand has it.
    pub release: Option<String>,
    /// The oldest Rust, where it is a member and says so.
    pub rust_version: Option<String>,
}

/// The triples of a lock file at a time.
pub fn lock_triples(packages: &[Locked], now: UtcTime) -> Vec<Triple> {
    let node = |place: usize, package: &Locked| mp::locked(place, &package.name, &package.version);
    let mut triples = Triples::new(mp::LOCK);
    triples.node(mp::LOCK, &[mp::LOCK_FILE]);
    triples.property(mp::NOW, [typed(&now.to_string(), mp::DATE_TIME)]);
    triples.end();
    for (place, package) in packages.iter().enumerate() {
        let classes = match package.source {
            None => &[mp::LOCKED, mp::MEMBER][..],
            Some(_) => &[mp::LOCKED],
        };
        let required = package.requires.iter();
        let required = required.filter_map(|place| Some((*place, packages.get(*place)?)));
        triples.node(&node(place, package), classes);
        triples.property(mp::NAME, [text(&package.name)]);
        triples.property(mp::REVISION, [text(&package.version)]);
        optional_text(&mut triples, mp::SOURCE, package.source.as_deref());
        let checksum = package.checksum.map(|checksum| text(&checksum.to_string()));
        triples.property(mp::SHA256, checksum);
        rust_version(&mut triples, package.rust_version.as_deref());
        triples.property(mp::LOCKED_RELEASE, package.release.as_deref().map(iri));
        let required = required.map(|(place, package)| iri(&node(place, package)));
        triples.property(mp::REQUIRES, required);
        triples.end();
    }
    triples.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UtcTime {
        "2026-11-20T09:14:03Z".parse().unwrap()
    }

    #[test]
    fn says_what_the_lock_file_says() {
        let app = Locked {
            name: "app".into(),
            version: "0.1.0".into(),
            requires: vec![1],
            rust_version: Some("1.74".into()),
            ..Locked::default()
        };
        let tide = Locked {
            name: "tide-table".into(),
            version: "0.3.1+a".into(),
            source: Some("sparse+https://a.invalid/".into()),
            checksum: Some(Sha256Digest::of(b"")),
            release: Some("https://a.invalid/#release".into()),
            ..Locked::default()
        };
        let triples = lock_triples(&[app, tide], now());
        let lines: Vec<String> = triples.iter().map(ToString::to_string).collect();
        let mp = "https://w3id.org/cargo-marketplace/ns#";
        let tide = "<lock:1/tide-table@0.3.1%2Ba>";
        for line in [
            format!(
                "<lock:> <{mp}now> \"2026-11-20T09:14:03Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime>"
            ),
            format!(
                "<lock:0/app@0.1.0> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{mp}Member>"
            ),
            format!(
                "<lock:0/app@0.1.0> <{mp}rustVersionMinor> \"74\"^^<http://www.w3.org/2001/XMLSchema#integer>"
            ),
            format!("<lock:0/app@0.1.0> <{mp}requires> {tide}"),
            format!("{tide} <{mp}source> \"sparse+https://a.invalid/\""),
            format!("{tide} <{mp}release> <https://a.invalid/#release>"),
            format!("{tide} <{mp}sha256> \"{}\"", Sha256Digest::of(b"")),
        ] {
            assert!(lines.contains(&line), "{line}\n{lines:#?}");
        }
        assert_eq!(triples.len(), 2 + 7 + 6, "{lines:#?}");
    }

    #[test]
    fn a_hostile_lock_file_says_nothing_else() {
        let hostile = Locked {
            name: "a> . <lock:> <p> <o> .\n%zz\"".into(),
            version: "\u{202e}\0#?".into(),
            source: Some("\" . <s> <p> <o> .\\".into()),
            requires: vec![0, 7],
            ..Locked::default()
        };
        let triples = lock_triples(std::slice::from_ref(&hostile), now());
        assert_eq!(triples.len(), 2 + 5, "{triples:#?}");
        let named = |triple: &&Triple| triple.predicate.as_str().ends_with("/name");
        let name = triples.iter().find(named).unwrap();
        assert_eq!(
            name.object,
            oxrdf::Literal::new_simple_literal(&hostile.name).into()
        );
    }
}
