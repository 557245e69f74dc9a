//! A registry that does not answer, past the expiry of what is known of it.

use std::fs;

use crate::env::TestEnv;
use crate::fixture::Fixture;
use crate::samples::Market;

const APP: &str = "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n";

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

#[test]
fn a_project_is_built_as_it_was_locked_and_nothing_new_is_locked() {
    let mut market = Market::published();
    market.project("app", APP);
    market.project("later", APP);
    let locked = market.env.command(["fetch"]).folder("work/app").run();
    assert_eq!(locked.code, Some(0), "{locked}");
    market.stop();
    let exec = |folder: &str, more: &[&str]| {
        let line = more.iter().chain(&["exec", "--", "check"]);
        let command = market.env.command(line).folder(folder);
        command.env("SOURCE_DATE_EPOCH", LATER).run()
    };
    let built = exec("work/app", &[]);
    assert_eq!(built.code, Some(0), "{built}");
    assert!(built.to_string().contains("expired at"), "{built}");
    let refused = exec("work/later", &[]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.to_string().contains("error[MP0404]"), "{refused}");
    assert!(!market.env.path("work/later/Cargo.lock").exists());
    let meant = exec("work/later", &["--offline"]);
    assert_eq!(meant.code, Some(0), "{meant}");
}
