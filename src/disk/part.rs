//! What has come of a file that comes piece by piece. It outlives its process, so that the next one goes on
//! where this one was cut off. Nothing here says whether the bytes are right: whoever has the whole looks.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use super::create_folder;
use super::step::{step, write_all};

/// How many bytes come before they are written: what is short is sooner fetched again.
const PIECE: usize = 256 * 1024;

/// The first bytes of a file. That they are kept is a best effort.
#[derive(Debug, Default)]
pub struct Part {
    bytes: Vec<u8>,
    /// Where they are kept; none, if they are not to be, or another process does so.
    path: Option<PathBuf>,
    /// Open and locked, once something was kept.
    file: Option<File>,
    /// How many of them the file has.
    kept: usize,
}

impl Part {
    /// Takes up what an earlier process has left at a path, if it has no more than `limit` bytes.
    #[must_use]
    pub fn at(path: &Path, limit: u64) -> Self {
        let mut part = Self::default();
        part.path = Some(path.to_owned());
        let Ok(file) = File::options().read(true).write(true).open(path) else {
            return part;
        };
        part.hold(file);
        if let Some(file) = &part.file {
            let read = file.take(limit + 1).read_to_end(&mut part.bytes);
            part.kept = part.bytes.len();
            if read.is_err() || part.kept as u64 > limit {
                part.clear();
            }
        }
        part
    }

    /// What has come so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() - self.kept >= PIECE {
            self.keep();
        }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.kept = 0;
        if let Some(file) = &mut self.file
            && file.set_len(0).and_then(|()| file.rewind()).is_err()
        {
            self.give_up();
        }
    }

    /// The whole file, of which nothing need be kept any more.
    #[must_use]
    pub fn into_whole(mut self) -> Vec<u8> {
        if self.file.is_some() {
            self.give_up();
        }
        self.path = None;
        std::mem::take(&mut self.bytes)
    }

    fn keep(&mut self) {
        let Some(path) = self.path.clone() else {
            return;
        };
        if self.file.is_none() {
            let opened = path.parent().map(create_folder).transpose();
            let opened = opened.ok().and_then(|_| {
                let mut options = File::options();
                options.write(true).create(true).truncate(false);
                options.open(&path).ok()
            });
            match opened {
                Some(file) => self.hold(file),
                None => self.path = None,
            }
            // Somebody may have kept something else since.
            self.file.iter().for_each(|file| drop(file.set_len(0)));
        }
        if let Some(file) = &mut self.file {
            step("keep a part of", &path);
            match write_all(file, &self.bytes[self.kept..], &path) {
                Ok(()) => self.kept = self.bytes.len(),
                Err(_) => self.give_up(),
            }
        }
    }

    /// Keeps others from writing the same file. Where one of them is at it, nothing is kept.
    fn hold(&mut self, file: File) {
        match file.try_lock() {
            Ok(()) => self.file = Some(file),
            Err(_) => self.path = None,
        }
    }

    /// Keeps nothing.
    fn give_up(&mut self) {
        if let Some(path) = self.path.take() {
            step("remove", &path);
            // What stays is taken up or cleared away by the next process.
            let _ = fs::remove_file(path);
        }
        self.file = None;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.bytes.len() > self.kept {
            self.keep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/part");
        (folder, path)
    }

    #[test]
    fn what_came_is_there_for_the_next_one() {
        let (_folder, path) = place();
        let mut part = Part::at(&path, 9);
        part.push(b"1234");
        drop(part);
        let mut part = Part::at(&path, 9);
        assert_eq!(part.bytes(), b"1234");
        part.push(b"56");
        drop(part);
        assert_eq!(fs::read(&path).unwrap(), b"123456");
        assert_eq!(Part::at(&path, 6).into_whole(), b"123456");
        assert!(!path.exists());
    }

    #[test]
    fn what_is_too_long_or_begins_anew_is_gone() {
        let (_folder, path) = place();
        let mut part = Part::at(&path, 9);
        part.push(b"123456");
        drop(part);
        let mut part = Part::at(&path, 5);
        assert_eq!(part.bytes(), b"");
        part.push(b"abc");
        part.clear();
        part.push(b"de");
        drop(part);
        assert_eq!(fs::read(&path).unwrap(), b"de");
    }

    #[test]
    fn one_process_at_a_time_keeps_it() {
        let (_folder, path) = place();
        let long = vec![1; PIECE];
        let [mut first, mut second] = [(), ()].map(|()| Part::at(&path, 1 << 20));
        first.push(&long);
        second.push(b"other");
        drop(second);
        let third = Part::at(&path, 1 << 20);
        assert_eq!(third.bytes(), b"");
        assert_eq!(third.into_whole(), b"");
        assert_eq!(fs::read(&path).unwrap(), long);
        first.push(b"end");
        drop(first);
        assert_eq!(fs::read(&path).unwrap().len(), PIECE + 3);
    }
}
