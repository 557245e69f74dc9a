//! The search for a target through delegations.

use serde_json::{Value, json};

use crate::model::Sha256Digest;
use crate::trust::tuf::path_pattern::bin_name;
use crate::trust::tuf::testing::{Client, Repository, keys, role};
use crate::trust::tuf::{Lookup, MetadataError, TargetMismatch, TufError};

const RECORD: &str = "se/rd/serde.json";

fn with_record() -> Repository {
    let mut repository = Repository::new();
    repository.add(&bin_name("packages", 1, RECORD), RECORD, b"record");
    repository.commit();
    repository
}

/// A registry whose `targets` delegates to these roles only; each is there and signed by seed 6.
fn delegating(roles: &[(&str, Value)]) -> Repository {
    let mut repository = Repository::new();
    let delegation = |(name, more): &(&str, Value)| {
        let mut delegation = role(&[6]);
        delegation["name"] = (*name).into();
        for (key, value) in more.as_object().unwrap() {
            delegation[key] = value.clone();
        }
        delegation
    };
    let listed: Vec<_> = roles.iter().map(delegation).collect();
    for (name, _) in roles {
        let mut signed = repository.roles["docs"].clone();
        signed["version"] = 0.into();
        repository.roles.insert((*name).into(), signed);
        repository.seeds.insert((*name).into(), vec![6]);
        repository.edit(name, |_| ());
    }
    repository.edit("targets", |signed| {
        signed["delegations"] = json!({"keys": keys(&[6]), "roles": listed});
    });
    repository.commit();
    repository
}

fn find(repository: &Repository, path: &str) -> Result<Option<u64>, TufError> {
    let found = Client::of(repository).find(repository, path)?;
    Ok(found.map(|file| file.length()))
}

#[test]
fn finds_a_record_in_its_hash_bin() {
    let repository = with_record();
    let found = Client::of(&repository)
        .find(&repository, RECORD)
        .unwrap()
        .unwrap();
    let digest = Sha256Digest::of(b"record");
    assert_eq!(found.path(), RECORD);
    assert_eq!(found.location(), format!("se/rd/{digest}.serde.json"));
    assert_eq!((found.length(), found.sha256()), (6, Some(digest)));
}

#[test]
fn fetches_only_the_roles_on_the_way() {
    let repository = with_record();
    let mut client = Client::of(&repository);
    client.refresh(&repository).unwrap();
    client.asked.clear();
    client.find(&repository, RECORD).unwrap();
    let bin = format!("2.{}.json", bin_name("packages", 1, RECORD));
    let expected = ["2.root.json", "timestamp.json", "1.packages.json", &bin];
    assert_eq!(client.asked, expected);
    client.asked.clear();
    client.find(&repository, RECORD).unwrap();
    assert_eq!(client.asked, ["2.root.json", "timestamp.json"]);
}

#[test]
fn says_when_nobody_lists_a_path() {
    let repository = with_record();
    for path in ["se/rd/other.json", "docs/none.txt", "nowhere", "../up.json"] {
        assert_eq!(find(&repository, path), Ok(None), "{path}");
    }
}

#[test]
fn only_the_files_that_are_signed_for_pass() {
    let repository = with_record();
    let found = Client::of(&repository)
        .find(&repository, RECORD)
        .unwrap()
        .unwrap();
    assert_eq!(found.verify(b"record".to_vec()).unwrap().bytes, b"record");
    for wrong in [&b"Record"[..], b"recor", b"record "] {
        let error: TargetMismatch = found.verify(wrong.to_vec()).unwrap_err();
        assert_eq!((error.expected, error.length), (6, wrong.len() as u64));
        assert_eq!(error.sha256, Sha256Digest::of(wrong));
    }
}

#[test]
fn a_role_counts_only_for_the_paths_delegated_to_it() {
    let mut repository = Repository::new();
    repository.add("docs", RECORD, b"usurped");
    repository.add("docs", "docs/a.txt", b"doc");
    repository.commit();
    assert_eq!(find(&repository, RECORD), Ok(None));
    assert_eq!(find(&repository, "docs/a.txt"), Ok(Some(3)));
}

#[test]
fn asks_roles_in_their_order_and_depth_first() {
    let any = json!({"paths": ["*"]});
    let mut repository = delegating(&[("a", any.clone()), ("b", any.clone())]);
    let mut below = role(&[6]);
    below["name"] = "below".into();
    below["paths"] = json!(["*"]);
    let signed = repository.roles["b"].clone();
    repository.roles.insert("below".into(), signed);
    repository.seeds.insert("below".into(), vec![6]);
    repository.edit("a", |signed| {
        signed["delegations"] = json!({"keys": keys(&[6]), "roles": [below]});
    });
    repository.add("b", "f", b"of b!");
    repository.edit("below", |_| ());
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(Some(5)));
    repository.add("below", "f", b"below");
    repository.add("below", "f", b"of below");
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(Some(8)));
    repository.add("targets", "f", b"top");
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(Some(3)));
}

#[test]
fn a_terminating_role_has_the_last_word() {
    let end = json!({"paths": ["*"], "terminating": true});
    let mut repository = delegating(&[("a", end), ("b", json!({"paths": ["*"]}))]);
    repository.add("b", "f", b"of b");
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(None));
    let other = json!({"paths": ["g"], "terminating": true});
    let mut repository = delegating(&[("a", other), ("b", json!({"paths": ["*"]}))]);
    repository.add("b", "f", b"of b");
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(Some(4)));
}

#[test]
fn delegates_by_hash_prefix() {
    let digest = Sha256Digest::of(b"f").to_string();
    let prefixes = json!({"path_hash_prefixes": [&digest[..2]]});
    let mut repository = delegating(&[("a", prefixes)]);
    repository.add("a", "f", b"here");
    repository.add("a", "g", b"not here");
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(Some(4)));
    assert_eq!(find(&repository, "g"), Ok(None));
}

#[test]
fn roles_that_delegate_to_each_other_end_the_search() {
    let any = json!({"paths": ["*"]});
    let mut repository = delegating(&[("a", any.clone()), ("b", any)]);
    let delegations = repository.roles["targets"]["delegations"].clone();
    for name in ["a", "b"] {
        let delegations = delegations.clone();
        repository.edit(name, |signed| signed["delegations"] = delegations);
    }
    repository.commit();
    assert_eq!(find(&repository, "f"), Ok(None));
}

#[test]
fn gives_up_after_too_many_roles() {
    let names: Vec<_> = (0..40).map(|number| format!("role-{number}")).collect();
    let roles: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), json!({"paths": ["*"]})))
        .collect();
    let repository = delegating(&roles);
    let error = find(&repository, "f").unwrap_err();
    assert!(matches!(
        error,
        TufError::TooManyDelegations { limit: 32, .. }
    ));
}

#[test]
fn a_role_that_the_snapshot_does_not_list_is_refused() {
    let mut repository = with_record();
    repository.commit();
    repository.forge("3.snapshot.json", &[4], |signed| {
        signed["meta"]
            .as_object_mut()
            .unwrap()
            .remove("packages.json");
    });
    repository.announce();
    let error = find(&repository, RECORD).unwrap_err();
    let expected = TufError::NotInSnapshot {
        role: "packages".into(),
    };
    assert_eq!(error, expected);
}

#[test]
fn an_older_version_of_a_bin_is_refused() {
    let mut repository = with_record();
    let bin = bin_name("packages", 1, RECORD);
    let older = repository.files[&format!("1.{bin}.json")].clone();
    repository.files.insert(format!("2.{bin}.json"), older);
    let error = find(&repository, RECORD).unwrap_err();
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
fn a_bin_counts_only_with_the_keys_of_its_delegator() {
    let mut repository = with_record();
    let bin = bin_name("packages", 1, RECORD);
    repository.forge(&format!("2.{bin}.json"), &[5], |_| ());
    let error = find(&repository, RECORD).unwrap_err();
    assert!(matches!(error, TufError::Signatures { found: 0, .. }));
}

#[test]
fn an_expired_bin_is_refused() {
    let mut repository = with_record();
    let bin = bin_name("packages", 1, RECORD);
    repository.edit(&bin, |signed| {
        signed["expires"] = "2020-01-01T00:00:00Z".into();
    });
    repository.commit();
    let error = find(&repository, RECORD).unwrap_err();
    assert!(matches!(error, TufError::Expired { role, .. } if role == bin));
}

#[test]
fn whatever_a_role_is_called_its_file_is_one_name() {
    let name = "../../etc/pass wd";
    let mut repository = delegating(&[(name, json!({"paths": ["*"]}))]);
    let path = "1...%2F..%2Fetc%2Fpass%20wd.json";
    let bytes = repository.files[&format!("1.{name}.json")].clone();
    repository.files.insert(path.into(), bytes);
    let mut client = Client::of(&repository);
    assert!(client.find(&repository, "f").unwrap().is_none());
    assert!(client.asked.iter().any(|asked| asked == path));
    assert!(client.kept.keys().all(|name| !name.contains('/')));
}

#[test]
fn malformed_delegations_are_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut repository = Repository::new();
        repository.edit("targets", |signed| change(&mut signed["delegations"]));
        repository.commit();
        match find(&repository, "f").unwrap_err() {
            TufError::Malformed { source, .. } => source,
            other => panic!("{other}"),
        }
    };
    for name in ["root", "timestamp", "snapshot", "targets", ""] {
        let source = refused(&|delegations| delegations["roles"][0]["name"] = name.into());
        assert_eq!(source, MetadataError::RoleName(name.into()));
    }
    let both = refused(&|delegations| {
        let mut bins = role(&[6]);
        bins["bit_length"] = 2.into();
        bins["name_prefix"] = "bin".into();
        delegations["succinct_roles"] = bins;
    });
    assert!(matches!(both, MetadataError::Delegations(_)));
    for bits in [0, 33] {
        let source = refused(&|delegations| {
            let mut bins = role(&[6]);
            bins["bit_length"] = bits.into();
            bins["name_prefix"] = "bin".into();
            *delegations = json!({"keys": {}, "succinct_roles": bins});
        });
        assert!(matches!(source, MetadataError::Delegations(_)));
    }
    let no_paths = refused(&|delegations| {
        delegations["roles"][0]
            .as_object_mut()
            .unwrap()
            .remove("paths");
    });
    assert!(matches!(no_paths, MetadataError::Delegations(_)));
}

#[test]
fn one_roles_metadata_does_not_pass_for_anothers() {
    let bin = bin_name("packages", 1, RECORD);
    let other = ["packages-0", "packages-1"]
        .into_iter()
        .find(|name| *name != bin)
        .unwrap();
    let mut repository = Repository::new();
    for name in [bin.as_str(), other] {
        let named = name.to_owned();
        repository.edit(name, |signed| signed["role"] = named.into());
    }
    repository.add(&bin, RECORD, b"record");
    repository.edit(other, |_| ());
    repository.commit();
    assert_eq!(find(&repository, RECORD), Ok(Some(6)));
    // The same keys sign both, and both are of the listed version.
    let wrong = repository.files[&format!("3.{other}.json")].clone();
    repository.files.insert(format!("3.{bin}.json"), wrong);
    let expected = TufError::OtherRole {
        expected: bin,
        found: other.into(),
    };
    assert_eq!(find(&repository, RECORD), Err(expected));
}

#[test]
fn a_search_after_a_failed_one_begins_anew() {
    let mut repository = with_record();
    let mut client = Client::of(&repository);
    let mut updater = client.refresh(&repository).unwrap();
    let bin = format!("2.{}.json", bin_name("packages", 1, RECORD));
    let kept = repository.files.remove(&bin).unwrap();
    let mut search = |repository: &Repository| loop {
        match updater.find_target(RECORD)? {
            Lookup::Found(_) => return Ok(()),
            Lookup::Absent => panic!("it is listed"),
            Lookup::Needs => client.answer(&mut updater, &repository.files)?,
        }
    };
    for _ in 0..2 {
        assert!(matches!(search(&repository), Err(TufError::Missing { .. })));
    }
    repository.files.insert(bin, kept);
    assert_eq!(search(&repository), Ok(()));
}

#[test]
fn a_digest_that_becomes_part_of_a_path_is_hexadecimal() {
    for digest in ["../../policy", "", &"A".repeat(128), &"a".repeat(127)] {
        let mut repository = with_record();
        repository.edit(&bin_name("packages", 1, RECORD), |signed| {
            signed["targets"][RECORD]["hashes"] = json!({"sha512": digest});
        });
        repository.commit();
        let error = Client::of(&repository).find(&repository, RECORD);
        let refused = matches!(
            error,
            Err(TufError::Malformed {
                source: MetadataError::Hashes(_),
                ..
            })
        );
        assert!(refused, "{digest}: {error:?}");
    }
}
