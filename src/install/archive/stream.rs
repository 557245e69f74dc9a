//! The content of a gzip file as a stream that ends in an error at the first broken limit.
//! It never holds more than one buffer of content.

use std::io::Read as _;

use flate2::bufread::GzDecoder;

use super::{ArchiveError, Limits};

/// The unpacked bytes of an archive, counted.
pub(super) struct Stream<'a> {
    decoder: GzDecoder<&'a [u8]>,
    packed: u64,
    unpacked: u64,
    limits: &'a Limits,
}

impl<'a> Stream<'a> {
    /// Opens an archive.
    pub(super) fn new(bytes: &'a [u8], limits: &'a Limits) -> Result<Self, ArchiveError> {
        let packed = bytes.len() as u64;
        if packed > limits.archive_size {
            return Err(ArchiveError::TooLarge {
                what: "the archive".into(),
                limit: limits.archive_size,
            });
        }
        Ok(Self {
            decoder: GzDecoder::new(bytes),
            packed,
            unpacked: 0,
            limits,
        })
    }

    /// Reads what comes next into `buffer`; 0 only at the end of the gzip member.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let count = self.decoder.read(buffer).map_err(ArchiveError::Gzip)?;
        self.unpacked += count as u64;
        if self.unpacked > self.limits.unpacked_size {
            return Err(ArchiveError::TooLarge {
                what: "its content".into(),
                limit: self.limits.unpacked_size,
            });
        }
        let most = self.packed.saturating_mul(self.limits.ratio);
        if self.unpacked > most.max(Limits::RATIO_FLOOR) {
            return Err(ArchiveError::Ratio {
                limit: self.limits.ratio,
            });
        }
        Ok(count)
    }

    /// Fills `buffer`.
    pub(super) fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), ArchiveError> {
        while !buffer.is_empty() {
            match self.read(buffer)? {
                0 => return Err(ArchiveError::Truncated),
                count => buffer = &mut buffer[count..],
            }
        }
        Ok(())
    }

    /// Requires that nothing but zeros is left in the member and nothing at all behind it. A second
    /// member, which some readers would join on, is refused here.
    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        let mut buffer = [0; 4096];
        loop {
            let count = self.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::Hidden {
                    place: "its end".into(),
                });
            }
        }
        match self.decoder.into_inner().len() {
            0 => Ok(()),
            count => Err(ArchiveError::AfterGzip { count }),
        }
    }
}

/// The content of one file in the stream.
pub(super) struct Content<'s, 'a> {
    stream: &'s mut Stream<'a>,
    left: u64,
}

impl<'s, 'a> Content<'s, 'a> {
    /// The next `size` bytes of the stream.
    pub(super) const fn new(stream: &'s mut Stream<'a>, size: u64) -> Self {
        Self { stream, left: size }
    }

    /// Reads some of what is left; 0 only at the end of the file.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(ArchiveError::Truncated);
        }
        self.left -= count as u64;
        Ok(count)
    }

    /// Reads what is left into memory, up to `limit` bytes.
    pub(super) fn keep(&mut self, path: &str, limit: u64) -> Result<Vec<u8>, ArchiveError> {
        if self.left > limit {
            return Err(ArchiveError::TooLarge {
                what: format!("`{path}`"),
                limit,
            });
        }
        let mut kept = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            match self.read(&mut buffer)? {
                0 => return Ok(kept),
                count => kept.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// Passes over what is left.
    pub(super) fn skip(&mut self) -> Result<(), ArchiveError> {
        let mut buffer = [0; 8192];
        while self.read(&mut buffer)? > 0 {}
        Ok(())
    }
}
