//! Tar files whose checksums are right and archives of them, so that a change of one byte is not found
//! out by its sum alone.

use std::io::Write as _;

/// The unit of a tar file.
const BLOCK: usize = 512;

/// Puts the right sum into what is taken for a header: the first block, and each one behind the content
/// that the one before it says to have.
pub(crate) fn mend(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        if header.iter().any(|byte| *byte != 0) {
            header[148..156].copy_from_slice(b"        ");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let size = std::str::from_utf8(&header[124..135]).unwrap_or_default();
        let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).unwrap_or(0);
        at = at
            .saturating_add(BLOCK)
            .saturating_add(size.div_ceil(BLOCK) * BLOCK);
    }
}

/// A tar file of these files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, content) in files {
        let mut header = [0; BLOCK];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar  \0");
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    mend(&mut tar);
    tar
}

/// A gzip file of these bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(bytes).expect("memory takes all");
    gzip.finish().expect("memory takes all")
}
