//! What the project at hand demands of registries, in a committed `marketplace.trust`. It only adds
//! demands: it never names an address, and nothing is trusted because it says so.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::CommandError;
use super::project;
use crate::disk;
use crate::formats::marketplace_trust::{self, Demand, FILE_NAME, TrustFileError};
use crate::registry::config::Registry;

/// More than any real one.
const LIMIT: u64 = 256 * 1024;

/// Every `marketplace.trust` of the project at hand in a folder, the nearest one first.
pub fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let folders = project::folders(folder).into_iter();
    let files = folders.map(|folder| folder.join(FILE_NAME));
    // A link that leads nowhere is one, too: it is no reason to demand nothing.
    files.filter(|path| path.symlink_metadata().is_ok())
}

/// What the project demands of a registry, by its name or by its id. All files count, since a file only
/// adds: one in a folder below switches nothing off.
///
/// # Errors
///
/// The name means another registry to the project, or the file cannot be read.
pub fn demands(context: &Context, registry: &Registry) -> Result<Vec<Demand>, CommandError> {
    let mut demands = Vec::new();
    for folder in context.project_folders() {
        for path in files(&folder) {
            demands.extend(demands_of(&path, registry)?);
        }
    }
    Ok(demands)
}

/// What one file demands of a registry.
fn demands_of(path: &Path, registry: &Registry) -> Result<Vec<Demand>, CommandError> {
    let mut demands = Vec::new();
    for demand in read(path)? {
        if demand.registry_id == registry.registry_id {
            demands.push(demand);
        } else if demand.name == registry.name {
            return Err(other_registry(path, &demand, registry));
        }
    }
    Ok(demands)
}

fn other_registry(path: &Path, demand: &Demand, registry: &Registry) -> CommandError {
    let name = &registry.name;
    let text = format!("`{name}` is another registry than the one that the project demands");
    CommandError::trust("MP0104", text)
        .with_note(format!(
            "`{}` names {}, and `{name}` is {} here; nothing was written",
            path.display(),
            demand.registry_id,
            registry.registry_id
        ))
        .with_help("add the project's registry under that name, and this one under another")
}

fn read(path: &Path) -> Result<Vec<Demand>, CommandError> {
    let text = disk::read_text(path, LIMIT)?;
    marketplace_trust::decode(&text).map_err(|error| {
        let failed = CommandError::failure(format!("cannot use `{}`", path.display()));
        let failed = failed.caused_by(Some(&error));
        match error {
            TrustFileError::UnknownSchema(_) => failed.with_help("update cargo-marketplace"),
            TrustFileError::Shape(_) => {
                failed.with_help("`cargo marketplace registry pin` writes such a file")
            }
        }
    })
}
