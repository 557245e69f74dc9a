//! Reading `Cargo.lock`: which packages cargo chose, and from where. Never writes one: that is
//! cargo's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use semver::Version;

use super::Registry;
use super::lock_graph::LockPackage;
use crate::disk::{self, Failure};
use crate::model::{PackageName, RegistryName, Sha256Digest};

/// More than any real lock file; one can come from a publisher.
pub(super) const LIMIT: u64 = 16 << 20;

/// The packages of a lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LockFile {
    /// Those whose source is an index of the registry.
    pub(super) ours: Vec<LockedPackage>,
    /// The number of those from other registries and from git.
    pub(super) foreign: usize,
    /// How many of those are from another registry that the user has added.
    pub(super) siblings: BTreeMap<RegistryName, usize>,
}

/// A package of ours in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LockedPackage {
    pub(super) name: PackageName,
    pub(super) version: Version,
    pub(super) checksum: Sha256Digest,
}

/// Why a lock file is refused.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// It could not be read.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// It is no lock file of cargo.
    #[error("`{}` is not a lock file of cargo: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It has a package of the registry without a checksum, or replaced by another.
    #[error("`{}` gives no checksum for `{package}` of this registry", path.display())]
    NoChecksum {
        /// The file.
        path: PathBuf,
        /// As `name 1.2.3`.
        package: String,
    },
}

/// Reads a lock file; `None` if there is none.
pub(super) fn read(path: &Path, registry: &Registry) -> Result<Option<LockFile>, LockFileError> {
    match disk::read_text_if_there(path, LIMIT)? {
        Some(text) => parse(&text, path, registry).map(Some),
        None => Ok(None),
    }
}

fn parse(text: &str, path: &Path, registry: &Registry) -> Result<LockFile, LockFileError> {
    let mut lock = LockFile::default();
    for package in packages(text, path)? {
        match &package.source {
            None => {}
            Some(source) if registry.is_index(source) => lock.ours.push(ours(&package, path)?),
            Some(source) => {
                lock.foreign += 1;
                let mut siblings = registry.siblings.iter();
                if let Some((name, _)) = siblings.find(|(_, index)| index == source) {
                    *lock.siblings.entry(name.clone()).or_default() += 1;
                }
            }
        }
    }
    Ok(lock)
}

/// All packages of a lock file, as they are written there.
pub(super) fn packages(text: &str, path: &Path) -> Result<Vec<LockPackage>, LockFileError> {
    let malformed = |reason: String| LockFileError::Malformed {
        path: path.into(),
        reason,
    };
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| malformed(error.message().to_owned()))?;
    match table.get("version").map(toml::Value::as_integer) {
        Some(Some(3 | 4)) => {}
        // Old cargos wrote none.
        None if table.contains_key("package") => {}
        None => return Err(malformed("it has no version and no package".into())),
        Some(version) => {
            let version =
                version.map_or_else(|| "its version".into(), |one| format!("version {one}"));
            return Err(malformed(format!(
                "{version} is none that this program knows"
            )));
        }
    }
    let packages = match table.get("package") {
        // A workspace without members.
        None => return Ok(Vec::new()),
        Some(packages) => packages.as_array(),
    };
    let packages = packages.ok_or_else(|| malformed("`package` is not a list".into()))?;
    Ok(packages.iter().map(package).collect())
}

fn package(package: &toml::Value) -> LockPackage {
    let field = |key| package.get(key).and_then(toml::Value::as_str);
    let text = |key| field(key).map(ToOwned::to_owned);
    let dependencies = package.get("dependencies").and_then(toml::Value::as_array);
    let dependencies = dependencies.into_iter().flatten();
    LockPackage {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        source: text("source"),
        checksum: text("checksum"),
        is_replaced: field("replace").is_some(),
        dependencies: dependencies
            .filter_map(|one| one.as_str().map(ToOwned::to_owned))
            .collect(),
    }
}

fn ours(package: &LockPackage, path: &Path) -> Result<LockedPackage, LockFileError> {
    let (name, version) = (&package.name, &package.version);
    let malformed = |reason: String| LockFileError::Malformed {
        path: path.into(),
        reason,
    };
    let Some(checksum) = package.own_checksum() else {
        return Err(LockFileError::NoChecksum {
            path: path.into(),
            package: format!("{name} {version}"),
        });
    };
    Ok(LockedPackage {
        name: name
            .parse()
            .map_err(|error| malformed(format!("{error}")))?,
        version: version
            .parse()
            .map_err(|error| malformed(format!("version of `{name}`: {error}")))?,
        checksum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "cfg-if"
version = "1.0.5"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "4e7648175b45a9a48536d676f68d918270699102aa8dab5496df06904c914600"
[[package]]
name = "tide-cli"
version = "1.2.0"
[[package]]
name = "tide-table"
version = "0.3.1"
source = "sparse+https://a.invalid/"
checksum = "00f2e5808dca47eda41c444ee84291283ddcbd96bf86db5df90fb6f659455e7f"
"#;

    fn parsed(text: &str) -> Result<LockFile, LockFileError> {
        let registry = Registry {
            name: "market".parse().unwrap(),
            index: "sparse+https://a.invalid/".into(),
            other_indexes: Vec::new(),
            siblings: Vec::new(),
            state: "/state".into(),
        };
        parse(text, Path::new("Cargo.lock"), &registry)
    }

    #[test]
    fn tells_ours_from_foreign_ones() {
        let lock = parsed(LOCK).unwrap();
        assert_eq!(lock.foreign, 1);
        assert_eq!(lock.ours[0].name.as_str(), "tide-table");
        assert_eq!(parsed("version = 4").unwrap(), LockFile::default());
    }

    #[test]
    fn refuses_ours_without_a_checksum() {
        let without = LOCK.replace("checksum = \"00f2", "nothing = \"00f2");
        assert!(matches!(
            parsed(&without),
            Err(LockFileError::NoChecksum { .. })
        ));
        for bad in ["package = 1", "x", &LOCK.replace("0.3.1", "0.3")] {
            assert!(matches!(parsed(bad), Err(LockFileError::Malformed { .. })));
        }
    }
}
