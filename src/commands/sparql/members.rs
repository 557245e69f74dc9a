//! What the members of a workspace state of themselves, read off their manifests. Runs no cargo, which would
//! heed the settings of a project that is only being looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Value};

use crate::commands::project::without_dots;
use crate::disk;
use crate::registry::toml_file::TomlFile;
use crate::trust::tuf::glob;

/// Packages by name, with the oldest Rust that each states.
pub(super) type RustVersions = BTreeMap<String, Option<String>>;

/// The oldest Rust of each package that is found from the workspace's folder, if it states one. There are the
/// package in it, those that `workspace.members` names, and what lies at a path that one of them names.
pub(super) fn rust_versions(root: &Path) -> RustVersions {
    let mut found = RustVersions::new();
    let Some(workspace) = manifest(root) else {
        return found;
    };
    let members = workspace.get("workspace").and_then(|it| it.get("members"));
    let members = members.and_then(Item::as_array).into_iter().flatten();
    let mut waiting = vec![root.to_owned()];
    for pattern in members.filter_map(Value::as_str) {
        waiting.extend(folders(root, pattern));
    }
    let inherited = workspace.get("workspace").and_then(|it| it.get("package"));
    let mut seen = BTreeSet::new();
    while let Some(folder) = waiting.pop() {
        let folder = without_dots(&folder);
        let Some(document) = manifest(&folder).filter(|_| seen.insert(folder.clone())) else {
            continue;
        };
        let mut paths = Vec::new();
        collect_paths(document.as_item(), &mut paths);
        waiting.extend(paths.iter().map(|path| folder.join(path)));
        let Some(package) = document.get("package") else {
            continue;
        };
        if let Some(name) = package.get("name").and_then(Item::as_str) {
            found.insert(name.to_owned(), rust_version(package, inherited));
        }
    }
    found
}

/// The manifest in a folder. One that cannot be read, cargo does not build.
fn manifest(folder: &Path) -> Option<DocumentMut> {
    let path = folder.join("Cargo.toml");
    let file = path.is_file().then(|| TomlFile::load(path).ok())?;
    Some(file?.document)
}

fn rust_version(package: &Item, inherited: Option<&Item>) -> Option<String> {
    let stated = |package: &Item| Some(package.get("rust-version")?.as_str()?.to_owned());
    let inherits = package.get("rust-version")?.get("workspace");
    match inherits.and_then(Item::as_bool) {
        Some(true) => stated(inherited?),
        _ => stated(package),
    }
}

/// All that is said to lie at a `path`, of dependencies and patches in whichever table; those of targets are
/// files, and no folder with a manifest.
fn collect_paths(item: &Item, paths: &mut Vec<String>) {
    let Some(table) = item.as_table_like() else {
        return;
    };
    for (key, value) in table.iter() {
        match value.as_str() {
            Some(path) if key == "path" => paths.push(path.to_owned()),
            _ => collect_paths(value, paths),
        }
    }
}

/// The folders that a pattern of `workspace.members` means, in which `*` and `?` stand for no `/`.
fn folders(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    for name in pattern.split('/') {
        if !name.contains(['*', '?']) {
            for folder in &mut found {
                folder.push(name);
            }
            continue;
        }
        let inside = |folder: PathBuf| disk::entries_if_there(&folder).unwrap_or_default();
        let entries = found.into_iter().flat_map(inside);
        let fitting = entries.filter(|entry| glob(name, &entry.file_name().to_string_lossy()));
        found = fitting.map(|entry| entry.path()).collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn members_are_found_by_pattern_and_path() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            (
                ".",
                "[workspace]\nmembers = ['tool', 'crates/?ide-*', 'none/*']\n\
                 package.rust-version = '1.70'\n",
            ),
            ("tool", "[package]\nname = 'tool'\nrust-version = '1.80'\n"),
            (
                "crates/tide-a",
                "[package]\nname = 'tide-a'\nrust-version.workspace = true\n\
                 [[bin]]\npath = 'src/main.rs'\n\
                 [target.'cfg(unix)'.dependencies]\nfar = { path = '../../far' }\n",
            ),
            ("crates/tide-b", "[package]\nname = 'tide-b'\n"),
            ("crates/other", "[package]\nname = 'other'\n"),
            ("crates/tide-broken", "[package"),
            (
                "far",
                "[package]\nname = 'far'\nrust-version = '1.60'\n\
                 [dependencies.tide-a]\npath = '../crates/tide-a'\n",
            ),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("Cargo.toml"), text).unwrap();
        }
        let found = rust_versions(folder.path());
        let found = found
            .iter()
            .map(|(name, rust)| (name.as_str(), rust.as_deref()));
        let expected = [
            ("far", Some("1.60")),
            ("tide-a", Some("1.70")),
            ("tide-b", None),
            ("tool", Some("1.80")),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert!(rust_versions(&folder.path().join("none")).is_empty());
    }
}
