//! The user's registries, in `$CARGO_HOME/marketplace/config.toml`: which name means which URL, and
//! what was trusted under it. Never read from a project, which could redirect a name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml_edit::{Array, Item, TableLike, Value, value};

use super::toml_file::{TomlFile, TomlFileError};
use super::transport::BaseUrl;
use crate::model::{RegistryName, Sha256Digest, Span};

/// A registry that the user has added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// What the user calls it.
    pub name: RegistryName,
    /// Where it is read from.
    pub url: BaseUrl,
    /// The sha256 of its first root file: what it is, wherever it is served.
    pub registry_id: Sha256Digest,
    /// The sha256 of the root file that the user trusted first.
    pub root: Sha256Digest,
    /// Where else it is read from, if that address fails.
    pub mirrors: Vec<BaseUrl>,
    /// Whether its server is known to ask for a token.
    pub auth_required: bool,
}

impl Registry {
    /// Adds a mirror, unless it is known.
    pub fn add_mirror(&mut self, url: BaseUrl) {
        if url != self.url && !self.mirrors.contains(&url) {
            self.mirrors.push(url);
        }
    }
}

/// The tables of the file.
const TABLES: [&str; 3] = ["install", "refresh", "registries"];

/// What is said of a registry.
const OF_REGISTRY: [&str; 5] = ["url", "registry-id", "root", "mirrors", "auth-required"];

/// The user's configuration file. Formatting, comments and unknown keys survive a change.
#[derive(Debug, Clone)]
pub struct Config {
    file: TomlFile,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] TomlFileError),
    /// A value is missing or not of its kind.
    #[error("`{key}` in `{}` {reason}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// As `registries.harbour.url`.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// No registry has that name.
    #[error("no registry is called `{name}`")]
    Unknown {
        /// The name.
        name: RegistryName,
        /// Those that there are.
        known: Vec<RegistryName>,
    },
    /// A registry was needed, and none was added yet.
    #[error("no registry has been added yet")]
    None,
    /// A registry was needed, there are several, and none was named.
    #[error("several registries are known, and none was named")]
    Ambiguous {
        /// Their names.
        known: Vec<RegistryName>,
    },
}

impl Config {
    /// Reads the configuration below the marketplace's home folder; an absent file is an empty one.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let file = TomlFile::load(home.join("config.toml"))?;
        Ok(Self { file })
    }

    /// Writes the configuration back, in one step.
    pub fn save(&mut self) -> Result<(), ConfigError> {
        self.file.save()?;
        Ok(())
    }

    /// All registries, by name.
    pub fn registries(&self) -> Result<Vec<Registry>, ConfigError> {
        let mut all = Vec::new();
        for (name, item) in self
            .file
            .get("registries")?
            .into_iter()
            .flat_map(TableLike::iter)
        {
            all.push(self.registry(name, item)?);
        }
        all.sort_by(|a: &Registry, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// All registries, each once: of one that has several names, the first name counts.
    pub fn distinct_registries(&self) -> Result<Vec<Registry>, ConfigError> {
        let mut seen = BTreeSet::new();
        let mut all = self.registries()?;
        all.retain(|registry| seen.insert(registry.registry_id));
        Ok(all)
    }

    /// The registry of that name, if there is one.
    pub fn get(&self, name: &RegistryName) -> Result<Option<Registry>, ConfigError> {
        match self
            .file
            .get("registries")?
            .and_then(|table| table.get(name.as_str()))
        {
            Some(item) => self.registry(name.as_str(), item).map(Some),
            None => Ok(None),
        }
    }

    /// The registry to work with: the one that was named, else the only one.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unknown`], [`ConfigError::None`] or [`ConfigError::Ambiguous`].
    pub fn choose(&self, name: Option<&RegistryName>) -> Result<Registry, ConfigError> {
        let mut all = self.registries()?;
        if let Some(name) = name {
            let found = all.iter().position(|registry| registry.name == *name);
            return match found {
                Some(place) => Ok(all.swap_remove(place)),
                None => Err(ConfigError::Unknown {
                    name: name.clone(),
                    known: names(all),
                }),
            };
        }
        match all.pop() {
            None => Err(ConfigError::None),
            Some(only) if all.is_empty() => Ok(only),
            Some(last) => {
                all.push(last);
                Err(ConfigError::Ambiguous { known: names(all) })
            }
        }
    }

    /// How old a release must be to be chosen: `cooldown` in `[install]`.
    pub fn cooldown(&self) -> Result<Option<Span>, ConfigError> {
        self.span("install", "cooldown")
    }

    /// How old a copy must be to be refreshed by commands that show something: `after` in `[refresh]`.
    pub fn refresh_after(&self) -> Result<Option<Span>, ConfigError> {
        self.span("refresh", "after")
    }

    fn span(&self, table: &str, key: &str) -> Result<Option<Span>, ConfigError> {
        let Some(item) = self.file.get(table)?.and_then(|table| table.get(key)) else {
            return Ok(None);
        };
        let key = format!("{table}.{key}");
        let text = item.as_str();
        let text = text.ok_or_else(|| self.wrong(&key, "is not a text"))?;
        let span = text.parse();
        span.map(Some)
            .map_err(|error| self.wrong(&key, format!("is not usable: {error}")))
    }

    /// The keys that mean nothing here, each with those that would where it stands.
    #[must_use]
    pub fn unknown_keys(&self) -> Vec<(String, &'static [&'static str])> {
        let root = self.file.document.as_table();
        let mut unknown = unknown_in(root, "", &TABLES);
        let table = |name: &str| root.get(name).and_then(Item::as_table_like);
        if let Some(install) = table("install") {
            unknown.extend(unknown_in(install, "install.", &["cooldown"]));
        }
        if let Some(refresh) = table("refresh") {
            unknown.extend(unknown_in(refresh, "refresh.", &["after"]));
        }
        for (name, item) in table("registries").into_iter().flat_map(TableLike::iter) {
            if let Some(registry) = item.as_table_like() {
                let place = format!("registries.{name}.");
                unknown.extend(unknown_in(registry, &place, &OF_REGISTRY));
            }
        }
        unknown
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Adds a registry, or changes the one of that name; keys of it that we do not know stay.
    pub fn set(&mut self, registry: &Registry) -> Result<(), ConfigError> {
        let entry = self.file.table("registries", registry.name.as_str())?;
        entry.insert("url", value(registry.url.as_str()));
        entry.insert("registry-id", value(registry.registry_id.to_string()));
        entry.insert("root", value(format!("sha256:{}", registry.root)));
        let mirrors: Array = registry.mirrors.iter().map(BaseUrl::as_str).collect();
        set_or_remove(entry, "mirrors", !mirrors.is_empty(), mirrors);
        let required = registry.auth_required;
        set_or_remove(entry, "auth-required", required, required);
        Ok(())
    }

    /// Removes the registry of that name; says whether there was one.
    pub fn remove(&mut self, name: &RegistryName) -> bool {
        self.file
            .document
            .get_mut("registries")
            .and_then(Item::as_table_like_mut)
            .and_then(|all| all.remove(name.as_str()))
            .is_some()
    }

    fn registry(&self, name: &str, item: &Item) -> Result<Registry, ConfigError> {
        let key = format!("registries.{name}");
        let parsed = name
            .parse()
            .map_err(|error| self.wrong(&key, format!("has no valid name: {error}")))?;
        Ok(Registry {
            name: parsed,
            url: self.field(item, &key, "url", "")?,
            registry_id: self.field(item, &key, "registry-id", "")?,
            root: self.field(item, &key, "root", "sha256:")?,
            mirrors: self.mirrors(item, &key)?,
            auth_required: match item.get("auth-required") {
                None => false,
                Some(required) => required.as_bool().ok_or_else(|| {
                    let key = format!("{key}.auth-required");
                    self.wrong(&key, "is not `true` or `false`")
                })?,
            },
        })
    }

    fn mirrors(&self, item: &Item, key: &str) -> Result<Vec<BaseUrl>, ConfigError> {
        let key = format!("{key}.mirrors");
        let Some(list) = item.get("mirrors") else {
            return Ok(Vec::new());
        };
        let list = list.as_array();
        let list = list.ok_or_else(|| self.wrong(&key, "is not a list"))?;
        let mirror = |url: &Value| {
            let url = url.as_str();
            let url = url.ok_or_else(|| self.wrong(&key, "holds what is no text"))?;
            let url = url.parse::<BaseUrl>();
            url.map_err(|error| self.wrong(&key, format!("is not usable: {error}")))
        };
        list.iter().map(mirror).collect()
    }

    /// Parses the text at `field`, which must start with `prefix`.
    fn field<T>(&self, item: &Item, key: &str, field: &str, prefix: &str) -> Result<T, ConfigError>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let key = format!("{key}.{field}");
        let text = item
            .get(field)
            .ok_or_else(|| self.wrong(&key, "is missing"))?
            .as_str()
            .ok_or_else(|| self.wrong(&key, "is not a text"))?;
        text.strip_prefix(prefix)
            .ok_or_else(|| self.wrong(&key, format!("does not start with `{prefix}`")))?
            .parse()
            .map_err(|error| self.wrong(&key, format!("is not usable: {error}")))
    }

    fn wrong(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            path: self.file.path.clone(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }
}

fn unknown_in(
    table: &dyn TableLike,
    place: &str,
    known: &'static [&'static str],
) -> Vec<(String, &'static [&'static str])> {
    let keys = table.iter().map(|(key, _)| key);
    let unknown = keys.filter(|key| !known.contains(key));
    unknown
        .map(|key| (format!("{place}{key}"), known))
        .collect()
}

/// A setting that is absent when it says nothing.
fn set_or_remove(entry: &mut dyn TableLike, key: &str, is_set: bool, to: impl Into<Value>) {
    match is_set {
        true => entry.insert(key, value(to)),
        false => entry.remove(key),
    };
}

fn names(registries: Vec<Registry>) -> Vec<RegistryName> {
    registries
        .into_iter()
        .map(|registry| registry.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TEXT: &str = "# mine
colour = 1   # not ours

[registries.harbour] # the good one
url = 'https://registry.example/'
registry-id = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"
root = \"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"
note = \"kept\"
";

    fn config(text: &str) -> (tempfile::TempDir, Config) {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config.toml"), text).unwrap();
        let config = Config::load(home.path()).unwrap();
        (home, config)
    }

    fn registry(name: &str) -> Registry {
        Registry {
            name: name.parse().unwrap(),
            url: "https://other.example".parse().unwrap(),
            registry_id: Sha256Digest::of(b"id"),
            root: Sha256Digest::of(b"root"),
            mirrors: vec!["https://mirror.example".parse().unwrap()],
            auth_required: true,
        }
    }

    #[test]
    fn what_is_not_so_is_not_written() {
        let (home, mut config) = config(TEXT);
        let some = registry("harbour");
        config.set(&some).unwrap();
        assert_eq!(config.get(&some.name).unwrap(), Some(some.clone()));
        let none = Registry {
            mirrors: Vec::new(),
            auth_required: false,
            ..some
        };
        config.set(&none).unwrap();
        config.save().unwrap();
        let text = fs::read_to_string(home.path().join("config.toml")).unwrap();
        assert!(
            !text.contains("mirrors") && !text.contains("auth-required"),
            "{text}"
        );
    }

    #[test]
    fn reads_what_it_wrote() {
        let home = tempfile::tempdir().unwrap();
        let mut config = Config::load(&home.path().join("new")).unwrap();
        assert!(matches!(config.choose(None), Err(ConfigError::None)));
        config.set(&registry("b")).unwrap();
        config.set(&registry("a")).unwrap();
        config.save().unwrap();
        let again = Config::load(&home.path().join("new")).unwrap();
        assert_eq!(again.registries().unwrap(), [registry("a"), registry("b")]);
        assert!(!again.file.document.to_string().contains("[registries]\n"));
    }

    #[test]
    fn keeps_formatting_and_unknown_keys() {
        let (home, mut config) = config(TEXT);
        config.set(&registry("other")).unwrap();
        config.save().unwrap();
        let text = fs::read_to_string(home.path().join("config.toml")).unwrap();
        assert!(text.starts_with(TEXT), "{text}");
        assert!(config.remove(&"other".parse().unwrap()));
        assert!(!config.remove(&"other".parse().unwrap()));
        config.save().unwrap();
        let text = fs::read_to_string(home.path().join("config.toml")).unwrap();
        assert_eq!(text, TEXT);
    }

    #[test]
    fn chooses_the_named_or_the_only_registry() {
        let (_home, mut config) = config(TEXT);
        assert_eq!(config.choose(None).unwrap().name.as_str(), "harbour");
        config.set(&registry("other")).unwrap();
        assert!(
            matches!(config.choose(None), Err(ConfigError::Ambiguous { known }) if known.len() == 2)
        );
        let other = "other".parse().unwrap();
        assert_eq!(config.choose(Some(&other)).unwrap(), registry("other"));
        let unknown = "harbor".parse().unwrap();
        assert!(matches!(
            config.choose(Some(&unknown)),
            Err(ConfigError::Unknown { .. })
        ));
    }

    #[test]
    fn names_the_key_that_is_wrong() {
        for (from, to, message) in [
            ("url = 'https:", "url = 'http:", "registries.harbour.url"),
            ("sha256:", "", "registries.harbour.root"),
            ("registry-id", "id", "registries.harbour.registry-id"),
            (
                "note = \"kept\"",
                "mirrors = ['http://a.example']",
                "registries.harbour.mirrors",
            ),
            (
                "note = \"kept\"",
                "auth-required = 1",
                "registries.harbour.auth-required",
            ),
            (
                "[registries.harbour]",
                "[registries.'a b']",
                "registries.a b",
            ),
        ] {
            let (_home, config) = config(&TEXT.replacen(from, to, 1));
            let error = config.registries().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
