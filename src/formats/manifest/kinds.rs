//! What a package can be used as: its targets, found by Cargo's rules from the manifest and the
//! list of files (Cargo's reference, "target auto-discovery").

use std::collections::BTreeSet;

use super::ManifestError;
use super::table::Section;
use crate::model::Kinds;

/// Bytes of a target's name.
const NAME: usize = 255;

/// Finds library, binaries and template.
pub(super) fn kinds(
    root: &Section<'_>,
    package: &Section<'_>,
    name: &str,
    files: &[&str],
) -> Result<Kinds, ManifestError> {
    let auto_library = package.flag("autolib")?.unwrap_or(true);
    let library = root.section("lib")?.is_some() || (auto_library && files.contains(&"src/lib.rs"));
    let mut binaries = BTreeSet::new();
    for section in root.sections("bin")? {
        match section.text("name", NAME)? {
            Some(name) if is_file_name(&name) => binaries.insert(name),
            Some(_) => return Err(section.form_error("name", "the name of a program")),
            None => {
                let field = section.field("name");
                return Err(ManifestError::Missing { field });
            }
        };
    }
    // In edition 2015, `[[bin]]` tables turn discovery off.
    let old = matches!(
        package.text("edition", NAME)?.as_deref(),
        None | Some("2015")
    );
    let discover = package
        .flag("autobins")?
        .unwrap_or(!old || binaries.is_empty());
    if discover {
        let found = files.iter().filter_map(|path| found_binary(path, name));
        binaries.extend(found.filter(|name| is_file_name(name)));
    }
    Ok(Kinds {
        library,
        binaries: binaries.into_iter().collect(),
        template: files.iter().any(|path| path.starts_with("template/")),
    })
}

/// The binary target that Cargo finds at a path.
fn found_binary(path: &str, package: &str) -> Option<String> {
    if path == "src/main.rs" {
        return Some(package.into());
    }
    let file = path.strip_prefix("src/bin/")?;
    match file.split_once('/') {
        Some((folder, "main.rs")) => Some(folder.into()),
        Some(_) => None,
        None => file.strip_suffix(".rs").map(str::to_owned),
    }
}

/// Says whether the text can stand as a file in a folder of programs.
fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}
