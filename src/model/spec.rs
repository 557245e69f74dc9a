//! What a user types to name a package: `name`, `name@1.2`, `registry/name@=1.2.3`.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use super::{NameError, PackageName, RegistryName, Requirement, RequirementError};

/// A package named on the command line, with an optional registry and version requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSpec {
    /// The registry, where it was named.
    pub registry: Option<RegistryName>,
    /// The package.
    pub name: PackageName,
    /// Which versions will do; `None` means any.
    pub requirement: Option<Requirement>,
    /// Set when one exact version was typed (`1.2.3` or `=1.2.3`).
    pub exact: Option<Version>,
}

/// Why a text is no package spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The registry or the package has no valid name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What follows `@` is no requirement.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
}

impl FromStr for PackageSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, requirement) = match text.split_once('@') {
            Some((path, requirement)) => (path, Some(requirement.parse::<Requirement>()?)),
            None => (text, None),
        };
        let (registry, name) = match path.split_once('/') {
            Some((registry, name)) => (Some(registry.parse()?), name.parse()?),
            None => (None, path.parse()?),
        };
        let exact = requirement.as_ref().and_then(|requirement| {
            requirement
                .as_str()
                .trim_start_matches('=')
                .trim()
                .parse()
                .ok()
        });
        // As for `cargo install`, a full version is that version and no other.
        let requirement = match &exact {
            Some(version) => Some(format!("={version}").parse()?),
            None => requirement,
        };
        Ok(Self {
            registry,
            name,
            requirement,
            exact,
        })
    }
}

impl fmt::Display for PackageSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        write!(f, "{}", self.name)?;
        match &self.requirement {
            Some(requirement) => write!(f, "@{requirement}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form() {
        let spec: PackageSpec = "harbour/tide-table@^0.3".parse().unwrap();
        assert_eq!(spec.registry.unwrap().as_str(), "harbour");
        assert_eq!((spec.name.as_str(), spec.exact), ("tide-table", None));
        for exact in ["a@1.2.3", "a@=1.2.3"] {
            let spec: PackageSpec = exact.parse().unwrap();
            assert_eq!(spec.exact, Some(Version::new(1, 2, 3)), "{exact}");
            assert_eq!(spec.to_string(), "a@=1.2.3");
        }
        assert_eq!("a@1.2".parse::<PackageSpec>().unwrap().exact, None);
    }

    #[test]
    fn refuses_what_is_no_spec() {
        for bad in ["", "@1", "a@", "a/b/c", "a@1.2.3.4", "../a"] {
            assert!(bad.parse::<PackageSpec>().is_err(), "{bad}");
        }
    }
}
