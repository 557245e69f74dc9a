//! What is no tar file in one gzip member, and headers that ask for more than there is.

use std::io::Write as _;

use cargo_marketplace::install::archive::{Limits, read};
use tar::{EntryType, Header};

use super::fixture::{Tar, assert_refused, gzip};

/// The archive that is right, and the tar file in it.
fn good() -> (Vec<u8>, Vec<u8>) {
    let packed = Tar::new().pack();
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut tar).unwrap();
    assert!(read(&packed, &Limits::default()).is_ok());
    (packed, tar)
}

/// A header of the package's file `x` that states this size in its twelve bytes.
fn with_size(size: [u8; 12]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path("buoy-1.0.0/x").unwrap();
    header.set_mode(0o644);
    header.as_mut_bytes()[124..136].copy_from_slice(&size);
    header.set_cksum();
    Tar::new().raw(header.as_bytes()).raw(b"content").pack()
}

#[test]
fn refuses_other_compressions_and_none() {
    let (_, tar) = good();
    let zstd = zstd::bulk::compress(&tar, 3).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(&tar).unwrap();
    let starts: [&[u8]; 5] = [
        b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
        b"BZh91AY&SY",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"\x1f\x9d\x90buoy",
        b"<!DOCTYPE html><html>",
    ];
    let starts = starts.into_iter().map(<[u8]>::to_vec);
    for bytes in starts.chain([zstd, zlib.finish().unwrap(), tar]) {
        assert_refused(&bytes, "the archive is not a valid gzip file");
    }
}

#[test]
fn refuses_an_archive_in_an_archive() {
    let (packed, _) = good();
    let inner = packed.len().next_multiple_of(512) - packed.len();
    let padded = [&packed[..], &vec![0; inner]].concat();
    assert_refused(
        &gzip(&padded),
        "the archive has a header with a wrong checksum",
    );
}

#[test]
fn refuses_many_empty_members() {
    let (packed, _) = good();
    let empty = gzip(b"");
    let behind = [&packed[..], &empty.repeat(1000)].concat();
    let count = 1000 * empty.len();
    assert_refused(
        &behind,
        &format!("{count} bytes follow the end of the gzip file"),
    );
    let before = [&empty.repeat(1000)[..], &packed].concat();
    assert_refused(&before, "the archive is cut off");
}

#[test]
fn a_gzip_header_may_hold_a_name_and_never_counts_as_one() {
    let (_, tar) = good();
    let mut packed = flate2::GzBuilder::new()
        .filename("../../etc/passwd")
        .comment("\u{1b}[31m")
        .extra(vec![b'x'; 60_000])
        .write(Vec::new(), flate2::Compression::default());
    packed.write_all(&tar).unwrap();
    let packed = packed.finish().unwrap();
    let contents = read(&packed, &Limits::default()).unwrap();
    assert_eq!(contents.folder, "buoy-1.0.0");
    assert_eq!(contents.paths().collect::<Vec<_>>(), ["Cargo.toml"]);
}

#[test]
fn refuses_a_wrong_sum_or_length_at_the_end_of_the_gzip_member() {
    let (packed, _) = good();
    for back in 1..=8 {
        let mut changed = packed.clone();
        let place = changed.len() - back;
        changed[place] ^= 1;
        assert_refused(&changed, "the archive is not a valid gzip file");
    }
}

#[test]
fn refuses_an_extended_header_of_gigabytes_by_its_kind() {
    for kind in [EntryType::XHeader, EntryType::XGlobalHeader] {
        let mut header = Header::new_ustar();
        header.set_path("buoy-1.0.0/x").unwrap();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(7 << 30);
        header.set_cksum();
        assert_refused(
            &Tar::new().raw(header.as_bytes()).pack(),
            "`buoy-1.0.0/x` in the archive is an extended header; only files and folders are allowed",
        );
    }
}

#[test]
fn refuses_sizes_that_no_archive_has() {
    let too_large = "`buoy-1.0.0/x` is over the limit of 268435456 bytes";
    let wrong = "the archive has a header with a wrong size";
    for (size, reason) in [
        (*b"77777777777\0", too_large),
        // Base 256, GNU's form for large numbers, and a negative one.
        (*b"\x80\0\0\0\0\0\0\x7f\xff\xff\xff\xff", too_large),
        (
            *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            too_large,
        ),
        (*b"-0000000001\0", wrong),
        (*b"0x000000001\0", wrong),
        (*b"999999999999", wrong),
    ] {
        assert_refused(&with_size(size), reason);
    }
}

#[test]
fn refuses_a_path_that_only_a_ustar_prefix_makes_bad() {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..9].copy_from_slice(b"passwd\0\0\0");
    header.as_mut_bytes()[345..361].copy_from_slice(b"buoy-1.0.0/../..");
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    assert_refused(
        &Tar::new().raw(header.as_bytes()).pack(),
        "`buoy-1.0.0/../../passwd` in the archive has a `.` or `..` part",
    );
}

#[test]
fn takes_no_right_from_a_mode() {
    let tar = Tar::new()
        .entry(b"buoy-1.0.0/run", EntryType::Regular, 0o7777, b"x")
        .entry(b"buoy-1.0.0/secret", EntryType::Regular, 0o6000, b"x");
    let place = tempfile::tempdir().unwrap();
    let into = place.path().join("into");
    cargo_marketplace::install::archive::unpack(&tar.pack(), &into, &Limits::default()).unwrap();
    #[cfg(unix)]
    for (path, mode) in [("run", 0o755), ("secret", 0o644)] {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(into.join(path)).unwrap().permissions();
        // What the user's mask takes away is the user's matter.
        assert_eq!(found.mode() & 0o7777 & !mode, 0, "{path}");
    }
}
