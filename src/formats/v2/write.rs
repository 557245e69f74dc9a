//! A document as Turtle. The same document gives the same bytes.
//!
//! Triples have no order, and SPARQL reads RDF lists badly. So what has an order in the index is
//! written as plain values, to be queried, and keeps its order beside them: releases and
//! dependencies by `mp:position`; keywords, categories and features by a list in JSON, which is
//! left out where they are sorted anyway. A feature table is one JSON literal, and its names are
//! values: as nodes it would be the larger half of many documents.

use serde_json::{Value, json};

use super::license::license_ids;
use super::turtle::{Turtle, iri, text, typed};
use super::vocabulary as mp;
use crate::model::{Dependency, DependencyKind, Document, Entry, Kinds, Release, sort_key};

/// The schema number of the documents that we write and read.
pub(super) const SCHEMA: &str = "1";

/// Returns the Turtle text of a document.
pub(super) fn document(document: &Document, base: &str) -> String {
    part(document, base, |_, _| true)
}

/// Returns the Turtle text of a document without the releases that are not taken. What is said of a
/// release depends on its place and its entry alone.
pub(super) fn part(
    document: &Document,
    base: &str,
    is_taken: impl Fn(usize, &Entry) -> bool,
) -> String {
    let mut turtle = Turtle::new(base);
    package(&mut turtle, document);
    for (position, entry) in document.entries.iter().enumerate() {
        if is_taken(position, entry) {
            release(&mut turtle, entry, position, base);
        }
    }
    turtle.finish()
}

fn package(turtle: &mut Turtle, document: &Document) {
    let name = &document.package;
    let latest = document.latest().map(|entry| &entry.release);
    let release_iri = |release: &Release| iri(&mp::release(name, &release.version));
    turtle.node(
        &mp::package(name),
        &[mp::PACKAGE, mp::DOAP_PROJECT, mp::SOURCE_CODE],
    );
    turtle.property(mp::SCHEMA, [SCHEMA.to_owned()]);
    turtle.property(mp::NAME, [text(name.as_str())]);
    if let Some(latest) = latest {
        optional_text(turtle, mp::DESCRIPTION, latest.description.as_deref());
        turtle.property(mp::KEYWORDS, texts(&latest.keywords));
    }
    turtle.property(mp::LATEST, latest.map(release_iri));
    let releases = document
        .entries
        .iter()
        .map(|entry| release_iri(&entry.release));
    turtle.property(mp::DOAP_RELEASE, releases);
    turtle.end();
}

fn release(turtle: &mut Turtle, entry: &Entry, position: usize, base: &str) {
    let release = &entry.release;
    let (name, version) = (&release.name, &release.version);
    let dependency_iri = |place| iri(&mp::dependency(name, version, place));
    turtle.node(
        &mp::release(name, version),
        &[mp::RELEASE, mp::DOAP_VERSION, mp::PROV_ENTITY],
    );
    turtle.property(mp::OF_PACKAGE, [iri(&mp::package(name))]);
    turtle.property(mp::POSITION, [position.to_string()]);
    turtle.property(mp::REVISION, [text(&version.to_string())]);
    turtle.property(mp::SORT_KEY, [text(&sort_key(version))]);
    turtle.property(
        mp::IDENTIFIER,
        [text(&mp::package_url(name, version, base))],
    );
    turtle.property(mp::SHA256, [text(&release.checksum.to_string())]);
    turtle.property(mp::SIZE, release.size.map(|size| size.to_string()));
    registrys_word(turtle, entry);
    about(turtle, release);
    build(turtle, release);
    let places = 0..release.dependencies.len();
    turtle.property(mp::DEPENDS_ON, depends_on(&release.dependencies));
    turtle.property(mp::HAS_DEPENDENCY, places.map(dependency_iri));
    turtle.property(
        mp::FOREIGN_LINE,
        release
            .foreign
            .as_ref()
            .map(|foreign| json_literal(json!({"set": foreign.set, "absent": foreign.absent}))),
    );
    turtle.end();
    for (place, dependency) in release.dependencies.iter().enumerate() {
        dependency_node(
            turtle,
            &mp::dependency(name, version, place),
            place,
            dependency,
        );
    }
}

/// What the registry says of a release beside its publisher's statement.
fn registrys_word(turtle: &mut Turtle, entry: &Entry) {
    let accepted = entry
        .accepted
        .map(|time| typed(&time.to_string(), mp::DATE_TIME));
    turtle.property(mp::ISSUED, accepted);
    turtle.property(mp::YANKED, [entry.yanked.is_some().to_string()]);
    let reason = entry
        .yanked
        .as_ref()
        .and_then(|yank| yank.reason.as_deref());
    optional_text(turtle, mp::YANK_REASON, reason);
    optional_text(
        turtle,
        mp::TRUST,
        entry.trust.map(crate::model::TrustState::as_str),
    );
}

/// What people want to know.
fn about(turtle: &mut Turtle, release: &Release) {
    let address = |address: &Option<String>| address.as_deref().map(|it| typed(it, mp::ANY_URI));
    let license = release.license.as_deref();
    let publisher = release.publisher.as_ref();
    turtle.property(mp::PUBLISHER, publisher.map(|id| iri(&mp::publisher(id))));
    optional_text(turtle, mp::COMMIT, release.commit.as_deref());
    optional_text(turtle, mp::DESCRIPTION, release.description.as_deref());
    optional_text(turtle, mp::LICENSE_EXPRESSION, license);
    turtle.property(mp::LICENSE, license_iris(license));
    list(turtle, mp::KEYWORDS, mp::KEYWORD_LIST, &release.keywords);
    list(turtle, mp::CATEGORY, mp::CATEGORY_LIST, &release.categories);
    turtle.property(mp::CODE_REPOSITORY, address(&release.repository));
    turtle.property(mp::URL, address(&release.homepage));
    turtle.property(mp::DOCUMENTATION, address(&release.documentation));
}

/// What it takes to build, and what comes out.
fn build(turtle: &mut Turtle, release: &Release) {
    rust_version(turtle, release.rust_version.as_deref());
    optional_text(turtle, mp::EDITION, release.edition.as_deref());
    optional_text(turtle, mp::LINKS, release.links.as_deref());
    turtle.property(mp::USABLE_AS, usable_as(&release.kinds));
    turtle.property(mp::BINARY, texts(&release.kinds.binaries));
    turtle.property(mp::FEATURE, release.features.keys().map(|name| text(name)));
    let table = Some(&release.features).filter(|features| !features.is_empty());
    turtle.property(
        mp::FEATURES,
        table.map(|features| json_literal(json!(features))),
    );
}

fn dependency_node(turtle: &mut Turtle, subject: &str, position: usize, dependency: &Dependency) {
    let kind = match dependency.kind {
        DependencyKind::Normal => mp::NORMAL,
        DependencyKind::Build => mp::BUILD,
        DependencyKind::Dev => mp::DEV,
    };
    let index = dependency.source.index();
    let index = index.map(|index| typed(index, mp::ANY_URI));
    turtle.node(subject, &[mp::DEPENDENCY]);
    turtle.property(mp::POSITION, [position.to_string()]);
    turtle.property(mp::ON, [iri(&mp::dependency_target(dependency))]);
    turtle.property(mp::NAME, [text(dependency.package.as_str())]);
    optional_text(turtle, mp::ALIAS, dependency.rename.as_deref());
    turtle.property(mp::REGISTRY_INDEX, index);
    turtle.property(mp::REQUIREMENT, [text(dependency.requirement.as_str())]);
    turtle.property(mp::KIND, [kind.short.to_owned()]);
    optional_text(turtle, mp::TARGET, dependency.target.as_deref());
    turtle.property(mp::OPTIONAL, [dependency.optional.to_string()]);
    turtle.property(
        mp::DEFAULT_FEATURES,
        [dependency.default_features.to_string()],
    );
    list(
        turtle,
        mp::USES_FEATURE,
        mp::USES_FEATURE_LIST,
        &dependency.features,
    );
    turtle.end();
}

/// The oldest Rust, as it is written and as a number.
pub(super) fn rust_version(turtle: &mut Turtle, stated: Option<&str>) {
    optional_text(turtle, mp::RUST_VERSION, stated);
    let minor = stated.and_then(rust_version_minor);
    turtle.property(mp::RUST_VERSION_MINOR, minor.map(|minor| minor.to_string()));
}

pub(super) fn optional_text(turtle: &mut Turtle, property: mp::Term, value: Option<&str>) {
    turtle.property(property, value.map(text));
}

/// Writes values, and their order where that is not the sorted one.
fn list(turtle: &mut Turtle, property: mp::Term, order: mp::Term, values: &[String]) {
    turtle.property(property, texts(values));
    let in_order = values.is_sorted_by(|a, b| a < b);
    turtle.property(order, (!in_order).then(|| json_literal(json!(values))));
}

/// Values as the sorted set that triples make of them.
fn texts(values: &[String]) -> Vec<String> {
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().map(|value| text(value)).collect()
}

fn json_literal(mut value: Value) -> String {
    value.sort_all_objects();
    typed(&value.to_string(), mp::RDF_JSON)
}

fn license_iris(expression: Option<&str>) -> Vec<String> {
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

fn usable_as(kinds: &Kinds) -> Vec<String> {
    let all = [
        (!kinds.binaries.is_empty(), mp::BINARY_PROGRAM),
        (kinds.library, mp::LIBRARY),
        (kinds.template, mp::TEMPLATE),
    ];
    let given = all.into_iter().filter(|(is, _)| *is);
    given.map(|(_, kind)| kind.short.to_owned()).collect()
}

/// What must be there to build or run the release, optional dependencies included.
fn depends_on(dependencies: &[Dependency]) -> Vec<String> {
    let mut targets: Vec<_> = dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Dev)
        .map(|dependency| iri(&mp::dependency_target(dependency)))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
