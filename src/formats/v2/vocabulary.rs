//! The terms of v2 documents and the IRIs of what they describe.
//!
//! `schemas/ontology.ttl` says what our own terms mean. Below a registry's base IRI, each thing has
//! a hash IRI on the page that a browser shows for it, since static hosts cannot redirect.

use std::fmt::Write as _;

use semver::Version;

use crate::model::{CRATES_IO_INDEX, Dependency, DependencySource, PackageName, PublisherId};

/// A term: how it is written below our prefixes, and its IRI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    /// As `mp:latest`.
    pub(super) short: &'static str,
    /// The whole IRI.
    pub(super) iri: &'static str,
}

macro_rules! namespaces {
    ($($prefix:ident $namespace:literal { $($name:ident $local:literal)* })*) => {
        /// The prefixes that every document declares, in its order.
        pub(super) const PREFIXES: &[(&str, &str)] = &[$((stringify!($prefix), $namespace)),*];
        /// All terms.
        #[cfg(test)]
        const TERMS: &[Term] = &[$($($name),*),*];
        $($(
            pub(super) const $name: Term = Term {
                short: concat!(stringify!($prefix), ":", $local),
                iri: concat!($namespace, $local),
            };
        )*)*
    };
}

namespaces! {
    dcterms "http://purl.org/dc/terms/" {
        IDENTIFIER "identifier"
        ISSUED "issued"
        LICENSE "license"
    }
    doap "http://usefulinc.com/ns/doap#" {
        DOAP_PROJECT "Project"
        DOAP_VERSION "Version"
        DOAP_RELEASE "release"
        REVISION "revision"
    }
    mp "https://w3id.org/cargo-marketplace/ns#" {
        PACKAGE "Package"
        RELEASE "Release"
        DEPENDENCY "Dependency"
        SCHEMA "schema"
        LATEST "latest"
        OF_PACKAGE "package"
        POSITION "position"
        SORT_KEY "sortKey"
        SHA256 "sha256"
        SIZE "size"
        YANKED "yanked"
        YANK_REASON "yankReason"
        TRUST "trust"
        PUBLISHER "publisher"
        LICENSE_EXPRESSION "licenseExpression"
        KEYWORD_LIST "keywordList"
        CATEGORY "category"
        CATEGORY_LIST "categoryList"
        DOCUMENTATION "documentation"
        RUST_VERSION "rustVersion"
        RUST_VERSION_MINOR "rustVersionMinor"
        EDITION "edition"
        LINKS "links"
        USABLE_AS "usableAs"
        LIBRARY "Library"
        BINARY_PROGRAM "Binary"
        TEMPLATE "Template"
        BINARY "binary"
        COMMIT "commit"
        FEATURE "feature"
        FEATURES "features"
        FOREIGN_LINE "foreignLine"
        DEPENDS_ON "dependsOn"
        HAS_DEPENDENCY "dependency"
        ON "on"
        ALIAS "alias"
        REQUIREMENT "requirement"
        KIND "kind"
        NORMAL "Normal"
        BUILD "Build"
        DEV "Dev"
        OPTIONAL "optional"
        DEFAULT_FEATURES "defaultFeatures"
        USES_FEATURE "usesFeature"
        USES_FEATURE_LIST "usesFeatureList"
        TARGET "target"
        REGISTRY_INDEX "registryIndex"
        LOCK_FILE "LockFile"
        NOW "now"
        LOCKED "Locked"
        MEMBER "Member"
        SOURCE "source"
        REQUIRES "requires"
        LOCKED_RELEASE "release"
    }
    prov "http://www.w3.org/ns/prov#" {
        PROV_ENTITY "Entity"
    }
    rdf "http://www.w3.org/1999/02/22-rdf-syntax-ns#" {
        RDF_JSON "JSON"
    }
    schema "https://schema.org/" {
        SOURCE_CODE "SoftwareSourceCode"
        NAME "name"
        DESCRIPTION "description"
        KEYWORDS "keywords"
        CODE_REPOSITORY "codeRepository"
        URL "url"
    }
    xsd "http://www.w3.org/2001/XMLSchema#" {
        ANY_URI "anyURI"
        BOOLEAN "boolean"
        DATE_TIME "dateTime"
        INTEGER "integer"
    }
}

/// The IRI of a package, relative to its registry's base.
pub(super) fn package(name: &PackageName) -> String {
    format!("packages/{name}/#package")
}

/// The IRI of a release, relative to its registry's base.
pub(super) fn release(name: &PackageName, version: &Version) -> String {
    format!("packages/{name}/{}/#release", in_path(version))
}

/// The IRI of a release's dependency, relative to its registry's base.
pub(super) fn dependency(name: &PackageName, version: &Version, position: usize) -> String {
    format!(
        "packages/{name}/{}/#dependency-{position}",
        in_path(version)
    )
}

/// The IRI of a publisher, relative to its registry's base.
pub(super) fn publisher(id: &PublisherId) -> String {
    format!("publishers/{id}/#publisher")
}

/// The IRI of what a dependency points to: a package of this registry, or a package URL.
pub(super) fn dependency_target(dependency: &Dependency) -> String {
    let name = &dependency.package;
    match &dependency.source {
        DependencySource::SameRegistry => package(name),
        DependencySource::Other(index) if index == CRATES_IO_INDEX => format!("pkg:cargo/{name}"),
        DependencySource::Other(index) => {
            format!("pkg:cargo/{name}?repository_url={}", percent(index))
        }
    }
}

/// The package URL of a release in the registry with this base IRI.
pub(super) fn package_url(name: &PackageName, version: &Version, base: &str) -> String {
    let version = in_path(version);
    format!(
        "pkg:cargo/{name}@{version}?repository_url={}",
        percent(base)
    )
}

/// The IRI of the lock file at hand, and the base of those of its packages.
pub(super) const LOCK: &str = "lock:";

/// The IRI of the package at a place of a lock file, which may say anything.
pub(super) fn locked(place: usize, name: &str, version: &str) -> String {
    format!("{LOCK}{place}/{}@{}", percent(name), percent(version))
}

/// A version as a path segment: `+` means a space to too many programs.
fn in_path(version: &Version) -> String {
    version.to_string().replace('+', "%2B")
}

/// Escapes all that is not unreserved (RFC 3986, section 2.3).
fn percent(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ontology_and_the_shapes_know_our_terms() {
        let ontology = include_str!("../../../schemas/ontology.ttl");
        let shapes = include_str!("../../../schemas/shapes.ttl");
        for term in TERMS.iter().filter(|term| term.short.starts_with("mp:")) {
            let subject = format!("\n{} a ", term.short);
            assert!(
                ontology.contains(&subject),
                "{} in ontology.ttl",
                term.short
            );
            let word = format!(" {} ", term.short);
            assert!(shapes.contains(&word), "{} in shapes.ttl", term.short);
        }
    }

    #[test]
    fn versions_and_addresses_are_escaped() {
        let (name, version) = ("a".parse().unwrap(), "1.0.0-rc.1+b".parse().unwrap());
        assert_eq!(
            release(&name, &version),
            "packages/a/1.0.0-rc.1%2Bb/#release"
        );
        assert_eq!(
            package_url(&name, &version, "https://registry.example.org/é"),
            "pkg:cargo/a@1.0.0-rc.1%2Bb?repository_url=https%3A%2F%2Fregistry.example.org%2F%C3%A9"
        );
    }

    #[test]
    fn crates_io_is_the_registry_of_package_urls_without_one() {
        let mut dependency = crate::model::Dependency {
            package: "serde".parse().unwrap(),
            rename: None,
            requirement: "1".parse().unwrap(),
            features: Vec::new(),
            optional: false,
            default_features: true,
            target: None,
            kind: crate::model::DependencyKind::Normal,
            source: DependencySource::Other(CRATES_IO_INDEX.into()),
        };
        assert_eq!(dependency_target(&dependency), "pkg:cargo/serde");
        dependency.source = DependencySource::SameRegistry;
        assert_eq!(dependency_target(&dependency), "packages/serde/#package");
    }
}
