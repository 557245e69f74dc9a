//! The user's signing keys, as files: `NAME.pem` (PKCS#8, readable by the owner only) and
//! `NAME.pub.pem`. Never overwrites a key, and never says more of a secret than where it lies.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::disk::{self, Failure, Readers, failed};
use crate::model::{NameError, PublicKey, PublisherId};
use crate::trust::ed25519::{self, KeyFileError, SecretKey};

/// A key file has a few hundred bytes; what is much longer is no key.
const MAX_BYTES: u64 = 16 * 1024;

/// What a user calls a key; also the name of its files, so the rules of publisher ids hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(PublisherId);

impl KeyName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The publisher whom the key signs for: the one of the same name.
    #[must_use]
    pub const fn publisher(&self) -> &PublisherId {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct Keystore {
    folder: PathBuf,
}

/// A key in the folder; its secret half stays on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// What it is called.
    pub name: KeyName,
    /// Its public half.
    pub public: PublicKey,
    /// Where its secret half lies.
    pub secret: PathBuf,
}

/// Why a key cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// No key of that name.
    #[error("no key is called `{name}`")]
    Unknown {
        /// The name.
        name: KeyName,
        /// Those that there are.
        known: Vec<KeyName>,
    },
    /// Only the secret file of a key is there.
    #[error("`{}` has no `{name}.pub.pem` beside it", path.display())]
    NoPublicFile {
        /// The name.
        name: KeyName,
        /// The secret file.
        path: PathBuf,
    },
    /// The name is taken.
    #[error("the key `{0}` exists already")]
    Exists(KeyName),
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// What is in a file is no key, or the passphrase does not fit.
    #[error("cannot use the key in `{}`", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: KeyFileError,
    },
    /// The two files of a key hold different keys.
    #[error("`{}` does not hold the secret half of the public key beside it", path.display())]
    Mismatch {
        /// The secret file.
        path: PathBuf,
    },
}

impl Keystore {
    /// The keys in `folder`, which need not be there.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// All keys, by name.
    pub fn list(&self) -> Result<Vec<StoredKey>, KeystoreError> {
        let names = self.names(".pub.pem")?;
        names.iter().map(|name| self.get(name)).collect()
    }

    /// The keys that can be used, by name, and why others cannot.
    pub fn survey(&self) -> Result<(Vec<StoredKey>, Vec<KeystoreError>), KeystoreError> {
        let mut names = self.names(".pub.pem")?;
        names.extend(self.names(".pem")?);
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        for name in &names {
            match self.get(name) {
                Ok(key) => keys.push(key),
                Err(error) => unusable.push(error),
            }
        }
        Ok((keys, unusable))
    }

    /// The names of the files with that ending.
    fn names(&self, ending: &str) -> Result<BTreeSet<KeyName>, KeystoreError> {
        let entries = disk::entries_if_there(&self.folder)?;
        let name = |entry: fs::DirEntry| {
            entry
                .file_name()
                .to_str()?
                .strip_suffix(ending)?
                .parse()
                .ok()
        };
        Ok(entries.into_iter().filter_map(name).collect())
    }

    /// The key of that name, without its secret half.
    pub fn get(&self, name: &KeyName) -> Result<StoredKey, KeystoreError> {
        let path = self.public_path(name);
        if !path.exists() {
            let path = self.secret_path(name);
            return Err(match path.exists() {
                true => KeystoreError::NoPublicFile {
                    name: name.clone(),
                    path,
                },
                false => self.unknown(name),
            });
        }
        let text = read(&path)?;
        let public = ed25519::public_from_pem(&text)
            .map_err(|source| KeystoreError::Key { path, source })?;
        Ok(StoredKey {
            name: name.clone(),
            public,
            secret: self.secret_path(name),
        })
    }

    /// Says whether a key needs a passphrase.
    pub fn is_encrypted(&self, name: &KeyName) -> Result<bool, KeystoreError> {
        match self.load(name, None) {
            Ok(_) => Ok(false),
            Err(KeystoreError::Key {
                source: KeyFileError::NeedsPassphrase,
                ..
            }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The secret half of a key.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Key`] with [`KeyFileError::NeedsPassphrase`] or
    /// [`KeyFileError::WrongPassphrase`], among others.
    pub fn load(
        &self,
        name: &KeyName,
        passphrase: Option<&str>,
    ) -> Result<SecretKey, KeystoreError> {
        let known = self.get(name)?;
        let text = read(&known.secret)?;
        let path = known.secret;
        match SecretKey::from_pem(&text, passphrase) {
            Ok(secret) if secret.public() == known.public => Ok(secret),
            Ok(_) => Err(KeystoreError::Mismatch { path }),
            Err(source) => Err(KeystoreError::Key { path, source }),
        }
    }

    /// The text of a key's secret file, encrypted or not as it stands there.
    pub fn secret_text(&self, name: &KeyName) -> Result<Zeroizing<String>, KeystoreError> {
        Ok(read(&self.get(name)?.secret)?)
    }

    /// Makes sure that no key has that name.
    pub fn check_free(&self, name: &KeyName) -> Result<(), KeystoreError> {
        let taken = [self.secret_path(name), self.public_path(name)];
        if taken.iter().any(|path| path.symlink_metadata().is_ok()) {
            return Err(KeystoreError::Exists(name.clone()));
        }
        Ok(())
    }

    /// Writes a new key, encrypted if there is a passphrase; `randomness` is for the encryption.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Exists`]: a key is never overwritten.
    pub fn save(
        &self,
        name: &KeyName,
        secret: &SecretKey,
        passphrase: Option<&str>,
        randomness: &[u8; 32],
    ) -> Result<StoredKey, KeystoreError> {
        self.check_free(name)?;
        let (path, public_path) = (self.secret_path(name), self.public_path(name));
        let public = secret.public();
        let unusable = |source| KeystoreError::Key {
            path: path.clone(),
            source,
        };
        let pem = secret.to_pem(passphrase, randomness).map_err(unusable)?;
        let public_pem = ed25519::public_pem(&public).map_err(unusable)?;
        make_private_folder(&self.folder).map_err(failed("create", &self.folder))?;
        // The secret first: a public half without a secret one would look like a key.
        disk::create(&path, pem.as_bytes(), Readers::Owner)?;
        disk::create(&public_path, public_pem.as_bytes(), Readers::All)?;
        Ok(StoredKey {
            name: name.clone(),
            public,
            secret: path,
        })
    }

    fn unknown(&self, name: &KeyName) -> KeystoreError {
        let (known, _) = self.survey().unwrap_or_default();
        KeystoreError::Unknown {
            name: name.clone(),
            known: known.into_iter().map(|key| key.name).collect(),
        }
    }

    fn secret_path(&self, name: &KeyName) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    fn public_path(&self, name: &KeyName) -> PathBuf {
        self.folder.join(format!("{name}.pub.pem"))
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(disk::read(path, MAX_BYTES)?);
    let text = std::str::from_utf8(&bytes).map_err(io::Error::other);
    Ok(Zeroizing::new(
        text.map_err(failed("read", path))?.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> KeyName {
        text.parse().unwrap()
    }

    fn store() -> (tempfile::TempDir, Keystore) {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::new(folder.path().join("keys"));
        (folder, store)
    }

    fn secret(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    #[test]
    fn finds_keys_by_name_and_id() {
        let (_folder, store) = store();
        assert_eq!(store.list().unwrap(), []);
        let b = store.save(&name("b"), &secret(2), None, &[0; 32]).unwrap();
        let a = store.save(&name("a"), &secret(1), None, &[0; 32]).unwrap();
        assert_eq!(store.list().unwrap(), [a.clone(), b]);
        let loaded = store.load(&a.name, None).unwrap();
        assert_eq!(loaded.public(), a.public);
        let error = store.get(&name("c")).unwrap_err();
        assert!(matches!(error, KeystoreError::Unknown { known, .. } if known.len() == 2));
    }

    #[test]
    fn a_bad_file_hides_no_other_key() {
        let (_folder, store) = store();
        let good = store.save(&name("a"), &secret(1), None, &[0; 32]).unwrap();
        for key in ["bad", "half"] {
            store.save(&name(key), &secret(2), None, &[0; 32]).unwrap();
        }
        fs::write(store.public_path(&name("bad")), "no key").unwrap();
        fs::remove_file(store.public_path(&name("half"))).unwrap();
        let (keys, unusable) = store.survey().unwrap();
        assert_eq!(keys, [good]);
        assert!(matches!(
            &unusable[..],
            [
                KeystoreError::Key { .. },
                KeystoreError::NoPublicFile { .. }
            ]
        ));
        // Who signs is not left to what is left.
        assert!(store.list().is_err());
    }

    #[test]
    fn never_overwrites_a_key() {
        let (_folder, store) = store();
        let key = store.save(&name("a"), &secret(1), None, &[0; 32]).unwrap();
        for file in [&key.secret, &store.public_path(&key.name)] {
            let before = fs::read(&key.secret).unwrap_or_default();
            let error = store
                .save(&name("a"), &secret(2), None, &[0; 32])
                .unwrap_err();
            assert!(matches!(error, KeystoreError::Exists(_)));
            assert_eq!(fs::read(&key.secret).unwrap_or_default(), before);
            fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn needs_the_right_passphrase() {
        let (_folder, store) = store();
        let key = store
            .save(&name("a"), &secret(1), Some("right"), &[0; 32])
            .unwrap();
        assert!(store.is_encrypted(&key.name).unwrap());
        let error = store.load(&key.name, Some("wrong")).unwrap_err();
        assert!(matches!(
            error,
            KeystoreError::Key {
                source: KeyFileError::WrongPassphrase,
                ..
            }
        ));
        assert!(store.load(&key.name, Some("right")).is_ok());
    }

    #[test]
    fn notices_halves_of_different_keys() {
        let (_folder, store) = store();
        store.save(&name("a"), &secret(1), None, &[0; 32]).unwrap();
        store.save(&name("b"), &secret(2), None, &[0; 32]).unwrap();
        fs::copy(store.secret_path(&name("a")), store.secret_path(&name("b"))).unwrap();
        let error = store.load(&name("b"), None).unwrap_err();
        assert!(matches!(error, KeystoreError::Mismatch { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, store) = store();
        let key = store.save(&name("a"), &secret(1), None, &[0; 32]).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&key.secret), 0o600);
        assert_eq!(mode(&store.folder), 0o700);
    }
}
