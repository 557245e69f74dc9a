//! Changes that are cut off, and journals that somebody else wrote.

use std::fs;

use super::*;

fn change(files: &[(&str, &str)]) -> Change {
    let file = |(path, text): &(&str, &str)| NewFile {
        path: (*path).into(),
        bytes: text.as_bytes().into(),
    };
    Change {
        immutable: files.iter().map(file).collect(),
        timestamp: Some(file(&("tuf/timestamp.json", "t"))),
        ..Change::default()
    }
}

fn plan(files: &[NewFile]) -> Plan {
    let paths = files.iter().map(|file| file.path.clone());
    Plan {
        paths: paths.collect(),
    }
}

fn read(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

#[test]
fn writes_every_file_of_a_change_and_leaves_nothing_staged() {
    let root = tempfile::tempdir().unwrap();
    Journal::open(root.path())
        .unwrap()
        .commit(change(&[("se/rd/serde", "line")]))
        .unwrap();
    assert_eq!(read(root.path(), "se/rd/serde").as_deref(), Some("line"));
    assert_eq!(
        read(root.path(), "tuf/timestamp.json").as_deref(),
        Some("t")
    );
    let left: Vec<_> = fs::read_dir(root.path().join(FOLDER)).unwrap().collect();
    assert_eq!(left.len(), 1, "only the lock: {left:?}");
}

/// Which file it is says what is to be done: of a version that is published already none is taken away.
#[test]
fn a_damaged_file_is_told_apart_from_what_somebody_else_published() {
    let root = tempfile::tempdir().unwrap();
    let hashed = layout::hashed("se/rd/serde", &Sha256Digest::of(b"line"));
    for path in [&hashed, "tuf/2.root.json"] {
        let place = root.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, "other").unwrap();
    }
    let journal = Journal::open(root.path()).unwrap();
    let commit = |path: &str| journal.commit(change(&[(path, "line")])).unwrap_err();
    let damaged = commit(&hashed);
    assert!(matches!(damaged, JournalError::Damaged(_)), "{damaged}");
    let taken = commit("tuf/2.root.json");
    assert!(matches!(taken, JournalError::Taken(_)), "{taken}");
    assert_eq!(read(root.path(), &hashed).as_deref(), Some("other"));
    assert_eq!(read(root.path(), "tuf/timestamp.json"), None);
}

#[test]
fn sweeps_what_was_staged_without_a_plan() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::open(root.path()).unwrap();
    journal.stage(&change(&[("a", "1")]).immutable).unwrap();
    drop(journal);
    Journal::open(root.path()).unwrap();
    assert_eq!(read(root.path(), "a"), None);
    assert!(!root.path().join(FOLDER).join("0.new").exists());
}

#[test]
fn finishes_a_planned_change_from_every_point_of_the_cut() {
    for cut in 0..=3 {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        let files = change(&[("a", "1"), ("b/c", "2"), ("d", "3")]).immutable;
        journal.stage(&files).unwrap();
        journal.write_plan(&plan(&files)).unwrap();
        for (number, file) in files.iter().enumerate().take(cut) {
            journal.put_in_place(number, &file.path).unwrap();
        }
        drop(journal);
        assert!(Journal::has_pending_change(root.path()));
        Journal::open(root.path()).unwrap();
        let found = ["a", "b/c", "d"].map(|path| read(root.path(), path).unwrap());
        assert_eq!(found, ["1", "2", "3"], "cut after {cut}");
        assert!(!Journal::has_pending_change(root.path()));
    }
}

#[test]
fn a_plan_that_leads_outside_is_refused() {
    for path in ["../a", "/etc/a", "a/../../b", "", ".git/hooks/post-commit"] {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        let files = change(&[(path, "1")]).immutable;
        journal.stage(&files).unwrap();
        journal.write_plan(&plan(&files)).unwrap();
        drop(journal);
        let error = Journal::open(root.path()).unwrap_err();
        assert!(
            matches!(error, JournalError::Outside { .. }),
            "{path}: {error}"
        );
    }
}

#[test]
fn a_change_that_cannot_be_staged_leaves_the_folder_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::open(root.path()).unwrap();
    // A folder where the second staged file should go stands for a disk that refuses.
    fs::create_dir(root.path().join(FOLDER).join("1.new")).unwrap();
    assert!(journal.commit(change(&[("a", "1"), ("b", "2")])).is_err());
    assert_eq!(read(root.path(), "a"), None);
    assert_eq!(read(root.path(), "tuf/timestamp.json"), None);
}

#[test]
fn what_a_plan_names_is_not_swept() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::open(root.path()).unwrap();
    let files = change(&[("a", "1")]).immutable;
    journal.stage(&files).unwrap();
    journal.write_plan(&plan(&files)).unwrap();
    // As if the disk had refused right after the plan came into its place.
    let blocked = root.path().join(FOLDER).join("1.new");
    fs::create_dir(&blocked).unwrap();
    let error = journal.commit(change(&[("a", "1")])).unwrap_err();
    assert!(matches!(error, JournalError::Unfinished(_)), "{error}");
    fs::remove_dir(blocked).unwrap();
    drop(journal);
    Journal::open(root.path()).unwrap();
    assert_eq!(read(root.path(), "a").as_deref(), Some("1"));
}

#[test]
fn a_planned_change_that_is_stuck_is_finished_later() {
    let root = tempfile::tempdir().unwrap();
    let in_the_way = root.path().join("b");
    fs::create_dir(&in_the_way).unwrap();
    let journal = Journal::open(root.path()).unwrap();
    let error = journal
        .commit(change(&[("a", "1"), ("b", "2")]))
        .unwrap_err();
    assert!(matches!(error, JournalError::Unfinished(_)), "{error}");
    assert_eq!(read(root.path(), "tuf/timestamp.json"), None);
    fs::remove_dir(in_the_way).unwrap();
    drop(journal);
    Journal::open(root.path()).unwrap();
    let found = ["a", "b", "tuf/timestamp.json"].map(|path| read(root.path(), path).unwrap());
    assert_eq!(found, ["1", "2", "t"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_registry_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("lock");
    fs::write(&victim, "precious").unwrap();
    fs::write(outside.path().join("a.new"), "precious").unwrap();
    let refused = |prepare: &dyn Fn(&Path)| {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(FOLDER)).unwrap();
        prepare(root.path());
        let error = Journal::open(root.path()).unwrap_err();
        assert!(matches!(error, JournalError::Link(_)), "{error}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    };
    refused(&|root| symlink(&victim, root.join(FOLDER).join(LOCK)).unwrap());
    refused(&|root| {
        fs::remove_dir(root.join(FOLDER)).unwrap();
        symlink(outside.path(), root.join(FOLDER)).unwrap();
    });
    refused(&|root| {
        symlink(outside.path(), root.join("se")).unwrap();
        fs::write(root.join(FOLDER).join("0.new"), "1").unwrap();
        fs::write(root.join(FOLDER).join(PLAN), r#"{"paths":["se/a"]}"#).unwrap();
    });
    refused(&|root| {
        symlink(&victim, root.join(FOLDER).join("0.new")).unwrap();
        fs::write(root.join(FOLDER).join(PLAN), r#"{"paths":["se/a"]}"#).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_change_through_a_link_is_not_begun() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(outside.path(), root.path().join("se")).unwrap();
    let journal = Journal::open(root.path()).unwrap();
    let error = journal.commit(change(&[("se/a", "1")])).unwrap_err();
    assert!(matches!(error, JournalError::Link(_)), "{error}");
    assert!(!Journal::has_pending_change(root.path()));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
