//! Cargo's own configuration: `[registries.NAME] index` in `$CARGO_HOME/config.toml`, so that stock
//! cargo knows a registry under the same name. Touches that one key and nothing else.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value, value};

use super::config::implicit_table;
use super::transport::BaseUrl;
use crate::disk::{self, Durability, Failure};
use crate::model::RegistryName;

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The file was written.
    Written,
    /// There was nothing to do.
    Unchanged,
}

/// Why cargo's configuration was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum CargoConfigError {
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// It is no TOML.
    #[error("cannot parse `{}`", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml_edit::TomlError>,
    },
    /// `registries` or the registry's entry is something else than a table.
    #[error("`{key}` in `{}` is not a table", path.display())]
    NotATable {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// The name is taken by another registry.
    #[error("`{}` already has a registry `{name}`, at `{index}`", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// The name.
        name: RegistryName,
        /// Where it points.
        index: String,
    },
}

/// The file that cargo reads: `config` without an extension wins where both exist, as in cargo.
#[must_use]
pub fn path(cargo_home: &Path) -> PathBuf {
    let legacy = cargo_home.join("config");
    if legacy.is_file() {
        legacy
    } else {
        cargo_home.join("config.toml")
    }
}

/// Tells cargo of a registry. A registry in a folder is left out: cargo would take it for git.
///
/// # Errors
///
/// [`CargoConfigError::Taken`] if the name means another index; nothing is written then.
pub fn add(
    cargo_home: &Path,
    name: &RegistryName,
    url: &BaseUrl,
) -> Result<Change, CargoConfigError> {
    let Some(index) = url.cargo_index() else {
        return Ok(Change::Unchanged);
    };
    let path = path(cargo_home);
    let mut document = load(&path)?;
    if !insert(&mut document, &path, name, &index)? {
        return Ok(Change::Unchanged);
    }
    save(&path, &document)
}

/// Takes back what [`add`] wrote; an entry that points elsewhere is the user's and stays.
pub fn remove(
    cargo_home: &Path,
    name: &RegistryName,
    url: &BaseUrl,
) -> Result<Change, CargoConfigError> {
    let path = path(cargo_home);
    let mut document = load(&path)?;
    if delete(&mut document, name, url.cargo_index().as_deref()) {
        save(&path, &document)
    } else {
        Ok(Change::Unchanged)
    }
}

/// Sets the index of a registry; says whether that changed anything.
fn insert(
    document: &mut DocumentMut,
    path: &Path,
    name: &RegistryName,
    index: &str,
) -> Result<bool, CargoConfigError> {
    let not_a_table = |key: String| CargoConfigError::NotATable {
        path: path.to_owned(),
        key,
    };
    let registries = document.entry("registries").or_insert_with(implicit_table);
    let inline = registries.is_inline_table();
    let entry = registries
        .as_table_like_mut()
        .ok_or_else(|| not_a_table("registries".to_owned()))?
        .entry(name.as_str())
        .or_insert_with(|| empty_entry(inline))
        .as_table_like_mut()
        .ok_or_else(|| not_a_table(format!("registries.{name}")))?;
    match entry.get("index").and_then(Item::as_str) {
        Some(present) if present == index => Ok(false),
        Some(other) => Err(CargoConfigError::Taken {
            path: path.to_owned(),
            name: name.clone(),
            index: other.to_owned(),
        }),
        None => {
            entry.insert("index", value(index));
            Ok(true)
        }
    }
}

/// Removes the index of a registry if it is `index`; an entry that is empty then goes, too.
fn delete(document: &mut DocumentMut, name: &RegistryName, index: Option<&str>) -> bool {
    let Some(registries) = document
        .get_mut("registries")
        .and_then(Item::as_table_like_mut)
    else {
        return false;
    };
    let Some(entry) = registries
        .get_mut(name.as_str())
        .and_then(Item::as_table_like_mut)
    else {
        return false;
    };
    if index.is_none() || entry.get("index").and_then(Item::as_str) != index {
        return false;
    }
    entry.remove("index");
    if entry.is_empty() {
        registries.remove(name.as_str());
    }
    true
}

/// A table can lie in an inline table only if it is one, too.
fn empty_entry(inline: bool) -> Item {
    if inline {
        Item::Value(Value::InlineTable(InlineTable::new()))
    } else {
        Item::Table(Table::new())
    }
}

fn load(path: &Path) -> Result<DocumentMut, CargoConfigError> {
    let text = disk::read_text_if_there(path, disk::LIMIT)?.unwrap_or_default();
    text.parse().map_err(|source| CargoConfigError::Syntax {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

fn save(path: &Path, document: &DocumentMut) -> Result<Change, CargoConfigError> {
    disk::replace(path, document.to_string().as_bytes(), Durability::Synced)?;
    Ok(Change::Written)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name(text: &str) -> RegistryName {
        text.parse().unwrap()
    }

    fn url(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    /// Adds `harbour` to a file and returns what is in it then.
    fn added_to(file: &str, before: &str) -> (String, Change) {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(file), before).unwrap();
        let url = url("https://registry.example");
        let change = add(home.path(), &name("harbour"), &url).unwrap();
        let after = fs::read_to_string(home.path().join(file)).unwrap();
        remove(home.path(), &name("harbour"), &url).unwrap();
        if change == Change::Written {
            let undone = fs::read_to_string(home.path().join(file)).unwrap();
            assert_eq!(undone.trim(), before.trim(), "not undone");
        }
        (after, change)
    }

    #[test]
    fn makes_the_file_where_there_is_none() {
        let home = tempfile::tempdir().unwrap();
        let cargo_home = home.path().join("new");
        add(&cargo_home, &name("harbour"), &url("http://127.0.0.1:8000")).unwrap();
        let text = fs::read_to_string(cargo_home.join("config.toml")).unwrap();
        let expected = "[registries.harbour]\nindex = \"sparse+http://127.0.0.1:8000/\"\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn keeps_the_users_formatting() {
        let before = "# mine\n[net]\nretry   = 7 # many\n\n[registries.other]\nindex = 'x'\n";
        let (after, change) = added_to("config.toml", before);
        assert_eq!(change, Change::Written);
        let expected = format!(
            "{before}\n[registries.harbour]\nindex = \"sparse+https://registry.example/\"\n"
        );
        assert_eq!(after, expected);
    }

    #[test]
    fn writes_into_inline_tables_and_legacy_files() {
        let (after, _) = added_to("config", "registries = { other = { index = 'x' } }\n");
        assert!(after.contains("harbour = { index = \"sparse+"), "{after}");
    }

    #[test]
    fn the_same_index_again_is_no_change() {
        let before = "registries.harbour.index = 'sparse+https://registry.example/'\n";
        let (after, change) = added_to("config.toml", before);
        assert_eq!((after.as_str(), change), (before, Change::Unchanged));
    }

    #[test]
    fn refuses_a_name_that_means_another_index() {
        let home = tempfile::tempdir().unwrap();
        let before = "[registries]\nharbour = { index = 'sparse+https://elsewhere.example/' }\n";
        fs::write(home.path().join("config.toml"), before).unwrap();
        let url = url("https://registry.example");
        let error = add(home.path(), &name("harbour"), &url).unwrap_err();
        assert!(error.to_string().contains("elsewhere.example"), "{error}");
        let change = remove(home.path(), &name("harbour"), &url).unwrap();
        assert_eq!(change, Change::Unchanged);
        let after = fs::read_to_string(home.path().join("config.toml")).unwrap();
        assert_eq!(after, before);
    }

    #[test]
    fn leaves_folders_out() {
        let home = tempfile::tempdir().unwrap();
        let change = add(home.path(), &name("local"), &url("file:///srv/market")).unwrap();
        assert_eq!(change, Change::Unchanged);
        assert!(!home.path().join("config.toml").exists());
    }
}
