//! Entries that are no files, headers that lie, and bytes outside of what a reader looks at.

use cargo_marketplace::install::archive::{Limits, read};
use tar::{EntryType, Header};

use super::fixture::{Tar, assert_refused, gzip};

#[track_caller]
fn assert_kind_refused(kind: EntryType, content: &[u8], name: &str) {
    let tar = Tar::new().entry(b"buoy-1.0.0/x", kind, 0o777, content);
    let reason =
        format!("`buoy-1.0.0/x` in the archive is {name}; only files and folders are allowed");
    assert_refused(&tar.pack(), &reason);
}

#[test]
fn refuses_a_symbolic_link() {
    assert_kind_refused(EntryType::Symlink, b"", "a symbolic link");
}

#[test]
fn refuses_a_hard_link() {
    assert_kind_refused(EntryType::Link, b"", "a hard link");
}

#[test]
fn refuses_devices() {
    assert_kind_refused(EntryType::Char, b"", "a device");
    assert_kind_refused(EntryType::Block, b"", "a device");
}

#[test]
fn refuses_a_named_pipe() {
    assert_kind_refused(EntryType::Fifo, b"", "a named pipe");
}

#[test]
fn refuses_a_sparse_file() {
    assert_kind_refused(EntryType::GNUSparse, b"x", "a sparse file");
}

#[test]
fn refuses_a_contiguous_file_and_unknown_kinds() {
    assert_kind_refused(EntryType::Continuous, b"x", "of an unknown kind");
    assert_kind_refused(EntryType::new(b'Z'), b"x", "of an unknown kind");
}

#[test]
fn refuses_an_extended_header_that_would_change_the_path() {
    assert_kind_refused(
        EntryType::XHeader,
        b"24 path=buoy-1.0.0/evil\n",
        "an extended header",
    );
}

#[test]
fn refuses_an_extended_header_that_would_change_the_size() {
    assert_kind_refused(EntryType::XHeader, b"13 size=4096\n", "an extended header");
}

#[test]
fn refuses_a_global_extended_header() {
    assert_kind_refused(
        EntryType::XGlobalHeader,
        b"20 comment=something\n",
        "an extended header",
    );
}

#[test]
fn refuses_a_long_link_name() {
    assert_kind_refused(EntryType::GNULongLink, b"somewhere\0", "a stray long name");
}

#[test]
fn refuses_two_long_names_for_one_file() {
    let name = b"buoy-1.0.0/a\0";
    let tar = Tar::new()
        .entry(b"././@LongLink", EntryType::GNULongName, 0o644, name)
        .entry(b"././@LongLink", EntryType::GNULongName, 0o644, name)
        .file("buoy-1.0.0/b", b"x");
    assert_refused(
        &tar.pack(),
        "`buoy-1.0.0/a` in the archive is a stray long name; only files and folders are allowed",
    );
}

#[test]
fn refuses_a_long_name_that_is_a_bomb() {
    let name = vec![b'a'; 1025];
    let tar = Tar::new().entry(b"././@LongLink", EntryType::GNULongName, 0o644, &name);
    assert_refused(
        &tar.pack(),
        "the archive has a header with a wrong long name",
    );
}

#[test]
fn refuses_a_long_name_without_a_file() {
    let name = b"buoy-1.0.0/a\0";
    let tar = Tar::new().entry(b"././@LongLink", EntryType::GNULongName, 0o644, name);
    assert_refused(&tar.pack(), "the archive is cut off");
}

#[test]
fn refuses_a_long_name_with_a_nul_inside() {
    let tar = Tar::new().long_file("buoy-1.0.0/a\0/../../b", b"x");
    assert_refused(
        &tar.pack(),
        "`buoy-1.0.0/a\\0/../../b` in the archive has the character '\\0', which is not allowed in names",
    );
}

#[test]
fn refuses_a_wrong_header_checksum() {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.set_size(0);
    header.set_cksum();
    header.set_mode(0o755);
    let tar = Tar::new().raw(header.as_bytes());
    assert_refused(
        &tar.pack(),
        "the archive has a header with a wrong checksum",
    );
}

#[test]
fn refuses_a_size_that_is_no_number() {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.as_old_mut().size = *b"99999999999\0";
    header.set_cksum();
    let tar = Tar::new().raw(header.as_bytes());
    assert_refused(&tar.pack(), "the archive has a header with a wrong size");
}

#[test]
fn refuses_a_folder_with_content() {
    let tar = Tar::new().entry(b"buoy-1.0.0/src/", EntryType::Directory, 0o755, b"x");
    assert_refused(&tar.pack(), "the archive has a header with a wrong size");
}

#[test]
fn refuses_the_same_folder_twice() {
    let tar = Tar::new()
        .entry(b"buoy-1.0.0/src/", EntryType::Directory, 0o755, b"")
        .entry(b"buoy-1.0.0/src", EntryType::Directory, 0o755, b"");
    assert_refused(&tar.pack(), "`buoy-1.0.0/src` is in the archive twice");
}

#[test]
fn refuses_bytes_after_the_end_mark() {
    let tar = Tar::new().raw(&[0; 1024]).file("buoy-1.0.0/hidden", b"x");
    assert_refused(&tar.pack(), "the archive hides bytes after its end");
}

#[test]
fn refuses_an_end_mark_of_one_block() {
    let tar = Tar::new().raw(&[0; 512]).file("buoy-1.0.0/hidden", b"x");
    assert_refused(&tar.pack(), "the archive hides bytes after its end");
}

#[test]
fn refuses_bytes_in_the_fill_of_a_block() {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.set_mode(0o644);
    header.set_size(1);
    header.set_cksum();
    let tar = Tar::new().raw(header.as_bytes()).padded(b"xhidden");
    assert_refused(&tar.pack(), "the archive hides bytes after `x`");
}

#[test]
fn refuses_an_archive_without_end_mark() {
    assert_refused(&Tar::new().pack_unfinished(), "the archive is cut off");
}

#[test]
fn refuses_an_archive_cut_off_inside_a_file() {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.set_mode(0o644);
    header.set_size(4096);
    header.set_cksum();
    let tar = Tar::new().raw(header.as_bytes()).padded(b"x");
    assert_refused(&tar.pack_unfinished(), "the archive is cut off");
}

#[test]
fn refuses_an_archive_without_files() {
    assert_refused(&Tar::empty().pack(), "the archive is empty");
}

#[test]
fn refuses_a_second_gzip_member() {
    let second = Tar::new().pack();
    let bytes = [Tar::new().pack(), second.clone()].concat();
    let reason = format!("{} bytes follow the end of the gzip file", second.len());
    assert_refused(&bytes, &reason);
}

#[test]
fn refuses_a_tar_that_goes_on_in_a_second_gzip_member() {
    let bytes = [Tar::new().pack_unfinished(), gzip(&[0; 1024])].concat();
    assert_refused(&bytes, "the archive is cut off");
}

#[test]
fn refuses_bytes_after_the_gzip_member() {
    let bytes = [Tar::new().pack(), vec![0]].concat();
    assert_refused(&bytes, "1 bytes follow the end of the gzip file");
}

#[test]
fn refuses_what_is_no_gzip_file() {
    for bytes in [&b""[..], b"<!doctype html>", &[0; 600]] {
        assert_refused(bytes, "the archive is not a valid gzip file");
    }
}

#[test]
fn refuses_every_cut_and_every_flipped_bit_of_the_content() {
    let bytes = Tar::new()
        .file("buoy-1.0.0/src/lib.rs", b"pub fn float() {}")
        .pack();
    let good = read(&bytes, &Limits::default()).unwrap();
    for end in 0..bytes.len() {
        assert!(
            read(&bytes[..end], &Limits::default()).is_err(),
            "cut at {end}"
        );
    }
    // The ten bytes of the gzip header (time, system) say nothing about the content.
    for bit in 80..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let same = read(&flipped, &Limits::default()).is_ok_and(|contents| contents != good);
        assert!(!same, "bit {bit} changes the content unseen");
    }
}
