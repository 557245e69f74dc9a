//! Texts that are parsed or shown: addresses, names, versions, times, digests, and the user's file of
//! registries.

use std::fmt::{Debug, Display};
use std::fs;
use std::str::FromStr;

use cargo_marketplace::commands::shell::{json_text, sanitize, sanitize_lines};
use cargo_marketplace::model::{
    KeyId, PackageName, PackageSpec, PublicKey, PublisherId, RegistryName, Requirement,
    Sha256Digest, UtcTime, sort_key,
};
use cargo_marketplace::registry::config::Config;
use cargo_marketplace::registry::transport::BaseUrl;
use semver::Version;

/// Bytes as each kind of text.
pub(crate) fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    same_again::<PackageName>(&text);
    same_again::<PackageSpec>(&text);
    same_again::<PublisherId>(&text);
    same_again::<RegistryName>(&text);
    same_again::<Requirement>(&text);
    same_again::<Sha256Digest>(&text);
    same_again::<KeyId>(&text);
    same_again::<PublicKey>(&text);
    same_again::<UtcTime>(&text);
    if let Some(url) = same_again::<BaseUrl>(&text) {
        is_harmless(&url);
    }
    if let Ok(version) = text.parse::<Version>() {
        assert!(!sort_key(&version).is_empty());
    }
    shown(&text);
}

/// Bytes as the file of registries.
pub(crate) fn config(bytes: &[u8]) {
    let home = tempfile::tempdir().expect("a folder for temporary files");
    fs::write(home.path().join("config.toml"), bytes).expect("it can be written");
    let Ok(mut config) = Config::load(home.path()) else {
        return;
    };
    let Ok(registries) = config.registries() else {
        return;
    };
    for registry in &registries {
        is_harmless(&registry.url);
        config.set(registry).expect("it was read from there");
    }
    config.save().expect("it can be written");
    let again = Config::load(home.path()).expect("it was written just now");
    assert_eq!(again.registries().expect("as before"), registries);
}

/// What is read is written as something that is read as the same.
fn same_again<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let again = value.to_string().parse::<T>();
    assert_eq!(again.as_ref().ok(), Some(&value), "{again:?}");
    Some(value)
}

/// An address names no user, leads to no other machine in clear, and is all printable.
fn is_harmless(url: &BaseUrl) {
    let text = url.as_str();
    assert!(
        text.is_ascii() && !text.contains(char::is_control),
        "{text:?}"
    );
    assert!(
        text.ends_with('/') && !text.contains(['?', '#', '\\', ' ']),
        "{text}"
    );
    let (scheme, rest) = text.split_once("://").expect("it has a scheme");
    let host = rest.split('/').next().unwrap_or_default();
    assert!(!host.contains('@'), "{text}");
    match scheme {
        "https" => assert!(!host.is_empty(), "{text}"),
        "http" => assert!(is_this_machine(host), "{text}"),
        "file" => assert!(
            host.is_empty() && url.folder().is_some_and(|at| at.is_absolute()),
            "{text}"
        ),
        _ => unreachable!("{text}"),
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    host.starts_with("[::1]") || host.starts_with("127.") || name.ends_with("localhost")
}

/// Nothing that is shown drives a terminal.
fn shown(text: &str) {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!sanitize(text).contains(hostile));
    assert!(!sanitize_lines(text).replace('\n', "").contains(hostile));
    let json = serde_json::Value::from(text).to_string();
    let harmless = json_text(&json);
    assert!(!harmless.contains(hostile));
    assert_eq!(
        serde_json::from_str::<String>(&harmless).expect("JSON"),
        text
    );
}
