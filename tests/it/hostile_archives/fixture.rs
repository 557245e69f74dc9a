//! Archives made by hand, header by header, and the proof that a refusal wrote nothing.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use cargo_marketplace::install::archive::{Limits, read, unpack};
use cargo_marketplace::model::Sha256Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// A tar file that is being written, with no check at all.
pub(super) struct Tar(Vec<u8>);

impl Tar {
    /// A tar file with a manifest, as every archive has it.
    pub(super) fn new() -> Self {
        let manifest = b"[package]\nname = \"buoy\"\nversion = \"1.0.0\"\n";
        Self(Vec::new()).file("buoy-1.0.0/Cargo.toml", manifest)
    }

    /// A tar file with nothing in it.
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    /// Adds a regular file.
    pub(super) fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(path.as_bytes(), EntryType::Regular, 0o644, content)
    }

    /// Adds an entry of any kind, with any bytes as its path.
    pub(super) fn entry(self, path: &[u8], kind: EntryType, mode: u32, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.raw(header.as_bytes()).padded(content)
    }

    /// Adds a file whose path has an entry of its own, as GNU tar writes long ones.
    pub(super) fn long_file(self, path: &str, content: &[u8]) -> Self {
        let name = [path.as_bytes(), b"\0"].concat();
        self.entry(b"././@LongLink", EntryType::GNULongName, 0o644, &name)
            .file("buoy-1.0.0/short", content)
    }

    /// Adds bytes and fills their last block with zeros.
    pub(super) fn padded(self, content: &[u8]) -> Self {
        let fill = content.len().next_multiple_of(512) - content.len();
        self.raw(content).raw(&vec![0; fill])
    }

    /// Adds bytes as they are.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds the end mark and packs all.
    pub(super) fn pack(self) -> Vec<u8> {
        self.raw(&[0; 1024]).pack_unfinished()
    }

    /// Packs all as it is.
    pub(super) fn pack_unfinished(self) -> Vec<u8> {
        gzip(&self.0)
    }
}

/// A gzip file of these bytes.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Requires that reading and unpacking refuse the archive for this reason and write nothing.
#[track_caller]
pub(super) fn assert_refused(bytes: &[u8], reason: &str) {
    assert_refused_under(bytes, &Limits::default(), reason);
}

/// The same under other limits.
#[track_caller]
pub(super) fn assert_refused_under(bytes: &[u8], limits: &Limits, reason: &str) {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("neighbour")).unwrap();
    fs::write(parent.path().join("neighbour/file"), "as it was").unwrap();
    let before = folder_digest(parent.path());
    assert_eq!(read(bytes, limits).unwrap_err().to_string(), reason);
    let unpacked = unpack(bytes, &parent.path().join("into"), limits);
    assert_eq!(unpacked.unwrap_err().to_string(), reason);
    assert_eq!(
        folder_digest(parent.path()),
        before,
        "something was written"
    );
}

/// A digest over names, kinds, contents, permissions and times of change of all below a folder.
pub(super) fn folder_digest(folder: &Path) -> Sha256Digest {
    let mut text = Vec::new();
    describe(folder, &mut text);
    Sha256Digest::of(&text)
}

fn describe(path: &Path, text: &mut Vec<u8>) {
    let metadata = path.symlink_metadata().unwrap();
    let kind = metadata.file_type();
    let (permissions, changed) = (metadata.permissions(), metadata.modified().unwrap());
    let name = path.display();
    writeln!(text, "{name} {kind:?} {permissions:?} {changed:?}").unwrap();
    if kind.is_dir() {
        let entries = fs::read_dir(path).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            describe(&path, text);
        }
    } else if kind.is_file() {
        text.extend(fs::read(path).unwrap());
    }
}
