//! Which configuration files cargo reads in a folder: `.cargo/config` and `.cargo/config.toml` there
//! and in each folder above, those in cargo's home, and what they include.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::GuardError;
use crate::disk::{self, failed};

/// More than any real configuration file has.
const LIMIT: u64 = 1 << 20;

/// How deep files may include one another.
const DEPTH: usize = 8;

/// Whose a configuration file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::install) enum Owner {
    /// The user's: in cargo's home.
    User,
    /// The project's, or whoever could write to a folder above it.
    Project,
}

/// A configuration file.
#[derive(Debug, Clone)]
pub(in crate::install) struct ConfigFile {
    pub(in crate::install) path: PathBuf,
    pub(in crate::install) table: Table,
    pub(in crate::install) owner: Owner,
}

/// Reads all configuration files that cargo would read in `folder`.
pub(in crate::install) fn read_all(
    folder: &Path,
    cargo_home: &Path,
) -> Result<Vec<ConfigFile>, GuardError> {
    let absolute = |path: &Path| fs::canonicalize(path).map_err(failed("read", path));
    let (folder, home) = (absolute(folder)?, absolute(cargo_home)?);
    let mut files = Vec::new();
    let above = folder.ancestors().map(|folder| folder.join(".cargo"));
    for place in above.chain([home.clone()]) {
        let is_home = fs::canonicalize(&place).is_ok_and(|place| place == home);
        if is_home && place != home {
            continue;
        }
        let owner = if is_home { Owner::User } else { Owner::Project };
        // Cargo reads the first of the two only; which one that is has changed before.
        for name in ["config", "config.toml"] {
            let path = place.join(name);
            if let Some(table) = read(&path)? {
                add(ConfigFile { path, table, owner }, &mut files, 0)?;
            }
        }
    }
    Ok(files)
}

/// Adds a file and those that it includes.
fn add(file: ConfigFile, files: &mut Vec<ConfigFile>, depth: usize) -> Result<(), GuardError> {
    let malformed = |reason: &str| GuardError::Malformed {
        path: file.path.clone(),
        reason: reason.into(),
    };
    if depth > DEPTH {
        return Err(malformed("it is included too deeply"));
    }
    let included = match file.table.get("include") {
        None => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(other) => vec![other.clone()],
    };
    let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
    for include in included {
        let (name, optional) = match &include {
            Value::String(name) => (Some(name.as_str()), false),
            Value::Table(table) => (
                table.get("path").and_then(Value::as_str),
                table.get("optional").and_then(Value::as_bool) == Some(true),
            ),
            _ => (None, false),
        };
        let path = folder.join(name.ok_or_else(|| malformed("`include` names no file"))?);
        match read(&path)? {
            Some(table) => {
                let owner = file.owner;
                add(ConfigFile { path, table, owner }, files, depth + 1)?;
            }
            None if optional => {}
            None => return Err(malformed("it includes a file that is not there")),
        }
    }
    files.push(file);
    Ok(())
}

/// Reads a TOML file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Table>, GuardError> {
    // Cargo passes over what is no file, too.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(None);
    }
    let Some(text) = disk::read_text_if_there(path, LIMIT)? else {
        return Ok(None);
    };
    let malformed = |error: toml::de::Error| GuardError::Malformed {
        path: path.into(),
        reason: error.message().to_owned(),
    };
    text.parse().map(Some).map_err(malformed)
}
