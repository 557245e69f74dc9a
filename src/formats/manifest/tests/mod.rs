//! Manifests of all ages, and what Cargo and crates.io make of them. Each trap was met in a real
//! archive or stands in Cargo's reference.

mod dependencies;
mod package;

use super::*;

const PACKAGE: &str = "[package]\nname = \"buoy\"\nversion = \"1.0.0\"\n";

fn read(rest: &str, files: &[&str], home: &Home) -> Result<Release, ManifestError> {
    let facts = ArchiveFacts {
        checksum: Sha256Digest::of(b""),
        size: 0,
        commit: None,
    };
    let text = if rest.contains("[package]") || rest.contains("[project]") {
        rest.to_owned()
    } else {
        format!("{PACKAGE}{rest}")
    };
    release(&text, files, facts, home)
}

fn mirrored(rest: &str) -> Release {
    read(rest, &[], &Home::Mirror).unwrap()
}

fn refusal(rest: &str) -> String {
    read(rest, &[], &Home::Mirror).unwrap_err().to_string()
}
