//! The order of an update: root, timestamp, snapshot, targets; and what ends it.

use serde_json::json;

use super::{refused, settled};
use crate::model::Sha256Digest;
use crate::trust::tuf::testing::now;
use crate::trust::tuf::{MetadataError, TufError};

#[test]
fn reads_a_registry_from_its_first_root() {
    let (repository, mut client) = settled();
    let expected = [
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
    ];
    assert_eq!(client.asked, expected);
    let updater = client.refresh(&repository).unwrap();
    let root = Sha256Digest::of(&repository.files["1.root.json"]);
    assert_eq!(updater.registry_id(), Some(root));
    assert_eq!(updater.root_version(), 1);
    assert_eq!(updater.timestamp_version(), Some(1));
    assert_eq!(updater.snapshot_version(), Some(1));
}

#[test]
fn asks_again_only_for_what_may_be_new() {
    let (repository, mut client) = settled();
    client.asked.clear();
    client.refresh(&repository).unwrap();
    assert_eq!(client.asked, ["2.root.json", "timestamp.json"]);
}

#[test]
fn keeps_every_file_byte_for_byte() {
    let (repository, client) = settled();
    for (name, path) in [
        ("root.json", "1.root.json"),
        ("timestamp.json", "timestamp.json"),
        ("snapshot.json", "1.snapshot.json"),
        ("targets.json", "1.targets.json"),
    ] {
        assert_eq!(client.kept[name], repository.files[path]);
    }
}

#[test]
fn follows_a_chain_of_roots_and_keeps_the_last() {
    let (mut repository, mut client) = settled();
    repository.seeds.insert("root".into(), vec![21, 22]);
    repository.write_root();
    repository.seeds.insert("root".into(), vec![31]);
    repository.write_root();
    let updater = client.refresh(&repository).unwrap();
    assert_eq!(updater.root_version(), 3);
    assert_eq!(client.kept["root.json"], repository.files["3.root.json"]);
}

#[test]
fn refuses_a_root_that_the_one_before_did_not_sign() {
    let (mut repository, mut client) = settled();
    repository.seeds.insert("root".into(), vec![21]);
    repository.write_root();
    for (seeds, found) in [(&[21][..], 0), (&[21, 1], 1)] {
        repository.forge("2.root.json", seeds, |_| ());
        let error = refused(&repository, &mut client);
        assert!(
            matches!(error, TufError::Signatures { found: f, needed: 2, .. } if f == found),
            "{error}"
        );
    }
}

#[test]
fn refuses_a_root_that_its_own_keys_did_not_sign() {
    let (mut repository, mut client) = settled();
    repository.seeds.insert("root".into(), vec![21]);
    repository.write_root();
    repository.forge("2.root.json", &[1, 2], |_| ());
    let error = refused(&repository, &mut client);
    assert!(matches!(
        error,
        TufError::Signatures {
            found: 0,
            needed: 1,
            ..
        }
    ));
}

#[test]
fn refuses_a_root_that_leaves_a_version_out() {
    let (mut repository, mut client) = settled();
    repository.write_root();
    repository.forge("2.root.json", &[1, 2], |signed| {
        signed["version"] = 3.into();
    });
    let error = refused(&repository, &mut client);
    assert!(matches!(
        error,
        TufError::Version {
            expected: 2,
            found: 3,
            ..
        }
    ));
}

#[test]
fn refuses_a_root_of_another_registry() {
    let (mut repository, mut client) = settled();
    repository.write_root();
    repository.forge("2.root.json", &[1, 2], |signed| {
        signed["registry_id"] = Sha256Digest::of(b"another").to_string().into();
    });
    let error = refused(&repository, &mut client);
    assert!(matches!(error, TufError::OtherRegistry { .. }));
}

#[test]
fn learns_the_registry_id_from_a_later_root() {
    let (mut repository, mut client) = settled();
    let id = Sha256Digest::of(&repository.files["1.root.json"]);
    repository.roles.get_mut("root").unwrap()["registry_id"] = id.to_string().into();
    repository.write_root();
    client.refresh(&repository).unwrap();
    let updater = client.refresh(&repository).unwrap();
    assert_eq!(
        (updater.root_version(), updater.registry_id()),
        (2, Some(id))
    );
}

#[test]
fn ends_a_chain_of_too_many_roots() {
    let (mut repository, mut client) = settled();
    for _ in 0..256 {
        repository.write_root();
    }
    assert_eq!(
        client.clone().refresh(&repository).unwrap().root_version(),
        257
    );
    repository.write_root();
    assert_eq!(
        refused(&repository, &mut client),
        TufError::TooManyRoots(256)
    );
}

#[test]
fn refuses_what_has_expired() {
    for (role, seeds) in [("timestamp", 3), ("snapshot", 4), ("targets", 5)] {
        let (mut repository, mut client) = settled();
        assert_eq!(repository.seeds[role], [seeds]);
        let expired = now().to_string();
        repository.roles.get_mut(role).unwrap()["expires"] = expired.into();
        repository.edit("targets", |_| ());
        repository.commit();
        let error = refused(&repository, &mut client);
        let expected = TufError::Expired {
            role: role.into(),
            version: 2,
            expires: now(),
            now: now(),
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn refuses_an_expired_root_only_after_looking_for_a_newer_one() {
    let (mut repository, mut client) = settled();
    repository.write_root();
    let later = now().plus_days(31);
    client.settings.now = later;
    let error = refused(&repository, &mut client);
    assert!(matches!(&error, TufError::Expired { role, version: 2, .. } if role == "root"));
    for role in ["root", "targets", "snapshot", "timestamp"] {
        let expires = later.plus_days(1).to_string();
        repository.roles.get_mut(role).unwrap()["expires"] = expires.into();
    }
    repository.write_root();
    repository.edit("targets", |_| ());
    repository.commit();
    assert_eq!(client.refresh(&repository).unwrap().root_version(), 3);
}

#[test]
fn puts_an_older_timestamp_aside() {
    let (old, mut client) = settled();
    let mut new = old.clone();
    new.commit();
    client.refresh(&new).unwrap();
    let mut stale = new.clone();
    let timestamp = old.files["timestamp.json"].clone();
    stale.files.insert("timestamp.json".into(), timestamp);
    let updater = client.refresh(&stale).unwrap();
    assert_eq!(updater.timestamp_version(), Some(2));
    let went_back = TufError::Rollback {
        role: "timestamp".into(),
        trusted: 2,
        offered: 1,
    };
    assert_eq!(updater.rollback(), Some(went_back.clone()));
    assert_eq!(client.kept["timestamp.json"], new.files["timestamp.json"]);
    // The rest is as old: what is new cannot be had.
    client.kept.remove("snapshot.json");
    stale.files.remove("2.snapshot.json");
    assert_eq!(refused(&stale, &mut client), went_back);
}

#[test]
fn a_frozen_registry_is_refused_once_its_timestamp_has_expired() {
    let (old, mut client) = settled();
    client.settings.now = now().plus_days(30);
    let mut frozen = old.clone();
    frozen.roles.get_mut("root").unwrap()["expires"] = now().plus_days(99).to_string().into();
    frozen.write_root();
    let error = refused(&frozen, &mut client);
    assert!(matches!(&error, TufError::Expired { role, .. } if role == "timestamp"));
}

#[test]
fn keeps_the_timestamp_that_it_has_when_the_version_is_the_same() {
    let (mut repository, mut client) = settled();
    let kept = client.kept["timestamp.json"].clone();
    repository.forge("timestamp.json", &[3], |signed| {
        signed["meta"]["snapshot.json"]["version"] = 7.into();
    });
    let updater = client.refresh(&repository).unwrap();
    assert_eq!(updater.snapshot_version(), Some(1));
    assert_eq!(client.kept["timestamp.json"], kept);
}

#[test]
fn refuses_a_timestamp_that_goes_back_to_an_older_snapshot() {
    let (mut repository, mut client) = settled();
    repository.commit();
    client.refresh(&repository).unwrap();
    repository.forge("timestamp.json", &[3], |signed| {
        signed["version"] = 9.into();
        signed["meta"]["snapshot.json"] = json!({"version": 1});
    });
    let error = refused(&repository, &mut client);
    let expected = TufError::Rollback {
        role: "snapshot".into(),
        trusted: 2,
        offered: 1,
    };
    assert_eq!(error, expected);
}

#[test]
fn refuses_a_snapshot_that_is_not_the_announced_one() {
    let (mut repository, mut client) = settled();
    repository.commit();
    let honest = repository.clone();

    repository.forge("2.snapshot.json", &[4], |signed| {
        signed["meta"]["docs.json"]["version"] = 2.into();
    });
    assert!(matches!(
        refused(&repository, &mut client),
        TufError::Digest { .. }
    ));

    repository.forge("2.snapshot.json", &[4], |signed| signed["x"] = "y".into());
    assert!(matches!(
        refused(&repository, &mut client),
        TufError::TooLong { .. }
    ));

    let mut repository = honest;
    let older = repository.files["1.snapshot.json"].clone();
    repository.files.insert("2.snapshot.json".into(), older);
    repository.announce();
    let error = refused(&repository, &mut client);
    assert!(matches!(
        error,
        TufError::Version {
            expected: 2,
            found: 1,
            ..
        }
    ));
}

#[test]
fn refuses_a_snapshot_in_which_a_role_goes_back_or_vanishes() {
    let (mut repository, mut client) = settled();
    repository.edit("docs", |_| ());
    repository.commit();
    client.refresh(&repository).unwrap();

    let honest = repository.clone();
    repository.roles.get_mut("docs").unwrap()["version"] = 1.into();
    repository.commit();
    let expected = TufError::Rollback {
        role: "docs".into(),
        trusted: 2,
        offered: 1,
    };
    assert_eq!(refused(&repository, &mut client), expected);

    let mut repository = honest;
    repository.commit();
    repository.forge("3.snapshot.json", &[4], |signed| {
        signed["meta"].as_object_mut().unwrap().remove("docs.json");
    });
    repository.announce();
    let expected = TufError::Vanished {
        role: "docs".into(),
    };
    assert_eq!(refused(&repository, &mut client), expected);
}

#[test]
fn refuses_targets_of_another_version_than_the_snapshot_lists() {
    let (mut repository, mut client) = settled();
    repository.edit("targets", |_| ());
    repository.commit();
    let older = repository.files["1.targets.json"].clone();
    repository.files.insert("2.targets.json".into(), older);
    let error = refused(&repository, &mut client);
    assert!(matches!(
        error,
        TufError::Version {
            expected: 2,
            found: 1,
            ..
        }
    ));
}

#[test]
fn a_snapshot_without_targets_is_refused() {
    let (mut repository, mut client) = settled();
    repository.commit();
    repository.forge("2.snapshot.json", &[4], |signed| signed["meta"] = json!({}));
    repository.announce();
    let error = refused(&repository, &mut client);
    let missing = MetadataError::MissingRole("targets");
    assert!(matches!(error, TufError::Malformed { source, .. } if source == missing));
}

/// Who stole the timestamp's key may have announced versions that no honest timestamp reaches.
#[test]
fn recovers_from_versions_run_away_when_the_keys_are_replaced() {
    let (mut repository, mut client) = settled();
    let mut stolen = repository.clone();
    stolen.roles.get_mut("snapshot").unwrap()["version"] = 1_000_000.into();
    stolen.roles.get_mut("timestamp").unwrap()["version"] = 1_000_000.into();
    stolen.commit();
    client.refresh(&stolen).unwrap();

    repository.seeds.insert("snapshot".into(), vec![44]);
    repository.write_root();
    repository.commit();
    let updater = client.refresh(&repository).unwrap();
    assert_eq!(updater.timestamp_version(), Some(2));
    assert_eq!(updater.snapshot_version(), Some(2));
}

#[test]
fn one_more_key_forgets_nothing() {
    let (mut repository, mut client) = settled();
    repository.commit();
    client.refresh(&repository).unwrap();
    repository.seeds.insert("timestamp".into(), vec![3, 33]);
    repository.write_root();
    repository.forge("timestamp.json", &[3, 33], |signed| {
        signed["version"] = 1.into();
    });
    let updater = client.refresh(&repository);
    // Kept with one signature, the old timestamp does not verify under the new threshold; the
    // snapshot does, and it is not replaced by an older one.
    assert_eq!(updater.unwrap().snapshot_version(), Some(2));
    assert!(client.kept.contains_key("snapshot.json"));
}
