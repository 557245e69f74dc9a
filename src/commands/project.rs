//! The folders of a project: those above the one at hand, and those of the workspace that a manifest
//! there belongs to, as cargo finds it. Reads manifests and runs nothing.

use std::path::{Component, Path, PathBuf};

use crate::registry::toml_file::{TomlFile, TomlFileError};

const MANIFEST: &str = "Cargo.toml";

/// Every folder in which something can lie that concerns a project, the nearest one first: a folder and
/// those above it, and where a manifest there names its workspace (`package.workspace`), that one and
/// those above it. A folder that is reached by a link lies in two places, and both count.
#[must_use]
pub fn folders(start: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for start in places(start) {
        for folder in start.ancestors() {
            add(&mut found, folder);
            // A manifest that cannot be read, cargo does not build.
            if let Ok(Some(Belonging::NamedRoot(root))) = belonging(folder) {
                for root in places(&root) {
                    for folder in root.ancestors() {
                        add(&mut found, folder);
                    }
                }
            }
        }
    }
    found
}

/// The folder of the workspace that a folder's package belongs to, or of the package, if it is none's
/// member; `None` where there is no package.
pub fn root(start: &Path) -> Result<Option<PathBuf>, TomlFileError> {
    let mut nearest = None;
    for folder in start.ancestors() {
        match belonging(folder)? {
            Some(Belonging::NamedRoot(root)) => return Ok(Some(root)),
            Some(Belonging::Root) => return Ok(Some(folder.to_owned())),
            Some(Belonging::Open) => nearest = nearest.or(Some(folder)),
            None => {}
        }
    }
    Ok(nearest.map(Path::to_owned))
}

/// What a manifest says of its workspace.
enum Belonging {
    /// It is the root of one.
    Root,
    /// The root is in this folder.
    NamedRoot(PathBuf),
    /// Nothing: the root is above it, if there is one.
    Open,
}

fn belonging(folder: &Path) -> Result<Option<Belonging>, TomlFileError> {
    let path = folder.join(MANIFEST);
    if !path.is_file() {
        return Ok(None);
    }
    let manifest = TomlFile::load(path)?.document;
    if manifest.contains_key("workspace") {
        return Ok(Some(Belonging::Root));
    }
    // Old manifests call the package a project.
    let mut tables = ["package", "project"].iter();
    let named = tables.find_map(|table| manifest.get(table)?.get("workspace")?.as_str());
    Ok(Some(match named {
        Some(root) => Belonging::NamedRoot(without_dots(&folder.join(root))),
        None => Belonging::Open,
    }))
}

/// Where a folder is said to lie, and where it really does.
fn places(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let said = without_dots(folder);
    let real = folder.canonicalize().ok();
    let real = real.filter(|real| *real != said);
    std::iter::once(said).chain(real)
}

/// Takes `.` and `..` out of a path by its text alone, as cargo does.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn add(found: &mut Vec<PathBuf>, folder: &Path) {
    if !found.iter().any(|known| known == folder) {
        found.push(folder.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with manifests at those paths.
    fn project(manifests: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        for (path, text) in manifests {
            let path = place.join(path);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join(MANIFEST), text).unwrap();
        }
        (folder, place)
    }

    const OUTSIDE: &str = "[package]\nname = 'tide'\nworkspace = '../root'\n";

    #[test]
    fn a_member_elsewhere_is_of_the_workspace_that_it_names() {
        let (_folder, place) = project(&[("root", "[workspace]\n"), ("outside", OUTSIDE)]);
        let deep = place.join("outside/src");
        fs::create_dir(&deep).unwrap();
        assert_eq!(root(&deep).unwrap(), Some(place.join("root")));
        let found = folders(&deep);
        let first = ["outside/src", "outside", "root"].map(|path| place.join(path));
        assert_eq!(&found[..3], first);
        assert_eq!(found[3], place);
        assert_eq!(found.iter().filter(|folder| **folder == place).count(), 1);
    }

    #[test]
    fn the_nearest_workspace_above_a_member_is_its_own() {
        let member = "[package]\nname = 'tide'\n";
        let (_folder, place) = project(&[("", "[workspace]\n"), ("a/member", member)]);
        assert_eq!(root(&place.join("a/member")).unwrap(), Some(place.clone()));
        let (_folder, place) = project(&[("a/member", member)]);
        let member = place.join("a/member");
        assert_eq!(root(&member).unwrap(), Some(member.clone()));
        assert_eq!(root(&place).unwrap(), None);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_names_nothing() {
        let (_folder, place) = project(&[("a", "{{name}}"), ("a/b", OUTSIDE)]);
        let found = folders(&place.join("a/b"));
        assert!(found.contains(&place.join("a/root")), "{found:?}");
        assert!(root(&place.join("a")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_lies_in_two_places() {
        let (_folder, place) = project(&[("real/member", "[package]\nname = 'tide'\n")]);
        fs::create_dir(place.join("elsewhere")).unwrap();
        let link = place.join("elsewhere/link");
        std::os::unix::fs::symlink(place.join("real/member"), &link).unwrap();
        let found = folders(&link);
        for folder in ["elsewhere/link", "elsewhere", "real/member", "real"] {
            assert!(found.contains(&place.join(folder)), "{folder}: {found:?}");
        }
    }
}
