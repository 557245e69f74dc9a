//! Which providers of tokens cargo would ask for a registry, in its order (The Cargo Book, "Registry
//! Authentication"). Only decides; asks nobody.

use toml_edit::{Item, TableLike, Value};
use url::Url;

use super::CredentialError;
use crate::model::RegistryName;
use crate::registry::cargo_settings::{CargoSettings, Setting, SettingsError};
use crate::registry::toml_file::TomlFileError;

/// The stores of systems, each of which cargo has on one of them.
const KEYSTORES: [(&str, &str); 3] = [
    ("cargo:libsecret", "linux"),
    ("cargo:macos-keychain", "macos"),
    ("cargo:wincred", "windows"),
];

/// One way to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// `cargo:token`: cargo's credentials file or a variable.
    Token,
    /// `cargo:token-from-stdout`: a program and its arguments, which prints it.
    Printer(Vec<String>),
    /// A program and its arguments, which speaks cargo's protocol.
    Program(Vec<String>),
    /// One of cargo's own, which cannot be asked from here.
    InsideCargo(String),
}

/// The name under which cargo knows an index: tokens belong to names. Ours counts if cargo does not
/// give it to another index.
pub(super) fn cargo_name(
    settings: &CargoSettings,
    ours: &RegistryName,
    index: &str,
) -> Result<Option<String>, CredentialError> {
    let mut names = names_in_variables(settings, index);
    if names.is_empty() {
        names = names_in_file(settings, index)?;
    }
    match names.len() {
        0 => Ok(is_free(settings, ours).then(|| ours.to_string())),
        1 => Ok(names.pop()),
        _ => {
            names.sort();
            Err(CredentialError::Ambiguous {
                index: index.to_owned(),
                names,
            })
        }
    }
}

/// Every name under which cargo could take a token for an index: see [`cargo_name`].
pub(super) fn all_names(
    settings: &CargoSettings,
    ours: &RegistryName,
    index: &str,
) -> Result<Vec<String>, TomlFileError> {
    let mut names = names_in_variables(settings, index);
    names.extend(names_in_file(settings, index)?);
    if is_free(settings, ours) {
        names.push(ours.to_string());
    }
    Ok(names)
}

fn names_in_variables(settings: &CargoSettings, index: &str) -> Vec<String> {
    let names = settings.variables().filter_map(|(variable, value)| {
        let name = variable.strip_prefix("CARGO_REGISTRIES_")?;
        let name = name.strip_suffix("_INDEX")?;
        is_same_index(value, index).then(|| name.to_ascii_lowercase())
    });
    names.collect()
}

fn names_in_file(settings: &CargoSettings, index: &str) -> Result<Vec<String>, TomlFileError> {
    let registries = settings.table("registries")?;
    let registries = registries.into_iter().flat_map(TableLike::iter);
    let entries = registries.filter(|(_, entry)| {
        let other = entry.get("index").and_then(Item::as_str);
        other.is_some_and(|other| is_same_index(other, index))
    });
    Ok(entries.map(|(name, _)| name.to_owned()).collect())
}

/// Whether cargo gives a name to no index.
fn is_free(settings: &CargoSettings, name: &RegistryName) -> bool {
    let index = ["registries", name.as_str(), "index"];
    settings.get(&index).is_none()
}

/// As cargo compares them: a slash or `.git` at the end is nothing.
fn is_same_index(a: &str, b: &str) -> bool {
    let plain = |index: &str| {
        let url = Url::parse(index.strip_prefix("sparse+")?).ok()?;
        let text = url.as_str().trim_end_matches('/');
        Some(text.strip_suffix(".git").unwrap_or(text).to_owned())
    };
    plain(a).is_some_and(|a| Some(a) == plain(b))
}

/// The providers for the registry that cargo calls `name`, the first to be asked first.
pub(super) fn providers(
    settings: &CargoSettings,
    name: Option<&str>,
) -> Result<Vec<Provider>, CredentialError> {
    if let Some(name) = name
        && let Some(words) = words(settings, &["registries", name, "credential-provider"])?
    {
        return Ok(provider(settings, words)?.into_iter().collect());
    }
    let key = ["registry", "global-credential-providers"];
    let Some(setting) = settings.get(&key) else {
        return Ok(vec![Provider::Token]);
    };
    let wrong = || wrong(&key, &setting);
    // In a variable the providers are separated by blanks, so that none has arguments.
    let listed: Vec<Vec<String>> = match &setting {
        Setting::Variable(_, text) => split(text).into_iter().map(|word| vec![word]).collect(),
        Setting::File(_, item) => {
            let list = item.as_array().ok_or_else(wrong)?.iter();
            let list = list.map(|one| one.as_str().map(split).ok_or_else(wrong));
            list.collect::<Result<_, _>>()?
        }
    };
    let mut providers = Vec::new();
    // Those that stand later come first, in cargo, too.
    for words in listed.into_iter().rev() {
        providers.extend(provider(settings, words)?);
    }
    Ok(providers)
}

/// The provider that some words name; nothing for the store of another system.
fn provider(
    settings: &CargoSettings,
    words: Vec<String>,
) -> Result<Option<Provider>, CredentialError> {
    let words = without_alias(settings, words)?;
    let Some((first, arguments)) = words.split_first() else {
        return Err(CredentialError::NoProgram(String::new()));
    };
    if let Some((_, system)) = KEYSTORES.iter().find(|(name, _)| name == first) {
        let is_here = *system == std::env::consts::OS;
        return Ok(is_here.then(|| Provider::InsideCargo(first.clone())));
    }
    Ok(Some(match first.as_str() {
        "cargo:token" => Provider::Token,
        "cargo:token-from-stdout" if arguments.is_empty() => {
            return Err(CredentialError::NoProgram(first.clone()));
        }
        "cargo:token-from-stdout" => Provider::Printer(arguments.to_vec()),
        name if name.starts_with("cargo:") => Provider::InsideCargo(first.clone()),
        _ => Provider::Program(words),
    }))
}

/// What `[credential-alias]` says that a single word means; a built-in name means itself.
fn without_alias(
    settings: &CargoSettings,
    words: Vec<String>,
) -> Result<Vec<String>, CredentialError> {
    match words.as_slice() {
        [word] if !word.starts_with("cargo:") && !word.contains(['/', '\\']) => {
            let meant = self::words(settings, &["credential-alias", word])?;
            Ok(meant.unwrap_or(words))
        }
        _ => Ok(words),
    }
}

/// A setting that is a program and its arguments: one text, split at blanks, or a list. A program
/// with a path starts from where the setting does.
fn words(settings: &CargoSettings, key: &[&str]) -> Result<Option<Vec<String>>, CredentialError> {
    let Some(setting) = settings.get(key) else {
        return Ok(None);
    };
    let wrong = || wrong(key, &setting);
    let mut words = match &setting {
        Setting::Variable(_, text) => split(text),
        Setting::File(_, item) => match (item.as_str(), item.as_array()) {
            (Some(text), _) => split(text),
            (None, Some(list)) => {
                let list = list.iter().map(Value::as_str);
                let list = list.map(|word| word.map(ToOwned::to_owned).ok_or_else(wrong));
                list.collect::<Result<_, _>>()?
            }
            (None, None) => return Err(wrong().into()),
        },
    };
    let start = settings.start_of(&setting);
    let place = match words.first().map(String::as_str) {
        Some("cargo:token-from-stdout") | None => None,
        Some(word) if word.starts_with("cargo:") => None,
        Some(word) => word.contains(['/', '\\']).then(|| start.join(word)),
    };
    if let Some(place) = place {
        words[0] = place.to_string_lossy().into_owned();
    }
    Ok(Some(words))
}

fn wrong(key: &[&str], setting: &Setting<'_>) -> SettingsError {
    SettingsError::Value {
        key: key.join("."),
        place: setting.place(),
        expected: "a credential provider",
    }
}

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::cargo_settings::tests::settings;

    const INDEX: &str = "sparse+https://registry.example/";

    fn found(config: &str, variables: &[(&str, &str)]) -> Vec<Provider> {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(home.path(), config, variables);
        providers(&settings, Some("harbour")).unwrap()
    }

    fn program(words: &[&str]) -> Provider {
        Provider::Program(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn without_settings_cargos_own_file_is_asked() {
        assert_eq!(found("", &[]), [Provider::Token]);
    }

    #[test]
    fn the_registrys_own_provider_is_the_only_one() {
        let config = "[registries.harbour]\ncredential-provider = ['key-ring', '--own']\n[registry]\nglobal-credential-providers = ['cargo:token']\n";
        assert_eq!(found(config, &[]), [program(&["key-ring", "--own"])]);
        let variable = [(
            "CARGO_REGISTRIES_HARBOUR_CREDENTIAL_PROVIDER",
            "other --more",
        )];
        assert_eq!(found(config, &variable), [program(&["other", "--more"])]);
    }

    #[test]
    fn of_the_global_ones_the_last_comes_first() {
        let config = "[registry]\nglobal-credential-providers = ['cargo:token', 'cargo:token-from-stdout print me', 'mine']\n[credential-alias]\nmine = ['key-ring', 'all']\n";
        let printed = Provider::Printer(vec!["print".into(), "me".into()]);
        let expected = [program(&["key-ring", "all"]), printed, Provider::Token];
        assert_eq!(found(config, &[]), expected);
    }

    #[test]
    fn of_the_stores_of_systems_only_that_of_this_one_is_missed() {
        let config = "registry.global-credential-providers = ['cargo:libsecret', 'cargo:wincred', 'cargo:macos-keychain']\n";
        let expected = KEYSTORES
            .iter()
            .find(|(_, system)| *system == std::env::consts::OS);
        let expected = expected.map(|(name, _)| Provider::InsideCargo((*name).into()));
        assert_eq!(found(config, &[]), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_token_belongs_to_the_name_that_cargo_gives_the_index() {
        let name = |config: &str, variables: &[(&str, &str)]| {
            let home = tempfile::tempdir().unwrap();
            let settings = settings(home.path(), config, variables);
            cargo_name(&settings, &"harbour".parse().unwrap(), INDEX)
        };
        let same = "registries.work.index = 'sparse+https://registry.example'\n";
        assert_eq!(name(same, &[]).unwrap().as_deref(), Some("work"));
        let variable = [("CARGO_REGISTRIES_MINE_INDEX", INDEX)];
        assert_eq!(name(same, &variable).unwrap().as_deref(), Some("mine"));
        assert_eq!(name("", &[]).unwrap().as_deref(), Some("harbour"));
        // The token of that name is for somebody else.
        let elsewhere = "registries.harbour.index = 'sparse+https://elsewhere.example/'\n";
        assert_eq!(name(elsewhere, &[]).unwrap(), None);
        let twice = format!("{same}registries.more.index = '{INDEX}'\n");
        assert!(matches!(
            name(&twice, &[]),
            Err(CredentialError::Ambiguous { .. })
        ));
    }
}
