//! The commit in an archive's `.cargo_vcs_info.json`, which `cargo package` writes.

use serde::Deserialize;

use crate::formats::releases::is_commit;

#[derive(Deserialize)]
struct VcsInfo {
    git: Git,
}

#[derive(Deserialize)]
struct Git {
    sha1: String,
    #[serde(default)]
    dirty: bool,
}

/// Returns the commit (40 or 64 lower-case hexadecimal digits) that an archive was packaged from;
/// nothing if the file does not say, or if there were uncommitted changes: then no commit holds it.
#[must_use]
pub fn commit(vcs_info: &[u8]) -> Option<String> {
    let VcsInfo { git } = serde_json::from_slice(vcs_info).ok()?;
    (is_commit(&git.sha1) && !git.dirty).then_some(git.sha1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_writes() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let info = format!(r#"{{"git": {{"sha1": "{sha1}"}}, "path_in_vcs": "crates/a"}}"#);
        assert_eq!(commit(info.as_bytes()).as_deref(), Some(sha1));
        let dirty = format!(r#"{{"git": {{"sha1": "{sha1}", "dirty": true}}}}"#);
        assert_eq!(commit(dirty.as_bytes()), None);
    }

    #[test]
    fn knows_no_commit_from_other_texts() {
        for bad in ["", "{}", r#"{"git":{}}"#, r#"{"git":{"sha1":"HEAD"}}"#] {
            assert_eq!(commit(bad.as_bytes()), None, "{bad}");
        }
    }
}
