//! A TOML file that is the user's as much as ours: what is not changed stays as it is, down to its
//! comments. Knows the tables of files, not what they mean.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};
use zeroize::Zeroize as _;

use crate::disk::{self, Durability, Failure};

/// A TOML file, read to be changed.
#[derive(Debug, Clone)]
pub struct TomlFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub document: DocumentMut,
    on_disk: String,
}

/// Why a TOML file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TomlFileError {
    /// It cannot be read or written.
    #[error(transparent)]
    Disk(#[from] Failure),
    /// It is no TOML.
    #[error("cannot parse `{}`", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml_edit::TomlError>,
    },
    /// Something else than a table is where one belongs.
    #[error("`{key}` in `{}` is not a table", path.display())]
    NotATable {
        /// The file.
        path: PathBuf,
        /// As `registries.harbour`.
        key: String,
    },
}

impl TomlFile {
    /// Reads a file; an absent one is empty.
    pub fn load(path: PathBuf) -> Result<Self, TomlFileError> {
        let on_disk = disk::read_text_if_there(&path, disk::LIMIT)?.unwrap_or_default();
        match on_disk.parse() {
            Ok(document) => Ok(Self {
                path,
                document,
                on_disk,
            }),
            Err(error) => Err(TomlFileError::Syntax {
                path,
                source: Box::new(error),
            }),
        }
    }

    /// Reads the configuration of cargo in a folder.
    pub fn load_of_cargo(folder: &Path) -> Result<Self, TomlFileError> {
        Self::load_named(folder, "config")
    }

    /// Reads cargo's stored credentials in its home.
    pub(super) fn load_credentials(cargo_home: &Path) -> Result<Self, TomlFileError> {
        Self::load_named(cargo_home, "credentials")
    }

    /// The name without an extension wins where both exist, as in cargo.
    fn load_named(folder: &Path, name: &str) -> Result<Self, TomlFileError> {
        let legacy = folder.join(name);
        Self::load(if legacy.is_file() {
            legacy
        } else {
            folder.join(format!("{name}.toml"))
        })
    }

    /// Writes the file if it was changed, in one step; says whether it was.
    pub fn save(&mut self) -> Result<bool, TomlFileError> {
        let text = self.document.to_string();
        if text == self.on_disk {
            return Ok(false);
        }
        disk::replace(&self.path, text.as_bytes(), Durability::Synced)?;
        self.on_disk = text;
        Ok(true)
    }

    /// Overwrites what the file said in memory: it held secrets.
    pub(super) fn wipe(mut self) {
        self.on_disk.zeroize();
    }

    /// The table `[outer]`, if there is one.
    pub fn get(&self, outer: &str) -> Result<Option<&dyn TableLike>, TomlFileError> {
        let item = self.document.get(outer);
        let table = item.map(|item| {
            let table = item.as_table_like();
            table.ok_or_else(|| not_a_table(&self.path, outer.into()))
        });
        table.transpose()
    }

    /// The table `[outer.inner]`, made if there is none, and without an `[outer]` of its own.
    pub fn table(&mut self, outer: &str, inner: &str) -> Result<&mut dyn TableLike, TomlFileError> {
        let outers = self.document.entry(outer).or_insert_with(implicit_table);
        // A table can lie in an inline table only if it is one, too.
        let new = match outers.is_inline_table() {
            true => Item::Value(Value::InlineTable(InlineTable::new())),
            false => Item::Table(Table::new()),
        };
        outers
            .as_table_like_mut()
            .ok_or_else(|| not_a_table(&self.path, outer.into()))?
            .entry(inner)
            .or_insert(new)
            .as_table_like_mut()
            .ok_or_else(|| not_a_table(&self.path, format!("{outer}.{inner}")))
    }
}

fn not_a_table(path: &Path, key: String) -> TomlFileError {
    let path = path.to_owned();
    TomlFileError::NotATable { path, key }
}

/// A table that is written only through the tables in it.
fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}
