//! What is refused before cargo runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use url::Url;

use super::config_files::{Owner, read};
use super::{ConfigFile, GuardError};
use crate::install::Registry;
use crate::install::replacement::{as_written, project_names};

/// Checks the configuration that cargo would read, and returns the names that it gives to the
/// registry's indexes, as (name, index URL).
pub(in crate::install) fn check_configuration(
    files: &[ConfigFile],
    registry: &Registry,
    local: &Path,
) -> Result<Vec<(String, String)>, GuardError> {
    let names = registry_names(files, registry);
    let mut sources = Vec::new();
    for file in files {
        refuse_if(file, "paths", has_entries(file.table.get("paths")))?;
        for key in keys(&file.table, "patch") {
            refuse_if(
                file,
                &format!("patch.{key}"),
                touches(key, registry, &names),
            )?;
        }
        let index = table(&file.table, "registries")
            .and_then(|table| table.get(registry.name.as_str()))
            .and_then(|table| text(table, "index"));
        let elsewhere = index.is_some_and(|index| !same_url(index, &registry.index));
        refuse_if(
            file,
            &format!("registries.{}.index", registry.name),
            elsewhere && file.owner == Owner::Project,
        )?;
        check_sources(file, registry, local, &mut sources)?;
    }
    // Files are merged key by key, so a name that we take over must mean nothing else anywhere.
    for file in files {
        for (name, _) in &sources {
            let more = table(&file.table, "source")
                .and_then(|table| table.get(name))
                .is_some_and(|source| !only_keys(source, &["registry", "replace-with"]));
            refuse_if(file, &format!("source.{name}"), more)?;
        }
    }
    Ok(sources)
}

/// Checks the `[source]` tables of one file. A project may hold exactly what `fetch
/// --write-config` writes; a user may send the registry where they like, since this call
/// overrides it.
fn check_sources(
    file: &ConfigFile,
    registry: &Registry,
    local: &Path,
    sources: &mut Vec<(String, String)>,
) -> Result<(), GuardError> {
    for name in keys(&file.table, "source") {
        let source = &file.table["source"][name];
        let Some(index) = registry
            .indexes()
            .find(|index| text(source, "registry").is_some_and(|url| same_url(url, index)))
        else {
            continue;
        };
        let is_ours = text(source, "registry") == Some(index.as_str())
            && only_keys(source, &["registry", "replace-with"])
            && (file.owner == Owner::User || is_written_by_us(file, name, registry, local));
        refuse_if(file, &format!("source.{name}"), !is_ours)?;
        let source = (name.to_owned(), index.clone());
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    Ok(())
}

/// Says whether a file holds the replacement of `name` as
/// [`write_into_project`](crate::install::replacement::write_into_project) writes it.
fn is_written_by_us(file: &ConfigFile, name: &str, registry: &Registry, local: &Path) -> bool {
    let expected = (0..=registry.other_indexes.len())
        .map(|position| project_names(&registry.name, position))
        .find(|(index, _)| index == name);
    let Some((_, target)) = expected else {
        return false;
    };
    let sources = &file.table["source"];
    text(&sources[name], "replace-with") == Some(target.as_str())
        && sources.get(&target).is_some_and(|source| {
            only_keys(source, &["local-registry"])
                && text(source, "local-registry").map(PathBuf::from) == Some(as_written(local))
        })
}

/// Checks the `[patch]` and `[replace]` tables of a workspace's manifest.
pub(in crate::install) fn check_manifest(
    path: &Path,
    files: &[ConfigFile],
    registry: &Registry,
) -> Result<(), GuardError> {
    let Some(manifest) = read(path)? else {
        return Ok(());
    };
    let names = registry_names(files, registry);
    let manifest = ConfigFile {
        path: path.into(),
        table: manifest,
        owner: Owner::Project,
    };
    for key in keys(&manifest.table, "patch") {
        let setting = format!("patch.{key}");
        refuse_if(&manifest, &setting, touches(key, registry, &names))?;
    }
    for key in keys(&manifest.table, "replace") {
        let touches = registry.indexes().any(|index| {
            let url = key.rsplit_once('#').map_or(key, |(url, _)| url);
            same_url(url, index)
        });
        refuse_if(&manifest, &format!("replace.{key}"), touches)?;
    }
    Ok(())
}

/// Refuses an alias of a project that brings a configuration of its own; `word` is the subcommand
/// that the user gave.
pub(in crate::install) fn check_alias(word: &str, files: &[ConfigFile]) -> Result<(), GuardError> {
    let mut seen = BTreeSet::new();
    let mut words = vec![word.to_owned()];
    while let Some(word) = words.pop() {
        if !seen.insert(word.clone()) {
            continue;
        }
        let aliases = files.iter().filter(|file| file.owner == Owner::Project);
        for file in aliases {
            let alias = table(&file.table, "alias").and_then(|aliases| aliases.get(&word));
            let expansion = alias.map(expand).unwrap_or_default();
            let configures = |word: &String| word == "--config" || word.starts_with("--config=");
            refuse_if(
                file,
                &format!("alias.{word}"),
                expansion.iter().any(configures),
            )?;
            words.extend(expansion);
        }
    }
    Ok(())
}

/// The words of an alias, which is a list or one text.
fn expand(alias: &Value) -> Vec<String> {
    let words = |text: &str| -> Vec<String> { text.split_whitespace().map(Into::into).collect() };
    match alias {
        Value::String(text) => words(text),
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// All names under which the registry is configured anywhere.
fn registry_names(files: &[ConfigFile], registry: &Registry) -> BTreeSet<String> {
    let mut names = given_names(files, registry);
    names.insert(registry.name.to_string());
    names
}

/// The names that configuration files give the registry's indexes.
pub(in crate::install) fn given_names(
    files: &[ConfigFile],
    registry: &Registry,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files {
        for name in keys(&file.table, "registries") {
            let index = text(&file.table["registries"][name], "index");
            if index.is_some_and(|url| registry.indexes().any(|index| same_url(url, index))) {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// Says whether the key of a `[patch]` table means the registry.
fn touches(key: &str, registry: &Registry, names: &BTreeSet<String>) -> bool {
    names.contains(key) || registry.indexes().any(|index| same_url(key, index))
}

/// Compares index URLs more loosely than cargo does: what is nearly ours is refused, too. As in
/// cargo, `/./` and `/x/..` are nothing, and neither is `.git` at the end.
fn same_url(a: &str, b: &str) -> bool {
    let plain = |url: &str| {
        let url = url.trim().to_ascii_lowercase();
        let url = url.strip_prefix("sparse+").unwrap_or(&url).to_owned();
        let url = url.strip_prefix("registry+").unwrap_or(&url).to_owned();
        let url = Url::parse(&url).map_or(url, String::from);
        let url = url.trim_end_matches('/');
        let url = url.strip_suffix(".git").unwrap_or(url);
        url.trim_end_matches('/').to_owned()
    };
    plain(a) == plain(b)
}

fn refuse_if(file: &ConfigFile, setting: &str, refused: bool) -> Result<(), GuardError> {
    if !refused {
        return Ok(());
    }
    Err(GuardError::Setting {
        setting: setting.chars().take(200).collect(),
        path: file.path.clone(),
    })
}

fn table<'a>(parent: &'a Table, key: &str) -> Option<&'a Table> {
    parent.get(key).and_then(Value::as_table)
}

fn keys<'a>(parent: &'a Table, key: &str) -> impl Iterator<Item = &'a str> {
    let table = table(parent, key);
    table
        .into_iter()
        .flat_map(|table| table.keys().map(String::as_str))
}

fn text<'a>(table: &'a Value, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Value::as_str)
}

fn only_keys(table: &Value, allowed: &[&str]) -> bool {
    table
        .as_table()
        .is_some_and(|table| table.keys().all(|key| allowed.contains(&key.as_str())))
}

fn has_entries(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_index_that_cargo_knows_is_the_same() {
        let ours = "sparse+https://a.invalid/market/";
        for url in [
            "https://a.invalid/market",
            "sparse+https://a.invalid/market//",
            "sparse+https://a.invalid/./market/",
            "sparse+https://a.invalid/x/%2e%2e/market",
            "sparse+https://a.invalid/market.git",
            "sparse+https://a.invalid/market/.git",
            "registry+https://A.invalid:443/market/",
        ] {
            assert!(same_url(url, ours), "{url}");
        }
        assert!(!same_url("sparse+https://a.invalid/other/", ours));
    }
}
