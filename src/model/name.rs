//! Names of packages, publishers and registries, and the rules that keep them apart.

use std::fmt;
use std::str::FromStr;

/// Names that Windows gives to devices; a package or file so named cannot be unpacked there.
const DEVICE_NAMES: [&str; 30] = [
    "conin$", "conout$", "com¹", "com²", "com³", "lpt¹", "lpt²", "lpt³", "con", "prn", "aux",
    "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A package's name: 1 to 64 ASCII letters, digits, `-` and `_`, a letter or
/// `_` first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than 64 characters.
    #[error("`{0}…` is longer than 64 characters")]
    TooLong(String),
    /// A character that names do not have.
    #[error("`{name}` cannot be a name: {found:?} is not an ASCII letter, digit, `-` or `_`")]
    Character {
        /// The text.
        name: String,
        /// Its first character that is refused.
        found: char,
    },
    /// A capital in a name that has none.
    #[error("`{name}` cannot be the name of a publisher or key: {found:?} is not lower case")]
    Capital {
        /// The text.
        name: String,
        /// Its first capital.
        found: char,
    },
    /// A digit or sign in first place.
    #[error("`{0}` cannot be a name: it must start with a letter or `_`")]
    Start(String),
    /// Cargo's name for crates.io.
    #[error("`{0}` cannot be a name: it is cargo's name for crates.io")]
    Taken(String),
    /// A device on Windows.
    #[error("`{0}` cannot be a name: Windows reserves it for a device")]
    Device(String),
}

impl PackageName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two names collide: lower case, `_` as `-`.
    #[must_use]
    pub fn collision_key(&self) -> String {
        self.0.to_ascii_lowercase().replace('_', "-")
    }

    /// The path of the package's v1 document below an index root, in lower case
    /// (Cargo's reference, "index files"): `1/a`, `2/ab`, `3/a/abc`, `se/rd/serde`.
    #[must_use]
    pub fn index_path(&self) -> String {
        let name = self.0.to_ascii_lowercase();
        match name.len() {
            1 => format!("1/{name}"),
            2 => format!("2/{name}"),
            3 => format!("3/{}/{name}", &name[..1]),
            _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
        }
    }
}

impl FromStr for PackageName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text)?;
        if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(NameError::Start(text.into()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a publisher, also the name of its key file: 1 to 64 lower-case ASCII letters, digits, `-`
/// and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublisherId(String);

impl PublisherId {
    /// The id as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublisherId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text)?;
        match text.chars().find(char::is_ascii_uppercase) {
            Some(found) => Err(NameError::Capital {
                name: text.into(),
                found,
            }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name by which a user calls a registry, as in `[registries.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryName(String);

impl RegistryName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text)?;
        // Cargo takes this name for crates.io, whatever its configuration says.
        if text.eq_ignore_ascii_case("crates-io") {
            return Err(NameError::Taken(text.into()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules that all three kinds of names share.
fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.chars().count() > 64 {
        return Err(NameError::TooLong(text.chars().take(24).collect()));
    }
    let refused = |c: &char| !(c.is_ascii_alphanumeric() || *c == '-' || *c == '_');
    if let Some(found) = text.chars().find(refused) {
        return Err(NameError::Character {
            name: text.into(),
            found,
        });
    }
    if is_device_name(text) {
        return Err(NameError::Device(text.into()));
    }
    Ok(())
}

/// Says whether Windows would open a device under this file name (any extension, any case).
#[must_use]
pub fn is_device_name(file_name: &str) -> bool {
    let stem = file_name.split('.').next().unwrap_or(file_name);
    DEVICE_NAMES.contains(&stem.trim_end().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        text.parse().unwrap()
    }

    #[test]
    fn index_paths_are_cargos() {
        let paths: Vec<_> = ["a", "ab", "abc", "serde", "Inflector"]
            .map(|n| name(n).index_path())
            .into();
        assert_eq!(
            paths,
            ["1/a", "2/ab", "3/a/abc", "se/rd/serde", "in/fl/inflector"]
        );
    }

    #[test]
    fn names_that_differ_in_case_or_sign_collide() {
        assert_eq!(
            name("Tide_Table").collision_key(),
            name("tide-table").collision_key()
        );
    }

    #[test]
    fn refuses_what_is_no_name() {
        for bad in [
            "",
            "0day",
            "-x",
            "a.b",
            "a/b",
            "..",
            "é",
            "a b",
            "CON",
            "nul",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<PackageName>().is_err(), "{bad}");
        }
        let error = "Harbour".parse::<PublisherId>().unwrap_err().to_string();
        let expected = "`Harbour` cannot be the name of a publisher or key: 'H' is not lower case";
        assert_eq!(error, expected);
        assert!("harbour-2".parse::<PublisherId>().is_ok());
    }

    #[test]
    fn knows_device_names_with_extensions() {
        assert!(
            is_device_name("AUX.rs") && is_device_name("nul") && !is_device_name("auxiliary.rs")
        );
    }
}
