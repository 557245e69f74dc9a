//! Cargo's own settings, as far as they concern the way to a registry: the environment first, then
//! `config.toml` in cargo's home.
//!
//! A project's `.cargo/config.toml` is never read here. Whoever wrote a project could else name a
//! program that we run for a token, or a proxy and a certificate through which the token leaks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_edit::{Item, TableLike};
use zeroize::Zeroizing;

use super::toml_file::{TomlFile, TomlFileError};

/// Cargo's settings of the user.
pub struct CargoSettings {
    home: PathBuf,
    folder: PathBuf,
    variables: BTreeMap<String, Zeroizing<String>>,
    config: TomlFile,
}

/// Why a setting cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] TomlFileError),
    /// A value is not of its kind.
    #[error("cargo's setting `{key}` ({place}) is not {expected}")]
    Value {
        /// As `http.timeout`.
        key: String,
        /// The file or the variable that holds it.
        place: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// Where a value was found.
pub(super) enum Setting<'a> {
    /// In a variable of that name.
    Variable(String, &'a str),
    /// In a file.
    File(&'a Path, &'a Item),
}

impl CargoSettings {
    /// Reads the file below `home`; `folder` is the one from which relative paths in variables start.
    pub fn load(
        home: &Path,
        folder: &Path,
        variables: BTreeMap<String, Zeroizing<String>>,
    ) -> Result<Self, TomlFileError> {
        Ok(Self {
            home: home.to_owned(),
            folder: folder.to_owned(),
            variables,
            config: TomlFile::load_of_cargo(home)?,
        })
    }

    /// Cargo's home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// A variable of the environment, if it is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name).map(|value| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// All variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.variables.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A table of the file.
    pub(super) fn table(&self, name: &str) -> Result<Option<&dyn TableLike>, TomlFileError> {
        self.config.get(name)
    }

    /// The value of a setting, as `["http", "timeout"]`.
    pub(super) fn get(&self, key: &[&str]) -> Option<Setting<'_>> {
        let name = variable_of(key);
        if let Some(value) = self.variable(&name) {
            return Some(Setting::Variable(name, value));
        }
        let found = key
            .iter()
            .try_fold(self.config.document.as_item(), |item, part| item.get(part));
        found.map(|item| Setting::File(&self.config.path, item))
    }

    /// A text.
    pub fn text(&self, key: &[&str]) -> Result<Option<String>, SettingsError> {
        self.parsed(
            key,
            "a text",
            |text| Some(text.to_owned()),
            |item| item.as_str().map(ToOwned::to_owned),
        )
    }

    /// A number that is not negative.
    pub fn number(&self, key: &[&str]) -> Result<Option<u64>, SettingsError> {
        self.parsed(
            key,
            "a number",
            |text| text.parse().ok(),
            |item| item.as_integer().and_then(|number| number.try_into().ok()),
        )
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &[&str]) -> Result<Option<bool>, SettingsError> {
        self.parsed(
            key,
            "`true` or `false`",
            |text| text.parse().ok(),
            Item::as_bool,
        )
    }

    /// A path: one in the file starts from the folder that cargo's home lies in, as in cargo.
    pub fn path(&self, key: &[&str]) -> Result<Option<PathBuf>, SettingsError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        Ok(self
            .get(key)
            .map(|setting| self.start_of(&setting).join(text)))
    }

    /// The folder from which relative paths in a setting start.
    pub(super) fn start_of(&self, setting: &Setting<'_>) -> &Path {
        match setting {
            Setting::Variable(..) => &self.folder,
            Setting::File(..) => self.home.parent().unwrap_or(&self.home),
        }
    }

    fn parsed<T>(
        &self,
        key: &[&str],
        expected: &'static str,
        of_text: impl FnOnce(&str) -> Option<T>,
        of_item: impl FnOnce(&Item) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(setting) = self.get(key) else {
            return Ok(None);
        };
        let value = match &setting {
            Setting::Variable(_, text) => of_text(text),
            Setting::File(_, item) => of_item(item),
        };
        let wrong = || SettingsError::Value {
            key: key.join("."),
            place: setting.place(),
            expected,
        };
        value.map(Some).ok_or_else(wrong)
    }
}

impl Setting<'_> {
    /// The variable or file, for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Variable(name, _) => name.clone(),
            Self::File(path, _) => path.display().to_string(),
        }
    }
}

/// The variable that stands for a setting: `CARGO_REGISTRIES_MY_OWN_TOKEN` for
/// `registries.my-own.token`.
#[must_use]
pub fn variable_of(key: &[&str]) -> String {
    let name = format!("CARGO_{}", key.join("_"));
    name.to_ascii_uppercase().replace(['-', '.'], "_")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings of a user with this configuration file and these variables.
    pub(in crate::registry) fn settings(
        home: &Path,
        config: &str,
        variables: &[(&str, &str)],
    ) -> CargoSettings {
        std::fs::write(home.join("config.toml"), config).unwrap();
        let variables = variables.iter();
        let variables = variables
            .map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned())))
            .collect();
        CargoSettings::load(home, Path::new("/current"), variables).unwrap()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let home = tempfile::tempdir().unwrap();
        let config = "[http]\ntimeout = 7\nmultiplexing = false\nuser-agent = 'mine'\n";
        let variables = [("CARGO_HTTP_TIMEOUT", "9"), ("CARGO_HTTP_PROXY", "")];
        let settings = settings(home.path(), config, &variables);
        assert_eq!(settings.number(&["http", "timeout"]).unwrap(), Some(9));
        assert_eq!(
            settings.boolean(&["http", "multiplexing"]).unwrap(),
            Some(false)
        );
        let agent = settings.text(&["http", "user-agent"]).unwrap();
        assert_eq!(agent.as_deref(), Some("mine"));
        assert_eq!(settings.text(&["http", "proxy"]).unwrap(), None);
    }

    #[test]
    fn paths_start_where_cargo_starts_them() {
        let home = tempfile::tempdir().unwrap();
        let cargo_home = home.path().join("cargo");
        std::fs::create_dir(&cargo_home).unwrap();
        let key = ["http", "cainfo"];
        let in_file = settings(&cargo_home, "http.cainfo = 'ca.pem'\n", &[]);
        assert_eq!(
            in_file.path(&key).unwrap(),
            Some(home.path().join("ca.pem"))
        );
        let variable = settings(&cargo_home, "", &[("CARGO_HTTP_CAINFO", "ca.pem")]);
        assert_eq!(variable.path(&key).unwrap(), Some("/current/ca.pem".into()));
    }

    #[test]
    fn names_the_setting_that_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(
            home.path(),
            "http.timeout = 'long'\n",
            &[("CARGO_NET_RETRY", "-1")],
        );
        for (key, shown) in [
            (["http", "timeout"], "http.timeout"),
            (["net", "retry"], "CARGO_NET_RETRY"),
        ] {
            let error = settings.number(&key).unwrap_err().to_string();
            assert!(error.contains(shown), "{error}");
        }
    }
}
