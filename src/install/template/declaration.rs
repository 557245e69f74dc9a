//! `template.toml`: the keys that a template asks for.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Keys of a template, characters of a value, bytes of the declaration.
const MAX_KEYS: usize = 64;
const MAX_VALUE: usize = 1024;
const MAX_BYTES: usize = 64 << 10;

/// Keys that every template has.
const BUILTIN: [&str; 3] = ["name", "crate_name", "author"];

/// A key that a template declares.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What placeholders call it: lower-case letters, digits and `_`, a letter first.
    #[serde(rename = "name")]
    pub key: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Its value if none is given.
    pub default: Option<String>,
    /// The values that it can have; any, if there are none.
    #[serde(default)]
    pub choices: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    key: Vec<Key>,
}

/// Why a declaration is refused, or values do not fit it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// It is no TOML of the expected form.
    #[error("`template.toml` is malformed: {0}")]
    Malformed(String),
    /// A declared key cannot be used.
    #[error("`template.toml` declares `{key}`, which {reason}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value was given for a key that is not declared.
    #[error("the template has no key `{key}`")]
    Unknown {
        /// The key.
        key: String,
        /// The declared ones.
        known: Vec<String>,
    },
    /// No value was given for keys without a default.
    #[error("the template needs a value for {}", quoted(.0))]
    Missing(Vec<String>),
    /// The value is not one of the choices.
    #[error(
        "`{value}` is not a value of `{key}`: it is one of {}",
        quoted(choices)
    )]
    Choice {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Those that it can have.
        choices: Vec<String>,
    },
    /// The value is too long or has control characters.
    #[error("the value of `{0}` is longer than {MAX_VALUE} characters or holds control characters")]
    Value(String),
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Reads a declaration; an empty one declares nothing.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Key>, DeclarationError> {
    let malformed = |reason: &str| DeclarationError::Malformed(reason.to_owned());
    if bytes.len() > MAX_BYTES {
        return Err(malformed("it is too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let wire: Wire = toml::from_str(text).map_err(|error| malformed(error.message()))?;
    if wire.key.len() > MAX_KEYS {
        return Err(malformed("it has too many keys"));
    }
    for (position, key) in wire.key.iter().enumerate() {
        let before = &wire.key[..position];
        if let Some(reason) = fault(key, before) {
            return Err(DeclarationError::Key {
                key: key.key.chars().take(64).collect(),
                reason,
            });
        }
    }
    Ok(wire.key)
}

/// What is wrong with a key, if anything is.
fn fault(key: &Key, before: &[Key]) -> Option<&'static str> {
    let is_name = key.key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.key.len() <= 64
        && key
            .key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let has = |value: &String| key.choices.is_empty() || key.choices.contains(value);
    if !is_name {
        return Some("is not a name of lower-case letters, digits and `_`");
    }
    if BUILTIN.contains(&key.key.as_str()) {
        return Some("every template has already");
    }
    if before.iter().any(|other| other.key == key.key) {
        return Some("is there twice");
    }
    if !key.default.iter().all(has) {
        return Some("has a default that is none of its choices");
    }
    let all_fit = key.default.iter().chain(&key.choices).all(|v| fits(v));
    (!all_fit).then_some("has a value that is too long or holds control characters")
}

fn fits(value: &str) -> bool {
    value.chars().count() <= MAX_VALUE && !value.chars().any(char::is_control)
}

/// The value of each key.
pub(super) fn values(
    keys: &[Key],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, DeclarationError> {
    let known = || keys.iter().map(|key| key.key.clone()).collect();
    let is_declared = |name: &String| keys.iter().any(|key| key.key == *name);
    if let Some(key) = given.keys().find(|name| !is_declared(name)) {
        return Err(DeclarationError::Unknown {
            key: key.clone(),
            known: known(),
        });
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for key in keys {
        let Some(value) = given.get(&key.key).or(key.default.as_ref()) else {
            missing.push(key.key.clone());
            continue;
        };
        if !fits(value) {
            return Err(DeclarationError::Value(key.key.clone()));
        }
        if !key.choices.is_empty() && !key.choices.contains(value) {
            return Err(DeclarationError::Choice {
                key: key.key.clone(),
                value: value.clone(),
                choices: key.choices.clone(),
            });
        }
        values.insert(key.key.clone(), value.clone());
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(DeclarationError::Missing(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &str = "[[key]]\nname = \"board\"\ndescription = \"the board\"\ndefault = \"rp2040\"\nchoices = [\"rp2040\", \"esp32\"]\n[[key]]\nname = \"unit\"\n";

    fn with(given: &[(&str, &str)]) -> Result<BTreeMap<String, String>, DeclarationError> {
        let given = given.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        values(&parse(BOARD.as_bytes()).unwrap(), &given.collect())
    }

    #[test]
    fn takes_what_is_given_and_defaults_for_the_rest() {
        let values = with(&[("unit", "metres")]).unwrap();
        assert_eq!(values["board"], "rp2040");
        assert_eq!(values["unit"], "metres");
        assert_eq!(parse(b"").unwrap(), []);
    }

    #[test]
    fn says_what_does_not_fit() {
        for (given, message) in [
            (&[][..], "the template needs a value for `unit`"),
            (
                &[("unit", "m"), ("board", "z80")],
                "`z80` is not a value of `board`: it is one of `rp2040`, `esp32`",
            ),
            (&[("colour", "red")], "the template has no key `colour`"),
            (
                &[("unit", "a\nb")],
                "the value of `unit` is longer than 1024 characters or holds control characters",
            ),
        ] {
            assert_eq!(with(given).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn refuses_declarations_that_make_no_sense() {
        for bad in [
            "x = 1",
            "[[key]]\nname = \"Board\"",
            "[[key]]\nname = \"\"",
            "[[key]]\nname = \"name\"",
            "[[key]]\nname = \"a\"\n[[key]]\nname = \"a\"",
            "[[key]]\nname = \"a\"\ndefault = \"x\"\nchoices = [\"y\"]",
            "[[key]]\nname = \"a\"\nhook = \"rm\"",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
