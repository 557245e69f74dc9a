//! What is compared after cargo has resolved: where each package of the registry really comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{Metadata, Package, PackageId};

use super::GuardError;
use crate::install::Registry;
use crate::install::unpacked::is_of_local_registry;
use crate::model::Entry;
use crate::trust::Verified;

/// Checks that each package of the registry in cargo's resolution is a verified release, unpacked
/// by cargo from the local registry, and that each dependency on the registry is met by it.
pub(in crate::install) fn check_resolved(
    metadata: &Metadata,
    entries: &[Verified<Entry>],
    registry: &Registry,
    cargo_home: &Path,
) -> Result<(), GuardError> {
    let verified: BTreeSet<(&str, &semver::Version)> = entries
        .iter()
        .map(|entry| (entry.release.name.as_str(), &entry.release.version))
        .collect();
    let ours = metadata
        .packages
        .iter()
        .filter(|package| is_ours(package, registry));
    for package in ours {
        if !verified.contains(&(package.name.as_str(), &package.version)) {
            return Err(GuardError::NotVerified {
                package: package.name.to_string(),
                version: package.version.clone(),
            });
        }
        if !is_unpacked_by_cargo(package, cargo_home) {
            return Err(redirected(package, package.manifest_path.to_string()));
        }
    }
    check_edges(metadata, registry)
}

/// A package can be replaced by one without a source: a patch or an override by path. Then its
/// name still stands in the manifests of those that depend on it, with our registry.
fn check_edges(metadata: &Metadata, registry: &Registry) -> Result<(), GuardError> {
    let packages: BTreeMap<&PackageId, &Package> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package))
        .collect();
    let resolve = metadata.resolve.as_ref().ok_or(GuardError::NoResolution)?;
    for node in &resolve.nodes {
        let from = packages.get(&node.id).ok_or(GuardError::NoResolution)?;
        for edge in &node.deps {
            let to = packages.get(&edge.pkg).ok_or(GuardError::NoResolution)?;
            if !is_ours(to, registry) && is_declared_as_ours(from, to, registry) {
                let found = match &to.source {
                    Some(source) => source.repr.clone(),
                    None => to.manifest_path.to_string(),
                };
                return Err(redirected(to, found));
            }
        }
    }
    Ok(())
}

/// Says whether `from` names `to` as a package of the registry and of nowhere else.
fn is_declared_as_ours(from: &Package, to: &Package, registry: &Registry) -> bool {
    let mut declared = from
        .dependencies
        .iter()
        .filter(|dependency| dependency.name == to.name.as_str())
        .peekable();
    declared.peek().is_some()
        && declared.all(|dependency| {
            let index = dependency.registry.as_deref();
            dependency.path.is_none() && index.is_some_and(|index| registry.is_index(index))
        })
}

fn is_ours(package: &Package, registry: &Registry) -> bool {
    let source = package.source.as_ref();
    source.is_some_and(|source| registry.is_index(&source.repr))
}

/// Says whether the manifest is `$CARGO_HOME/registry/src/-…/name-version/Cargo.toml`.
fn is_unpacked_by_cargo(package: &Package, cargo_home: &Path) -> bool {
    let manifest = package.manifest_path.as_std_path();
    // Any of the three may be a link: people keep the cache on another disk.
    let Ok(sources) = fs::canonicalize(cargo_home.join("registry").join("src")) else {
        return false;
    };
    let Some(Ok(folder)) = manifest.parent().map(fs::canonicalize) else {
        return false;
    };
    let Ok(below) = folder.strip_prefix(sources) else {
        return false;
    };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let expected = format!("{}-{}", package.name, package.version);
    matches!(&parts[..], [sources, name] if is_of_local_registry(sources) && *name == expected)
        && manifest
            .file_name()
            .is_some_and(|name| name == "Cargo.toml")
}

fn redirected(package: &Package, found: String) -> GuardError {
    GuardError::Redirected {
        package: package.name.to_string(),
        version: package.version.clone(),
        found,
    }
}
