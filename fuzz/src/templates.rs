//! Templates: the declaration, the paths and the texts of a verified archive, which is no less hostile
//! for being verified.

use std::collections::BTreeMap;
use std::fs;

use cargo_marketplace::formats::manifest::Home;
use cargo_marketplace::install::archive::{Limits, derive};
use cargo_marketplace::install::template::{RenderRequest, Template};
use cargo_marketplace::trust::{verify_archive, with_own_release};

use crate::trees::{gzip, tar};

const MANIFEST: &str = "[package]\nname = \"a\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";

/// Bytes as a declaration, a path and a text, with zeros between them.
pub(crate) fn template(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (declaration, path, text) = (part(), part(), part());
    let path = String::from_utf8_lossy(path);
    let path = format!("a-1.0.0/template/{path}");
    if path.len() >= 100 {
        return;
    }
    let archive = gzip(&tar(&[
        ("a-1.0.0/Cargo.toml", MANIFEST.as_bytes()),
        ("a-1.0.0/template.toml", declaration),
        (&path, text),
    ]));
    let Ok(release) = derive(&archive, &Home::Mirror, &Limits::default()) else {
        return;
    };
    let document = with_own_release(None, release);
    let entry = document.verified_entries().next().expect("one was put in");
    let archive = verify_archive(&entry, archive).expect("the release is of this archive");
    let Ok(template) = Template::open(archive) else {
        return;
    };
    let place = tempfile::tempdir().expect("a folder for temporary files");
    let name = "new-project".parse().expect("a name");
    let request = RenderRequest {
        target: &place.path().join("project"),
        name: Some(&name),
        author: Some("A <a@example.org>"),
        values: &BTreeMap::new(),
    };
    let plan = template.plan(request);
    let made = template.render(request);
    let there = fs::read_dir(place.path()).expect("it is there").count();
    assert_eq!(there, usize::from(made.is_ok()), "whole or not at all");
    if let (Ok(_), Ok(plan)) = (made, plan) {
        for path in plan {
            assert!(place.path().join("project").join(path).is_file());
        }
    }
}
