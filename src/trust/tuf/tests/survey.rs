//! The survey of all roles.

use std::collections::BTreeSet;

use serde_json::json;

use crate::trust::tuf::testing::{Client, Repository, keys, role};
use crate::trust::tuf::{Lookup, TufError};

#[test]
fn reads_every_role_and_passes_over_what_is_refused() {
    let mut repository = Repository::new();
    repository.add("packages-0", "a/a.json", b"record");
    repository.add("docs", "docs/a.txt", b"a");
    repository.commit();
    repository.forge("1.packages-1.json", &[1], |_| ());
    let mut client = Client::of(&repository);
    let mut updater = client.refresh(&repository).unwrap();
    let mut refused = BTreeSet::new();
    while let Some(role) = updater.next_role(&refused).unwrap() {
        if client.answer(&mut updater, &repository.files).is_err() {
            refused.insert(role);
        }
    }
    assert_eq!(refused, BTreeSet::from(["packages-1".to_owned()]));
    let roles: BTreeSet<String> = updater.validities().into_iter().map(|v| v.role).collect();
    let others = [
        "root",
        "timestamp",
        "snapshot",
        "targets",
        "docs",
        "packages",
        "packages-0",
    ];
    assert_eq!(roles, others.map(str::to_owned).into());
    let listed = ("docs/a.txt".to_owned(), "docs".to_owned());
    assert!(updater.listed_paths().contains(&listed));
    assert!(matches!(
        updater.find_target("docs/a.txt"),
        Ok(Lookup::Found(_))
    ));
}

#[test]
fn does_not_count_bins_without_end() {
    let mut repository = Repository::new();
    repository.edit("packages", |signed| {
        let mut bins = role(&[8]);
        bins["bit_length"] = 32.into();
        bins["name_prefix"] = "packages".into();
        signed["delegations"] = json!({"keys": keys(&[8]), "succinct_roles": bins});
    });
    repository.commit();
    let mut client = Client::of(&repository);
    let mut updater = client.refresh(&repository).unwrap();
    let error = loop {
        match updater.next_role(&BTreeSet::new()) {
            Ok(_) => client.answer(&mut updater, &repository.files).unwrap(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, TufError::TooManyBins { bits: 32, .. }));
}
