//! A copy that is taken for the present state: no newer one is looked for, and nothing else is different.

use super::settled;
use crate::trust::tuf::testing::{Client, Repository, now};
use crate::trust::tuf::{TufError, Updater};

const RECORD: &str = "se/rd/serde.json";

/// A client that has read a record, and what it asks for from then on.
fn read() -> (Repository, Client) {
    let (mut repository, mut client) = settled();
    repository.add("packages-0", RECORD, b"record");
    repository.add("packages-1", RECORD, b"record");
    repository.commit();
    assert!(client.find(&repository, RECORD).unwrap().is_some());
    client.asked.clear();
    (repository, client.recent())
}

#[test]
fn what_is_whole_is_read_without_asking() {
    let (mut repository, mut client) = read();
    let version = client.refresh(&repository).unwrap().snapshot_version();
    repository.add("packages-0", "se/rd/serde_json.json", b"new");
    repository.commit();
    repository.write_root();
    assert!(client.find(&repository, RECORD).unwrap().is_some());
    let updater = client.refresh(&repository).unwrap();
    assert_eq!(updater.snapshot_version(), version);
    assert_eq!((updater.root_version(), client.asked.len()), (1, 0));
}

#[test]
fn what_is_missing_or_behind_is_asked_for_as_ever() {
    let (repository, client) = read();
    for role in ["snapshot", "targets", "packages"] {
        let mut client = client.clone();
        client.kept.remove(&format!("{role}.json"));
        client.find(&repository, RECORD).unwrap();
        assert_eq!(client.asked.len(), 1, "{role}");
        assert!(client.asked[0].ends_with(&format!(".{role}.json")));
    }
    // A role that is older than the snapshot lists would do offline.
    let (mut repository, mut client) = read();
    repository.add("packages-0", "se/rd/serde_json.json", b"new");
    repository.add("packages-1", "se/rd/serde_json.json", b"new");
    repository.commit();
    client.settings.mode = crate::trust::tuf::Mode::Online;
    client.refresh(&repository).unwrap();
    let mut client = client.recent();
    client.asked.clear();
    client.find(&repository, RECORD).unwrap();
    assert_eq!(client.asked.len(), 1);
}

#[test]
fn what_has_expired_is_refused() {
    let (repository, mut client) = read();
    client.settings.now = now().plus_days(365);
    let error = client.refresh(&repository).unwrap_err();
    assert!(matches!(error, TufError::Expired { role, .. } if role == "root"));
}

#[test]
fn a_timestamp_that_is_missing_damaged_or_too_old_is_none() {
    let (repository, client) = read();
    let timestamp = "timestamp.json";
    let mut without = client.clone();
    without.kept.remove(timestamp);
    let error = without.refresh(&repository).unwrap_err();
    let role = "timestamp".into();
    assert_eq!(error, TufError::NotStored { role });
    let mut forged = client.clone();
    let bytes = forged.kept.get_mut(timestamp).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    *bytes = text.replace("2027", "2028").into_bytes();
    let error = forged.refresh(&repository).unwrap_err();
    assert!(matches!(error, TufError::Signatures { .. }), "{error}");
    let updater = Updater::start(&client.kept["root.json"], client.settings).unwrap();
    let mut updater = updater.with_least_snapshot(1000);
    let error = client.clone().answer(&mut updater, &repository.files);
    assert!(matches!(error, Err(TufError::BeforeLeast { .. })));
}
