//! Until when a copy counts as the present state, where a server gives only some of what it announces.

use serde_json::json;

use super::settled;
use crate::model::UtcTime;
use crate::trust::tuf::testing::{Client, Repository, now};
use crate::trust::tuf::{Lookup, TufError, Updater, Upheld, Withheld};

const RECORD: &str = "se/rd/serde.json";

/// The registry signs again; its timestamp expires on that day.
fn commit(repository: &mut Repository, on: u32) {
    let expires = now().plus_days(on).to_string();
    repository.roles.get_mut("timestamp").unwrap()["expires"] = expires.into();
    repository.commit();
}

/// A registry that lists a record in both bins, and a client that read it on a timestamp of 7 days.
fn read() -> (Repository, Client, Upheld) {
    let (mut repository, mut client) = settled();
    for bin in ["packages-0", "packages-1"] {
        repository.add(bin, RECORD, b"record");
    }
    commit(&mut repository, 7);
    let mut upheld = Upheld::default();
    let found = search(&mut client, &repository, &mut upheld);
    found.unwrap();
    (repository, client, upheld)
}

/// Looks the record up as a program does, which notes after each step what is upheld.
fn search(
    client: &mut Client,
    repository: &Repository,
    upheld: &mut Upheld,
) -> Result<Updater, TufError> {
    let updater = Updater::start(&client.kept["root.json"], client.settings)?;
    let mut updater = updater.with_upheld(upheld.clone());
    client.answer(&mut updater, &repository.files)?;
    updater.uphold(upheld);
    while updater.find_target(RECORD)? == Lookup::Needs {
        client.answer(&mut updater, &repository.files)?;
        updater.uphold(upheld);
    }
    Ok(updater)
}

/// Until when a client without the network may take the record for the present one, and what is withheld.
fn offline(client: &Client, repository: &Repository, upheld: &Upheld) -> (UtcTime, Option<String>) {
    let updater = search(&mut client.offline(), repository, &mut upheld.clone()).unwrap();
    let withheld = updater.withheld().map(|Withheld { role, .. }| role);
    let until = updater.upheld_until().unwrap();
    assert_eq!(updater.earliest_expiry().1, until);
    (until, withheld)
}

fn day(days: u32) -> UtcTime {
    now().plus_days(days)
}

#[test]
fn a_whole_state_counts_until_its_timestamp_expires() {
    let (mut repository, mut client, mut upheld) = read();
    assert_eq!(offline(&client, &repository, &upheld), (day(7), None));
    commit(&mut repository, 12);
    // That it was read once, and is listed still, is enough.
    let mut updater = client.refresh(&repository).unwrap();
    updater.uphold(&mut upheld);
    assert_eq!(offline(&client, &repository, &upheld), (day(12), None));
    assert_eq!(updater.find_target(RECORD), Ok(Lookup::Needs));
    // A later update may be cut off.
    repository.edit("packages-0", |_| ());
    repository.edit("packages-1", |_| ());
    commit(&mut repository, 19);
    repository.files.remove("4.snapshot.json");
    search(&mut client, &repository, &mut upheld).unwrap_err();
    let snapshot = Some("snapshot".to_owned());
    assert_eq!(offline(&client, &repository, &upheld), (day(12), snapshot));
}

#[test]
fn what_is_withheld_does_not_count_longer() {
    for (role, path) in [
        ("snapshot", "3.snapshot.json"),
        ("targets", "2.targets.json"),
        ("packages", "2.packages.json"),
        ("packages-0", "3.packages-0.json"),
    ] {
        let (mut repository, mut client, mut upheld) = read();
        if role != "snapshot" {
            repository.edit(role, |_| ());
        }
        if role == "packages-0" {
            repository.edit("packages-1", |_| ());
        }
        commit(&mut repository, 12);
        assert!(repository.files.remove(path).is_some(), "{path}");
        repository.files.remove("3.packages-1.json");
        let error = search(&mut client, &repository, &mut upheld).unwrap_err();
        assert!(error.is_network_fault(), "{role}: {error}");
        let (until, withheld) = offline(&client, &repository, &upheld);
        assert_eq!(until, day(7), "{role}");
        let withheld = withheld.unwrap();
        assert_eq!(withheld.replace("packages-1", "packages-0"), role);
        // The newest timestamp is remembered all the same.
        let updater = client.offline().refresh(&repository).unwrap();
        assert_eq!(updater.timestamp_version(), Some(3), "{role}");
    }
}

#[test]
fn what_was_never_upheld_is_not_fresh() {
    let (mut repository, mut client, _) = read();
    repository.edit("targets", |_| ());
    commit(&mut repository, 12);
    repository.files.remove("2.targets.json");
    client.refresh(&repository).unwrap_err();
    let (until, _) = offline(&client, &repository, &Upheld::default());
    assert_eq!(until, now());
}

#[test]
fn another_snapshot_of_the_announced_version_is_not_the_announced_one() {
    let (repository, mut client, upheld) = read();
    let mut other = repository.clone();
    other.forge("2.snapshot.json", &[4], |signed| {
        signed["expires"] = json!(day(20).to_string());
    });
    let forged = other.files["2.snapshot.json"].clone();
    client.kept.insert("snapshot.json".into(), forged);
    let (until, withheld) = offline(&client, &repository, &Upheld::default());
    assert_eq!((until, withheld.as_deref()), (now(), Some("snapshot")));
    assert_eq!(offline(&client, &repository, &upheld).0, day(7));
}

#[test]
fn a_new_key_of_the_timestamp_forgets_what_the_old_one_upheld() {
    let (mut repository, mut client, upheld) = read();
    client.kept.insert(Upheld::NAME.into(), upheld.encode());
    repository.seeds.insert("timestamp".into(), vec![33]);
    repository.write_root();
    commit(&mut repository, 12);
    client.refresh(&repository).unwrap();
    assert!(!client.kept.contains_key(Upheld::NAME));
}

/// A thief signs very high versions, which a client upholds; then the key is replaced, and what a slow
/// process has upheld under the old one is kept after that.
fn raced(role: &str) -> (Repository, Client, Upheld) {
    let (mut repository, mut client, mut upheld) = read();
    let mut thiefs = repository.clone();
    thiefs.roles.get_mut("snapshot").unwrap()["version"] = 1000.into();
    commit(&mut thiefs, 25);
    let mut slow = client.clone();
    search(&mut slow, &thiefs, &mut upheld).unwrap();
    repository.seeds.insert(role.into(), vec![33]);
    repository.write_root();
    commit(&mut repository, 12);
    client.refresh(&repository).unwrap();
    (repository, client, upheld)
}

#[test]
fn what_was_upheld_under_a_replaced_key_gives_way_to_the_present_snapshot() {
    for role in ["timestamp", "snapshot"] {
        let (mut repository, mut client, mut upheld) = raced(role);
        let text = || String::from_utf8(upheld.encode()).unwrap();
        assert!(text().contains(&format!("1001 {} snapshot.json\n", day(25))));
        search(&mut client, &repository, &mut upheld).unwrap();
        let text = String::from_utf8(upheld.encode()).unwrap();
        assert!(
            text.contains(&format!("3 {} snapshot.json\n", day(12))),
            "{text}"
        );
        assert_eq!(offline(&client, &repository, &upheld), (day(12), None));
        // What is withheld then leaves the copy as good as it was.
        commit(&mut repository, 19);
        repository.files.remove("4.snapshot.json");
        search(&mut client, &repository, &mut upheld).unwrap_err();
        let withheld = Some("snapshot".to_owned());
        assert_eq!(offline(&client, &repository, &upheld), (day(12), withheld));
    }
}

#[test]
fn what_was_upheld_under_a_replaced_key_counts_for_nothing_offline() {
    let (mut repository, mut client, upheld) = raced("timestamp");
    // As if the thief had upheld the honest version for long.
    let text = String::from_utf8(upheld.encode()).unwrap();
    let text = text.replace("1001 ", "3 ");
    let thiefs = Upheld::decode(text.as_bytes());
    commit(&mut repository, 19);
    repository.files.remove("4.snapshot.json");
    client.refresh(&repository).unwrap_err();
    assert_eq!(offline(&client, &repository, &thiefs).0, now());
}

#[test]
fn a_process_that_knows_only_the_old_key_upholds_nothing() {
    let (repository, mut client, _) = read();
    let mut old = client.clone().refresh(&repository).unwrap();
    let (mut newer, before) = (repository.clone(), client.clone());
    newer.seeds.insert("snapshot".into(), vec![33]);
    newer.write_root();
    commit(&mut newer, 12);
    let mut upheld = Upheld::default();
    search(&mut client, &newer, &mut upheld).unwrap();
    let kept = upheld.clone();
    old.uphold(&mut upheld);
    assert_eq!(upheld, kept);
    // The other way round the old one's is replaced.
    old = before.clone().refresh(&repository).unwrap();
    let mut upheld = Upheld::default();
    old.uphold(&mut upheld);
    search(&mut client, &newer, &mut upheld).unwrap();
    assert_eq!(upheld, kept);
}

#[test]
fn without_a_replaced_key_what_is_upheld_never_goes_back() {
    let (mut repository, client, mut upheld) = read();
    let old = client.clone().refresh(&repository).unwrap();
    // A key more is none less.
    repository.seeds.insert("timestamp".into(), vec![3, 33]);
    repository.write_root();
    commit(&mut repository, 12);
    search(&mut client.clone(), &repository, &mut upheld).unwrap();
    let kept = upheld.clone();
    assert!(
        String::from_utf8(kept.encode())
            .unwrap()
            .starts_with("keys 2 ")
    );
    old.uphold(&mut upheld);
    assert_eq!(upheld, kept);
}

#[test]
fn what_is_kept_is_read_again_and_damage_counts_for_nothing() {
    let (_, _, upheld) = read();
    assert_eq!(Upheld::decode(&upheld.encode()), upheld);
    let text = String::from_utf8(upheld.encode()).unwrap();
    assert!(
        text.contains(&format!("2 {} snapshot.json\n", day(7))),
        "{text}"
    );
    for damaged in [
        "",
        "2",
        "2 soon snapshot.json",
        "x 2026-11-22T12:05:11Z snapshot.json",
    ] {
        assert_eq!(Upheld::decode(damaged.as_bytes()), Upheld::default());
    }
}
