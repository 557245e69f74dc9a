//! A registry that does not answer, past the expiry of what is known of it.

use std::fs;

use crate::env::TestEnv;
use crate::fixture::Fixture;

/// Long after everything in the fixture has expired.
const LATER: &str = "3000000000";

fn silent() -> TestEnv {
    let env = TestEnv::new();
    let folder = Fixture::get().add_to(&env);
    fs::rename(&folder, env.path("gone")).unwrap();
    env
}

fn later(env: &TestEnv, arguments: &[&str]) -> crate::env::Outcome {
    let command = env.command(arguments.iter().copied());
    command.env("SOURCE_DATE_EPOCH", LATER).run()
}

#[test]
fn an_expired_copy_is_searched_with_a_warning() {
    let env = TestEnv::new();
    let folder = Fixture::get().add_to(&env);
    env.run(["search", "tide"]);
    fs::rename(&folder, env.path("gone")).unwrap();
    let found = later(&env, &["search", "tide"]);
    assert_eq!(found.code, Some(0), "{found}");
    assert!(found.to_string().contains("expired at"), "{found}");
}

#[test]
fn nothing_is_chosen_from_an_expired_copy_unless_offline_is_meant() {
    let env = silent();
    let refused = later(&env, &["install", "anything", "--dry-run"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.to_string().contains("error[MP0404]"), "{refused}");
    let meant = later(&env, &["install", "anything", "--dry-run", "--offline"]);
    assert_ne!(meant.code, Some(4), "{meant}");
}
