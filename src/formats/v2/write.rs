//! What a document says. The same document gives the same bytes of Turtle.
//!
//! Triples have no order, and SPARQL reads RDF lists badly. So what has an order in the index is
//! written as plain values, to be queried, and keeps its order beside them: releases and
//! dependencies by `mp:position`; keywords, categories and features by a list in JSON, which is
//! left out where they are sorted anyway. A feature table is one JSON literal, and its names are
//! values: as nodes it would be the larger half of many documents.

use serde_json::{Value as Json, json};

use super::license::license_ids;
use super::value::{Sink, Value, boolean, integer, iri, text, typed};
use super::vocabulary as mp;
use crate::model::{Dependency, DependencyKind, Document, Entry, Kinds, Release, sort_key};

/// The schema number of the documents that we write and read.
pub(super) const SCHEMA: &str = "1";

/// Says what a document says, of the releases that are taken. What is said of a release depends on its place
/// and its entry alone.
pub(super) fn document(
    to: &mut impl Sink,
    document: &Document,
    base: &str,
    is_taken: impl Fn(usize, &Entry) -> bool,
) {
    package(to, document);
    for (position, entry) in document.entries.iter().enumerate() {
        if is_taken(position, entry) {
            release(to, entry, position, base);
        }
    }
}

fn package(to: &mut impl Sink, document: &Document) {
    let name = &document.package;
    let latest = document.latest().map(|entry| &entry.release);
    let release_iri = |release: &Release| iri(&mp::release(name, &release.version));
    to.node(
        &mp::package(name),
        &[mp::PACKAGE, mp::DOAP_PROJECT, mp::SOURCE_CODE],
    );
    to.property(mp::SCHEMA, [integer(SCHEMA)]);
    to.property(mp::NAME, [text(name.as_str())]);
    if let Some(latest) = latest {
        optional_text(to, mp::DESCRIPTION, latest.description.as_deref());
        to.property(mp::KEYWORDS, texts(&latest.keywords));
    }
    to.property(mp::LATEST, latest.map(release_iri));
    let releases = document
        .entries
        .iter()
        .map(|entry| release_iri(&entry.release));
    to.property(mp::DOAP_RELEASE, releases);
    to.end();
}

fn release(to: &mut impl Sink, entry: &Entry, position: usize, base: &str) {
    let release = &entry.release;
    let (name, version) = (&release.name, &release.version);
    let dependency_iri = |place| iri(&mp::dependency(name, version, place));
    to.node(
        &mp::release(name, version),
        &[mp::RELEASE, mp::DOAP_VERSION, mp::PROV_ENTITY],
    );
    to.property(mp::OF_PACKAGE, [iri(&mp::package(name))]);
    to.property(mp::POSITION, [integer(position)]);
    to.property(mp::REVISION, [text(&version.to_string())]);
    to.property(mp::SORT_KEY, [text(&sort_key(version))]);
    to.property(
        mp::IDENTIFIER,
        [text(&mp::package_url(name, version, base))],
    );
    to.property(mp::SHA256, [text(&release.checksum.to_string())]);
    to.property(mp::SIZE, release.size.map(integer));
    registrys_word(to, entry);
    about(to, release);
    build(to, release);
    let places = 0..release.dependencies.len();
    to.property(mp::DEPENDS_ON, depends_on(&release.dependencies));
    to.property(mp::HAS_DEPENDENCY, places.map(dependency_iri));
    to.property(
        mp::FOREIGN_LINE,
        release
            .foreign
            .as_ref()
            .map(|foreign| json_literal(json!({"set": foreign.set, "absent": foreign.absent}))),
    );
    to.end();
    for (place, dependency) in release.dependencies.iter().enumerate() {
        dependency_node(to, &mp::dependency(name, version, place), place, dependency);
    }
}

/// What the registry says of a release beside its publisher's statement.
fn registrys_word(to: &mut impl Sink, entry: &Entry) {
    let accepted = entry
        .accepted
        .map(|time| typed(&time.to_string(), mp::DATE_TIME));
    to.property(mp::ISSUED, accepted);
    to.property(mp::YANKED, [boolean(entry.yanked.is_some())]);
    let reason = entry
        .yanked
        .as_ref()
        .and_then(|yank| yank.reason.as_deref());
    optional_text(to, mp::YANK_REASON, reason);
    optional_text(
        to,
        mp::TRUST,
        entry.trust.map(crate::model::TrustState::as_str),
    );
}

/// What people want to know.
fn about(to: &mut impl Sink, release: &Release) {
    let address = |address: &Option<String>| address.as_deref().map(|it| typed(it, mp::ANY_URI));
    let license = release.license.as_deref();
    let publisher = release.publisher.as_ref();
    to.property(mp::PUBLISHER, publisher.map(|id| iri(&mp::publisher(id))));
    optional_text(to, mp::COMMIT, release.commit.as_deref());
    optional_text(to, mp::DESCRIPTION, release.description.as_deref());
    optional_text(to, mp::LICENSE_EXPRESSION, license);
    to.property(mp::LICENSE, license_iris(license));
    list(to, mp::KEYWORDS, mp::KEYWORD_LIST, &release.keywords);
    list(to, mp::CATEGORY, mp::CATEGORY_LIST, &release.categories);
    to.property(mp::CODE_REPOSITORY, address(&release.repository));
    to.property(mp::URL, address(&release.homepage));
    to.property(mp::DOCUMENTATION, address(&release.documentation));
}

/// What it takes to build, and what comes out.
fn build(to: &mut impl Sink, release: &Release) {
    rust_version(to, release.rust_version.as_deref());
    optional_text(to, mp::EDITION, release.edition.as_deref());
    optional_text(to, mp::LINKS, release.links.as_deref());
    to.property(mp::USABLE_AS, usable_as(&release.kinds));
    to.property(mp::BINARY, texts(&release.kinds.binaries));
    to.property(mp::FEATURE, release.features.keys().map(|name| text(name)));
    let table = Some(&release.features).filter(|features| !features.is_empty());
    to.property(
        mp::FEATURES,
        table.map(|features| json_literal(json!(features))),
    );
}

fn dependency_node(to: &mut impl Sink, subject: &str, position: usize, dependency: &Dependency) {
    let kind = match dependency.kind {
        DependencyKind::Normal => mp::NORMAL,
        DependencyKind::Build => mp::BUILD,
        DependencyKind::Dev => mp::DEV,
    };
    let index = dependency.source.index();
    let index = index.map(|index| typed(index, mp::ANY_URI));
    to.node(subject, &[mp::DEPENDENCY]);
    to.property(mp::POSITION, [integer(position)]);
    to.property(mp::ON, [iri(&mp::dependency_target(dependency))]);
    to.property(mp::NAME, [text(dependency.package.as_str())]);
    optional_text(to, mp::ALIAS, dependency.rename.as_deref());
    to.property(mp::REGISTRY_INDEX, index);
    to.property(mp::REQUIREMENT, [text(dependency.requirement.as_str())]);
    to.property(mp::KIND, [Value::Term(kind)]);
    optional_text(to, mp::TARGET, dependency.target.as_deref());
    to.property(mp::OPTIONAL, [boolean(dependency.optional)]);
    to.property(mp::DEFAULT_FEATURES, [boolean(dependency.default_features)]);
    list(
        to,
        mp::USES_FEATURE,
        mp::USES_FEATURE_LIST,
        &dependency.features,
    );
    to.end();
}

/// The oldest Rust, as it is written and as a number.
pub(super) fn rust_version(to: &mut impl Sink, stated: Option<&str>) {
    optional_text(to, mp::RUST_VERSION, stated);
    let minor = stated.and_then(rust_version_minor);
    to.property(mp::RUST_VERSION_MINOR, minor.map(integer));
}

pub(super) fn optional_text(to: &mut impl Sink, property: mp::Term, value: Option<&str>) {
    to.property(property, value.map(text));
}

/// Writes values, and their order where that is not the sorted one.
fn list(to: &mut impl Sink, property: mp::Term, order: mp::Term, values: &[String]) {
    to.property(property, texts(values));
    let in_order = values.is_sorted_by(|a, b| a < b);
    to.property(order, (!in_order).then(|| json_literal(json!(values))));
}

/// Values as the sorted set that triples make of them.
fn texts(values: &[String]) -> Vec<Value> {
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().map(|value| text(value)).collect()
}

fn json_literal(mut value: Json) -> Value {
    value.sort_all_objects();
    typed(&value.to_string(), mp::RDF_JSON)
}

fn license_iris(expression: Option<&str>) -> Vec<Value> {
    let ids = expression.map(license_ids).unwrap_or_default();
    let spdx = |id: String| iri(&format!("http://spdx.org/licenses/{id}"));
    ids.into_iter().map(spdx).collect()
}

/// The 74 of `1.74` or `1.74.0`: what SPARQL can compare. Rust has no other major version.
fn rust_version_minor(text: &str) -> Option<u32> {
    let minor = text.strip_prefix("1.")?.split('.').next()?;
    let digits = minor.bytes().all(|b| b.is_ascii_digit());
    minor.parse().ok().filter(|_| digits)
}

fn usable_as(kinds: &Kinds) -> Vec<Value> {
    let all = [
        (!kinds.binaries.is_empty(), mp::BINARY_PROGRAM),
        (kinds.library, mp::LIBRARY),
        (kinds.template, mp::TEMPLATE),
    ];
    let given = all.into_iter().filter(|(is, _)| *is);
    given.map(|(_, kind)| Value::Term(kind)).collect()
}

/// What must be there to build or run the release, optional dependencies included.
fn depends_on(dependencies: &[Dependency]) -> Vec<Value> {
    let mut targets: Vec<_> = dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Dev)
        .map(mp::dependency_target)
        .collect();
    // As Turtle writes them: `<a-b>` before `<a>`.
    targets.sort_by_cached_key(|target| format!("<{target}>"));
    targets.dedup();
    targets.iter().map(|target| iri(target)).collect()
}
