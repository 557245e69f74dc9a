//! A registry in a folder of this machine (`file:`). Reads regular files below that folder and
//! nothing else: a symbolic link that leads out of it, a device or a pipe is refused.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Account, BaseUrl, Transport, TransportError, checked};
use crate::disk::{self, failed, is_absent};

/// Reads a registry's files from a folder.
pub(super) struct FolderTransport {
    base: BaseUrl,
    root: PathBuf,
    account: Arc<Account>,
}

impl FolderTransport {
    pub(super) fn new(base: BaseUrl, root: PathBuf, account: Arc<Account>) -> Self {
        Self {
            base,
            root,
            account,
        }
    }

    /// The real path of a file, once it is known to lie below the real root.
    fn locate(&self, path: &str) -> Result<Option<PathBuf>, TransportError> {
        let root = fs::canonicalize(&self.root).map_err(failed("read", &self.root))?;
        let wanted = root.join(path);
        match fs::canonicalize(&wanted) {
            Ok(real) if !real.starts_with(&root) => Err(TransportError::Path(path.to_owned())),
            Ok(real) => Ok(Some(real)),
            // As on a static host, a path below a file is absent, too.
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed("read", &wanted)(error))?,
        }
    }
}

impl Transport for FolderTransport {
    fn base(&self) -> &BaseUrl {
        &self.base
    }

    fn get(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError> {
        let path = checked(path)?;
        self.account.asked();
        let Some(file) = self.locate(path)? else {
            return Ok(None);
        };
        let kind = fs::metadata(&file).map_err(failed("read", &file))?;
        if kind.is_dir() {
            return Ok(None);
        }
        if !kind.is_file() {
            return Err(TransportError::Path(path.to_owned()));
        }
        match disk::read(&file, max_bytes) {
            Ok(bytes) => {
                self.account.came(bytes.len());
                Ok(Some(bytes))
            }
            Err(failure) if failure.source.kind() == ErrorKind::FileTooLarge => {
                Err(TransportError::TooLarge {
                    url: format!("{}{path}", self.base),
                    limit: max_bytes,
                })
            }
            Err(failure) => Err(failure.into()),
        }
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
        let transport = FolderTransport::new(base.as_str().parse().unwrap(), root, Arc::default());
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
        assert!(matches!(error, TransportError::Disk(_)));
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
