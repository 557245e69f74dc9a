//! The sample workspace of the tour, as it lies in `samples/`. Manifests are called `Cargo.toml.in`
//! there, since cargo leaves folders with a `Cargo.toml` out of our own package.

use std::fs;
use std::io;
use std::path::Path;

macro_rules! sample {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/", $path)),
        )
    };
}

const FILES: [(&str, &str); 11] = [
    sample!("Cargo.toml.in"),
    sample!("tide-table/Cargo.toml.in"),
    sample!("tide-table/src/lib.rs"),
    sample!("tide-cli/Cargo.toml.in"),
    sample!("tide-cli/src/main.rs"),
    sample!("sensor-template/Cargo.toml.in"),
    sample!("sensor-template/src/lib.rs"),
    sample!("sensor-template/template.toml"),
    sample!("sensor-template/template/Cargo.toml.liquid"),
    sample!("sensor-template/template/README-{{name}}.md"),
    sample!("sensor-template/template/src/main.rs"),
];

/// The one crate of the sample that comes from crates.io.
pub(super) const FOREIGN: &str = "strsim";

/// Writes the workspace to a folder.
pub(super) fn write(folder: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path.strip_suffix(".in").unwrap_or(path));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// Takes the crate from crates.io out of the workspace, for a machine that cannot have it.
pub(super) fn without_foreign(folder: &Path) -> io::Result<()> {
    let path = folder.join("tide-cli/Cargo.toml");
    let text = fs::read_to_string(&path)?;
    let is_kept = |line: &&str| !line.starts_with(FOREIGN);
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    let text = kept.join("\n") + "\n";
    let feature = format!("[\"dep:{FOREIGN}\"]");
    fs::write(
        &path,
        text.replace("[\"suggest\"]", "[]").replace(&feature, "[]"),
    )
}
