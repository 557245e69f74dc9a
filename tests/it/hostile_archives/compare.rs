//! Unpacked folders that somebody wrote to: cargo would build them as they are.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_marketplace::install::archive::{Limits, differs, unpack};
use tar::EntryType;

use super::fixture::Tar;

fn archive() -> Vec<u8> {
    Tar::new()
        .file("buoy-1.0.0/src/lib.rs", b"pub fn float() {}")
        .file("buoy-1.0.0/src/deep/more.rs", b"")
        .entry(b"buoy-1.0.0/run.sh", EntryType::Regular, 0o755, b"echo")
        .pack()
}

/// Unpacks the archive as cargo leaves it, lets `tamper` at the folder, and returns the difference
/// that is found.
fn found_after(tamper: impl FnOnce(&Path)) -> Option<PathBuf> {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("buoy-1.0.0");
    unpack(&archive(), &folder, &Limits::default()).unwrap();
    fs::write(folder.join(".cargo-ok"), r#"{"v":1}"#).unwrap();
    tamper(&folder);
    differs(&archive(), &folder, &Limits::default()).unwrap()
}

#[test]
fn an_untouched_folder_does_not_differ() {
    assert_eq!(found_after(|_| {}), None);
}

#[test]
fn finds_a_changed_file() {
    let found =
        found_after(|folder| fs::write(folder.join("src/lib.rs"), "pub fn drown() {}").unwrap());
    assert_eq!(found, Some("src/lib.rs".into()));
}

#[test]
fn finds_a_file_that_grew() {
    let found = found_after(|folder| fs::write(folder.join("src/deep/more.rs"), "x").unwrap());
    assert_eq!(found, Some("src/deep/more.rs".into()));
}

#[test]
fn finds_a_missing_file() {
    let found = found_after(|folder| fs::remove_file(folder.join("src/lib.rs")).unwrap());
    assert_eq!(found, Some("src/lib.rs".into()));
}

#[test]
fn finds_an_extra_file() {
    let found = found_after(|folder| fs::write(folder.join("build.rs"), "fn main() {}").unwrap());
    assert_eq!(found, Some("build.rs".into()));
}

#[test]
fn finds_an_extra_folder() {
    let found = found_after(|folder| fs::create_dir(folder.join(".cargo")).unwrap());
    assert_eq!(found, Some(".cargo".into()));
}

#[test]
fn finds_a_mark_that_is_no_file() {
    let found = found_after(|folder| {
        fs::remove_file(folder.join(".cargo-ok")).unwrap();
        fs::create_dir(folder.join(".cargo-ok")).unwrap();
    });
    assert_eq!(found, Some(".cargo-ok".into()));
}

#[test]
fn finds_a_missing_folder() {
    let found = found_after(|folder| fs::remove_dir_all(folder).unwrap());
    assert_eq!(found, Some("Cargo.toml".into()));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn finds_a_link_to_a_file_with_the_right_content() {
        let found = found_after(|folder| {
            let away = folder.parent().unwrap().join("away.rs");
            fs::rename(folder.join("src/lib.rs"), &away).unwrap();
            symlink(away, folder.join("src/lib.rs")).unwrap();
        });
        assert_eq!(found, Some("src/lib.rs".into()));
    }

    #[test]
    fn finds_a_link_to_a_folder_with_the_right_content() {
        let found = found_after(|folder| {
            let away = folder.parent().unwrap().join("away");
            fs::rename(folder.join("src"), &away).unwrap();
            symlink(away, folder.join("src")).unwrap();
        });
        assert_eq!(found, Some("src".into()));
    }

    #[test]
    fn finds_that_the_folder_itself_is_a_link() {
        let found = found_after(|folder| {
            let away = folder.parent().unwrap().join("away");
            fs::rename(folder, &away).unwrap();
            symlink(away, folder).unwrap();
        });
        assert_eq!(found, Some(PathBuf::new()));
    }

    #[test]
    fn finds_a_link_in_place_of_cargos_mark() {
        let found = found_after(|folder| {
            fs::remove_file(folder.join(".cargo-ok")).unwrap();
            symlink("Cargo.toml", folder.join(".cargo-ok")).unwrap();
        });
        assert_eq!(found, Some(".cargo-ok".into()));
    }

    #[test]
    fn finds_a_file_that_became_a_program() {
        let found = found_after(|folder| set_mode(&folder.join("src/lib.rs"), 0o755));
        assert_eq!(found, Some("src/lib.rs".into()));
    }

    #[test]
    fn finds_a_program_that_runs_as_its_owner() {
        let found = found_after(|folder| set_mode(&folder.join("run.sh"), 0o4755));
        assert_eq!(found, Some("run.sh".into()));
    }

    #[test]
    fn a_program_may_lose_its_mark() {
        assert_eq!(
            found_after(|folder| set_mode(&folder.join("run.sh"), 0o644)),
            None
        );
    }
}
