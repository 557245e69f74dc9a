//! The user's token for a registry that asks who reads it: had from cargo's credential providers, in
//! cargo's order, and shown to the registry's own origin only.
//!
//! A token is never printed, and wiped when it is dropped. Only the user's settings name providers:
//! see [`CargoSettings`].

mod program;
mod providers;

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use reqwest::header::HeaderValue;
use toml_edit::Item;
use url::Origin;
use zeroize::{Zeroize as _, Zeroizing};

use super::cargo_settings::{CargoSettings, Setting, SettingsError, variable_of};
use super::toml_file::{TomlFile, TomlFileError};
use super::transport::BaseUrl;
use crate::model::RegistryName;
use providers::Provider;

/// What goes into `Authorization`, as the registry gave it to the user: `Bearer …`, `Basic …`, or
/// without a scheme.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The value of the header, marked so that it is shown in no log.
    pub(super) fn header(&self) -> Result<HeaderValue, CredentialError> {
        let mut value = HeaderValue::from_str(&self.0).map_err(|_| CredentialError::NotAHeader)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where the token of one registry comes from. Nobody is asked before the registry asks.
pub struct Credentials<'a> {
    settings: &'a CargoSettings,
    name: RegistryName,
    /// What cargo calls the registry's index.
    index: String,
    origin: Origin,
    is_required: bool,
    token: Mutex<Known>,
}

/// What is known of a token.
enum Known {
    /// Nobody was asked.
    Unasked,
    /// The answer.
    Asked(Option<Token>),
}

/// Why a token could not be had. A registry for which there is none is no error.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A setting is not usable.
    #[error(transparent)]
    Setting(#[from] SettingsError),
    /// Cargo's credentials cannot be read.
    #[error(transparent)]
    File(#[from] TomlFileError),
    /// Several names mean the index; so says cargo, too.
    #[error("cargo knows `{index}` under several names: {}", names.join(", "))]
    Ambiguous {
        /// The index.
        index: String,
        /// Its names.
        names: Vec<String>,
    },
    /// A provider that is part of cargo, which does not let others ask it.
    #[error(
        "the credential provider `{0}` is a part of cargo, and cannot be asked by other programs"
    )]
    InsideCargo(String),
    /// A provider without a program.
    #[error("the credential provider `{0}` names no program")]
    NoProgram(String),
    /// A provider that could not be run.
    #[error("could not run the credential provider `{program}`")]
    Run {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A provider that failed, in words of its own or ours.
    #[error("the credential provider `{program}` failed: {reason}")]
    Failed {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// A provider that says more than any token has characters. What it says is not repeated.
    #[error("the credential provider `{program}` answers with more than {most} bytes")]
    TooLong {
        /// The program.
        program: String,
        /// How much it may say.
        most: usize,
    },
    /// A provider that gives a token of no characters.
    #[error("the credential provider `{0}` gives an empty token")]
    Empty(String),
    /// A token that no header can hold.
    #[error("the token has characters that a header cannot hold")]
    NotAHeader,
}

/// The variables of the environment in which cargo looks for the token of an index, which the user
/// calls `name`.
pub fn token_variables(
    settings: &CargoSettings,
    name: &RegistryName,
    index: &str,
) -> Result<Vec<String>, SettingsError> {
    let names = providers::all_names(settings, name, index)?;
    let variable = |name: &String| variable_of(&["registries", name, "token"]);
    Ok(names.iter().map(variable).collect())
}

impl<'a> Credentials<'a> {
    /// The credentials of the registry that the user calls `name`. `is_required` says that it is known
    /// to ask; else it must ask first. A folder has none.
    #[must_use]
    pub fn new(
        settings: &'a CargoSettings,
        name: RegistryName,
        url: &BaseUrl,
        is_required: bool,
    ) -> Option<Self> {
        Some(Self {
            settings,
            name,
            index: url.cargo_index()?,
            origin: url.origin(),
            is_required,
            token: Mutex::new(Known::Unasked),
        })
    }

    /// What the user calls the registry.
    pub(super) const fn registry(&self) -> &RegistryName {
        &self.name
    }

    /// Whether they may be shown at an address: it has the registry's own scheme, host and port.
    pub(super) fn are_for(&self, url: &BaseUrl) -> bool {
        self.origin == url.origin()
    }

    /// The token, if it is known already or known to be needed.
    pub(super) fn known(&self) -> Result<Option<Token>, CredentialError> {
        if self.is_required {
            return self.ask(&[]);
        }
        match &*self.token.lock().unwrap_or_else(PoisonError::into_inner) {
            Known::Unasked => Ok(None),
            Known::Asked(token) => Ok(token.clone()),
        }
    }

    /// Asks cargo's providers, once; `challenges` are the headers with which the registry asked.
    pub(super) fn ask(&self, challenges: &[String]) -> Result<Option<Token>, CredentialError> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Known::Asked(token) = &*token {
            return Ok(token.clone());
        }
        let found = self.found_by_providers(challenges)?;
        *token = Known::Asked(found.clone());
        Ok(found)
    }

    /// Whether the registry asked for a token and was shown one.
    #[must_use]
    pub fn were_used(&self) -> bool {
        matches!(
            &*self.token.lock().unwrap_or_else(PoisonError::into_inner),
            Known::Asked(Some(_))
        )
    }

    fn found_by_providers(&self, challenges: &[String]) -> Result<Option<Token>, CredentialError> {
        let name = providers::cargo_name(self.settings, &self.name, &self.index)?;
        let name = name.as_deref();
        let request = program::Request {
            index: &self.index,
            name,
            challenges,
            settings: self.settings,
        };
        let mut unreachable = None;
        for provider in providers::providers(self.settings, name)? {
            let found = match provider {
                Provider::Token => stored(self.settings, name)?,
                Provider::Printer(words) => program::printed(&words, &request)?,
                Provider::Program(words) => program::asked(&words, &request)?,
                Provider::InsideCargo(name) => {
                    unreachable = Some(name);
                    None
                }
            };
            if found.is_some() {
                return Ok(found.map(Token::new));
            }
        }
        match unreachable {
            Some(name) => Err(CredentialError::InsideCargo(name)),
            None => Ok(None),
        }
    }
}

/// What `cargo login` stored, or the environment holds: the provider `cargo:token`.
fn stored(
    settings: &CargoSettings,
    name: Option<&str>,
) -> Result<Option<Zeroizing<String>>, CredentialError> {
    let Some(name) = name else {
        return Ok(None);
    };
    let key = ["registries", name, "token"];
    let set = settings.get(&key);
    if let Some(Setting::Variable(_, token)) = set {
        return Ok(Some(Zeroizing::new(token.to_owned())));
    }
    let mut file = TomlFile::load_credentials(settings.home())?;
    let registries = file.document.get_mut("registries");
    let entry = registries.and_then(|all| all.get_mut(name));
    let token = entry.and_then(|entry| entry.as_table_like_mut()?.remove("token"));
    let found = match (&token, &set) {
        (Some(item), _) => item.as_str(),
        (None, Some(Setting::File(_, item))) => item.as_str(),
        (None, _) => None,
    };
    let found = found.map(|token| Zeroizing::new(token.to_owned()));
    if let Some(Item::Value(toml_edit::Value::String(text))) = token {
        text.into_value().zeroize();
    }
    file.wipe();
    Ok(found)
}
