//! Catalog packs as bytes: decompressed by what is in them. What an index says of a pack is a limit, and
//! never a length to make room for: a few bytes can say that they hold gigabytes.

use std::io::{self, Read as _};

use super::catalog_index::Pack;

/// The most bytes that a pack, or all of one index, may decompress to.
pub const MAX_UNPACKED: u64 = 4 << 30;

/// How many times larger than itself a pack may become, past the first [`RATIO_FLOOR`] bytes: some forty
/// times what documents need.
const RATIO: u64 = 1000;

/// Where the ratio begins to count.
const RATIO_FLOOR: u64 = 1 << 20;

/// Decompresses a pack that has the length which the index states, and no more than `most`.
pub fn unpack(bytes: &[u8], pack: &Pack, most: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    unpacked(bytes, pack, most)?.read_to_end(&mut text)?;
    Ok(text)
}

/// As [`unpack`], bit by bit. That the length is another one comes as an error at the end.
pub fn unpacked<'a>(
    bytes: &'a [u8],
    pack: &Pack,
    most: u64,
) -> io::Result<impl io::Read + use<'a>> {
    let ratio = RATIO.saturating_mul(bytes.len() as u64).max(RATIO_FLOOR);
    if pack.uncompressed > most.min(ratio) {
        return Err(wrong(
            "it is too large, or much larger than its compressed form",
        ));
    }
    let decoder = zstd::Decoder::with_buffer(bytes)?;
    Ok(Exactly {
        reader: decoder,
        left: pack.uncompressed,
    })
}

/// A reader that gives so many bytes, and an error if there are others.
struct Exactly<R> {
    reader: R,
    left: u64,
}

impl<R: io::Read> io::Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let is_end = read == 0 && !buffer.is_empty();
        match self.left.checked_sub(read as u64) {
            Some(left) if !is_end || left == 0 => {
                self.left = left;
                Ok(read)
            }
            _ => Err(wrong("it has not the length that the index states")),
        }
    }
}

fn wrong(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::catalog_index::Withdrawn;
    use crate::model::Sha256Digest;

    fn unpacked(bytes: &[u8], uncompressed: u64) -> Result<Vec<u8>, String> {
        let pack = Pack {
            from: 0,
            to: 1,
            sha256: Sha256Digest::of(bytes),
            length: bytes.len() as u64,
            uncompressed,
            withdrawn: Withdrawn::new(),
        };
        unpack(bytes, &pack, MAX_UNPACKED).map_err(|error| error.to_string())
    }

    #[test]
    fn gives_what_the_index_states() {
        let packed = zstd::bulk::compress(b"text", 3).unwrap();
        assert_eq!(unpacked(&packed, 4).unwrap(), b"text");
        for stated in [0, 3, 5] {
            let error = unpacked(&packed, stated).unwrap_err();
            assert_eq!(error, "it has not the length that the index states");
        }
    }

    #[test]
    fn makes_no_room_for_what_is_only_stated() {
        let packed = zstd::bulk::compress(b"text", 3).unwrap();
        for stated in [2 << 20, 4 << 30, u64::MAX] {
            let error = unpacked(&packed, stated).unwrap_err();
            assert_eq!(
                error,
                "it is too large, or much larger than its compressed form"
            );
        }
    }

    #[test]
    fn refuses_a_bomb() {
        let zeros = vec![0; 64 << 20];
        let packed = zstd::bulk::compress(&zeros, 19).unwrap();
        let error = unpacked(&packed, zeros.len() as u64).unwrap_err();
        assert_eq!(
            error,
            "it is too large, or much larger than its compressed form"
        );
        // The length in the index may lie.
        assert!(unpacked(&packed, 1 << 20).is_err());
    }

    #[test]
    fn refuses_what_is_no_pack_and_what_is_cut_off() {
        let packed = zstd::bulk::compress(b"some text that is long enough", 3).unwrap();
        assert!(unpacked(b"junk", 4).is_err());
        for end in 0..packed.len() {
            assert!(unpacked(&packed[..end], 29).is_err(), "{end}");
        }
    }
}
