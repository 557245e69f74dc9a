//! What is refused, whatever the format: exit code 4, nothing written, no falling back.

use std::time::Duration;

use cargo_marketplace::formats::layout::{self, Format};
use cargo_marketplace::formats::record::Record;
use cargo_marketplace::formats::{statement, v1, v2};
use cargo_marketplace::model::{Body, Document, Sha256Digest, Statement};
use cargo_marketplace::trust::sign_statement;
use insta::assert_snapshot;
use serde_json::json;

use super::forge::{Forge, bin};
use super::{READ, World, day, error, package};
use crate::faults::{Fault, PAGE};
use crate::samples::folder_digest;
use crate::small_registry::{self, BASE, key};

/// Undoes a yank in a document, whose digest in the record is the right one.
pub(super) fn unyank_in_document(forge: &mut Forge, format: Format) {
    edit_document(forge, format, |document| {
        assert!(document.entries[0].yanked.take().is_some());
    });
}

/// Changes a document; its digest in the record is the right one.
fn edit_document(forge: &mut Forge, format: Format, change: impl FnOnce(&mut Document)) {
    let path = layout::document(&package(), Format::V1);
    let mut document = v1::decode(&package(), forge.file(&path)).unwrap();
    change(&mut document);
    let bytes = match format {
        Format::V1 => v1::encode(&document),
        Format::V2 => v2::encode(&document, BASE),
    };
    forge.document(format, &bytes);
}

/// What the client says where the record was changed by somebody who has the registry's keys, but not
/// the publisher's: a client that knows nothing of the package, and one that does.
fn refuses_record(change: impl Fn(&mut Record)) -> [String; 2] {
    [World::fresh(), World::warm()].map(|world| {
        world.forge(|forge| forge.record(&change));
        world.refuses()
    })
}

/// The same where both say it alike.
fn both_refuse_record(change: impl Fn(&mut Record)) -> String {
    let [fresh, warm] = refuses_record(change);
    assert_eq!(fresh, warm);
    fresh
}

/// A statement of the record in its parsed form.
fn parsed(record: &Record, place: usize) -> Statement {
    statement::parse_payload(&record.statements[place].payload).unwrap()
}

#[test]
fn a_document_of_another_digest_in_the_format_that_is_read() {
    let world = World::fresh();
    world.fault(&world.document(READ), Fault::Flip(80));
    let text = world.refuses();
    assert!(
        text.starts_with("error[MP0401]: `ti/de/[DIGEST].tide-table"),
        "{text}"
    );
}

#[test]
fn what_comes_slowly_and_is_right_is_taken() {
    let world = World::fresh();
    let path = world.document(READ);
    for fault in [
        Fault::Late(Duration::from_millis(20)),
        Fault::Trickle(Duration::from_micros(20)),
    ] {
        world.fault(&path, fault);
        let info = world.info();
        assert_eq!(info.code, Some(0), "{info}");
        assert!(!info.stderr.contains("warning"), "{info}");
        std::fs::remove_file(world.state(&layout::document(&package(), READ))).unwrap();
    }
}

#[test]
fn a_record_of_another_digest() {
    for fault in [
        Fault::Flip(800),
        Fault::Shorter(1),
        Fault::Other(PAGE.into()),
    ] {
        let world = World::fresh();
        world.fault(&world.record(), fault);
        let text = world.refuses();
        let start =
            "error[MP0401]: `ti/de/tide-table.json` is not the file that the registry signed for";
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn a_record_of_another_length() {
    for fault in [Fault::Longer(b"\n".into()), Fault::Endless] {
        let world = World::fresh();
        world.fault(&world.record(), fault);
        let text = world.refuses();
        assert!(text.starts_with("error[MP0401]: `ti/de/"), "{text}");
        assert!(
            text.ends_with("is longer than the [N] bytes that it may have"),
            "{text}"
        );
    }
}

#[test]
fn an_archive_of_another_digest() {
    let world = World::fresh();
    let archives = world.file_paths("crates/tide-table/");
    for fault in [Fault::Flip(99), Fault::Shorter(1), Fault::Longer(vec![0])] {
        world.server.also(archives.clone(), &fault);
        let before = folder_digest(&world.env.path("work"));
        for line in ["fetch", "exec -- check", "add tide-table"] {
            let outcome = world.command(line).folder("work/app").run();
            assert_eq!(outcome.code, Some(4), "{outcome}");
            assert!(error(&outcome).starts_with("error[MP0401]"), "{outcome}");
            assert_eq!(folder_digest(&world.env.path("work")), before, "{line}");
        }
        // What is right may be kept: the dependency, and the list that cargo chose from.
        assert!(!world.state("local/tide-table-0.2.0.crate").exists());
    }
}

#[test]
fn metadata_without_a_signature() {
    for role in ["timestamp", "targets", "policy", "packages", "claimed"] {
        let world = World::warm();
        world.forge(|forge| {
            if role != "timestamp" {
                forge.role(role, |_| ());
            }
        });
        world.edit(&world.metadata(role), |file| file["signatures"] = json!([]));
        let says =
            format!("error[MP0402]: the metadata of `{role}` has 0 of 1 required signatures");
        assert_eq!(world.refuses(), says);
    }
}

#[test]
fn a_snapshot_that_was_not_announced() {
    let world = World::warm();
    world.forge(|_| ());
    world.edit(&world.metadata("snapshot"), |file| {
        file["signatures"] = json!([]);
    });
    let text = world.refuses();
    let says = "error[MP0401]: the metadata of `snapshot` has [N] bytes, announced were ";
    assert!(text.starts_with(says), "{text}");
}

#[test]
fn the_metadata_of_one_role_in_anothers_place() {
    let path = layout::record(&package());
    for (role, other) in [(bin(&path), "packages-0"), ("policy".into(), "rollout")] {
        assert_ne!(role, other);
        let world = World::warm();
        // The same keys sign both, and both are of the version that is listed.
        world.forge(|forge| {
            let most = [role.as_str(), other].map(|role| {
                let mut version = 0;
                forge.role(role, |signed| version = signed["version"].as_u64().unwrap());
                version
            });
            for role in [role.as_str(), other] {
                forge.role(role, |signed| {
                    signed["version"] = most.into_iter().max().into();
                });
            }
        });
        let bytes = world.file(&world.metadata(other));
        world.fault(&world.metadata(&role), Fault::Other(bytes));
        let says = format!("error[MP0406]: the metadata of `{other}` came for `{role}`");
        assert_eq!(world.refuses(), says);
    }
}

#[test]
fn metadata_with_a_bad_signature() {
    let world = World::warm();
    world.forge(|_| ());
    world.edit(layout::TIMESTAMP, |file| {
        file["signed"]["version"] = 99.into();
    });
    assert_snapshot!(world.refuses(), @"error[MP0402]: the metadata of `timestamp` has 0 of 1 required signatures");
}

#[test]
fn metadata_signed_by_an_unknown_key() {
    let world = World::warm();
    world.forge(|_| ());
    let id = key(9).public().id().to_string();
    world.edit(layout::TIMESTAMP, |file| {
        file["signatures"][0]["keyid"] = id.clone().into();
    });
    assert_snapshot!(world.refuses(), @"error[MP0402]: the metadata of `timestamp` has 0 of 1 required signatures");
}

#[test]
fn a_statement_without_a_signature() {
    let says = refuses_signature(|record| record.statements[1].signatures.clear());
    assert_snapshot!(says, @"error[MP0402]: statement 2 of `tide-table` is refused: it has 0 of 1 signatures");
}

/// What a new client says. One that has verified the record before does not check the signatures of old
/// statements again, as the chain of digests shows that they are the same; but it does where it shows
/// who signed.
fn refuses_signature(change: impl Fn(&mut Record)) -> String {
    let world = World::fresh();
    world.forge(|forge| forge.record(&change));
    let says = world.refuses();
    let world = World::warm();
    world.forge(|forge| forge.record(&change));
    assert_eq!(error(&world.info()), says);
    says
}

#[test]
fn a_statement_with_a_bad_signature() {
    let says = refuses_signature(|record| record.statements[1].signatures[0].bytes[9] ^= 1);
    assert_snapshot!(says, @"error[MP0402]: statement 2 of `tide-table` is refused: the signature does not fit the key [DIGEST] and the signed bytes");
}

#[test]
fn a_statement_signed_by_an_unknown_key() {
    let says = refuses_signature(|record| resign(record, 1, 9, |_| ()));
    assert_snapshot!(says, @"error[MP0403]: statement 2 of `tide-table` is refused: it is signed by the key [DIGEST], which may not sign it");
}

#[test]
fn a_statement_signed_by_the_operator_in_place_of_the_owner() {
    let says = refuses_signature(|record| resign(record, 1, 1, |_| ()));
    assert_snapshot!(says, @"error[MP0403]: statement 2 of `tide-table` is refused: it is signed by the key [DIGEST], which may not sign it");
}

/// Changes a statement, and signs it by that key.
fn resign(record: &mut Record, place: usize, by: u8, change: impl Fn(&mut Statement)) {
    let mut statement = parsed(record, place);
    change(&mut statement);
    record.statements[place] = sign_statement(&statement, &[&key(by)]).unwrap();
}

#[test]
fn a_publisher_with_a_weak_key() {
    let world = World::fresh();
    world.forge(|forge| {
        let path = "publishers/harbour.json";
        let mut file: serde_json::Value = serde_json::from_slice(forge.file(path)).unwrap();
        file["keys"][0]["keyval"]["public"] = "0".repeat(64).into();
        forge.target("targets", path, file.to_string().as_bytes());
    });
    assert_snapshot!(world.refuses(), @"
    error[MP0406]: `publishers/harbour.json` lists a key that may not sign

    Caused by:
      `[DIGEST]` is a weak ed25519 public key: anybody can sign with it
    ");
}

#[test]
fn metadata_that_expired_where_something_new_is_to_be_learnt() {
    let world = World::warm();
    let later = |line: &str| {
        let command = world.command(line).folder("work/app");
        command.env("CARGO_MARKETPLACE_NOW", day(8)).run()
    };
    let before = world.belongings();
    for line in ["info tide-table", "fetch", "fetch --locked", "search tide"] {
        let outcome = later(line);
        assert_eq!(outcome.code, Some(4), "{line}: {outcome}");
        let says = "error[MP0404]: the metadata of `timestamp` (version ";
        assert!(error(&outcome).starts_with(says), "{outcome}");
    }
    assert_eq!(world.belongings(), before);
}

#[test]
fn a_timestamp_that_announces_an_older_snapshot() {
    let world = World::warm();
    world.forge(|forge| {
        forge.at_last("timestamp", |signed| {
            signed["meta"]["snapshot.json"] = json!({"version": 1});
        });
    });
    assert_snapshot!(world.refuses(), @"error[MP0405]: `snapshot` went back from version 4 to 1");
}

#[test]
fn a_snapshot_in_which_a_role_goes_back() {
    for role in ["targets", "policy", "packages", "catalog", "claimed"] {
        let world = World::warm();
        world.forge(|forge| forge.role(role, |_| ()));
        assert_eq!(world.info().code, Some(0));
        world.forge(|forge| {
            forge.at_last("snapshot", move |signed| {
                let version = &mut signed["meta"][format!("{role}.json")]["version"];
                *version = (version.as_u64().unwrap() - 1).into();
            });
        });
        let text = world.refuses();
        let says = format!("error[MP0405]: `{role}` went back from version ");
        assert!(text.starts_with(&says), "{text}");
    }
}

#[test]
fn a_role_that_vanished() {
    for role in ["claimed", "packages", "packages-3", "policy"] {
        let world = World::warm();
        world.forge(|forge| {
            forge.at_last("snapshot", move |signed| {
                let roles = signed["meta"].as_object_mut().unwrap();
                assert!(roles.remove(&format!("{role}.json")).is_some());
            });
        });
        let says = format!("error[MP0405]: the role `{role}` vanished from the registry");
        assert_eq!(world.refuses(), says);
    }
}

#[test]
fn a_role_that_a_new_client_does_not_find() {
    for role in ["claimed", "packages"] {
        let world = World::fresh();
        std::fs::remove_dir_all(world.state("tuf")).unwrap();
        std::fs::create_dir_all(world.state("tuf")).unwrap();
        std::fs::write(world.state("tuf/root.json"), world.file("tuf/1.root.json")).unwrap();
        world.forge(|forge| {
            forge.at_last("snapshot", move |signed| {
                let roles = signed["meta"].as_object_mut().unwrap();
                assert!(roles.remove(&format!("{role}.json")).is_some());
            });
        });
        let says = format!("error[MP0406]: the snapshot does not list the role `{role}`");
        assert_eq!(world.refuses(), says);
    }
}

#[test]
fn a_package_that_vanished() {
    let path = layout::record(&package());
    let remove = |forge: &mut Forge| {
        forge.role(&bin(&path), |signed| {
            assert!(
                signed["targets"]
                    .as_object_mut()
                    .unwrap()
                    .remove(&path)
                    .is_some()
            );
        });
    };
    let [fresh, warm] = [World::fresh(), World::warm()].map(|world| {
        world.forge(remove);
        world.refuses()
    });
    assert_snapshot!(fresh, @"error[MP0409]: `tide-table` has an owner, and the registry shows no such package");
    assert_snapshot!(warm, @"error[MP0405]: `tide-table` was in the registry before and is not any more");
}

#[test]
fn a_release_that_vanished() {
    // With all that came after it, and documents that say the same.
    let [_, warm] = refuses_record(|record| {
        record.statements.truncate(2);
        let kept = parsed(record, 1).body.version().cloned().unwrap();
        record.accepted.retain(|version, _| *version == kept);
    });
    assert_snapshot!(warm, @"error[MP0405]: the record of `tide-table` ends at 2, and 4 statements were seen before");
}

#[test]
fn a_release_that_vanished_from_the_document() {
    let world = World::fresh();
    world.forge(|forge| {
        edit_document(forge, READ, |document| drop(document.entries.pop()));
    });
    assert_snapshot!(world.refuses(), @"error[MP0502]: the document of `tide-table` does not have 0.2.0 where the statements have it");
}

#[test]
fn a_document_that_says_something_else_than_the_statements() {
    let world = World::fresh();
    world.forge(|forge| unyank_in_document(forge, READ));
    assert_snapshot!(world.refuses(), @"error[MP0502]: the document of `tide-table` gives 0.1.0 another yank than its statement");
}

#[test]
fn a_chain_with_a_gap() {
    let says = both_refuse_record(|record| drop(record.statements.remove(1)));
    assert_snapshot!(says, @"error[MP0406]: statement 2 of `tide-table` is refused: its sequence is 3 where 2 must follow");
}

#[test]
fn a_chain_that_forks() {
    let says = both_refuse_record(|record| {
        resign(record, 3, 3, |statement| {
            statement.previous = Some(Sha256Digest::of(b"another statement"));
        });
    });
    assert_snapshot!(says, @"error[MP0406]: statement 4 of `tide-table` is refused: it does not follow on the statement before it");
}

#[test]
fn a_statement_made_for_another_package_or_registry() {
    let says = both_refuse_record(|record| {
        resign(record, 3, 3, |statement| {
            statement.package = "libm_lite".parse().unwrap();
        });
    });
    assert_snapshot!(says, @"error[MP0406]: statement 4 of `tide-table` is refused: it was made for `libm_lite`, not for `tide-table`");
    let says = both_refuse_record(|record| {
        resign(record, 3, 3, |statement| {
            statement.registry_id = Sha256Digest::of(b"another registry");
        });
    });
    assert_snapshot!(says, @"error[MP0406]: statement 4 of `tide-table` is refused: it was made for the registry [DIGEST], not for [DIGEST]");
}

#[test]
fn a_signed_package_that_is_now_vouched_for() {
    let says = refuses_record(|record| {
        let Body::Release(mut release) = parsed(record, 1).body else {
            panic!("the package's first release");
        };
        release.publisher = None;
        let kept = release.version.clone();
        let vouch = Statement {
            sequence: 1,
            previous: None,
            body: Body::Vouch {
                release,
                source: None,
            },
            ..parsed(record, 1)
        };
        record.statements = vec![sign_statement(&vouch, &[&key(2)]).unwrap()];
        record.accepted.retain(|version, _| *version == kept);
    });
    assert_snapshot!(says[0], @"error[MP0409]: the record of `tide-table` lacks the statement [DIGEST], by which its owners have the name");
    assert_snapshot!(says[1], @"error[MP0405]: the record of `tide-table` ends at 1, and 4 statements were seen before");
}

#[test]
fn a_release_of_a_signed_package_that_is_vouched_for() {
    let says = both_refuse_record(|record| {
        let last = record.statements.last().unwrap().digest();
        let Body::Release(mut release) = parsed(record, 2).body else {
            panic!("the package's last release");
        };
        release.publisher = None;
        release.version = "9.0.0".parse().unwrap();
        record
            .accepted
            .insert(release.version.clone(), small_registry::now());
        let vouch = Statement {
            sequence: 5,
            previous: Some(last),
            body: Body::Vouch {
                release,
                source: None,
            },
            ..parsed(record, 1)
        };
        record
            .statements
            .push(sign_statement(&vouch, &[&key(2)]).unwrap());
    });
    assert_snapshot!(says, @"error[MP0406]: statement 5 of `tide-table` is refused: version 9.0.0 is vouched for, but the package has an owner");
}

#[test]
fn a_signed_package_that_is_now_unsigned() {
    let says = both_refuse_record(|record| {
        record.statements.clear();
        record.accepted.clear();
    });
    assert_snapshot!(says, @"error[MP0406]: the record of `tide-table` holds no statement");
}

#[test]
fn a_login_page_is_a_fault_of_the_network() {
    for page in [Fault::Page, Fault::Other(PAGE.into())] {
        let world = World::fresh();
        world.server.also(world.file_paths(""), &page);
        // Who has a copy is told that it is one; who has none has nothing.
        let outcome = world.command("search tide").run();
        assert_eq!(outcome.code, Some(101), "{outcome}");
        let says = "warning: could not update `harbour` (";
        assert!(outcome.stderr.contains(says), "{outcome}");
        std::fs::remove_file(world.state("tuf/refreshed")).unwrap();
        let text = world.fails(101);
        let says =
            "error[MP0201]: no copy of the `harbour` index, and the registry cannot be reached";
        assert!(text.starts_with(says), "{text}");
    }
}

#[test]
fn a_login_page_in_place_of_a_record_is_a_fault_of_the_network() {
    let world = World::fresh();
    world.fault(&world.record(), Fault::Page);
    let text = world.fails(101);
    assert!(
        text.ends_with(".tide-table.json` is a web page, not a file of a registry"),
        "{text}"
    );
}
