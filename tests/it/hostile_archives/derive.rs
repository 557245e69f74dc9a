//! Releases from archives: the manifest must be that of the folder, and of the release.

use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::install::archive::{Limits, agrees, derive};
use cargo_marketplace::model::{DependencySource, Release, Sha256Digest};

use super::fixture::Tar;

const MANIFEST: &str = r#"
[package]
name = "buoy"
version = "1.0.0"
description = "Floats"
[dependencies]
rope = "2"
"#;
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn archive(folder: &str, manifest: &str) -> Vec<u8> {
    let vcs_info = format!(r#"{{"git":{{"sha1":"{COMMIT}"}},"path_in_vcs":""}}"#);
    Tar::empty()
        .file(
            &format!("{folder}/.cargo_vcs_info.json"),
            vcs_info.as_bytes(),
        )
        .file(&format!("{folder}/Cargo.toml"), manifest.as_bytes())
        .file(&format!("{folder}/src/lib.rs"), b"")
        .pack()
}

fn derived(bytes: &[u8]) -> Result<Release, String> {
    derive(bytes, &Home::Mirror, &Limits::default()).map_err(|error| error.to_string())
}

#[track_caller]
fn assert_agrees(release: &Release, bytes: &[u8]) {
    agrees(release, bytes, &[], &Limits::default()).unwrap();
}

#[track_caller]
fn assert_disagrees(release: &Release, bytes: &[u8], reason: &str) {
    let error = agrees(release, bytes, &[], &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), reason);
}

#[test]
fn derives_what_only_the_archive_says() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let release = derived(&bytes).unwrap();
    assert_eq!(release.checksum, Sha256Digest::of(&bytes));
    assert_eq!(release.size, Some(bytes.len() as u64));
    assert_eq!(release.commit.as_deref(), Some(COMMIT));
    assert!(release.kinds.library);
}

#[test]
fn refuses_a_manifest_of_another_package() {
    assert_eq!(
        derived(&archive("boat-1.0.0", MANIFEST)).unwrap_err(),
        "the archive holds the folder `boat-1.0.0`, but its manifest is that of `buoy-1.0.0`"
    );
}

#[test]
fn refuses_a_manifest_of_another_version() {
    assert_eq!(
        derived(&archive("buoy-1.0.1", MANIFEST)).unwrap_err(),
        "the archive holds the folder `buoy-1.0.1`, but its manifest is that of `buoy-1.0.0`"
    );
}

#[test]
fn refuses_an_archive_without_manifest() {
    let bytes = Tar::empty().file("buoy-1.0.0/src/lib.rs", b"").pack();
    assert_eq!(
        derived(&bytes).unwrap_err(),
        "`buoy-1.0.0/Cargo.toml` is missing in the archive"
    );
}

#[test]
fn refuses_a_manifest_that_is_not_utf_8() {
    let bytes = Tar::empty().file("buoy-1.0.0/Cargo.toml", b"\xff").pack();
    assert_eq!(
        derived(&bytes).unwrap_err(),
        "`buoy-1.0.0/Cargo.toml` in the archive is not UTF-8"
    );
}

#[test]
fn a_release_agrees_with_its_archive_in_either_home() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let mut release = derived(&bytes).unwrap();
    release.publisher = Some("harbour".parse().unwrap());
    assert_agrees(&release, &bytes);
    let own = Home::Own {
        index_urls: Vec::new(),
    };
    assert_agrees(&derive(&bytes, &own, &Limits::default()).unwrap(), &bytes);
}

#[test]
fn a_line_of_another_registry_agrees_without_our_fields() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let mut release = derived(&bytes).unwrap();
    (release.size, release.description, release.commit) = (None, None, None);
    release.kinds.library = false;
    assert_agrees(&release, &bytes);
}

#[test]
fn finds_a_release_that_hides_a_dependency() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let mut release = derived(&bytes).unwrap();
    release.dependencies.clear();
    let reason =
        "the registry states another list of dependencies for `buoy 1.0.0` than its archive";
    assert_disagrees(&release, &bytes, reason);
}

#[test]
fn finds_a_dependency_from_another_registry() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let mut release = derived(&bytes).unwrap();
    release.dependencies[0].source =
        DependencySource::Other("sparse+https://elsewhere.example/".into());
    let reason =
        "the registry states another list of dependencies for `buoy 1.0.0` than its archive";
    assert_disagrees(&release, &bytes, reason);
}

#[test]
fn finds_words_that_the_manifest_does_not_say() {
    let bytes = archive("buoy-1.0.0", MANIFEST);
    let mut release = derived(&bytes).unwrap();
    release.license = Some("MIT".into());
    let reason = "the registry states another license for `buoy 1.0.0` than its archive";
    assert_disagrees(&release, &bytes, reason);
}

#[test]
fn finds_other_bytes() {
    let release = derived(&archive("buoy-1.0.0", MANIFEST)).unwrap();
    let other = archive("buoy-1.0.0", &format!("{MANIFEST}# more"));
    let reason = "the registry states another checksum for `buoy 1.0.0` than its archive";
    assert_disagrees(&release, &other, reason);
}
