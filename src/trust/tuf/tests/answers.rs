//! Answers that are no answers, and doing without: faults of the network, limits, other mirrors,
//! offline.

use super::{refused, settled};
use crate::model::UtcTime;
use crate::trust::tuf::testing::now;
use crate::trust::tuf::{TufError, Updater};

const RECORD: &str = "se/rd/serde.json";

#[test]
fn a_missing_file_and_a_foreign_page_are_faults_of_the_network() {
    let (mut repository, mut client) = settled();
    let page = b"<!DOCTYPE html><title>Log in</title>".to_vec();
    repository.files.insert("timestamp.json".into(), page);
    let error = refused(&repository, &mut client);
    assert!(matches!(error, TufError::NotMetadata { .. }) && error.is_network_fault());
    repository
        .files
        .insert("timestamp.json".into(), b"{}".to_vec());
    assert!(refused(&repository, &mut client).is_network_fault());
    repository.files.remove("timestamp.json");
    let error = refused(&repository, &mut client);
    assert!(matches!(error, TufError::Missing { .. }) && error.is_network_fault());
}

#[test]
fn reads_no_more_than_the_limit() {
    let (mut repository, mut client) = settled();
    repository
        .files
        .insert("timestamp.json".into(), vec![b' '; 16 * 1024 + 1]);
    assert!(matches!(
        refused(&repository, &mut client),
        TufError::TooLong { limit: 16_384, .. }
    ));
    repository
        .files
        .insert("2.root.json".into(), vec![b' '; 512 * 1024 + 1]);
    assert!(matches!(
        refused(&repository, &mut client),
        TufError::TooLong { limit: 524_288, .. }
    ));
}

#[test]
fn a_refused_answer_leaves_the_question_open_for_another_mirror() {
    let (mut repository, mut client) = settled();
    repository.commit();
    let mut updater = Updater::start(&client.kept["root.json"], client.settings).unwrap();
    let mut lying = repository.clone();
    lying.files.insert(
        "2.snapshot.json".into(),
        b"{\"signed\":{},\"signatures\":[]}".to_vec(),
    );
    client.answer(&mut updater, &lying.files).unwrap_err();
    client.answer(&mut updater, &repository.files).unwrap();
    assert_eq!(updater.snapshot_version(), Some(2));
}

#[test]
fn offline_trusts_what_was_kept_and_tells_its_age() {
    let (mut repository, mut client) = settled();
    repository.add("packages-0", RECORD, b"record");
    repository.add("packages-1", RECORD, b"record");
    repository.commit();
    assert!(client.find(&repository, RECORD).unwrap().is_some());
    // The snapshot goes on, and the bin that was read is now older than the one it lists.
    repository.add("packages-0", "se/rd/serde_json.json", b"new");
    repository.add("packages-1", "se/rd/serde_json.json", b"new");
    repository.commit();
    client.refresh(&repository).unwrap();

    let mut offline = client.offline();
    offline.settings.now = now().plus_days(365);
    assert!(offline.find(&repository, RECORD).unwrap().is_some());
    let updater = offline.refresh(&repository).unwrap();
    let expires: UtcTime = now().plus_days(30);
    assert_eq!(updater.earliest_expiry().1, expires);
}

#[test]
fn offline_says_what_was_never_fetched() {
    let (repository, client) = settled();
    let not_stored = |role: &str| TufError::NotStored { role: role.into() };
    let mut offline = client.offline();
    let error = offline.find(&repository, RECORD).unwrap_err();
    assert_eq!(error, not_stored("packages"));
    offline.kept.remove("timestamp.json");
    assert_eq!(
        offline.refresh(&repository).unwrap_err(),
        not_stored("timestamp")
    );
}
