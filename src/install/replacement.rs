//! Telling cargo to take a registry's packages from the local registry: as a configuration file of
//! one call, or for good in a project.
//!
//! The Cargo.lock of either keeps the registry's public URL. The file of a call names its sources
//! by chance: a project's own configuration is merged with it, and could send a source that it knows
//! the name of elsewhere.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use toml_edit::{DocumentMut, value};

use super::Registry;
use crate::disk::{Failure, failed};
use crate::model::RegistryName;
use crate::registry::toml_file::{TomlFile, TomlFileError};

/// Why a configuration for cargo could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReplacementError {
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// TOML has no form for a path.
    #[error("cargo's configuration cannot hold the path `{}`, which is not UTF-8", .0.display())]
    Encoding(PathBuf),
    /// A project's configuration cannot be used.
    #[error(transparent)]
    File(#[from] TomlFileError),
}

/// What a call of cargo is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To resolve and to look. A project's compiler and wrappers are not run for that: `cargo
    /// metadata` and `cargo update` would ask them for their version.
    Look,
    /// As [`Purpose::Look`], and versions are chosen as `cargo install` does, which takes the newest
    /// whatever Rust they need.
    LookAsInstall,
    /// To build.
    Build,
}

/// What the configuration of a call depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replacement<'a> {
    pub(super) registry: &'a Registry,
    /// The folder of the local registry.
    pub(super) local: &'a Path,
    /// The names that the user's or project's configuration already gives to the indexes of the
    /// registry: cargo refuses a second name for one index.
    pub(super) names: &'a [(String, String)],
    pub(super) rustc: &'a Path,
}

/// Writes the configuration of one call. It is gone when the value is dropped.
pub(super) fn for_call(
    replacement: &Replacement<'_>,
    purpose: Purpose,
) -> Result<NamedTempFile, ReplacementError> {
    let text = text_for_call(replacement, purpose)?;
    let folder = replacement.registry.temporary();
    let write = || -> io::Result<NamedTempFile> {
        fs::create_dir_all(&folder)?;
        let mut file = tempfile::Builder::new()
            .prefix("config-")
            .suffix(".toml")
            .tempfile_in(&folder)?;
        file.write_all(text.as_bytes())?;
        Ok(file)
    };
    Ok(write().map_err(failed("write a file in", &folder))?)
}

fn text_for_call(
    replacement: &Replacement<'_>,
    purpose: Purpose,
) -> Result<String, ReplacementError> {
    let registry = replacement.registry;
    let mut document = DocumentMut::new();
    let target = random_name(registry)?;
    document["registries"][registry.name.as_str()]["index"] = value(&registry.index);
    for index in registry.indexes() {
        let known = replacement.names.iter().find(|(_, known)| known == index);
        let name = match known {
            Some((name, _)) => name.clone(),
            None => random_name(registry)?,
        };
        document["source"][&name]["registry"] = value(index);
        document["source"][&name]["replace-with"] = value(&target);
    }
    document["source"][&target]["local-registry"] = value(utf8(replacement.local)?);
    if purpose != Purpose::Build {
        document["build"]["rustc"] = value(utf8(replacement.rustc)?);
        document["build"]["rustc-wrapper"] = value("");
        document["build"]["rustc-workspace-wrapper"] = value("");
    }
    if purpose == Purpose::LookAsInstall {
        document["resolver"]["incompatible-rust-versions"] = value("allow");
    }
    Ok(document.to_string())
}

/// A name that nobody can know beforehand; cargo shows it.
fn random_name(registry: &Registry) -> Result<String, ReplacementError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(ReplacementError::Random)?;
    Ok(format!("{}-{}", registry.name, hex::encode(bytes)))
}

/// The local registry's path as a project's configuration has it. Cargo refuses two names for one
/// path, compares paths as texts, and must know the name of each call's own source for the same folder
/// besides. It unpacks packages from either path into a folder of its own.
pub(super) fn as_written(local: &Path) -> PathBuf {
    local.join("index").join("..")
}

/// The names of the sources that [`write_into_project`] writes: that of the registry's n-th index,
/// and that of the local registry.
pub(super) fn project_names(registry: &RegistryName, position: usize) -> (String, String) {
    let name = format!("marketplace-{registry}");
    let local = format!("{name}-verified");
    let index = match position {
        0 => name,
        _ => format!("{name}-{position}"),
    };
    (index, local)
}

/// Sets the replacement in a project's own configuration, for plain cargo and the commands that
/// start it; returns the file. The rest of the file stays as it is.
pub(super) fn write_into_project(
    registry: &Registry,
    local: &Path,
    project: &Path,
) -> Result<PathBuf, ReplacementError> {
    let mut file = TomlFile::load_of_cargo(&project.join(".cargo"))?;
    for (position, index) in registry.indexes().enumerate() {
        let (name, target) = project_names(&registry.name, position);
        let source = file.table("source", &name)?;
        source.clear();
        source.insert("registry", value(index));
        source.insert("replace-with", value(&target));
        let source = file.table("source", &target)?;
        source.clear();
        source.insert("local-registry", value(utf8(&as_written(local))?));
    }
    file.save()?;
    Ok(file.path)
}

fn utf8(path: &Path) -> Result<&str, ReplacementError> {
    path.to_str()
        .ok_or_else(|| ReplacementError::Encoding(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry {
            name: "market".parse().unwrap(),
            index: "sparse+https://a.invalid/".into(),
            other_indexes: vec!["sparse+https://b.invalid/".into()],
            siblings: Vec::new(),
            state: "/state".into(),
        }
    }

    fn text(names: &[(String, String)], purpose: Purpose) -> String {
        let registry = registry();
        let replacement = Replacement {
            registry: &registry,
            local: Path::new("/state/local"),
            names,
            rustc: Path::new("/bin/rustc"),
        };
        text_for_call(&replacement, purpose).unwrap()
    }

    #[test]
    fn no_two_calls_share_a_name() {
        let (one, two) = (text(&[], Purpose::Build), text(&[], Purpose::Build));
        let names = |text: &str| -> Vec<String> {
            let table: toml::Table = text.parse().unwrap();
            let sources = table["source"].as_table().unwrap();
            sources.keys().cloned().collect()
        };
        assert_eq!(names(&one).len(), 3);
        assert!(names(&one).iter().all(|name| !names(&two).contains(name)));
    }

    #[test]
    fn takes_over_the_name_that_an_index_has() {
        let known = [("mine".to_owned(), "sparse+https://b.invalid/".to_owned())];
        let table: toml::Table = text(&known, Purpose::Look).parse().unwrap();
        let mine = &table["source"]["mine"];
        assert_eq!(mine["registry"].as_str(), Some("sparse+https://b.invalid/"));
        let target = mine["replace-with"].as_str().unwrap();
        assert_eq!(
            table["source"][target]["local-registry"].as_str(),
            Some("/state/local")
        );
    }

    #[test]
    fn keeps_what_else_a_project_configures() {
        let project = tempfile::tempdir().unwrap();
        let path = project.path().join(".cargo/config.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "# mine\n[build]\njobs = 1\n").unwrap();
        for _ in 0..2 {
            let local = Path::new("/state/local");
            let written = write_into_project(&registry(), local, project.path()).unwrap();
            assert_eq!(written, path);
        }
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        # mine
        [build]
        jobs = 1

        [source.marketplace-market]
        registry = "sparse+https://a.invalid/"
        replace-with = "marketplace-market-verified"

        [source.marketplace-market-verified]
        local-registry = "/state/local/index/.."

        [source.marketplace-market-1]
        registry = "sparse+https://b.invalid/"
        replace-with = "marketplace-market-verified"
        "#);
    }
}
