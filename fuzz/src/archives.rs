//! Archives: as they come, as tar files whose sums are right, and the manifests in them.

use std::fs;
use std::path::Path;

use cargo_marketplace::formats::manifest::{self, ArchiveFacts, Home};
use cargo_marketplace::formats::v1::{release_from_json, release_to_json};
use cargo_marketplace::install::archive::{Limits, agrees, derive, differs, read, unpack};
use cargo_marketplace::model::{Document, Entry, Release, Sha256Digest};

use crate::{BASE, documents, trees};

/// Small, so that the limits are met, too.
const LIMITS: Limits = Limits {
    archive_size: 1 << 20,
    unpacked_size: 4 << 20,
    file_size: 1 << 20,
    entries: 64,
    ratio: 100,
    kept_size: 64 << 10,
};

/// Bytes as a `.crate` file.
pub(crate) fn archive(bytes: &[u8]) {
    if let Ok(contents) = read(bytes, &LIMITS) {
        let files = contents
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.size));
        unpacks_to(bytes, &files.collect::<Vec<_>>());
    }
    let home = Home::Own {
        index_urls: vec![format!("sparse+{BASE}")],
    };
    if let Ok(release) = derive(bytes, &home, &LIMITS) {
        let agrees = agrees(&release, bytes, &[format!("sparse+{BASE}")], &LIMITS);
        assert!(agrees.is_ok(), "{agrees:?}");
        can_be_stated(&release);
    }
}

/// Bytes as the tar file in a `.crate` file, its sums put right.
pub(crate) fn tar(bytes: &[u8]) {
    let mut tar = bytes.to_vec();
    trees::mend(&mut tar);
    archive(&trees::gzip(&tar));
}

/// Bytes as the `Cargo.toml` in an archive.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let files = [
        "Cargo.toml",
        "src/lib.rs",
        "src/main.rs",
        "src/bin/a.rs",
        "template/a.txt",
    ];
    let own = Home::Own {
        index_urls: vec![format!("sparse+{BASE}")],
    };
    for home in [own, Home::Mirror] {
        let facts = ArchiveFacts {
            checksum: Sha256Digest::of(bytes),
            size: bytes.len() as u64,
            commit: None,
        };
        if let Ok(release) = manifest::release(text, &files, facts, &home) {
            can_be_stated(&release);
        }
    }
}

/// Unpacking gives these files, nothing else, and nothing elsewhere.
fn unpacks_to(bytes: &[u8], files: &[(&str, u64)]) {
    let place = tempfile::tempdir().expect("a folder for temporary files");
    let into = place.path().join("unpacked");
    unpack(bytes, &into, &LIMITS).expect("it was read without fault");
    assert_eq!(
        differs(bytes, &into, &LIMITS).expect("as it was read"),
        None
    );
    for (path, size) in files {
        let metadata = fs::symlink_metadata(into.join(path)).expect("it was unpacked");
        assert!(metadata.is_file() && metadata.len() == *size, "{path}");
    }
    assert_eq!(count(&into), files.len());
    assert_eq!(fs::read_dir(place.path()).expect("it is there").count(), 1);
}

/// The files in a folder.
fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("it was unpacked");
    let entries = entries.map(|entry| entry.expect("it was unpacked").path());
    let count = |path: std::path::PathBuf| if path.is_dir() { count(&path) } else { 1 };
    entries.map(count).sum()
}

/// A release that is derived can be signed, published, and read by everybody.
fn can_be_stated(release: &Release) {
    let stated = release_to_json(release);
    assert_eq!(release_from_json(&stated).as_ref(), Ok(release));
    documents::same_in_both(&Document {
        package: release.name.clone(),
        entries: vec![Entry {
            release: release.clone(),
            accepted: None,
            yanked: None,
            trust: None,
        }],
    });
}
