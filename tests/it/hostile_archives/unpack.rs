//! What unpacking leaves behind: all of it, with our modes, or nothing.

use std::fs;

use cargo_marketplace::install::archive::{Limits, read, read_file, unpack};
use tar::EntryType;

use super::fixture::{Tar, folder_digest};

fn archive() -> Vec<u8> {
    let long = format!(
        "buoy-1.0.0/{}/deep.rs",
        "folder/".repeat(20).trim_end_matches('/')
    );
    Tar::new()
        .entry(b"buoy-1.0.0/", EntryType::Directory, 0o000, b"")
        .file("buoy-1.0.0/src/lib.rs", &[b'x'; 10_000])
        .entry(b"buoy-1.0.0/run.sh", EntryType::Regular, 0o6777, b"echo")
        .entry(b"buoy-1.0.0/empty/", EntryType::Directory, 0o777, b"")
        .long_file(&long, b"deep")
        .pack()
}

#[test]
fn lists_files_and_keeps_the_manifest() {
    let contents = read(&archive(), &Limits::default()).unwrap();
    assert_eq!(contents.folder, "buoy-1.0.0");
    let paths: Vec<_> = contents.paths().collect();
    assert_eq!(paths[..3], ["Cargo.toml", "src/lib.rs", "run.sh"]);
    assert!(
        contents
            .file("Cargo.toml")
            .unwrap()
            .starts_with(b"[package]")
    );
    assert_eq!(contents.file("run.sh"), None);
    assert!(contents.files[2].executable && !contents.files[1].executable);
    let run = read_file(&archive(), "run.sh", &Limits::default()).unwrap();
    assert_eq!(run.as_deref(), Some(&b"echo"[..]));
    assert_eq!(
        read_file(&archive(), "none", &Limits::default()).unwrap(),
        None
    );
}

#[test]
fn unpacks_all_files() {
    let parent = tempfile::tempdir().unwrap();
    let into = parent.path().join("buoy");
    unpack(&archive(), &into, &Limits::default()).unwrap();
    assert_eq!(fs::read(into.join("src/lib.rs")).unwrap(), [b'x'; 10_000]);
    let deep = into.join("folder/".repeat(20)).join("deep.rs");
    assert_eq!(fs::read(deep).unwrap(), b"deep");
    assert!(into.join("empty").is_dir());
    let left: Vec<_> = fs::read_dir(parent.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "the staging folder is still there");
}

#[cfg(unix)]
#[test]
fn takes_no_mode_from_the_archive() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let into = parent.path().join("buoy");
    unpack(&archive(), &into, &Limits::default()).unwrap();
    let mode = |path: &str| into.join(path).metadata().unwrap().permissions().mode() & 0o7777;
    // Less than 0755 and 0644 if the umask of the process says so, never more.
    assert_eq!(mode("run.sh") & 0o7022, 0);
    assert_ne!(mode("run.sh") & 0o100, 0);
    assert_eq!(mode("Cargo.toml") & 0o7133, 0);
    assert_eq!(mode("") & 0o7022, 0);
    assert_eq!(mode("empty") & 0o7022, 0);
}

#[test]
fn never_replaces_what_exists() {
    let parent = tempfile::tempdir().unwrap();
    let into = parent.path().join("buoy");
    fs::create_dir(&into).unwrap();
    let before = folder_digest(parent.path());
    let error = unpack(&archive(), &into, &Limits::default()).unwrap_err();
    assert!(error.to_string().ends_with("buoy` exists already"));
    assert_eq!(folder_digest(parent.path()), before);
}

#[cfg(unix)]
#[test]
fn does_not_follow_a_dangling_link_at_the_target() {
    let parent = tempfile::tempdir().unwrap();
    let into = parent.path().join("buoy");
    std::os::unix::fs::symlink(parent.path().join("elsewhere"), &into).unwrap();
    let before = folder_digest(parent.path());
    assert!(unpack(&archive(), &into, &Limits::default()).is_err());
    assert_eq!(folder_digest(parent.path()), before);
}
