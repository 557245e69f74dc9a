//! Generated documents for property tests: everything that `model` can hold, and texts that try to
//! break out of where they are written.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use semver::Version;

use crate::model::{
    CRATES_IO_INDEX, Dependency, DependencyKind, DependencySource, Document, Entry, Kinds,
    PackageName, PublisherId, Release, Requirement, Sha256Digest, TrustState, UtcTime, Yank,
    same_release,
};

/// Texts: words, quotes, backslashes, line ends, control characters, all of Unicode.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}",
        "[\"'\\\\\n\r\t<>^@.;,#\u{0}\u{1f}\u{7f}\u{85}\u{2028}\u{feff}\u{1f600}a]{0,12}",
        any::<String>(),
    ]
}

/// Names of packages.
pub(crate) fn package_name() -> impl Strategy<Value = PackageName> {
    "[A-Za-z][A-Za-z0-9_-]{0,11}".prop_filter_map("a device name", |name| name.parse().ok())
}

/// Ids of publishers.
pub(crate) fn publisher_id() -> impl Strategy<Value = PublisherId> {
    "[a-z][a-z0-9-]{0,11}".prop_filter_map("a device name", |id| id.parse().ok())
}

/// Versions, pre-releases and build metadata included.
pub(crate) fn version() -> impl Strategy<Value = Version> {
    let number = || prop_oneof![0..4_u64, any::<u64>()];
    let suffixes = (
        "(-(rc|alpha)\\.[0-9])?",
        "(\\+[a-z0-9]{1,5}(\\.[0-9]{1,2})?)?",
    );
    (number(), number(), number(), suffixes).prop_map(|(major, minor, patch, (pre, build))| {
        format!("{major}.{minor}.{patch}{pre}{build}")
            .parse()
            .unwrap()
    })
}

/// Digests of nothing in particular.
pub(crate) fn digest() -> impl Strategy<Value = Sha256Digest> {
    any::<[u8; 32]>().prop_map(Sha256Digest::from_bytes)
}

/// Times of this age.
pub(crate) fn time() -> impl Strategy<Value = UtcTime> {
    (0..4_102_444_800_i64).prop_map(|seconds| UtcTime::from_unix(seconds).unwrap())
}

fn requirement() -> impl Strategy<Value = Requirement> {
    "[\\^=~]?[0-9]\\.[1-9][0-9]?(\\.[0-9])?|\\*|>=1\\.2, <2|>= 0\\.9"
        .prop_map(|text| text.parse().unwrap())
}

fn source() -> impl Strategy<Value = DependencySource> {
    prop_oneof![
        3 => Just(DependencySource::SameRegistry),
        2 => Just(DependencySource::Other(CRATES_IO_INDEX.into())),
        1 => text().prop_map(DependencySource::Other),
    ]
}

fn dependency() -> impl Strategy<Value = Dependency> {
    let kind = prop_oneof![
        Just(DependencyKind::Normal),
        Just(DependencyKind::Build),
        Just(DependencyKind::Dev)
    ];
    let texts = (option::of(text()), vec(text(), 0..4), option::of(text()));
    let switches = (any::<bool>(), any::<bool>());
    (
        package_name(),
        requirement(),
        texts,
        switches,
        kind,
        source(),
    )
        .prop_map(
            |(package, requirement, texts, switches, kind, source)| Dependency {
                package,
                rename: texts.0,
                requirement,
                features: texts.1,
                optional: switches.0,
                default_features: switches.1,
                target: texts.2,
                kind,
                source,
            },
        )
}

fn features() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let value = prop_oneof![text(), "dep:[a-z]{1,4}", "[a-z]{1,4}\\?/[a-z]{1,4}"];
    btree_map(text(), vec(value, 0..4), 0..5)
}

fn kinds() -> impl Strategy<Value = Kinds> {
    let binaries = btree_set(text(), 0..3).prop_map(|names| names.into_iter().collect());
    (any::<bool>(), binaries, any::<bool>()).prop_map(|(library, binaries, template)| Kinds {
        library,
        binaries,
        template,
    })
}

/// Releases that we could have written.
pub(crate) fn release() -> impl Strategy<Value = Release> {
    let license = prop_oneof![
        text(),
        Just("MIT OR Apache-2.0".to_owned()),
        Just("GPL-3.0+ AND MIT".to_owned())
    ];
    let rust_version = prop_oneof![text(), "1\\.[0-9]{1,2}(\\.0)?"];
    let commit = prop_oneof!["[0-9a-f]{40}", "[0-9a-f]{64}"];
    let what = (
        package_name(),
        version(),
        digest(),
        vec(dependency(), 0..4),
        features(),
        kinds(),
    );
    let about = vec(option::of(text()), 6);
    let lists = (vec(text(), 0..4), vec(text(), 0..3));
    let rest = (
        option::of(license),
        option::of(rust_version),
        option::of(0..1_u64 << 53),
        option::of(publisher_id()),
        option::of(commit),
    );
    (what, about, lists, rest).prop_map(|(what, mut about, lists, rest)| Release {
        name: what.0,
        version: what.1,
        checksum: what.2,
        dependencies: what.3,
        features: what.4,
        kinds: what.5,
        links: about.remove(0),
        description: about.remove(0),
        repository: about.remove(0),
        homepage: about.remove(0),
        documentation: about.remove(0),
        edition: about.remove(0),
        keywords: lists.0,
        categories: lists.1,
        license: rest.0,
        rust_version: rest.1,
        size: rest.2,
        publisher: rest.3,
        commit: rest.4,
        foreign: None,
    })
}

/// Entries of documents that we could have written.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let yank = option::of(text()).prop_map(|reason| Yank { reason });
    let trust = prop_oneof![
        Just(TrustState::Signed),
        Just(TrustState::Vouched),
        Just(TrustState::Unsigned)
    ];
    (
        release(),
        option::of(time()),
        option::of(yank),
        option::of(trust),
    )
        .prop_map(|(release, accepted, yanked, trust)| Entry {
            release,
            accepted,
            yanked,
            trust,
        })
}

/// Documents that we could have written: one name, and no version twice.
pub(crate) fn document() -> impl Strategy<Value = Document> {
    (package_name(), vec(entry(), 0..5)).prop_map(|(package, generated)| {
        let mut entries: Vec<Entry> = Vec::new();
        for mut entry in generated {
            entry.release.name = package.clone();
            let version = &entry.release.version;
            if !entries
                .iter()
                .any(|other| same_release(&other.release.version, version))
            {
                entries.push(entry);
            }
        }
        Document { package, entries }
    })
}

/// A schema of `schemas/`, or a part of one: `v1-line.schema.json#/$defs/release`.
pub(crate) fn schema(reference: &str) -> jsonschema::Validator {
    jsonschema::options()
        .with_base_uri(concat!("file://", env!("CARGO_MANIFEST_DIR"), "/schemas/"))
        .build(&serde_json::json!({"$ref": reference}))
        .unwrap()
}
