//! Triples as a document. Only what a release consists of is read; what is derived from it is
//! checked by writing the document again (see [`super::decode`]).

use std::collections::HashMap;

use super::V2Error;
use super::graph::{Graph, Node};
use super::vocabulary as mp;
use crate::formats::releases::{Releases, Unfit, is_commit};
use crate::formats::{canonical_json, v1};
use crate::model::{
    Dependency, DependencyKind, DependencySource, Document, Entry, ForeignLine, Kinds, PackageName,
    Release, TrustState, Yank,
};

/// A graph's nodes by IRI, and the base of the registry.
struct Nodes<'a> {
    nodes: HashMap<&'a str, Node<'a>>,
    base: &'a str,
}

impl<'a> Nodes<'a> {
    fn get(&self, iri: &str) -> Result<&Node<'a>, V2Error> {
        self.nodes
            .get(iri)
            .ok_or_else(|| V2Error::NoNode(iri.to_owned()))
    }
}

/// The only package that a graph describes.
pub(super) fn package(graph: &Graph) -> Result<PackageName, V2Error> {
    let nodes = graph.nodes();
    let mut packages = nodes
        .values()
        .filter(|node| !node.all(mp::SCHEMA).is_empty());
    match (packages.next(), packages.next()) {
        (Some(node), None) => node.parsed_one(mp::NAME),
        _ => Err(V2Error::NotOnePackage),
    }
}

/// Reads the document of a package.
pub(super) fn document(
    graph: &Graph,
    package: &PackageName,
    base: &str,
) -> Result<Document, V2Error> {
    let nodes = Nodes {
        nodes: graph.nodes(),
        base,
    };
    let node = nodes.get(&format!("{base}{}", mp::package(package)))?;
    let mut releases = Vec::new();
    for iri in node.all(mp::DOAP_RELEASE) {
        let release = nodes.get(iri)?;
        releases.push((release.parsed_one::<usize>(mp::POSITION)?, release));
    }
    releases.sort_unstable_by_key(|(position, _)| *position);
    let mut document = Releases::of(package.clone());
    for (_, node) in releases {
        let entry = entry(&nodes, package, node)?;
        document.push(entry).map_err(|unfit| match unfit {
            Unfit::TooMany => V2Error::TooManyReleases(package.clone()),
            Unfit::Duplicate(version) => V2Error::DuplicateVersion {
                package: package.clone(),
                version,
            },
        })?;
    }
    Ok(document.document)
}

fn entry(nodes: &Nodes<'_>, package: &PackageName, node: &Node<'_>) -> Result<Entry, V2Error> {
    let reason = text(node, mp::YANK_REASON)?;
    let yanked = node.parsed_one(mp::YANKED)?;
    let trust = node.optional(mp::TRUST)?;
    let entry = Entry {
        release: release(nodes, package, node)?,
        accepted: node.parsed(mp::ISSUED)?,
        yanked: if yanked { Some(Yank { reason }) } else { None },
        trust: trust
            .map(|word| TrustState::from_word(word).ok_or_else(|| node.refused(mp::TRUST, word)))
            .transpose()?,
    };
    // What a foreign line has of its own must not speak against the release beside it.
    if entry.release.foreign.is_some() {
        let line = v1::decode(package, v1::encode_line(&entry).as_bytes());
        if line.map(|document| document.entries) != Ok(vec![entry.clone()]) {
            return Err(node.refused(mp::FOREIGN_LINE, "another release"));
        }
    }
    Ok(entry)
}

fn release(nodes: &Nodes<'_>, package: &PackageName, node: &Node<'_>) -> Result<Release, V2Error> {
    Ok(Release {
        name: package.clone(),
        version: node.parsed_one(mp::REVISION)?,
        dependencies: dependencies(nodes, node)?,
        checksum: node.parsed_one(mp::SHA256)?,
        features: json(node, mp::FEATURES)?.unwrap_or_default(),
        links: text(node, mp::LINKS)?,
        rust_version: text(node, mp::RUST_VERSION)?,
        size: node.parsed(mp::SIZE)?,
        description: text(node, mp::DESCRIPTION)?,
        license: text(node, mp::LICENSE_EXPRESSION)?,
        keywords: list(node, mp::KEYWORDS, mp::KEYWORD_LIST)?,
        categories: list(node, mp::CATEGORY, mp::CATEGORY_LIST)?,
        repository: text(node, mp::CODE_REPOSITORY)?,
        homepage: text(node, mp::URL)?,
        documentation: text(node, mp::DOCUMENTATION)?,
        edition: text(node, mp::EDITION)?,
        kinds: kinds(node),
        publisher: publisher(nodes, node)?,
        commit: commit(node)?,
        foreign: foreign(node)?,
    })
}

fn text(node: &Node<'_>, property: mp::Term) -> Result<Option<String>, V2Error> {
    Ok(node.optional(property)?.map(str::to_owned))
}

fn commit(node: &Node<'_>) -> Result<Option<String>, V2Error> {
    match text(node, mp::COMMIT)? {
        Some(commit) if !is_commit(&commit) => Err(node.refused(mp::COMMIT, &commit)),
        commit => Ok(commit),
    }
}

fn json<T: serde::de::DeserializeOwned>(
    node: &Node<'_>,
    property: mp::Term,
) -> Result<Option<T>, V2Error> {
    let literal = node.optional(property)?;
    literal
        .map(|text| {
            canonical_json::parse_strict(text.as_bytes())
                .ok()
                .and_then(|value| serde_json::from_value(value).ok())
                .ok_or_else(|| node.refused(property, text))
        })
        .transpose()
}

/// Values in their order: that of the list beside them, or sorted.
fn list(node: &Node<'_>, property: mp::Term, order: mp::Term) -> Result<Vec<String>, V2Error> {
    let sorted = || node.all(property).into_iter().map(str::to_owned).collect();
    Ok(json(node, order)?.unwrap_or_else(sorted))
}

fn kinds(node: &Node<'_>) -> Kinds {
    let usable_as = node.all(mp::USABLE_AS);
    Kinds {
        library: usable_as.contains(&mp::LIBRARY.iri),
        binaries: node
            .all(mp::BINARY)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        template: usable_as.contains(&mp::TEMPLATE.iri),
    }
}

fn publisher(
    nodes: &Nodes<'_>,
    node: &Node<'_>,
) -> Result<Option<crate::model::PublisherId>, V2Error> {
    let Some(iri) = node.optional(mp::PUBLISHER)? else {
        return Ok(None);
    };
    let id = iri
        .strip_prefix(nodes.base)
        .and_then(|path| path.strip_prefix("publishers/"))
        .and_then(|path| path.strip_suffix("/#publisher"))
        .and_then(|id| id.parse().ok());
    id.map(Some).ok_or_else(|| node.refused(mp::PUBLISHER, iri))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireForeignLine {
    set: std::collections::BTreeMap<String, serde_json::Value>,
    absent: Vec<String>,
}

fn foreign(node: &Node<'_>) -> Result<Option<ForeignLine>, V2Error> {
    let wire: Option<WireForeignLine> = json(node, mp::FOREIGN_LINE)?;
    Ok(wire.map(|wire| ForeignLine {
        set: wire.set,
        absent: wire.absent,
    }))
}

fn dependencies(nodes: &Nodes<'_>, release: &Node<'_>) -> Result<Vec<Dependency>, V2Error> {
    let mut dependencies = Vec::new();
    for iri in release.all(mp::HAS_DEPENDENCY) {
        let node = nodes.get(iri)?;
        dependencies.push((node.parsed_one::<usize>(mp::POSITION)?, dependency(node)?));
    }
    dependencies.sort_by_key(|(position, _)| *position);
    Ok(dependencies
        .into_iter()
        .map(|(_, dependency)| dependency)
        .collect())
}

fn dependency(node: &Node<'_>) -> Result<Dependency, V2Error> {
    let kind = node.one(mp::KIND)?;
    let index = text(node, mp::REGISTRY_INDEX)?;
    Ok(Dependency {
        package: node.parsed_one(mp::NAME)?,
        rename: text(node, mp::ALIAS)?,
        requirement: node.parsed_one(mp::REQUIREMENT)?,
        features: list(node, mp::USES_FEATURE, mp::USES_FEATURE_LIST)?,
        optional: node.parsed_one(mp::OPTIONAL)?,
        default_features: node.parsed_one(mp::DEFAULT_FEATURES)?,
        target: text(node, mp::TARGET)?,
        kind: [
            (mp::NORMAL, DependencyKind::Normal),
            (mp::BUILD, DependencyKind::Build),
            (mp::DEV, DependencyKind::Dev),
        ]
        .into_iter()
        .find_map(|(term, value)| (term.iri == kind).then_some(value))
        .ok_or_else(|| node.refused(mp::KIND, kind))?,
        source: index.map_or(DependencySource::SameRegistry, DependencySource::Other),
    })
}
