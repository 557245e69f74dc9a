//! A folder of files whose names come from elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Outcome;

/// What a name keeps: no name can lead out of the folder, and a usual one stays as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// A folder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn read(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        fs::create_dir_all(&self.0)?;
        Ok(fs::write(self.path(name), bytes)?)
    }

    pub(crate) fn remove(&self, name: &str) -> Outcome<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(utf8_percent_encode(name, KEPT).to_string())
    }
}
