//! Dependency tables of all ages.

use super::super::Home;
use super::{mirrored, read, refusal};
use crate::model::{CRATES_IO_INDEX, Dependency, DependencySource};

/// One dependency as a short text: name, rename, requirement, kind, target, marks.
fn brief(dependency: &Dependency) -> String {
    let rename = dependency.rename.as_ref().map(|name| format!(" as {name}"));
    let target = dependency
        .target
        .as_ref()
        .map(|target| format!(" if {target}"));
    let mut text = format!(
        "{}{} {} {:?}{}",
        dependency.package,
        rename.unwrap_or_default(),
        dependency.requirement,
        dependency.kind,
        target.unwrap_or_default(),
    );
    if dependency.optional {
        text += " optional";
    }
    if !dependency.default_features {
        text += " bare";
    }
    text
}

fn dependencies(rest: &str) -> Vec<String> {
    mirrored(rest).dependencies.iter().map(brief).collect()
}

#[test]
fn shorthand_is_a_caret_requirement() {
    assert_eq!(
        dependencies("[dependencies]\nnum = \"0.1\"\nlog = \"*\"\nold = \">= 0.1, < 0.3\""),
        ["log * Normal", "num ^0.1 Normal", "old >=0.1, <0.3 Normal"]
    );
}

#[test]
fn a_table_without_version_takes_any() {
    assert_eq!(
        dependencies("[dependencies.num]\noptional = true"),
        ["num * Normal optional"]
    );
}

#[test]
fn names_keep_their_case() {
    let text = "[project]\nname = \"Inflector\"\nversion = \"0.11.4\"\n[dependencies]\nMacTypes-sys = \"2\"";
    let release = mirrored(text);
    assert_eq!(release.name.as_str(), "Inflector");
    assert_eq!(release.dependencies[0].package.as_str(), "MacTypes-sys");
}

#[test]
fn renamed_dependencies_keep_both_names() {
    let text = "[dependencies]\nserde = { package = \"serde\", version = \"1\" }\nstd-io = { package = \"core2\", version = \"0.4\" }";
    assert_eq!(
        dependencies(text),
        ["serde as serde ^1 Normal", "core2 as std-io ^0.4 Normal"]
    );
}

#[test]
fn targets_have_dependencies_of_all_kinds() {
    let text = r#"
[target.'cfg(target_os="wasi")'.dependencies]
libc = { version = "0.2", default-features = false }
[target."cfg(windows)".build-dependencies]
cc = "1"
[target.x86_64-pc-windows-gnu.dev-dependencies.winapi]
version = "0.3"
default_features = false
"#;
    assert_eq!(
        dependencies(text),
        [
            "cc ^1 Build if cfg(windows)",
            "libc ^0.2 Normal if cfg(target_os=\"wasi\") bare",
            "winapi ^0.3 Dev if x86_64-pc-windows-gnu bare",
        ]
    );
}

#[test]
fn underscores_count_where_hyphens_are_absent() {
    let text = "[dev_dependencies]\na = \"1\"\n[build_dependencies]\nb = \"1\"\n[build-dependencies]\nc = \"1\"\n[dependencies]\nd = { version = \"1\", default_features = true, default-features = false }";
    assert_eq!(
        dependencies(text),
        ["a ^1 Dev", "c ^1 Build", "d ^1 Normal bare"]
    );
}

#[test]
fn order_is_that_of_the_index() {
    let text = "[dev-dependencies]\nb = \"2\"\na = \"1\"\n[build-dependencies]\nb = \"1\"\n[dependencies]\nb = \"3\"\n[target.'cfg(unix)'.dependencies]\nb = \"3\"\nB = \"1\"";
    assert_eq!(
        dependencies(text),
        [
            "B ^1 Normal if cfg(unix)",
            "a ^1 Dev",
            "b ^3 Normal",
            "b ^3 Normal if cfg(unix)",
            "b ^1 Build",
            "b ^2 Dev",
        ]
    );
}

#[test]
fn a_path_beside_a_version_is_left_out() {
    let text = "[dependencies]\nnum = { path = \"../num\", git = \"https://git.example\", version = \"0.1\" }";
    assert_eq!(dependencies(text), ["num ^0.1 Normal"]);
}

#[test]
fn refuses_dependencies_that_no_registry_can_serve() {
    assert_eq!(
        refusal("[dependencies]\nnum = { path = \"../num\" }"),
        "`dependencies.num` depends on a path without a version"
    );
    assert_eq!(
        refusal("[dev-dependencies]\nnum = { git = \"https://git.example\" }"),
        "`dev-dependencies.num` depends on a git repository without a version"
    );
}

#[test]
fn knows_its_own_registry_by_url() {
    let text = r#"
[dependencies]
a = "1"
b = { version = "1", registry-index = "sparse+https://harbour.example" }
c = { version = "1", registry-index = "sparse+https://other.example/" }
d = { version = "1", registry-index = "https://github.com/rust-lang/crates.io-index" }
e = { version = "1", registry = "crates-io" }
"#;
    let own = Home::Own {
        index_urls: vec!["sparse+https://harbour.example/".into()],
    };
    let sources = |home| {
        let release = read(text, &[], home).unwrap();
        release
            .dependencies
            .into_iter()
            .map(|d| d.source)
            .collect::<Vec<_>>()
    };
    let crates_io = || DependencySource::Other(CRATES_IO_INDEX.into());
    let other = |url: &str| DependencySource::Other(url.into());
    let same = DependencySource::SameRegistry;
    assert_eq!(
        sources(&own),
        [
            crates_io(),
            same.clone(),
            other("sparse+https://other.example/"),
            crates_io(),
            crates_io()
        ]
    );
    assert_eq!(
        sources(&Home::Mirror),
        [
            same.clone(),
            other("sparse+https://harbour.example"),
            other("sparse+https://other.example/"),
            same.clone(),
            same,
        ]
    );
}

#[test]
fn refuses_a_registry_by_a_name_of_the_publishers() {
    assert_eq!(
        refusal("[dependencies]\na = { version = \"1\", registry = \"harbour\" }"),
        "`dependencies.a.registry` names a registry without its index URL; package it with `cargo package`"
    );
}
