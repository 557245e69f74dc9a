//! A registry in a folder of this machine (`file:`). Reads regular files below that folder and
//! nothing else: a symbolic link that leads out of it, a device or a pipe is refused.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{BaseUrl, Transport, TransportError, checked};

/// Reads a registry's files from a folder.
pub(super) struct FolderTransport {
    base: BaseUrl,
    root: PathBuf,
}

impl FolderTransport {
    pub(super) fn new(base: BaseUrl, root: PathBuf) -> Self {
        Self { base, root }
    }

    /// The real path of a file, once it is known to lie below the real root.
    fn locate(&self, path: &str) -> Result<Option<PathBuf>, TransportError> {
        let root = canonical(&self.root)?;
        let wanted = root.join(path);
        match fs::canonicalize(&wanted) {
            Ok(real) if !real.starts_with(&root) => Err(TransportError::Path(path.to_owned())),
            Ok(real) => Ok(Some(real)),
            // As on a static host, a path below a file is absent, too.
            Err(error) if absent(&error) => Ok(None),
            Err(source) => Err(failed(&wanted, source)),
        }
    }
}

impl Transport for FolderTransport {
    fn base(&self) -> &BaseUrl {
        &self.base
    }

    fn get(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let Some(file) = self.locate(checked(path)?)? else {
            return Ok(None);
        };
        // Asked before opening: to open a pipe would wait for its writer.
        let kind = fs::metadata(&file).map_err(|source| failed(&file, source))?;
        if kind.is_dir() {
            return Ok(None);
        }
        if !kind.is_file() {
            return Err(TransportError::Path(path.to_owned()));
        }
        let mut bytes = Vec::new();
        File::open(&file)
            .and_then(|open| {
                open.take(max_bytes.saturating_add(1))
                    .read_to_end(&mut bytes)
            })
            .map_err(|source| failed(&file, source))?;
        if bytes.len() as u64 > max_bytes {
            let url = format!("{}{path}", self.base);
            return Err(TransportError::TooLarge {
                url,
                limit: max_bytes,
            });
        }
        Ok(Some(bytes))
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn canonical(root: &Path) -> Result<PathBuf, TransportError> {
    fs::canonicalize(root).map_err(|source| failed(root, source))
}

fn failed(path: &Path, source: io::Error) -> TransportError {
    TransportError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> (tempfile::TempDir, FolderTransport) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("market");
        fs::create_dir_all(root.join("se/rd")).unwrap();
        fs::write(root.join("se/rd/serde"), "line").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let base = url::Url::from_file_path(&root).unwrap();
        let transport = FolderTransport::new(base.as_str().parse().unwrap(), root);
        (folder, transport)
    }

    #[test]
    fn reads_files_up_to_the_limit() {
        let (_folder, transport) = registry();
        assert_eq!(
            transport.get("se/rd/serde", 4).unwrap(),
            Some(b"line".to_vec())
        );
        let error = transport.get("se/rd/serde", 3).unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { limit: 3, .. }));
    }

    #[test]
    fn absent_files_and_folders_are_none() {
        let (_folder, transport) = registry();
        for absent in ["se/rd/other", "se/rd", "se/rd/serde/below"] {
            assert_eq!(transport.get(absent, 9).unwrap(), None, "{absent}");
        }
    }

    #[test]
    fn a_missing_root_is_an_error() {
        let (folder, transport) = registry();
        fs::remove_dir_all(folder.path().join("market")).unwrap();
        let error = transport.get("config.json", 9).unwrap_err();
        assert!(matches!(error, TransportError::Io { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn refuses_links_that_lead_out() {
        let (folder, transport) = registry();
        let link = folder.path().join("market/config.json");
        std::os::unix::fs::symlink(folder.path().join("secret"), link).unwrap();
        let error = transport.get("config.json", 99).unwrap_err();
        assert!(matches!(error, TransportError::Path(_)));
    }
}
