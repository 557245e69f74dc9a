//! A catalog pack, document by document: all of a large one together would not fit into memory.

use std::io::{self, BufRead, Read as _};

use super::{MAX_DOCUMENT_BYTES, START};

/// The documents of a pack as they come out of a reader.
pub struct PackReader<R> {
    reader: R,
    /// The line that starts the next document; empty before the first and after the last.
    start: Vec<u8>,
    has_ended: bool,
}

impl<R: BufRead> PackReader<R> {
    /// Begins to read.
    pub const fn new(reader: R) -> Self {
        Self {
            reader,
            start: Vec::new(),
            has_ended: false,
        }
    }

    /// The bytes of the next document, as many as a document may have.
    fn document(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut document = std::mem::take(&mut self.start);
        while !self.has_ended {
            let begin = document.len();
            let left = (MAX_DOCUMENT_BYTES + 1).saturating_sub(begin as u64);
            let read = self
                .reader
                .by_ref()
                .take(left)
                .read_until(b'\n', &mut document)?;
            if document.len() as u64 > MAX_DOCUMENT_BYTES {
                let text = "a document of the pack is too long";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            self.has_ended = read == 0;
            if begin > 0 && document[begin..].starts_with(START) {
                self.start = document.split_off(begin);
                break;
            }
        }
        Ok(Some(document).filter(|document| !document.is_empty()))
    }
}

impl<R: BufRead> Iterator for PackReader<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let document = self.document();
        // After an error there is nothing more.
        self.has_ended |= document.is_err();
        document.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pack: &[u8]) -> Vec<Vec<u8>> {
        PackReader::new(pack).map(Result::unwrap).collect()
    }

    #[test]
    fn gives_the_documents_that_the_whole_pack_has() {
        let pack = b"@base <a> .\nx\n\n@base <b> .\n@base <c> .\ny @base \nz";
        let documents: Vec<&[u8]> = vec![
            b"@base <a> .\nx\n\n",
            b"@base <b> .\n",
            b"@base <c> .\ny @base \nz",
        ];
        assert_eq!(read(pack), documents);
        assert_eq!(super::super::split_pack(pack), documents);
    }

    #[test]
    fn nothing_has_no_documents() {
        assert_eq!(read(b""), Vec::<Vec<u8>>::new());
        assert_eq!(read(b"junk"), [b"junk"]);
    }

    #[test]
    fn a_document_without_end_is_refused() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let error = PackReader::new(endless).next().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
