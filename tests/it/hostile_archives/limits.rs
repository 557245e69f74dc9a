//! Archives that ask for too much: refused while they are read, never after.

use cargo_marketplace::install::archive::{Limits, read};
use tar::Header;

use super::fixture::{Tar, assert_refused, assert_refused_under};

#[test]
fn refuses_an_archive_that_is_too_large() {
    let bytes = Tar::new().pack();
    let limits = Limits {
        archive_size: bytes.len() as u64 - 1,
        ..Limits::default()
    };
    let reason = format!("the archive is over the limit of {} bytes", bytes.len() - 1);
    assert_refused_under(&bytes, &limits, &reason);
}

#[test]
fn refuses_content_that_is_too_large() {
    let limits = Limits {
        unpacked_size: 4096,
        ..Limits::default()
    };
    let bytes = Tar::new().file("buoy-1.0.0/x", &[7; 8192]).pack();
    assert_refused_under(
        &bytes,
        &limits,
        "its content is over the limit of 4096 bytes",
    );
}

#[test]
fn refuses_a_file_that_is_too_large_by_its_header_alone() {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.set_mode(0o644);
    header.set_size(u64::MAX / 2);
    header.set_cksum();
    let bytes = Tar::new().raw(header.as_bytes()).pack();
    assert_refused(
        &bytes,
        "`buoy-1.0.0/x` is over the limit of 268435456 bytes",
    );
}

#[test]
fn refuses_a_manifest_that_is_too_large() {
    let limits = Limits {
        kept_size: 16,
        ..Limits::default()
    };
    let error = read(&Tar::new().pack(), &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Cargo.toml` is over the limit of 16 bytes"
    );
}

#[test]
fn refuses_too_many_files() {
    let limits = Limits {
        entries: 100,
        ..Limits::default()
    };
    let tar = (0..100).fold(Tar::new(), |tar, n| {
        tar.file(&format!("buoy-1.0.0/{n}"), b"")
    });
    let reason = "the archive holds more than 100 files and folders";
    assert_refused_under(&tar.pack(), &limits, reason);
}

#[test]
fn counts_folders_that_only_paths_name() {
    let limits = Limits {
        entries: 40,
        ..Limits::default()
    };
    let deep = format!("buoy-1.0.0{}/x", "/d".repeat(40));
    let reason = "the archive holds more than 40 files and folders";
    assert_refused_under(&Tar::new().file(&deep, b"").pack(), &limits, reason);
}

#[test]
fn refuses_a_compression_bomb() {
    let zeros = vec![0; 16 << 20];
    let bytes = Tar::new().file("buoy-1.0.0/zeros", &zeros).pack();
    assert!(bytes.len() < 32 << 10);
    assert_refused(
        &bytes,
        "the archive unpacks to more than 100 times its size",
    );
}

#[test]
fn refuses_a_bomb_behind_the_end_mark() {
    let bytes = Tar::new().raw(&vec![0; 16 << 20]).pack();
    assert_refused(
        &bytes,
        "the archive unpacks to more than 100 times its size",
    );
}
