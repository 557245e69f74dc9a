//! Cargo's own configuration: `[registries.NAME] index` in `$CARGO_HOME/config.toml`, so that stock
//! cargo knows a registry under the same name. Touches that one key and nothing else.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, value};

use super::toml_file::{TomlFile, TomlFileError};
use super::transport::BaseUrl;
use crate::model::RegistryName;

/// Why cargo's configuration was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum CargoConfigError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] TomlFileError),
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

/// Tells cargo of a registry; returns the file, if it was changed. A registry in a folder is left
/// out: cargo would take it for git.
///
/// # Errors
///
/// [`CargoConfigError::Taken`] if the name means another index; nothing is written then.
pub fn add(
    cargo_home: &Path,
    name: &RegistryName,
    url: &BaseUrl,
) -> Result<Option<PathBuf>, CargoConfigError> {
    let Some(index) = url.cargo_index() else {
        return Ok(None);
    };
    let mut file = TomlFile::load_of_cargo(cargo_home)?;
    let entry = file.table("registries", name.as_str())?;
    match entry.get("index").and_then(Item::as_str) {
        Some(known) if known == index => {}
        Some(other) => {
            return Err(CargoConfigError::Taken {
                index: other.to_owned(),
                name: name.clone(),
                path: file.path,
            });
        }
        None => {
            entry.insert("index", value(index));
        }
    }
    Ok(file.save()?.then_some(file.path))
}

/// Takes back what [`add`] wrote, and returns the file, if it was changed; an entry that points
/// elsewhere is the user's and stays.
pub fn remove(
    cargo_home: &Path,
    name: &RegistryName,
    url: &BaseUrl,
) -> Result<Option<PathBuf>, CargoConfigError> {
    let mut file = TomlFile::load_of_cargo(cargo_home)?;
    delete(&mut file.document, name, url.cargo_index().as_deref());
    Ok(file.save()?.then_some(file.path))
}

/// Removes the index of a registry if it is `index`; an entry that is empty then goes, too.
fn delete(document: &mut DocumentMut, name: &RegistryName, index: Option<&str>) {
    let registries = document.get_mut("registries");
    let Some(registries) = registries.and_then(Item::as_table_like_mut) else {
        return;
    };
    let entry = registries.get_mut(name.as_str());
    let Some(entry) = entry.and_then(Item::as_table_like_mut) else {
        return;
    };
    if index.is_some() && entry.get("index").and_then(Item::as_str) == index {
        entry.remove("index");
        if entry.is_empty() {
            registries.remove(name.as_str());
        }
    }
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
    fn added_to(file: &str, before: &str) -> (String, Option<PathBuf>) {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(file), before).unwrap();
        let url = url("https://registry.example");
        let change = add(home.path(), &name("harbour"), &url).unwrap();
        let after = fs::read_to_string(home.path().join(file)).unwrap();
        remove(home.path(), &name("harbour"), &url).unwrap();
        if change.is_some() {
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
        assert!(change.is_some_and(|path| path.ends_with("config.toml")));
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
        assert_eq!((after.as_str(), change), (before, None));
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
        assert_eq!(change, None);
        let after = fs::read_to_string(home.path().join("config.toml")).unwrap();
        assert_eq!(after, before);
    }

    #[test]
    fn leaves_folders_out() {
        let home = tempfile::tempdir().unwrap();
        let change = add(home.path(), &name("local"), &url("file:///srv/market")).unwrap();
        assert_eq!(change, None);
        assert!(!home.path().join("config.toml").exists());
    }
}
